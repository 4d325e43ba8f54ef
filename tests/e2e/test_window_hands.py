"""The whole job by accessible actions alone, by keyboard alone, and by mouse alone.

A server whose company CA nobody knows, and a password that is wrong at first: both are found,
mended, proven, saved, and the server is turned on. Text is typed in each way; all else is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import pytest

from smtp_desk.core.texts import CHANGED, SUCCESS, UNREACHABLE
from tests.e2e.desk import Desktop, desktop_on
from tests.servers.certs import Certificates
from tests.servers.display import Display
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer
from tests.servers.secret_service import SecretService
from tests.servers.waiting import wait_until

pytestmark = [
    pytest.mark.needs("x_display", "accessibility", "gnome_keyring"),
    pytest.mark.xdist_group("x_display"),
]

USERNAME: Final = "desk@example.test"
PASSWORD: Final = "s3cret"
SEND: Final = "Send test email"
TRUST: Final = "Trust this company CA"
CONFIRM: Final = "Trust for localhost"
DIGITS: Final = "Last 8 digits of the fingerprint"
SAVE: Final = "Save"
TURN_ON: Final = "Turn on"
ACTIVE: Final = "Active. System emails are sent through localhost."
OFF: Final = "Off. System emails wait in the outbox."
REFUSED: Final = "The server refused the username or password."
SWITCH: Final = "Send system emails through your own server"
MOST_KEYS: Final = 150
"""At five keys a second 30 s, which leaves 30 s for the machine: a newcomer has a minute."""


class Hands(Protocol):
    """A way to work the window."""

    def fill(self, name: str, text: str) -> None:
        """Make this the text of a field."""

    def press(self, name: str) -> None:
        """Press a button, or toggle a switch."""


class ByReader:
    """Accessible actions alone, as assistive technology sends them."""

    def __init__(self, desktop: Desktop) -> None:
        self._reader = desktop.reader

    def fill(self, name: str, text: str) -> None:
        self._reader.put(name, text)

    def press(self, name: str) -> None:
        self._reader.act(name)


class ByMouse:
    """Pointer and wheel; only texts are typed."""

    def __init__(self, desktop: Desktop) -> None:
        self._desktop = desktop

    def fill(self, name: str, text: str) -> None:
        self._desktop.click(name, times=3)
        self._desktop.type(text)
        self._desktop.reader.wait_for_typed(name, len(text))

    def press(self, name: str) -> None:
        self._desktop.click(name)


class ByKeys:
    """Keys alone; counts them."""

    FIELDS: Final = {
        "SMTP server host": "alt+v",
        "Port": "alt+p",
        "Username": "alt+u",
        "Password": "alt+w",
        "From name": "alt+n",
        "From email": "alt+e",
        "Send test email to": "alt+t",
        DIGITS: "alt+l",
    }
    BUTTONS: Final[dict[str, tuple[str, ...]]] = {
        SEND: ("ctrl+t",),
        TRUST: ("Tab", "space"),  # from the outcome, where the focus is
        CONFIRM: ("Return",),
        SAVE: ("ctrl+s",),
        TURN_ON: ("space",),  # the next step has the focus
        SWITCH: ("alt+o",),
    }

    def __init__(self, desktop: Desktop) -> None:
        self._desktop = desktop
        self.pressed = 0

    def fill(self, name: str, text: str) -> None:
        self.pressed += 1 + len(text)
        self._desktop.fill(name, text, self.FIELDS[name])

    def press(self, name: str) -> None:
        keys = self.BUTTONS[name]
        self.pressed += len(keys)
        if name == TURN_ON:
            self._desktop.reader.wait_for_focus(TURN_ON)
        self._desktop.press(*keys)


@pytest.fixture
def desktop(x_display: Display, secret_service: SecretService, tmp_path: Path) -> Iterator[Desktop]:
    with desktop_on(x_display, secret_service, tmp_path) as desktop:
        yield desktop


def work(hands: Hands, desktop: Desktop, port: int, digits: str) -> None:
    """Do the whole job as somebody who meets the window for the first time."""
    reader = desktop.reader
    for name, text in (
        ("SMTP server host", "localhost"),
        ("Port", str(port)),
        ("Username", USERNAME),
        ("Password", "wrong one"),
        ("From name", "Example"),
        ("From email", USERNAME),
        ("Send test email to", "ann@example.test"),
    ):
        hands.fill(name, text)
    hands.press(SEND)
    reader.wait_for_focus(UNREACHABLE)
    hands.press(TRUST)
    reader.wait_for_focus(DIGITS)
    hands.fill(DIGITS, digits)
    question = desktop.active()
    hands.press(CONFIRM)
    desktop.wait_gone(question)
    reader.wait_for_focus(CHANGED)
    hands.press(SEND)
    reader.wait_for(REFUSED)
    reader.wait_for_focus(UNREACHABLE)
    hands.fill("Password", PASSWORD)
    reader.wait_for(CHANGED)
    hands.press(SEND)
    reader.wait_for_focus(SUCCESS)
    hands.press(SAVE)
    reader.wait_for(OFF)
    hands.press(TURN_ON)
    reader.wait_for(ACTIVE)
    wait_until(lambda: reader.control(SWITCH).checked, "the switch to be on")


@pytest.mark.parametrize("way", [ByReader, ByKeys, ByMouse])
def test_the_whole_job(
    way: type[ByReader | ByKeys | ByMouse],
    desktop: Desktop,
    certs: Certificates,
    clean_environment: Path,
) -> None:
    script = Script(tls=certs.unknown_issuer.tls, users={USERNAME: PASSWORD}, login_required=True)
    settings = clean_environment / "config" / "settings.toml"
    with ScriptedServer(script) as server, desktop.open_desk() as program:
        hands = way(desktop)
        work(hands, desktop, server.port, certs.other_root.fingerprint[-8:])
        assert desktop.secrets() == [PASSWORD]
        hands.press(SWITCH)
        reader = desktop.reader
        wait_until(lambda: not reader.control(SWITCH).checked, "the switch to be off")
        reader.wait_for(OFF)
        assert "enabled = false" in settings.read_text()
        desktop.leave(program, "ctrl+q")
    if isinstance(hands, ByKeys):
        assert hands.pressed <= MOST_KEYS
    assert len(server.messages) == 1
