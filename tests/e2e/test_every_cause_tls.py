"""Every way in which encryption fails, told by `check` from a real handshake."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from tests.e2e.causes import Cause, Checking, Play, ScriptedReply, played, said
from tests.servers.script import (
    Action,
    Close,
    Delay,
    DropLargeHello,
    Handshake,
    Raw,
    Receive,
    Reply,
    Script,
    Silence,
)
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from tests.servers.certs import Certificates

TLS_1_1 = ssl.TLSVersion.TLSv1_1
TLS_1_2 = ssl.TLSVersion.TLSv1_2
FROM_START = ("--security", "tls")


@pytest.mark.parametrize(
    "said",
    [
        said("tls.temporarily_unavailable", 75, "STARTTLS", "454 4.7.0 TLS not available"),
        said("tls.refused", 69, "STARTTLS", "502 5.5.1 Error: command not implemented"),
    ],
)
def test_a_reply(cause: Cause, check: Checking, certs: Certificates, said: ScriptedReply) -> None:
    with ScriptedServer(said.script(certs)) as server:
        ended = check(server)
        assert server.auth_attempts == 0
    finding = cause.told(ended.status, ended.out)
    assert str(finding.reply) == said.line


def _certificate(name: str) -> Play:
    return lambda certs: Script(tls=getattr(certs, name).tls)


def _after_starttls(*actions: Action) -> Play:
    return lambda certs: Script(tls=certs.good.tls, on={"STARTTLS": actions})


def _alert(number: int) -> Play:
    return lambda _: Script(
        connect=(Receive(), Raw(b"\x15\x03\x03\x00\x02\x02" + bytes([number])), Silence())
    )


FAILURES = [
    ("tls.not_offered", lambda _: Script(), ()),
    ("tls.not_offered", lambda _: Script(on={"EHLO": Reply("250")}), ()),
    (
        "tls.injected_data",
        _after_starttls(Raw(b"220 go\r\n250-x\r\n250 AUTH PLAIN\r\n"), Handshake()),
        (),
    ),
    (
        "tls.injected_data",
        _after_starttls(Reply("220 go"), Delay(0.1), Reply("250 AUTH PLAIN"), Silence()),
        (),
    ),
    ("tls.wrong_mode", lambda certs: Script(tls=certs.good.tls), FROM_START),
    ("tls.handshake_closed", _after_starttls(Reply("220 go"), Close()), ()),
    ("tls.handshake_timeout", _after_starttls(Reply("220 go"), Silence()), ()),
    ("tls.large_hello_dropped", _after_starttls(Reply("220 go"), DropLargeHello()), ()),
    (
        "tls.large_hello_dropped",
        lambda certs: Script(tls=certs.good.tls, connect=DropLargeHello()),
        FROM_START,
    ),
    ("tls.self_signed", _certificate("self_signed"), ()),
    ("tls.unknown_issuer", _certificate("unknown_issuer"), ()),
    ("tls.unknown_issuer", _certificate("intercepted"), ()),
    ("tls.chain_incomplete", _certificate("chain_incomplete"), ()),
    ("tls.name_mismatch", _certificate("wrong_host"), ()),
    ("tls.name_mismatch", _certificate("name_only"), ()),
    ("tls.expired", _certificate("expired"), ()),
    ("tls.expired", _certificate("expired_intermediate"), ()),
    ("tls.not_yet_valid", _certificate("not_yet_valid"), ()),
    ("tls.weak_key", _certificate("weak_key"), ()),
    (
        "tls.old_version",
        lambda certs: Script(tls=certs.good.server_context(newest=TLS_1_1)),
        (),
    ),
    (
        "tls.no_common_cipher",
        lambda certs: Script(
            tls=certs.good_rsa.server_context(newest=TLS_1_2, ciphers="AES128-SHA:@SECLEVEL=0")
        ),
        (),
    ),
    (
        "tls.client_certificate_required",
        lambda certs: Script(tls=certs.good.server_context(client_ca=certs.root.chain_file)),
        (),
    ),
    (
        "tls.client_certificate_required",
        lambda certs: Script(
            tls=certs.good.server_context(newest=TLS_1_2, client_ca=certs.root.chain_file)
        ),
        (),
    ),
    ("tls.failed", _alert(112), FROM_START),
]


@pytest.mark.usefixtures("hasty")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
@pytest.mark.parametrize(
    ("play", "arguments"),
    [
        *(played(code, "tls", 69, play, *arguments) for code, play, arguments in FAILURES),
        played(
            "tls.wrong_mode",
            "greeting",
            69,
            lambda certs: Script(tls=certs.good.tls, implicit_tls=True),
            *("--security", "starttls"),
        ),
    ],
)
def test_no_password_is_sent(
    cause: Cause,
    *,
    check: Checking,
    certs: Certificates,
    play: Play,
    arguments: tuple[str, ...],
) -> None:
    with ScriptedServer(play(certs)) as server:
        ended = check(server, *arguments)
        assert server.auth_attempts == 0
    cause.told(ended.status, ended.out)


@pytest.mark.parametrize(
    ("play", "arguments"),
    [
        played("tls.expires_soon", "tls", 0, _certificate("expires_soon")),
        played("tls.malformed_certificate", "tls", 0, _certificate("no_key_identifier")),
    ],
)
def test_a_warning(
    cause: Cause,
    *,
    check: Checking,
    certs: Certificates,
    play: Play,
    arguments: tuple[str, ...],
) -> None:
    with ScriptedServer(play(certs)) as server:
        ended = check(server, *arguments)
        assert server.messages[0].accepted
    cause.told(ended.status, ended.out)
