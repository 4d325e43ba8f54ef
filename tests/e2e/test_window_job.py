"""The administrator's whole job, by keyboard alone: fill in, prove, save, switch on, come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from smtp_desk.core.gate import SaveHint
from smtp_desk.core.texts import CHANGED, SAVE_HINTS, SUCCESS, UNREACHABLE
from tests.e2e.desk import SEND, Desktop, desktop_on
from tests.servers.certs import Certificates
from tests.servers.display import Display
from tests.servers.postfix import PASSWORD, Postfix
from tests.servers.secret_service import SecretService
from tests.servers.waiting import wait_until

pytestmark = [
    pytest.mark.needs("x_display", "accessibility", "gnome_keyring"),
    pytest.mark.xdist_group("x_display"),
]

SWITCH: Final = "Send system emails through your own server"
ACTIVE: Final = "Active. System emails are sent through localhost."
CONTROLS: Final = {
    SWITCH: "check box",
    "SMTP server host": "text",
    "Port": "text",
    "Username": "text",
    "Password": "text",
    "From name": "text",
    "From email": "text",
    "Find settings": "push button",
    "Advanced": "push button",
    "Security": "combo box",
    "CA certificate file": "text",
    "EHLO name": "text",
    "Sign-in method": "combo box",
    "Send test email to": "text",
    "Send test email": "push button",
    "Save": "push button",
    "Discard changes": "push button",
    "Remove configuration": "push button",
}


@pytest.fixture
def desktop(x_display: Display, secret_service: SecretService, tmp_path: Path) -> Iterator[Desktop]:
    with desktop_on(x_display, secret_service, tmp_path) as desktop:
        yield desktop


@pytest.mark.needs("postfix")
def test_the_main_job(
    desktop: Desktop, postfix: Postfix, certs: Certificates, clean_environment: Path
) -> None:
    reader = desktop.reader
    settings = clean_environment / "config" / "settings.toml"
    with desktop.open_desk() as program:
        desktop.fill_form(postfix.starttls_port, certs.root.chain_file, "wrong one")
        desktop.press("Tab")
        reader.wait_for_focus("Send test email")
        desktop.press("space")
        reader.wait_for_focus(UNREACHABLE)
        assert not reader.control("Save").enabled
        desktop.fill("Password", PASSWORD, "alt+w")
        reader.wait_for(CHANGED)
        assert not reader.named(UNREACHABLE)
        assert PASSWORD not in reader.control("Password").text
        desktop.press(SEND)
        reader.wait_for_focus(SUCCESS)
        assert reader.control("Save").enabled
        assert not settings.exists()
        desktop.press("ctrl+s")
        wait_until(
            lambda: reader.control("Save").description == SAVE_HINTS[SaveHint.ALL_SAVED],
            "all saved",
        )
        assert not reader.control("Save").enabled
        assert desktop.secrets() == [PASSWORD]
        desktop.press("alt+o")
        wait_until(lambda: reader.control(SWITCH).checked, "the switch to be on")
        desktop.leave(program, "ctrl+q")
    (mail,) = postfix.mailboxes.messages("ann", at_least=1)
    assert mail["From"] == "Example <desk@example.test>"
    assert re.search("^enabled = true$", settings.read_text(), re.MULTILINE)
    reopen(desktop, postfix.starttls_port)


def reopen(desktop: Desktop, port: int) -> None:
    reader = desktop.reader
    with desktop.open_desk(ACTIVE) as program:
        shown = {
            name: reader.control(name).text
            for name in ("SMTP server host", "Port", "Username", "From name", "From email")
        }
        assert list(shown.values()) == [
            "localhost",
            str(port),
            "desk",
            "Example",
            "desk@example.test",
        ]
        password = reader.control("Password")
        assert (password.text, password.description) == ("", "Stored in the keyring")
        assert reader.control(SWITCH).checked
        desktop.leave(program, "alt+F4")


def test_every_control_has_its_label_as_name(desktop: Desktop) -> None:
    with desktop.open_desk() as program:
        desktop.press("alt+a")
        desktop.reader.control("EHLO name")
        shown = {(part.name, part.role) for part in desktop.reader.parts()}
        assert CONTROLS.items() <= shown
        desktop.leave(program, "ctrl+q")
