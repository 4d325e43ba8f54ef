"""The stored proof: valid for exactly what was proven."""

from dataclasses import replace
from datetime import date
from traceback import TracebackException

import pytest

from smtp_desk.core import proof as proof_module
from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.core.proof import SALT_BYTES, Proof, Verdict, sign, verify
from smtp_desk.core.secret import PROOF_KEY_BYTES, KeyringEntry, Secret
from smtp_desk.core.settings import AuthMethod, Security, ServerSettings
from tests.table import each_row

SETTINGS = ServerSettings(
    host="mail.example.test", port=587, from_email="ann@example.test", username="ann"
)
ENTRY = KeyringEntry(Secret("s3cret ä"), b"k" * PROOF_KEY_BYTES)
GIVEN = KeyringEntry(ENTRY.secret)  # what a machine without the keyring has
NOTHING = KeyringEntry(Secret(""))
SALT = bytes(SALT_BYTES)
PROOF = sign(SETTINGS, Security.STARTTLS, ENTRY, SALT)


def verdict_of(
    entry: KeyringEntry,
    *,
    proof: Proof = PROOF,
    settings: ServerSettings = SETTINGS,
    mode: Security = Security.STARTTLS,
) -> Verdict:
    return verify(proof, settings, mode, entry)


@pytest.mark.parametrize("entry", [ENTRY, GIVEN])
def test_it_verifies_what_was_signed(entry: KeyringEntry) -> None:
    assert verdict_of(entry) is Verdict.PROVEN


