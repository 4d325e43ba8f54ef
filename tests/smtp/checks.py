"""Tests of configurations against scripted servers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from smtp_desk.smtp.check.check import CheckRequest, run_check
from smtp_desk.smtp.net.deadline import Cancel
from tests.core.replies import load_catalogue
from tests.smtp.sessions import MAIL, PASSWORD, Sessions

if TYPE_CHECKING:
    from smtp_desk.core.report import CheckReport
    from smtp_desk.core.stages import StageEvent
    from tests.servers.scripted import ScriptedServer


@dataclasses.dataclass(frozen=True)
class Checks:
    """Runs tests against scripted servers."""

    sessions: Sessions

    def request(self, server: ScriptedServer, **fields: Any) -> CheckRequest:  # noqa: ANN401 - by name
        """A full test of the server, its settings changed as `fields` say."""
        own = {field.name for field in dataclasses.fields(CheckRequest)}
        asked = {name: value for name, value in fields.items() if name in own}
        other = {name: value for name, value in fields.items() if name not in own}
        usual: dict[str, Any] = {
            "settings": self.sessions.settings(server, **other),
            "secret": PASSWORD,
            "recipient": "bo@example.test",
            "content": MAIL,
            "probe_ports": False,
        }
        return CheckRequest(**{**usual, **asked})

    def run(
        self,
        request: CheckRequest,
        cancel: Cancel | None = None,
        events: list[StageEvent] | None = None,
    ) -> CheckReport:
        """The report of a request."""
        return run_check(
            request,
            catalogue=load_catalogue,
            on_event=(events if events is not None else []).append,
            cancel=cancel or Cancel(),
            environment={"program": "test"},
            report_id="0123abcd",
        )

    def __call__(self, server: ScriptedServer, **fields: Any) -> CheckReport:  # noqa: ANN401 - by name
        return self.run(self.request(server, **fields))


def code_of(report: CheckReport) -> str:
    return report.finding.code if report.finding is not None else ""
