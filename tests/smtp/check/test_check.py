"""The test of a configuration, from the request to the report."""

from __future__ import annotations

import json
import ssl

import pytest

from smtp_desk.core.report import ReportOutcome
from smtp_desk.core.secret import Secret
from smtp_desk.core.stages import Stage, StageEvent, StageStatus
from smtp_desk.smtp.check.check import Steps
from smtp_desk.smtp.wire.auth import Token
from tests.servers.script import (
    CREDENTIALS,
    END_OF_DATA,
    Action,
    Close,
    Reply,
    Reset,
    Script,
)
from tests.servers.scripted import ScriptedServer
from tests.smtp.checks import Checks, code_of
from tests.smtp.sessions import MAIL


class TestSuccess:
    def test_a_full_test(self, checks: Checks, tls: ssl.SSLContext) -> None:
        events: list[StageEvent] = []
        with ScriptedServer(Script(tls=tls)) as server:
            report = checks.run(checks.request(server), events=events)
            assert [message.content for message in server.messages] == [MAIL]
            assert server.messages[0].username == "desk"
            assert len(server.sessions) == 1
            assert server.sessions[0].pipelined
        assert report.sent
        assert report.message == "Test email sent successfully"
        assert report.finding is None
        assert report.warnings == ()
        assert (report.mode, report.id) == ("starttls", "0123abcd")
        assert [result.stage for result in report.stages] == [
            *(Stage.SETTINGS, Stage.RESOLVE, Stage.CONNECT, Stage.GREETING, Stage.EHLO),
            *(Stage.TLS, Stage.AUTH, Stage.SENDER, Stage.RECIPIENT, Stage.MESSAGE, Stage.DONE),
        ]
        assert {result.status for result in report.stages} == {StageStatus.PASSED}
        assert events[0] == StageEvent(Stage.SETTINGS, StageStatus.STARTED)
        assert report.transcript[-1].text == "221 2.0.0 Bye"
        assert json.loads(json.dumps(report.to_json()))["outcome"] == "sent"

    def test_the_settings_are_told_without_the_secret(
        self, checks: Checks, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            report = checks(server, from_name="Example")
        told = report.settings
        assert told["username"] == "desk"
        assert told["from_name"] == "Example"
        assert told["recipient"] == "bo@example.test"
        assert str(told["ca_file"]).startswith("sha256:")
        assert "s3cret" not in json.dumps(report.to_json())

    @pytest.mark.parametrize("action", [Close(), Reset(), Reply("500 what")])
    def test_a_quit_that_fails_changes_nothing(
        self, checks: Checks, tls: ssl.SSLContext, action: Action
    ) -> None:
        with ScriptedServer(Script(tls=tls, on={"QUIT": action})) as server:
            report = checks(server)
        assert report.sent
        assert report.finding is None

    def test_an_international_address_goes_out_as_a_labels(
        self, checks: Checks, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            report = checks(server, recipient="bo@bücher.example", from_email="ann@bücher.example")
            assert server.messages[0].recipients == ("bo@xn--bcher-kva.example",)
            assert server.messages[0].mail_from == "ann@xn--bcher-kva.example"
        assert report.sent

    def test_a_token_signs_in(self, checks: Checks, tls: ssl.SSLContext) -> None:
        played = Script(tls=tls, extensions=("AUTH XOAUTH2",), users={"desk": "ya29.t"})
        with ScriptedServer(played) as server:
            assert checks(server, secret=Token(Secret("ya29.t"))).sent


class TestSteps:
    def test_without_signing_in(self, checks: Checks, tls: ssl.SSLContext) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            report = checks(server, steps=Steps.NO_LOGIN, recipient="", content=b"", from_email="")
            assert server.auth_attempts == 0
            assert server.commands[-1] == "QUIT"
        assert (report.outcome, report.finding) == (ReportOutcome.PASSED, None)
        assert not report.sent
        assert report.stages[-1].stage is Stage.DONE

    def test_up_to_the_sender(self, checks: Checks, tls: ssl.SSLContext) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            report = checks(server, steps=Steps.NO_SEND, recipient="", content=b"")
            assert server.sessions[0].authenticated
            assert "DATA" not in server.commands
        assert (report.finding, report.sent) == (None, False)

    def test_a_sender_refused(self, checks: Checks, tls: ssl.SSLContext) -> None:
        refused = {"MAIL": Reply("553 5.7.1 <a>: Sender address rejected: not owned by user b")}
        with ScriptedServer(Script(tls=tls, on=refused)) as server:
            report = checks(server, steps=Steps.NO_SEND)
        assert code_of(report) == "sender.not_owned"


@pytest.mark.parametrize(
    ("on", "code"),
    [
        ({"EHLO": Reply("502 5.5.2 Error: command not recognized")}, "ehlo.not_supported"),
        ({"EHLO": Reply("221 odd")}, "ehlo.refused"),
        ({"STARTTLS": Reply("454 4.7.0 TLS not available")}, "tls.temporarily_unavailable"),
        ({"STARTTLS": Reply("502 odd")}, "tls.refused"),
        ({CREDENTIALS: Reply("535 5.7.8 Error: authentication failed")}, "auth.rejected"),
        ({CREDENTIALS: Close()}, "auth.closed"),
        ({CREDENTIALS: Reply("454 4.7.0 Temporary authentication failure")}, "auth.temporary"),
        ({"MAIL": Reply("530 5.7.0 Authentication required")}, "sender.login_required"),
        ({"RCPT": Reply("550 5.1.1 no such user")}, "recipient.unknown"),
        ({"RCPT": Reply("450 4.2.0 Greylisted")}, "recipient.greylisted"),
        ({"RCPT": Reply("554 5.7.1 <x>: Relay access denied")}, "recipient.relay_denied"),
        ({"DATA": Reply("451 4.3.0 later")}, "message.temporary"),
        ({END_OF_DATA: Reply("552 5.3.4 Message size exceeds fixed limit")}, "message.too_large"),
        ({END_OF_DATA: Close()}, "message.unconfirmed"),
    ],
)
def test_the_true_cause_is_found(
    checks: Checks, tls: ssl.SSLContext, on: dict[str, Action], code: str
) -> None:
    with ScriptedServer(Script(tls=tls, on=on)) as server:
        report = checks(server)
    assert code_of(report) == code
    assert report.outcome is ReportOutcome.UNREACHABLE
    assert report.message == "Could not reach the SMTP server. Verify the host and port."
    assert [r.stage for r in report.stages if r.status is StageStatus.FAILED] == [
        report.finding.stage if report.finding else None
    ]
    assert report.finding is not None
    assert report.finding.summary
    assert report.finding.remedies
