"""Every cause before the conversation: settings, names, connections, banners and EHLO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.causes import GREETING, Cause, Checking, Play, ScriptedReply, played, said
from tests.e2e.program import run
from tests.servers import script
from tests.servers.dns import SERVFAIL, SILENCE, NameServer
from tests.servers.ports import black_hole, refusing_port
from tests.servers.script import Close, Raw, Receive, Reply, Script, Silence
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.servers.certs import Certificates
    from tests.servers.dns import Zone


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(arguments, marks=pytest.mark.cause(code, stage="settings", status=65))
        for code, *arguments in (
            ("settings.host_invalid", "--host", ""),
            ("settings.host_invalid", "--host", "https://mail.example.test/"),
            ("settings.host_invalid", "--host", "mail.example.test:587"),
            ("settings.host_invalid", "--host", "mail..example.test"),
            ("settings.value_invalid", "--port", "70000"),
            ("settings.value_invalid", "--from-email", "desk"),
            ("settings.value_invalid", "--username", "d" * 256),
            ("settings.value_invalid", "--to", "ann@example.test\r\nDATA"),
            ("settings.credentials_incomplete", "--username", ""),
            ("settings.ca_file_unreadable", "--ca-file", "/nonexistent/ca.pem"),
            ("settings.ca_file_unreadable", "--ca-file", __file__),
        )
    ],
)
def test_settings(cause: Cause, check: Checking, arguments: list[str]) -> None:
    with ScriptedServer() as server:
        ended = check(server, *arguments)
        assert not server.sessions
    cause.told(ended.status, ended.out)


@pytest.mark.cause("settings.credentials_incomplete", stage="settings", status=65)
def test_a_username_without_a_password(cause: Cause) -> None:
    arguments = ("--host", "localhost", "--username", "desk", "--from-email", "desk@example.test")
    done = run("check", "--json", *arguments, "--to", "ann@example.test", "--password-stdin")
    cause.told(done.returncode, done.stdout)


@pytest.mark.cause("settings.secret_unavailable", stage="settings", status=65)
def test_saved_settings_on_a_machine_without_a_keyring(
    cause: Cause, check: Checking, certs: Certificates
) -> None:
    """Saved with the secret in memory; the program's own process finds no keyring to ask."""
    with ScriptedServer(Script(tls=certs.good.tls)) as server:
        assert check(server, command="configure").status == 0
        server.forget()
        done = run("check", "--json", "--to", "ann@example.test")
        assert not server.sessions
    cause.told(done.returncode, done.stdout)


@pytest.mark.cause("settings.secret_unavailable", stage="settings", status=65)
def test_a_keyring_that_lost_the_password(
    cause: Cause, check: Checking, certs: Certificates
) -> None:
    services = check.desk.services
    with ScriptedServer(Script(tls=certs.good.tls)) as server:
        assert check(server, command="configure").status == 0
        saved = services.store.load().server
        assert saved is not None
        services.credentials.delete(saved.key)
        ended = check.desk("check", "--json", "--to", "ann@example.test")
    cause.told(ended.status, ended.out)


ZONE: Final[Zone] = {
    "nowhere.example.test": ["TXT never-an-address"],
    "mx-only.example.test": ["MX 10 mail.example.test."],
    "broken.example.test": SERVFAIL,
    "silent.example.test": SILENCE,
    "mail.example.test": ["A 127.0.0.3", "A 127.0.0.1"],
}


@pytest.mark.parametrize(
    "host",
    [
        pytest.param(host, marks=pytest.mark.cause(code, stage="resolve", status=status))
        for code, status, host in (
            ("resolve.not_found", 69, "missing.example.test"),
            ("resolve.no_address", 69, "nowhere.example.test"),
            ("resolve.no_address", 69, "mx-only.example.test"),
            ("resolve.temporary", 75, "broken.example.test"),
            ("resolve.temporary", 75, "silent.example.test"),
        )
    ],
)
def test_names(cause: Cause, check: Checking, host: str) -> None:
    with ScriptedServer() as server, NameServer(ZONE) as names:
        resolver = f"{names.host}:{names.port}"
        ended = check(server, "--host", host, "--resolver", resolver, "--timeout", "1")
        assert not server.sessions
    cause.told(ended.status, ended.out)


@pytest.mark.cause("connect.one_family_only", stage="connect", status=0)
def test_one_of_two_addresses_is_dead(cause: Cause, check: Checking, certs: Certificates) -> None:
    with (
        ScriptedServer(Script(tls=certs.good.tls)) as server,
        NameServer(ZONE) as names,
    ):
        resolver = f"{names.host}:{names.port}"
        ended = check(server, "--host", "mail.example.test", "--resolver", resolver)
        assert server.messages[0].accepted
    cause.told(ended.status, ended.out)


@pytest.mark.cause("connect.one_family_only", stage="connect", status=0)
@pytest.mark.parametrize("odd", ["SERVFAIL", "NXDOMAIN", "SILENCE"])
def test_the_dns_answers_about_one_family_only(
    cause: Cause, check: Checking, certs: Certificates, odd: str
) -> None:
    zone = {"mail.example.test": [f"AAAA !{odd}", "A 127.0.0.1"]}
    with (
        ScriptedServer(Script(tls=certs.good.tls)) as server,
        NameServer(zone) as names,
    ):
        resolver = f"{names.host}:{names.port}"
        ended = check(server, "--host", "mail.example.test", "--resolver", resolver)
        assert server.messages[0].accepted
    assert "IPv6" in cause.told(ended.status, ended.out).summary


