"""What a test must show to be the one that produces a finding, and how to ask the program.

@pytest.mark.cause("auth.rejected", stage="auth", status=77)
def test_a_wrong_password(cause: Cause, ...) -> None:
    done = run("check", ..., "--json")
    cause.told(done.returncode, done.stdout)

`cause` holds the program to the marker, and fails a test that never showed it a report; so the
markers are a true list of what is produced, and `test_every_cause.py` compares it with the
catalogue.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.report_reader import read_report
from smtp_desk.core.stages import Stage
from smtp_desk.core.texts import SUCCESS, UNREACHABLE
from smtp_desk.store.resources import read_catalogue
from tests.cli.desk import Desk, Ended
from tests.servers.script import CREDENTIALS, END_OF_DATA, Reply, Script

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtp_desk.core.findings.finding import Finding
    from smtp_desk.core.report import CheckReport
    from smtp_desk.core.stages import Json
    from tests.servers.certs import Certificates
    from tests.servers.scripted import ScriptedServer

PASSWORD: Final = "s3cret"
GREETING: Final = "(GREETING)"
"""The moment the banner is due."""

_STAGE_OF_MOMENT: Final = {
    GREETING: "greeting",
    "EHLO": "ehlo",
    "STARTTLS": "tls",
    "AUTH": "auth",
    CREDENTIALS: "auth",
    "MAIL": "sender",
    "RCPT": "recipient",
    "DATA": "message",
    END_OF_DATA: "message",
}

Play: TypeAlias = "Callable[[Certificates], Script]"
"""The script of a server, made with the certificates of the test run."""


@dataclasses.dataclass
class Cause:
    """The finding that a test produces, as its marker names it.

    Attributes:
        code: of the finding, or of one of the warnings.
        stage: where it must stand.
        status: exit status of the command.
        shown: whether the program told it.
    """

    code: str
    stage: str
    status: int
    shown: bool = False

    def told(self, status: int, output: str | bytes) -> Finding:
        """Fail unless this exit status and this report name the cause; return the finding."""
        report = read_report(output.encode() if isinstance(output, str) else output)
        found = [each for each in _findings(report) if each.code == self.code]
        codes = [each.code for each in _findings(report)]
        assert found, f"{self.code} was to be told, not {codes}"
        assert (found[0].stage, status) == (self.stage, self.status)
        assert report.message == ("" if report.passed else SUCCESS if report.sent else UNREACHABLE)
        self.shown = True
        return found[0]

    def told_in_words(self, status: int, output: str, **facts: Json) -> None:
        """The same for a command that writes no report: its output holds the summary."""
        failure = SmtpFailure(Stage(self.stage), self.code, facts=facts)
        assert read_catalogue().find(failure, {}).summary in output
        assert status == self.status
        self.shown = True

    def told_by_receipt(self, status: int, output: str) -> None:
        """The same for a receipt of `send --json`, of a recipient or as the way round."""
        receipt = json.loads(output)
        findings = [each["finding"] for each in receipt["recipients"]] + [receipt["fallback"]]
        told = {(each["code"], each["stage"]) for each in findings if each is not None}
        assert (self.code, self.stage) in told, f"{self.code} was to be told, not {told}"
        assert status == self.status
        self.shown = True


def _findings(report: CheckReport) -> list[Finding]:
    return [*([report.finding] if report.finding else []), *report.warnings]


@dataclasses.dataclass(frozen=True)
class Checking:
    """Runs `smtp-desk check --json` inside this process, its sockets real.

    Attributes:
        desk: the command line.
        ca_file: the CA that the test servers' certificates come from.
    """

    desk: Desk
    ca_file: str

    def __call__(
        self,
        server: ScriptedServer,
        *arguments: str,
        password: str = PASSWORD,
        command: str = "check",
    ) -> Ended:
        """A full test of the server; `arguments` stand behind, so they change what they name."""
        ended = self.desk(
            *(command, "--json", "--host", server.host, "--port", str(server.port)),
            *("--username", "desk", "--from-email", "desk@example.test"),
            *("--ca-file", self.ca_file, "--to", "ann@example.test", "--password-stdin"),
            *arguments,
            stdin=password.encode(),
        )
        assert password not in ended.out + ended.err
        return ended


@dataclasses.dataclass(frozen=True)
class ScriptedReply:
    """A server that behaves well up to one moment, and then says this."""

    moment: str
    line: str
    banner: str = "mail.example.test ESMTP"
    password: str = PASSWORD

    def script(self, certs: Certificates) -> Script:
        tls = certs.good.tls
        if self.moment == GREETING:
            return Script(tls=tls, greeting=Reply(self.line))
        greeting = Reply(f"220 {self.banner}")
        return Script(tls=tls, greeting=greeting, on={self.moment: Reply(self.line)})


def said(code: str, status: int, moment: str, line: str, **more: str) -> object:
    """A parameter for a test that takes `said`: this code for these words at this moment."""
    stage = _STAGE_OF_MOMENT[moment]
    return pytest.param(
        ScriptedReply(moment, line, **more),
        marks=pytest.mark.cause(code, stage=stage, status=status),
        id=f"{code}: {stage}: {line[:30]}",
    )


def played(code: str, stage: str, status: int, play: Play, *arguments: str) -> object:
    """A parameter for a test that takes `play` and `arguments`: this code for this server."""
    return pytest.param(
        play,
        arguments,
        marks=pytest.mark.cause(code, stage=stage, status=status),
        id=f"{code}: {stage}",
    )
