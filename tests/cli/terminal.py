"""A terminal for signing in by OAuth 2.0, and what its commands speak to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.desk import Desk, Ended
    from tests.oauth.person import Person
    from tests.servers.scripted import ScriptedServer
    from tests.servers.sign_in_service import SignInService

ANN = "ann@example.org"


@dataclass
class Terminal:
    """A terminal, and what its commands speak to."""

    desk: Desk
    service: SignInService
    server: ScriptedServer
    person: Person
    ca_file: Path

    def settings(self, flow: str = "browser") -> list[str]:
        return [
            *("--host", "localhost", "--port", str(self.server.port), "--security", "starttls"),
            *("--username", ANN, "--from-email", ANN, "--ca-file", str(self.ca_file)),
            *("--auth", "oauth", "--oauth-provider", "custom", "--oauth-flow", flow),
            *("--client-id", "desk", "--oauth-token-url", f"{self.service.url}/token"),
            *("--oauth-scope", "smtp offline_access", "--oauth-ca-file", str(self.ca_file)),
            *(["--oauth-authorize-url", f"{self.service.url}/authorize"] * (flow == "browser")),
            *(["--oauth-device-url", f"{self.service.url}/device"] * (flow == "device")),
        ]

    def configure(self, flow: str = "browser", *more: str, stdin: bytes = b"") -> Ended:
        arguments = ("configure", *self.settings(flow), "--to", "bo@example.org", *more)
        return self.desk(*arguments, stdin=stdin)


def secrets_of(terminal: Terminal) -> list[str]:
    sent = [value for each in terminal.service.requests for value in each.form.values()]
    return [
        *terminal.service.access,
        *(each for each in (terminal.service.refresh, "client s3cret") if each),
        *(each for each in sent if len(each) > 30 and "://" not in each and ":" not in each),
    ]


def checked(ended: Ended, terminal: Terminal, status: int) -> Ended:
    assert ended.status == status, ended.out + ended.err
    for secret in secrets_of(terminal):
        assert secret not in ended.out + ended.err
    return ended
