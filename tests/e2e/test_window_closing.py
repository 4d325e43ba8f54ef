"""The window is closed in the middle of a test: the program ends at once, saving nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.desk import Desktop, desktop_on
from tests.servers.certs import Certificates
from tests.servers.display import Display
from tests.servers.script import CREDENTIALS, END_OF_DATA, Action, Reply, Script, Silence
from tests.servers.scripted import ScriptedServer
from tests.servers.secret_service import SecretService

pytestmark = [
    pytest.mark.needs("x_display", "accessibility", "gnome_keyring"),
    pytest.mark.xdist_group("x_display"),
]

GREETING: Final = "greeting"
_SILENT: Final[Mapping[str, Mapping[str, Action]]] = {
    GREETING: {},
    "EHLO": {"EHLO": Silence()},
    "STARTTLS": {"STARTTLS": Silence()},
    "handshake": {"STARTTLS": (Reply("220 2.0.0 Ready"), Silence())},
    "AUTH": {CREDENTIALS: Silence()},
    "RCPT": {"RCPT": Silence()},
    "DATA": {"DATA": Silence()},
    "dot": {END_OF_DATA: Silence()},
    "QUIT": {"QUIT": Silence()},
}


@pytest.fixture
def desktop(x_display: Display, secret_service: SecretService, tmp_path: Path) -> Iterator[Desktop]:
    with desktop_on(x_display, secret_service, tmp_path) as desktop:
        yield desktop


def reached(stage: str) -> Callable[[ScriptedServer], bool]:
    """Whether the server is silent at this stage."""
    if stage == GREETING:
        return lambda server: server.open_connections > 0
    if stage == "dot":
        return lambda server: bool(server.messages)
    command = "STARTTLS" if stage == "handshake" else stage
    return lambda server: any(line.startswith(command) for line in server.commands)


@pytest.mark.parametrize("stage", _SILENT)
def test_closed_while_the_server_is_silent(
    stage: str, desktop: Desktop, certs: Certificates, clean_environment: Path
) -> None:
    greeting = Silence() if stage == GREETING else Script().greeting
    tls = certs.good.tls
    script = Script(tls=tls, greeting=greeting, on=_SILENT[stage])
    with ScriptedServer(script) as server, desktop.open_desk() as program:
        desktop.rush_form(server.port, certs.root.chain_file, "s3cret")
        server.wait_for(reached(stage))
        assert desktop.reader.control("Cancel").enabled
        desktop.leave(program, "ctrl+q")
    assert list((clean_environment / "config").glob("settings*")) == []
    assert desktop.secrets() == []
    for log in clean_environment.rglob("*.log"):
        assert "Traceback" not in log.read_text()
