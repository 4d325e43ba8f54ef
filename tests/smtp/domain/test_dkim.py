"""DKIM keys: which count, and what is wrong with others."""

from __future__ import annotations

import base64
from functools import cache
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from smtp_desk.smtp.domain.dkim import read_key
from smtp_desk.smtp.domain.facts import InvalidRecordError
from tests.table import each_row

_DER: Final = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@cache
def rsa_key(bits: int, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> str:
    """A public key as `p=` has it. Nobody signs with it, so a modulus that is any number does."""
    modulus = (1 << (bits - 1)) | 1
    key = rsa.RSAPublicNumbers(65537, modulus).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, form)).decode()


ED25519: Final = base64.b64encode(bytes(range(32))).decode()
RAW: Final = (Encoding.Raw, PublicFormat.Raw)


def test_what_signers_make_is_what_is_read() -> None:
    key = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(*RAW)
    assert read_key([b"v=DKIM1; k=ed25519; p=" + base64.b64encode(key)])


@each_row(
    "record",
    [
        f"v=DKIM1; k=rsa; p={rsa_key(2048)}",
        f"p={rsa_key(2048)}",
        f"v=DKIM1;p={rsa_key(4096)};",
        f"v=DKIM1; n=a note; h=sha1:sha256; s=email; t=s; p={rsa_key(2048)}",
        f"v=DKIM1; s=other:*; K=RSA; p={rsa_key(2048)}",
        f"v=DKIM1 ; p = {rsa_key(2048)[:100]} {rsa_key(2048)[100:]} ; x=unknown",
        f"v=DKIM1; p={rsa_key(2048, PublicFormat.PKCS1)}",
    ],
)
def test_a_good_key(record: str) -> None:
    assert read_key([record.encode()]) == ()


@each_row(
    ("record", "note"),
    [
        (f"v=DKIM1; p={rsa_key(1024)}", "1024 bits, but 2048 are recommended"),
        (f"v=DKIM1; p={rsa_key(2047)}", "2047 bits, but 2048 are recommended"),
        (f"v=DKIM1; p={rsa_key(1536)}", "1536 bits"),
        (f"v=DKIM1; t=y; p={rsa_key(2048)}", "only being tested (t=y)"),
        (f"v=DKIM1; t=s:y; p={rsa_key(2048)}", "only being tested (t=y)"),
        (f"v=DKIM1; k=ed25519; p={ED25519}", "can’t check Ed25519"),
    ],
)
def test_a_key_that_could_be_better(record: str, note: str) -> None:
    (told,) = read_key([record.encode()])
    assert note in told


def _not_rsa() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(*_DER)
    return base64.b64encode(key).decode()


@each_row(
    ("record", "reason"),
    [
        ("v=DKIM1; p=", "revoked"),
        ("v=DKIM1; p=  ;", "revoked"),
        ("v=DKIM1; k=ed25519; p=", "revoked"),
        ("v=DKIM1; k=rsa", "no key (p=)"),
        (f"v=DKIM1; p={rsa_key(1023)}", "1023 bits, and receivers refuse less than 1024"),
        (f"v=DKIM1; p={rsa_key(768)}", "768 bits"),
        (f"v=DKIM1; p={rsa_key(512)}", "512 bits"),
        ("v=DKIM1; p=!!!", "isn’t valid Base64"),
        (f"v=DKIM1; p={rsa_key(2048)[:-3]}", "isn’t valid Base64"),
        (f"v=DKIM1; p={rsa_key(2048)[:200]}", "can’t be read, and part of it may be missing"),
        ("v=DKIM1; p=AAAA", "can’t be read"),
        (f"v=DKIM1; p={_not_rsa()}", "isn’t an RSA key"),
        (f"v=DKIM1; k=ed25519; p={rsa_key(2048)}", "instead of 32"),
        (f"v=DKIM1; k=ecdsa; p={rsa_key(2048)}", "don’t support keys of type “ecdsa”"),
        (f"v=DKIM2; p={rsa_key(2048)}", "must start with v=DKIM1"),
        (f"v=dkim1; p={rsa_key(2048)}", "must start with v=DKIM1"),
        (f"p={rsa_key(2048)}; v=DKIM1", "must start with v=DKIM1"),
        (f"v=DKIM1; s=tlsrpt; p={rsa_key(2048)}", "isn’t meant for email (s=tlsrpt)"),
        (f"v=DKIM1; h=sha1; p={rsa_key(2048)}", "hashes that receivers refuse (h=sha1)"),
        (f"v=DKIM1; p={rsa_key(2048)}; p=", "appears twice"),
        (f"v=DKIM1 p={rsa_key(2048)}", "must start with v=DKIM1"),
        ("some text", "isn’t in the form name=value"),
        ("", "no key (p=)"),
        ("v=DKIM1; p=é", "aren’t ASCII"),
    ],
)
def test_a_key_that_does_not_count(record: str, reason: str) -> None:
    with pytest.raises(InvalidRecordError) as raised:
        read_key([record.encode()])
    assert reason in str(raised.value)


def test_several_keys_at_one_name() -> None:
    record = f"v=DKIM1; p={rsa_key(2048)}".encode()
    with pytest.raises(InvalidRecordError, match="2 records"):
        read_key([record, record])
