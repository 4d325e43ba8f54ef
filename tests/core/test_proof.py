"""The stored proof: valid for exactly what was proven."""

from dataclasses import replace

import pytest

from smtp_desk.core.proof import SALT_BYTES, Proof, sign, verify
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import AuthMethod, Security, ServerSettings

SETTINGS = ServerSettings(
    host="mail.example.test", port=587, from_email="ann@example.test", username="ann"
)
SECRET = Secret("s3cret ä")
SALT = bytes(SALT_BYTES)
PROOF = sign(SETTINGS, Security.STARTTLS, SECRET, SALT)


def test_it_verifies_what_was_signed() -> None:
    assert verify(PROOF, SETTINGS, Security.STARTTLS, SECRET)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "evil.example.test"),
        ("port", 465),
        ("username", "bo"),
        ("from_name", "Bo"),
        ("from_email", "bo@example.test"),
        ("security", Security.TLS),
        ("ca_pem", "PEM"),
        ("ehlo_name", "desk.example.test"),
        ("auth_method", AuthMethod.LOGIN),
    ],
)
def test_any_edited_field_breaks_it(name: str, value: object) -> None:
    edited = replace(SETTINGS, **{name: value})  # type: ignore[arg-type]
    assert not verify(PROOF, edited, Security.STARTTLS, SECRET)


def test_the_mode_and_the_secret_are_part_of_it() -> None:
    assert not verify(PROOF, SETTINGS, Security.TLS, SECRET)
    assert not verify(PROOF, SETTINGS, Security.STARTTLS, Secret("s3cret"))
    assert not verify(PROOF, SETTINGS, Security.STARTTLS, None)


def test_without_credentials_it_still_binds_the_fields() -> None:
    proof = sign(SETTINGS, Security.TLS, None, SALT)
    assert verify(proof, SETTINGS, Security.TLS, None)
    assert not verify(proof, replace(SETTINGS, port=25), Security.TLS, None)


def test_another_salt_gives_another_mac() -> None:
    assert sign(SETTINGS, Security.STARTTLS, SECRET, b"x" * SALT_BYTES).mac != PROOF.mac


@pytest.mark.parametrize(
    "proof",
    [
        replace(PROOF, version=2),
        replace(PROOF, salt="not hexadecimal"),
        replace(PROOF, salt=""),
        replace(PROOF, mac=""),
        replace(PROOF, mac="é\udc80"),
        Proof(1, "", ""),
    ],
)
def test_a_damaged_proof_proves_nothing(proof: Proof) -> None:
    assert not verify(proof, SETTINGS, Security.STARTTLS, SECRET)


def test_it_does_not_show_the_secret() -> None:
    assert "s3cret" not in repr(PROOF)
