"""Reading a settings file that anybody may have edited, and writing it again."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Final

from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.core.proof import Proof
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.store.settings_toml import BadValueError, NewerSchemaError, decode, encode
from smtp_desk.store.stored import DefaultKind, DefaultService, StoredServer, StoredSettings
from tests.store.settings import NEW, OLD, RELAY

WORDS: Final = (
    b"schema = 2\n", b"schema = 1\n",
    b"[server]\n", b"[server.oauth]\n", b"[server.proof]\n", b"[default]\n", b"[default.server]\n",
    b"[preferences]\n", b"port = ", b"host = ", b'"""', b"'", b"{", b"}", b"[[", b"0x", b"1e9",
    b"2026-11-23T13:00:00Z", b"uncertain = ", b"ca_file = ", b"key = ", b"\\u0000", b"# ", b".",
    b"9" * 50, b"[" * 50,
)  # fmt: skip


OAUTH: Final = OAuthSettings(
    provider=OAuthProvider.CUSTOM,
    flow=OAuthFlow.BROWSER,
    client_id="desk",
    authorize_url="https://login.example.com/authorize",
    token_url="https://login.example.com/token",
    scopes=("smtp", "offline_access"),
    subject="ann",
)


def seeds() -> list[bytes]:
    """Files as the program writes them."""
    proof = Proof(2, "c2FsdA==", "bWFj", "bWFj", "bWFj")
    old = StoredServer(OLD, mode=Security.TLS, key="smtp/0", proof=Proof(1, "c2FsdA==", "bWFj"))
    new = StoredServer(NEW, mode=Security.TLS, key="smtp/1", proof=proof)
    relay = DefaultService(kind=DefaultKind.SMTP, server=_unproven(RELAY))
    made = (
        StoredSettings(server=_unproven(OLD)),
        StoredSettings(server=old),
        StoredSettings(server=replace(new, settings=replace(NEW, oauth=OAUTH))),
        StoredSettings(enabled=True, server=new),
    )
    files = [encode("", each) for each in (*made, StoredSettings(server=new, default=relay))]
    files.append('# mine\nschema = 1\nenabled = true\nserver = {host = "x", port = 25}\n')
    return [each.encode() for each in files]


def _unproven(settings: ServerSettings) -> StoredServer:
    return StoredServer(settings, mode=Security.AUTO, key="", proof=None)


def run(data: bytes) -> None:
    """Read a file with this content; what it holds must survive being written."""
    text = data.decode("utf-8", "replace")
    try:
        stored = decode(text, lambda _: "")
    except (BadValueError, NewerSchemaError, tomllib.TOMLDecodeError):
        return
    assert decode(encode("", stored), lambda _: "") == stored
    assert decode(encode(text, stored), lambda _: "") == stored
