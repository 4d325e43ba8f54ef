"""Attacks on a test from the server's side, and what the test itself can't be misused for."""

from __future__ import annotations

import email
import email.policy
import json
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from smtp_desk.core.report_reader import read_report
from tests.servers.script import (
    CREDENTIALS,
    END_OF_DATA,
    Action,
    Close,
    Drip,
    Raw,
    Reply,
    Script,
)
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from email.message import EmailMessage

    from tests.e2e.causes import Checking
    from tests.servers.certs import Certificates
    from tests.servers.session import Session

ONE_BY_ONE = ("SIZE", "AUTH PLAIN LOGIN")
ODD = tuple(f"X-ODD-{number}" for number in range(60))


@pytest.fixture
def tls(certs: Certificates) -> ssl.SSLContext:
    return certs.good.tls


def finding_of(output: str) -> dict[str, Any]:
    """The finding of a report, which must be one that can be read back."""
    read_report(output.encode())
    found: dict[str, Any] = json.loads(output)["finding"]
    return found


class TestSigningIn:
    """A9, A28: a weak mechanism, or many tries."""

    def test_of_sixty_odd_mechanisms_in_plain_text_none_is_taken(
        self, check: Checking, tls: ssl.SSLContext
    ) -> None:
        in_clear = ("STARTTLS", f"AUTH {' '.join(ODD)} PLAIN")
        script = Script(
            tls=tls, extensions=(f"AUTH {' '.join(ODD)}",), extensions_before_tls=in_clear
        )
        with ScriptedServer(script) as server:
            ended = check(server)
            assert server.auth_attempts == 0
        assert finding_of(ended.out)["code"] == "auth.no_common_mechanism"

    def test_the_one_of_ours_among_them_is_taken_inside_tls(
        self, check: Checking, tls: ssl.SSLContext
    ) -> None:
        offer = (f"AUTH {' '.join(ODD)} PLAIN",)
        script = Script(tls=tls, extensions=offer, extensions_before_tls=("STARTTLS", *offer))
        with ScriptedServer(script) as server:
            assert check(server).status == 0
            (session,) = server.sessions
            assert not any("AUTH" in line for line in session.commands_in_clear)
            assert [line.split()[:2] for line in session.commands if "AUTH" in line] == [
                ["AUTH", "PLAIN"]
            ]

    @pytest.mark.parametrize(
        "answer",
        [
            Reply("454 4.7.0 later"),
            Reply("504 5.5.4 not this one"),
            Reply("534 5.7.9 too weak"),
            Reply("535 5.7.8 no"),
            Reply("538 5.7.11 encrypt first"),
            Reply("421 4.7.0 bye"),
            Reply("354 go"),
            Raw(b"235-a\r\n535 b\r\n"),
            Raw(b"334 %b\r\n" % (b"A" * 9000)),
            Close(),
        ],
    )
    def test_there_is_one_try_whatever_the_answer(
        self, check: Checking, tls: ssl.SSLContext, answer: Action
    ) -> None:
        with ScriptedServer(Script(tls=tls, on={CREDENTIALS: answer})) as server:
            ended = check(server)
            assert server.auth_attempts == 1
            assert not any(line.startswith("MAIL") for line in server.commands)
        assert finding_of(ended.out)["stage"] == "auth"


class TestDrips:
    """A18: one byte a moment, at every stage."""

    @pytest.mark.parametrize(
        ("moment", "line", "code"),
        [
            ("EHLO", b"250 ", "session.timeout"),
            ("STARTTLS", b"220 ", "tls.handshake_timeout"),
            ("AUTH", b"235 ", "session.timeout"),
            ("MAIL", b"250 ", "session.timeout"),
            ("RCPT", b"250 ", "session.timeout"),
            ("DATA", b"354 ", "session.timeout"),
            (END_OF_DATA, b"250 ", "message.unconfirmed"),
        ],
    )
    def test_they_stretch_no_limit(
        self, check: Checking, tls: ssl.SSLContext, moment: str, line: bytes, code: str
    ) -> None:
        drip = (Raw(line), Drip(b"x", every=0.05, endless=True))
        with ScriptedServer(Script(tls=tls, extensions=ONE_BY_ONE, on={moment: drip})) as server:
            ended = check(server, "--timeout", "1.5")
        status = 69 if code == "tls.handshake_timeout" else 75
        assert (ended.status, finding_of(ended.out)["code"]) == (status, code)


