"""Settings that travel: what goes along, and what a stranger's file may not bring."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import AuthMethod, Security, ServerSettings
from smtp_desk.store.portable import (
    MAX_OCTETS,
    PortableError,
    Unusable,
    decode,
    encode,
    read_portable,
    write_portable,
)
from tests.table import each_row

SETTINGS = ServerSettings(
    host="smtp.example.org",
    port=465,
    username="desk@example.org",
    from_name='Ann "the desk" Ünal',
    from_email="desk@example.org",
    security=Security.TLS,
    ca_pem="-----BEGIN CERTIFICATE-----",
    ehlo_name="desk.example.org",
    auth_method=AuthMethod.LOGIN,
)
OAUTH = OAuthSettings(
    provider=OAuthProvider.MICROSOFT,
    flow=OAuthFlow.BROWSER,
    client_id="client",
    tenant="example.org",
    token_url="https://login.example.org/token",
    issuer="https://issuer.example.org",
    subject="subject-1",
)


def test_what_travels_comes_back() -> None:
    draft = decode(encode(SETTINGS).encode())
    assert (draft.host, draft.port, draft.security) == ("smtp.example.org", "465", "tls")
    assert (draft.username, draft.from_email) == ("desk@example.org", "desk@example.org")
    assert (draft.from_name, draft.ehlo_name) == (SETTINGS.from_name, "desk.example.org")
    assert draft.auth_method == "login"
    assert (draft.secret, draft.ca_file) == (Secret(""), "")


def test_neither_ca_nor_account_nor_the_end_of_a_secret_travels() -> None:
    dated = replace(OAUTH, client_secret_expires=date(2027, 5, 30))
    text = encode(replace(SETTINGS, oauth=dated))
    assert "2027" not in text
    assert "BEGIN CERTIFICATE" not in text
    assert "issuer" not in text
    assert "token" not in text
    draft = decode(text.encode())
    assert draft.auth_method == "oauth"
    assert (draft.oauth.provider, draft.oauth.flow) == ("microsoft", "browser")
    assert (draft.oauth.client_id, draft.oauth.tenant) == ("client", "example.org")


def test_a_provider_of_one_s_own_does_not_travel() -> None:
    custom = replace(OAUTH, provider=OAuthProvider.CUSTOM)
    text = encode(replace(SETTINGS, oauth=custom))
    assert "example.org/token" not in text
    assert decode(text.encode()).oauth.provider == ""


def test_a_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    write_portable(path, SETTINGS)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_portable(path).host == "smtp.example.org"


HEAD = 'schema = "smtp-desk/settings/1"\n'


@each_row(
    ("text", "why", "detail"),
    [
        ("", Unusable.OTHER_SCHEMA, ""),
        ("schema = 1", Unusable.OTHER_SCHEMA, ""),
        ('schema = "smtp-desk/report/2"', Unusable.OTHER_SCHEMA, ""),
        ('schema = "smtp-desk/settings/"', Unusable.OTHER_SCHEMA, ""),
        ('schema = "smtp-desk/settings/x"', Unusable.OTHER_SCHEMA, ""),
        ('schema = "smtp-desk/settings/2"', Unusable.NEWER, "2"),
        ('schema = "smtp-desk/settings/99999999999999999999"', Unusable.NEWER, "9" * 20),
        ("[server", Unusable.NOT_TOML, ""),
        ("\x00", Unusable.NOT_TOML, ""),
        ("a = " + "[" * 5000, Unusable.NOT_TOML, ""),
        (HEAD + "[server]\nport = " + "9" * 5000, Unusable.NOT_TOML, ""),
        (HEAD + '[default]\nsendmail_path = "/tmp/evil"', Unusable.UNKNOWN_KEY, "default"),
        (
            HEAD + '[server]\nsendmail_path = "/tmp/evil"',
            Unusable.UNKNOWN_KEY,
            "server.sendmail_path",
        ),
        (HEAD + '[server]\nca_file = "/tmp/ca"', Unusable.UNKNOWN_KEY, "server.ca_file"),
        (HEAD + '[server]\npassword = "x"', Unusable.UNKNOWN_KEY, "server.password"),
        (HEAD + '[server]\nkey = "x"', Unusable.UNKNOWN_KEY, "server.key"),
        (HEAD + '[server.proof]\nmac = "x"', Unusable.UNKNOWN_KEY, "server.proof"),
        (HEAD + 'outbox = "postgresql://x"', Unusable.UNKNOWN_KEY, "outbox"),
        (HEAD + '[templates]\na = "b"', Unusable.UNKNOWN_KEY, "templates"),
        (HEAD + '[alerts]\nurls = ["b"]', Unusable.UNKNOWN_KEY, "alerts"),
        (HEAD + '[oauth]\ntoken_url = "https://e.test"', Unusable.UNKNOWN_KEY, "oauth.token_url"),
        (HEAD + '[oauth]\nprovider = "custom"', Unusable.BAD_VALUE, "oauth.provider"),
        (HEAD + "server = 1", Unusable.BAD_VALUE, "server"),
        (HEAD + "[[server]]", Unusable.BAD_VALUE, "server"),
        (HEAD + "[server]\nhost = 1", Unusable.BAD_VALUE, "server.host"),
        (HEAD + '[server]\nport = "465"', Unusable.BAD_VALUE, "server.port"),
        (HEAD + "[server]\nport = true", Unusable.BAD_VALUE, "server.port"),
        (HEAD + '[server]\nhost = "a\\nb"', Unusable.BAD_VALUE, "server.host"),
        (HEAD + '[server]\nusername = "a\\u0000b"', Unusable.BAD_VALUE, "server.username"),
        (HEAD + "#" * MAX_OCTETS, Unusable.TOO_LARGE, ""),
    ],
)
def test_what_is_refused_is_named(text: str, why: Unusable, detail: str) -> None:
    with pytest.raises(PortableError) as told:
        decode(text.encode())
    assert (told.value.why, told.value.detail) == (why, detail)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(PortableError) as told:
        decode(b"\xff\xfe")
    assert told.value.why is Unusable.NOT_TOML


@pytest.mark.parametrize("kind", ["missing", "folder", "large", "pipe"])
def test_what_is_no_file(tmp_path: Path, kind: str) -> None:
    import os  # noqa: PLC0415

    path = tmp_path / "server.toml"
    if kind == "folder":
        path.mkdir()
    elif kind == "large":
        path.write_bytes(b"#" * (MAX_OCTETS + 1))
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(PortableError) as told:
        read_portable(path)
    assert told.value.why is Unusable.UNREADABLE
    assert told.value.detail
