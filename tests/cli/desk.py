"""The command line inside the test's own process, with credentials in memory."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import TYPE_CHECKING

from click.testing import CliRunner

from smtp_desk.app.services import Services
from smtp_desk.cli.invocation import Invocation, open_outputs
from smtp_desk.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from smtp_desk.app.opened import Opened
    from smtp_desk.sandbox.server import Sandbox

RECIPIENT = "ann@example.org"


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


class Desk:
    """Runs commands, one after another, in the same home.

    Args:
        home: Where settings and outbox are.
        services: What the commands work with; by default with credentials in memory.
        environ: Variables that they see besides.

    Attributes:
        services: what the commands work with.
        environ: the variables they see.
        opened: what windows were opened with.
    """

    def __init__(
        self,
        home: Path,
        services: Services | None = None,
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.services = services or Services.sandbox(home)
        self.environ = {"SMTP_DESK_HOME": str(home), **environ}
        self.opened: list[Opened | None] = []
        self.attended = False

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Ended:
        with CliRunner().isolation(input=stdin) as (out, err, _):
            outputs = open_outputs(self.environ)
            invocation = Invocation(
                environ=self.environ,
                out=outputs[0],
                err=outputs[1],
                open_services=lambda _system: self.services,
                open_window=self._open_window,
                attended=self.attended,
            )
            status = run(invocation, arguments)
            return Ended(status, out.getvalue().decode(), err.getvalue().decode())

    def _open_window(self, opened: Opened | None) -> int:
        self.opened.append(opened)
        return 0


def settings_of(sandbox: Sandbox, ca_file: Path) -> list[str]:
    """SETTINGS that fit the sandbox."""
    ca_file.write_text(sandbox.ca_pem)
    return [
        *("--host", "localhost"),
        *("--port", str(sandbox.starttls_port)),
        *("--username", sandbox.username),
        *("--from-email", sandbox.username),
        *("--from-name", "Example Ltd"),
        *("--ca-file", str(ca_file)),
    ]