class TestFloods:
    """A17: what is large, yet within the bounds of a reply."""

    @pytest.mark.parametrize(
        ("moment", "line"),
        [
            ("EHLO", b"250-X%b\r\n" % (b"1" * 3) * 6000 + b"250 AUTH PLAIN\r\n"),
            (CREDENTIALS, b"535-%b\r\n" % (b"\x1b" * 8000) * 7 + b"535 no\r\n"),
            ("RCPT", b"550-%b\r\n" % ("\u202e".encode() * 2600) * 7 + b"550 no\r\n"),
            (END_OF_DATA, b"554-%b\r\n" % (b"\x00" * 8000) * 7 + b"554 no\r\n"),
        ],
    )
    def test_the_report_can_be_read_back(
        self, check: Checking, tls: ssl.SSLContext, moment: str, line: bytes
    ) -> None:
        script = Script(tls=tls, extensions=ONE_BY_ONE, on={moment: Raw(line)})
        with ScriptedServer(script) as server:
            ended = check(server)
        assert len(ended.out) < 2 << 20
        finding_of(ended.out)


class TestMisuse:
    """A25: the test as a scanner of ports or a relay for spam.

    It runs on its user's own computer, so there is no account to guard; what it gives away is
    bounded all the same: one email, to one recipient, of a text that nobody can choose.
    """

    @pytest.mark.parametrize(
        "recipient",
        [
            "ann@example.test,bo@example.test",
            "ann@example.test;bo@example.test",
            "ann@example.test bo@example.test",
            "Friends: ann@example.test, bo@example.test;",
            "ann@example.test>\r\nRCPT TO:<bo@example.test",
            "ann@example.test> NOTIFY=SUCCESS <bo@example.test",
            "@relay.example.test:ann@example.test",
            "Ann <ann@example.test>",
        ],
    )
    def test_a_recipient_is_one_address(
        self, check: Checking, tls: ssl.SSLContext, recipient: str
    ) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            ended = check(server, "--to", recipient)
            assert server.sessions == []
        assert (ended.status, finding_of(ended.out)["code"]) == (65, "settings.value_invalid")

    def test_one_connection_sends_one_email_to_one_recipient(
        self, check: Checking, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            assert check(server, "--to", "bo@example.test").status == 0
            (session,) = server.sessions
            (message,) = session.messages
        assert message.recipients == ("bo@example.test",)
        assert sum(line.startswith("RCPT") for line in session.commands) == 1

    def test_its_text_is_the_programs_own(self, check: Checking, tls: ssl.SSLContext) -> None:
        advertisement = "Buy now at http://evil.example.test"
        with ScriptedServer(Script(tls=tls)) as server:
            check(server, "--from-name", "Example Ltd")
            check(server, "--from-name", advertisement, "--ehlo-name", "buy.now.example.test")
            plain, misused = (_read(message.content) for message in server.messages)
        assert misused["From"].addresses[0].display_name == advertisement
        assert misused["Subject"] == plain["Subject"]
        assert _body(misused) == _body(plain)
        assert "evil" not in _body(misused)

    def test_a_refusal_is_not_tried_again_or_elsewhere(
        self, check: Checking, tls: ssl.SSLContext
    ) -> None:
        def refuse(session: Session) -> Action:
            return Reply(f"550 5.1.1 no such user ({session.line})")

        with ScriptedServer(Script(tls=tls, on={"RCPT": refuse})) as server:
            check(server)
            assert len(server.sessions) == 1
            assert sum(line.startswith("MAIL") for line in server.commands) == 1


def _read(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.SMTP)


def _body(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    text: str = part.get_content()
    return text
