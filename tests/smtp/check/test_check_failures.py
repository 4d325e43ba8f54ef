"""What a test tells of a failure beside its cause, and what it must never tell."""

from __future__ import annotations

import base64
import dataclasses
import email.utils
import functools
import json
import ssl
import threading
import urllib.parse
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.findings.finding import FindingSeverity, Who
from smtp_desk.core.report import StageResult
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security
from smtp_desk.core.stages import Json, Stage, StageEvent, StageStatus
from smtp_desk.smtp.check import check
from smtp_desk.smtp.check.check import Steps
from smtp_desk.smtp.check.ports import probe_ports
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from smtp_desk.smtp.wire.auth import Token
from tests.servers.dns import NameServer
from tests.servers.ports import refusing_port
from tests.servers.script import CREDENTIALS, END_OF_DATA, Reply, Script, Silence
from tests.servers.scripted import ScriptedServer
from tests.smtp.checks import Checks, code_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtp_desk.core.report import CheckReport
    from tests.servers.certs import Certificates, Identity


class Known:
    """A resolver that knows the answer."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self._addresses = addresses

    def resolve(self, *_: object) -> tuple[str, ...]:
        return self._addresses


def stage_of(report: CheckReport, stage: Stage) -> StageResult:
    return next(result for result in report.stages if result.stage is stage)


def remedies_of(report: CheckReport) -> list[str]:
    return [remedy.id for remedy in report.finding.remedies] if report.finding else []


class TestOtherPorts:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """The ports that are probed in place of the well-known ones."""
        ports: list[int] = []
        monkeypatch.setattr(check, "probe_ports", functools.partial(probe_ports, ports=ports))
        return ports

    def test_the_one_that_would_work_is_offered_first(
        self, checks: Checks, tls: ssl.SSLContext, asked: list[int]
    ) -> None:
        with ScriptedServer(Script(tls=tls)) as working, refusing_port() as port:
            asked += [working.port]
            report = checks(working, port=port, probe_ports=True)
            assert working.auth_attempts == 0
            assert working.commands[-1] == "QUIT"
        assert code_of(report) == "connect.refused"
        connect = stage_of(report, Stage.CONNECT)
        assert connect.status is StageStatus.FAILED
        assert connect.facts["other_ports"] == [
            {"port": working.port, "answer": "starttls", "detail": ""}
        ]
        assert report.finding is not None
        assert report.finding.remedies[0].id == "use_working_port"
        assert report.finding.remedies[0].changes["port"] == str(working.port)

    def test_none_works(self, checks: Checks, asked: list[int]) -> None:
        with ScriptedServer(Script(greeting=Reply("554 no"))) as server, refusing_port() as port:
            asked += [port]
            report = checks(server, probe_ports=True)
        assert code_of(report) == "greeting.refused"
        other = stage_of(report, Stage.GREETING).facts["other_ports"]
        assert other == [{"port": port, "answer": "closed", "detail": "connect.refused"}]
        assert "use_working_port" not in remedies_of(report)

    @pytest.mark.parametrize("line", ["535 5.7.8 no", "454 4.7.0 later"])
    def test_not_after_signing_in(
        self, checks: Checks, tls: ssl.SSLContext, asked: list[int], line: str
    ) -> None:
        with ScriptedServer(Script(tls=tls, on={CREDENTIALS: Reply(line)})) as server:
            asked += [server.port + 1]
            report = checks(server, probe_ports=True)
        assert "other_ports" not in stage_of(report, Stage.AUTH).facts

    def test_not_where_another_mode_works_on_this_port(
        self, checks: Checks, tls: ssl.SSLContext, asked: list[int]
    ) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            asked += [server.port + 1]
            report = checks(server, probe_ports=True, security=Security.TLS)
        assert code_of(report) == "tls.wrong_mode"
        assert "use_starttls" in remedies_of(report)
        assert "other_ports" not in stage_of(report, Stage.TLS).facts

    def test_a_cancel_while_they_are_tried_leaves_the_cause(
        self, checks: Checks, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def cancelled(*_: object) -> None:
            raise CancelledError

        monkeypatch.setattr(check, "probe_ports", cancelled)
        with ScriptedServer(Script(greeting=Reply("554 no"))) as server:
            report = checks(server, probe_ports=True)
        assert code_of(report) == "greeting.refused"


class TestWarnings:
    def test_a_certificate_that_ends_soon(self, checks: Checks, certs: Certificates) -> None:
        context = certs.expires_soon.tls
        with ScriptedServer(Script(tls=context)) as server:
            report = checks(server)
        assert report.sent
        (warning,) = report.warnings
        assert (warning.code, warning.severity) == ("tls.expires_soon", FindingSeverity.WARNING)
        assert stage_of(report, Stage.TLS).status is StageStatus.WARNED

    def test_a_certificate_out_of_form(self, checks: Checks, certs: Certificates) -> None:
        context = certs.no_key_identifier.tls
        with ScriptedServer(Script(tls=context)) as server:
            report = checks(server)
        assert report.sent
        (warning,) = report.warnings
        assert warning.code == "tls.malformed_certificate"
        assert warning.severity is FindingSeverity.WARNING

    def test_an_address_that_is_dead(self, checks: Checks, tls: ssl.SSLContext) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            resolver = Known(("127.0.0.3", "127.0.0.1"))
            report = checks(server, resolver=resolver, host="localhost")
        assert report.sent
        (warning,) = report.warnings
        assert warning.code == "connect.one_family_only"
        assert "127.0.0.3" in warning.explanation + warning.summary

    def test_where_every_address_fails_none_is_said_to_work(
        self, checks: Checks, tls: ssl.SSLContext
    ) -> None:
        refusing = Script(tls=tls, greeting=Reply("554 5.7.1 not you"))
        with (
            ScriptedServer(refusing) as server,
            ScriptedServer(refusing, host="127.0.0.2", port=server.port),
        ):
            report = checks(server, resolver=Known(("127.0.0.2", "127.0.0.1")))
        assert code_of(report) == "greeting.refused"
        assert stage_of(report, Stage.CONNECT).facts["dead_addresses"] == ["127.0.0.2"]
        assert report.warnings == ()


def test_the_name_server_asked_for_decides(checks: Checks, tls: ssl.SSLContext) -> None:
    zone = {"mail.example.test": ["A 127.0.0.1"]}
    with ScriptedServer(Script(tls=tls)) as server, NameServer(zone) as names:
        where = f"{names.host}:{names.port}"
        report = checks(server, host="mail.example.test", resolver=where)
        missing = checks(server, host="missing.example.test", resolver=where)
    assert report.sent
    assert code_of(missing) == "resolve.not_found"


def _spellings(secret: str) -> list[str]:
    plain = secret.encode()
    return [
        secret,
        base64.b64encode(plain).decode(),
        base64.b64encode(b"\0desk\0" + plain).decode(),
        base64.urlsafe_b64encode(plain).decode(),
        urllib.parse.quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        plain.hex(),
    ]


@pytest.mark.parametrize("verb", ["EHLO", CREDENTIALS, "MAIL", "RCPT", "DATA", END_OF_DATA, "QUIT"])
def test_a_secret_that_the_server_echoes_anywhere_is_nowhere(
    checks: Checks, tls: ssl.SSLContext, verb: str
) -> None:
    secret = "correct/horse+battery?"
    echoes = _spellings(secret)
    lines = [f"550-5.7.1 {echo}" for echo in echoes]
    halves = [f"550-5.7.1 x{secret[:9]}", f"550 {secret[9:]}x"]
    played = Script(tls=tls, users={"desk": secret}, on={verb: Reply(*lines, *halves)})
    events: list[StageEvent] = []
    with ScriptedServer(played) as server:
        report = checks.run(checks.request(server, secret=Secret(secret)), events=events)
    kept = json.dumps(report.to_json(), ensure_ascii=False) + repr(report) + repr(events)
    for echo in (*echoes, secret[:9], secret[9:]):
        assert echo not in kept
    assert "‹hidden›" in kept


class TestInternalError:
    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise ZeroDivisionError("detail")

        monkeypatch.setattr("smtp_desk.smtp.session.session.AuthExchange", fail)

    def test_it_is_ours_and_never_the_servers(
        self,
        checks: Checks,
        tls: ssl.SSLContext,
        broken: None,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            report = checks(server)
            server.wait_for(lambda s: s.open_connections == 0)
        assert code_of(report) == "session.internal_error"
        assert report.finding is not None
        assert report.finding.who is Who.PROGRAM
        assert report.finding.reply is None
        assert stage_of(report, Stage.AUTH).status is StageStatus.FAILED
        assert "0123abcd" in caplog.text

    def test_a_watcher_that_fails_is_one_too(self, checks: Checks) -> None:
        class Broken(list[StageEvent]):
            def append(self, _: StageEvent) -> None:
                raise ZeroDivisionError

        with ScriptedServer() as server:
            report = checks.run(checks.request(server), events=Broken())
        assert code_of(report) == "session.internal_error"


class TestCancel:
    def cancelled(self, checks: Checks, played: Script, after: int) -> CheckReport:
        cancel = Cancel()
        with ScriptedServer(played) as server:

            def watch() -> None:
                server.wait_for(lambda s: len(s.commands) >= after and bool(s.sessions))
                cancel.cancel()

            watcher = threading.Thread(target=watch)
            watcher.start()
            report = checks.run(checks.request(server, probe_ports=True), cancel)
            watcher.join()
            server.wait_for(lambda s: s.open_connections == 0)
        return report

    def test_it_is_told_as_such(self, checks: Checks, tls: ssl.SSLContext) -> None:
        report = self.cancelled(checks, Script(tls=tls, on={"MAIL": Silence()}), 5)
        assert code_of(report) == "session.cancelled"
        assert report.cancelled
        assert not report.sent

    def test_no_port_is_probed_after_it(self, checks: Checks, tls: ssl.SSLContext) -> None:
        report = self.cancelled(checks, Script(tls=tls, greeting=Silence()), 0)
        assert report.cancelled
        assert not [result for result in report.stages if "other_ports" in result.facts]

    def test_after_the_dot_the_message_is_unconfirmed(
        self, checks: Checks, tls: ssl.SSLContext
    ) -> None:
        # The message's lines are no commands: the eighth is DATA, and then the dot comes.
        cancel = Cancel()
        with ScriptedServer(Script(tls=tls, on={END_OF_DATA: Silence()})) as server:

            def watch() -> None:
                server.wait_for(lambda s: bool(s.messages))
                cancel.cancel()

            watcher = threading.Thread(target=watch)
            watcher.start()
            report = checks.run(checks.request(server), cancel)
            watcher.join()
        assert code_of(report) == "message.unconfirmed"
        assert not report.cancelled


@pytest.mark.parametrize(
    ("played", "stage", "code"),
    [
        (Script(greeting=Silence()), Stage.GREETING, "greeting.timeout"),
        (Script(on={"EHLO": Silence()}), Stage.EHLO, "session.timeout"),
        (Script(on={"STARTTLS": Silence()}), Stage.TLS, "tls.handshake_timeout"),
        (Script(on={CREDENTIALS: Silence()}), Stage.AUTH, "session.timeout"),
        (Script(on={"RCPT": Silence()}), Stage.RECIPIENT, "session.timeout"),
    ],
)
def test_the_limit_of_the_whole_test(
    checks: Checks, *, tls: ssl.SSLContext, played: Script, stage: Stage, code: str
) -> None:
    with ScriptedServer(dataclasses.replace(played, tls=tls)) as server:
        report = checks(server, total_seconds=0.3)
    assert code_of(report) == code
    assert report.finding is not None
    assert report.finding.stage is stage
    assert stage_of(report, stage).facts["stage"] == str(stage)


def test_a_token_that_is_refused_is_told_as_one(checks: Checks, tls: ssl.SSLContext) -> None:
    played = Script(tls=tls, extensions=("AUTH XOAUTH2",))
    with ScriptedServer(played) as server:
        report = checks(server, secret=Token(Secret("ya29.old")), steps=Steps.NO_SEND)
    assert code_of(report) == "auth.token_rejected"
    refusal: Json = stage_of(report, Stage.AUTH).facts["token_refusal"]
    assert '"status":"400"' in str(refusal)


def past_chain(certs: Certificates) -> Identity:
    """Ended ten days ago, and the CA between it and the root five; it is sent along."""
    begins = timedelta(days=-100)
    issuer = certs._authority(
        "past-ca", "Past CA", issuer=certs.root, begins=begins, ends=timedelta(days=-5)
    )
    sent = (issuer.certificate,)
    ends = timedelta(days=-10)
    return certs._leaf("past", issuer=issuer, sent_along=sent, begins=begins, ends=ends)


class TestClock:
    """A certificate that is out of date: the server's fault, or this computer's clock."""

    def told(self, checks: Checks, identity: Identity, said: datetime | None = None) -> CheckReport:
        date = f"; {email.utils.format_datetime(said)}" if said is not None else ""
        greeting = Reply(f"220 mail.example.test ESMTP{date}")
        with ScriptedServer(Script(tls=identity.tls, greeting=greeting)) as server:
            return checks(server)

    def test_a_whole_chain_of_the_future(self, checks: Checks, certs: Certificates) -> None:
        report = self.told(checks, certs.future_chain)
        assert report.finding is not None
        assert (report.finding.code, report.finding.who) == ("tls.not_yet_valid", Who.YOU)
        assert report.finding.remedies[0].id == "set_clock"
        issuer = certs.future_chain.sent_along[0].not_valid_before_utc
        assert issuer.date().isoformat() in report.finding.explanation

    @pytest.mark.parametrize(
        ("chain", "code", "days"),
        [
            (past_chain, "tls.expired", -20),
            (lambda certs: certs.future_chain, "tls.not_yet_valid", 20),
        ],
    )
    def test_a_whole_chain_and_a_greeting_of_another_day(
        self,
        checks: Checks,
        certs: Certificates,
        chain: Callable[[Certificates], Identity],
        code: str,
        days: int,
    ) -> None:
        said = datetime.now(UTC) + timedelta(days=days)
        report = self.told(checks, chain(certs), said)
        assert report.finding is not None
        assert (report.finding.code, report.finding.who) == (code, Who.YOU)
        assert "This computer’s clock" in report.finding.summary
        assert said.date().isoformat() in report.finding.explanation

    @pytest.mark.parametrize(
        ("name", "days", "who"),
        [("expired", -20, Who.MAIL_ADMINISTRATOR), ("not_yet_valid", 20, Who.YOU)],
    )
    def test_a_greeting_alone_blames_no_clock(
        self, checks: Checks, certs: Certificates, name: str, days: int, who: Who
    ) -> None:
        report = self.told(checks, getattr(certs, name), datetime.now(UTC) + timedelta(days=days))
        assert report.finding is not None
        assert (report.finding.code, report.finding.who) == (f"tls.{name}", who)
        assert "This computer’s clock seems" not in report.finding.summary

    @pytest.mark.parametrize(
        ("name", "who"), [("expired", Who.MAIL_ADMINISTRATOR), ("not_yet_valid", Who.YOU)]
    )
    def test_nothing_contradicts(
        self, checks: Checks, certs: Certificates, name: str, who: Who
    ) -> None:
        report = self.told(checks, getattr(certs, name), datetime.now(UTC))
        assert report.finding is not None
        assert report.finding.who is who
        assert "This computer’s clock seems" not in report.finding.summary