def _check_port(host: str, port: int, *arguments: str) -> tuple[int, bytes]:
    done = run("check", "--json", "--no-login", "--host", host, "--port", str(port), *arguments)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "port_of",
    [
        pytest.param(
            refusing_port, marks=pytest.mark.cause("connect.refused", stage="connect", status=69)
        ),
        pytest.param(
            black_hole, marks=pytest.mark.cause("connect.timeout", stage="connect", status=69)
        ),
    ],
)
def test_ports(cause: Cause, port_of: Callable[[], AbstractContextManager[int]]) -> None:
    with port_of() as port:
        cause.told(*_check_port("127.0.0.1", port, "--timeout", "1"))


@pytest.mark.cause("connect.unreachable", stage="connect", status=69)
def test_an_address_that_no_route_leads_to(cause: Cause) -> None:
    """TCP has no way to a broadcast address; this is the one of the loopback network."""
    cause.told(*_check_port("127.255.255.255", 587))


@pytest.mark.cause("connect.failed", stage="connect", status=69)
def test_an_address_that_the_system_can_make_nothing_of(cause: Cause) -> None:
    """A link-local address without its zone is refused by the kernel: nothing leaves."""
    cause.told(*_check_port("fe80::1", 587))


@pytest.mark.parametrize(
    "said",
    [
        said("greeting.refused", 69, GREETING, "554 5.7.1 Access denied"),
        said(
            "greeting.refused",
            69,
            GREETING,
            "554 mx.example.test ESMTP not accepting connections: listed at zen.spamhaus.org",
        ),
        said("greeting.refused", 69, GREETING, "501 no"),
        said("greeting.refused", 69, GREETING, "530 5.7.0 Must issue a STARTTLS command first"),
        said("greeting.not_smtp", 69, GREETING, "221 bye"),
        said("greeting.not_smtp", 69, GREETING, "354 go on"),
        said("greeting.busy", 75, GREETING, "421 Too many concurrent SMTP connections"),
        said("greeting.busy", 75, GREETING, "450 4.3.2 try again later"),
        said(
            "ehlo.name_refused",
            69,
            "EHLO",
            "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname",
        ),
        said(
            "ehlo.name_refused",
            69,
            "EHLO",
            "450 4.7.1 <desk>: Helo command rejected: Host not found",
        ),
        said(
            "ehlo.name_refused",
            69,
            "EHLO",
            "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)",
        ),
        said("ehlo.not_supported", 69, "EHLO", "502 5.5.2 Error: command not recognized"),
        said("ehlo.refused", 69, "EHLO", "421 4.7.0 Try again later, closing connection. (EHLO)"),
        said("ehlo.refused", 69, "EHLO", "554 5.5.0 Error"),
    ],
)
def test_a_reply(cause: Cause, check: Checking, certs: Certificates, said: ScriptedReply) -> None:
    with ScriptedServer(said.script(certs)) as server:
        ended = check(server)
        assert server.auth_attempts == 0
    finding = cause.told(ended.status, ended.out)
    assert str(finding.reply) == said.line


@pytest.mark.cause("greeting.refused", stage="greeting", status=69)
@pytest.mark.parametrize(
    "answer", [Reply("250 stay"), Reply("354 go on"), Reply("554 no"), Raw(b"\xff"), Silence()]
)
def test_what_is_answered_to_the_goodbye_changes_nothing(
    cause: Cause, check: Checking, answer: Reply | Raw | Silence
) -> None:
    refused = Script(greeting=Reply("554 5.7.1 Access denied"), on={"*": answer})
    with ScriptedServer(refused) as server:
        ended = check(server)
        server.wait_for(lambda server: not server.open_connections)
        assert set(server.commands) <= {"QUIT"}
    cause.told(ended.status, ended.out)


def _greeting(*actions: Reply | Raw | Receive | Close | Silence) -> Play:
    return lambda _: Script(greeting=actions)


BANNERS = [
    ("greeting.timeout", _greeting(Silence())),
    ("greeting.closed", _greeting(Close())),
    ("greeting.not_smtp", _greeting(Raw(b"hello\r\n"))),
    ("greeting.not_smtp", _greeting(Reply("200 hello"))),
    ("greeting.wrong_protocol", lambda _: script.IMAP),
    ("greeting.wrong_protocol", lambda _: script.POP3),
    ("greeting.wrong_protocol", lambda _: script.SSH),
    ("greeting.wrong_protocol", lambda _: script.FTP),
]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("play", "arguments"),
    [
        *(played(code, "greeting", 69, play) for code, play in BANNERS),
        # A web server waits for the client to speak: the TLS tried beside the wait unmasks it.
        played("greeting.wrong_protocol", "tls", 69, lambda _: script.HTTP),
    ],
)
def test_what_is_no_banner(
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