@each_row(
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
    assert verdict_of(ENTRY, settings=edited) is Verdict.CHANGED
    assert verdict_of(GIVEN, settings=edited) is Verdict.SECRET_DIFFERS


@pytest.mark.parametrize(("entry", "verdict"), [(ENTRY, "changed"), (GIVEN, "secret_differs")])
def test_the_mode_is_part_of_it(entry: KeyringEntry, verdict: str) -> None:
    assert verdict_of(entry, mode=Security.TLS) == verdict


@each_row("secret", ["s3cret", "s3cret a\u0308", "S3CRET Ä", " s3cret ä", "ä" * 255])
def test_another_secret_is_told_from_another_file(secret: str) -> None:
    other = replace(ENTRY, secret=Secret(secret))
    assert verdict_of(other) is Verdict.SECRET_DIFFERS
    assert verdict_of(KeyringEntry(other.secret)) is Verdict.SECRET_DIFFERS
    changed = replace(SETTINGS, port=25)
    assert verdict_of(other, settings=changed) is Verdict.CHANGED


def test_no_secret_is_no_other_secret() -> None:
    assert verdict_of(replace(ENTRY, secret=Secret(""))) is Verdict.SECRET_DIFFERS
    assert verdict_of(NOTHING) is Verdict.CHANGED


def test_the_key_of_another_entry_proves_nothing() -> None:
    assert verdict_of(replace(ENTRY, proof_key=b"x" * PROOF_KEY_BYTES)) is Verdict.CHANGED


def test_without_credentials_it_still_binds_the_fields() -> None:
    proof = sign(SETTINGS, Security.TLS, NOTHING, SALT)
    assert verdict_of(NOTHING, proof=proof, mode=Security.TLS) is Verdict.PROVEN
    changed = replace(SETTINGS, port=25)
    assert verdict_of(NOTHING, proof=proof, settings=changed, mode=Security.TLS) is Verdict.CHANGED


def test_another_salt_gives_other_macs() -> None:
    other = sign(SETTINGS, Security.STARTTLS, ENTRY, b"x" * SALT_BYTES)
    assert other.given != PROOF.given
    assert other.fields != PROOF.fields


def test_no_mac_is_that_of_another() -> None:
    assert len({PROOF.given, PROOF.fields, PROOF.secret}) == 3


@each_row(
    "proof",
    [
        replace(PROOF, version=1),
        replace(PROOF, version=3),
        replace(PROOF, salt="not hexadecimal"),
        replace(PROOF, salt=""),
        replace(PROOF, salt="é\udc80"),
        replace(PROOF, given=""),
        replace(PROOF, given="é\udc80"),
        Proof(1, "", ""),
        Proof(2, "", "", "", ""),
    ],
)
def test_a_damaged_proof_proves_nothing(proof: Proof) -> None:
    assert verdict_of(ENTRY, proof=proof) is Verdict.CHANGED
    assert verdict_of(GIVEN, proof=proof) is Verdict.SECRET_DIFFERS
    assert verdict_of(NOTHING, proof=proof) is Verdict.CHANGED


@pytest.mark.parametrize("damage", ["", PROOF.secret, "é\udc80"])
def test_a_damaged_mac_of_the_fields_proves_nothing(damage: str) -> None:
    assert verdict_of(ENTRY, proof=replace(PROOF, fields=damage)) is Verdict.CHANGED


@pytest.mark.parametrize("damage", ["", PROOF.fields, "é\udc80"])
def test_a_damaged_mac_of_the_secret_lets_no_secret_out(damage: str) -> None:
    assert verdict_of(ENTRY, proof=replace(PROOF, secret=damage)) is Verdict.SECRET_DIFFERS


def test_the_first_version_is_verified() -> None:
    mac = "5a765ec6617dd0b47a2e60a133bff878c531e1da68e637a2717541eba33d8a5d"
    proof = Proof(1, "9196120f7b5fc1218aed823fd88363e2", mac)
    settings = ServerSettings(
        host="old.example.test",
        port=587,
        username="ann@example.org",
        from_name="Example",
        from_email="desk@example.org",
    )
    old = KeyringEntry(Secret("old secret"))
    assert verdict_of(old, proof=proof, settings=settings) is Verdict.PROVEN
    other = KeyringEntry(Secret("new secret"))
    assert verdict_of(other, proof=proof, settings=settings) is Verdict.SECRET_DIFFERS
    changed = replace(settings, port=25)
    assert verdict_of(old, proof=proof, settings=changed) is Verdict.SECRET_DIFFERS


@pytest.mark.parametrize("entry", [GIVEN, replace(GIVEN, refresh_token=Secret("s3cret token"))])
def test_no_traceback_shows_the_secret(
    entry: KeyringEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof_module, "_MEMORY", 1)
    with pytest.raises(ValueError, match="memory limit") as caught:
        verdict_of(entry)
    told = TracebackException.from_exception(caught.value, capture_locals=True)
    assert "salt = " in "".join(told.format())
    assert "s3cret" not in "".join(told.format())


def test_it_does_not_show_the_secret() -> None:
    assert "s3cret" not in repr(PROOF)


OAUTH = OAuthSettings(
    provider=OAuthProvider.CUSTOM,
    flow=OAuthFlow.BROWSER,
    client_id="desk",
    tenant="example.com",
    authorize_url="https://login.example.com/authorize",
    token_url="https://login.example.com/token",
    device_url="",
    scopes=("smtp",),
    issuer="https://login.example.com",
    subject="ann",
)
SIGNED_IN = KeyringEntry(Secret(""), b"k" * PROOF_KEY_BYTES, Secret("refresh"))
BY_TOKEN = replace(SETTINGS, oauth=OAUTH)
OAUTH_PROOF = sign(BY_TOKEN, Security.STARTTLS, SIGNED_IN, SALT)


@each_row(
    ("name", "value"),
    [
        ("provider", OAuthProvider.GOOGLE),
        ("flow", OAuthFlow.DEVICE),
        ("client_id", "other"),
        ("tenant", "evil.example"),
        ("authorize_url", "https://evil.example/authorize"),
        ("token_url", "https://evil.example/token"),
        ("device_url", "https://evil.example/device"),
        ("scopes", ("smtp", "files")),
        ("scopes", ()),
        ("ca_pem", "PEM"),
        ("issuer", "https://evil.example"),
        ("subject", "bo"),
    ],
)
def test_any_edited_field_of_the_sign_in_breaks_it(name: str, value: object) -> None:
    edited = replace(BY_TOKEN, oauth=replace(OAUTH, **{name: value}))  # type: ignore[arg-type]
    assert verdict_of(SIGNED_IN, proof=OAUTH_PROOF, settings=edited) is Verdict.CHANGED
    assert verdict_of(SIGNED_IN, proof=OAUTH_PROOF, settings=SETTINGS) is Verdict.CHANGED


def test_another_token_of_the_same_account_changes_no_proof() -> None:
    for token in ("refresh", "rotated", "of a new sign-in", ""):
        entry = replace(SIGNED_IN, refresh_token=Secret(token))
        assert verdict_of(entry, proof=OAUTH_PROOF, settings=BY_TOKEN) is Verdict.PROVEN


def test_a_client_secret_that_a_machine_gives_is_told_from_another() -> None:
    app = replace(SETTINGS, oauth=replace(OAUTH, flow=OAuthFlow.APP))
    proof = sign(app, Security.STARTTLS, KeyringEntry(Secret("client"), b"k" * 32), SALT)
    given = {secret: KeyringEntry(Secret(secret)) for secret in ("client", "another")}
    assert verdict_of(given["client"], proof=proof, settings=app) is Verdict.PROVEN
    assert verdict_of(given["another"], proof=proof, settings=app) is Verdict.SECRET_DIFFERS


def test_a_rate_is_nothing_that_a_test_could_prove() -> None:
    assert verdict_of(ENTRY, settings=replace(SETTINGS, per_hour=100)) is Verdict.PROVEN


def test_the_end_of_a_client_secret_is_nothing_that_a_test_could_prove() -> None:
    dated = BY_TOKEN.with_expiry(date(2027, 5, 30))
    assert dated.client_secret_expires == date(2027, 5, 30)
    assert verdict_of(SIGNED_IN, proof=OAUTH_PROOF, settings=dated) is Verdict.PROVEN
    assert sign(dated, Security.STARTTLS, SIGNED_IN, SALT) == OAUTH_PROOF


def test_a_proof_of_a_sign_in_that_was_made_before_there_was_such_a_day_still_holds() -> None:
    made = Proof(
        2,
        SALT.hex(),
        "d45e63d9f71a260ad1c1a4da6915e555d16f50916ebfaf1efd40dddedd0c08a6",
        "70643910f33bb75b1bb120349688a51d7dbdf0d033d31be59df53358a0c6c575",
        "57a1a6d16e6ddaa929d676550a087ba20167d151741e769781460a733e8afae8",
    )
    assert made == OAUTH_PROOF
