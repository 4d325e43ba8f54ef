"""The window's keys act from each page, and nothing that was typed is lost unasked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from smtp_desk.core.gate import SaveHint
from smtp_desk.core.texts import SAVE_HINTS, SUCCESS
from smtp_desk.ui.palette import FIND
from tests.e2e.desk import FROM_EMAIL, HOST, Desktop, desktop_on
from tests.servers.certs import Certificates
from tests.servers.display import Display
from tests.servers.script import Script, Silence
from tests.servers.scripted import ScriptedServer
from tests.servers.secret_service import SecretService
from tests.servers.waiting import wait_until

pytestmark = [
    pytest.mark.needs("x_display", "accessibility", "gnome_keyring"),
    pytest.mark.xdist_group("x_display"),
]

DISCARD: Final = "alt+g"
KEEP: Final = "Keep editing"
SERVER: Final = "mail.example.test"


@pytest.fixture
def desktop(x_display: Display, secret_service: SecretService, tmp_path: Path) -> Iterator[Desktop]:
    with desktop_on(x_display, secret_service, tmp_path) as desktop:
        yield desktop


def test_discard_asks_and_its_first_answer_keeps_what_was_typed(desktop: Desktop) -> None:
    reader = desktop.reader
    with desktop.open_desk() as program:
        desktop.fill("SMTP server host", SERVER, HOST)
        for keep in ("Escape", "Return"):
            desktop.press(DISCARD)
            desktop.answer(KEEP, keep)
            assert reader.control("SMTP server host").text == SERVER
        desktop.press(DISCARD)
        desktop.answer(KEEP, "alt+d")
        wait_until(lambda: reader.control("SMTP server host").text == "", "an empty form")
        desktop.leave(program, "ctrl+q")


def test_the_window_asks_before_it_closes_on_what_was_typed(desktop: Desktop) -> None:
    reader = desktop.reader
    with desktop.open_desk() as program:
        desktop.fill("SMTP server host", SERVER, HOST)
        desktop.press("ctrl+q")
        desktop.answer(KEEP, "Escape")
        assert reader.control("SMTP server host").text == SERVER
        desktop.press("ctrl+q")
        reader.wait_for_focus(KEEP)
        desktop.leave(program, "alt+w")


@pytest.mark.parametrize("page", [0, 1, 2, 4])
def test_a_test_is_asked_for_from_each_page_and_shows_what_it_lacks(
    page: int, desktop: Desktop
) -> None:
    with desktop.open_desk() as program:
        desktop.reader.wait_for_focus("From email")
        desktop.press("shift+Tab")
        desktop.reader.wait_for_focus("Settings")
        desktop.press(*["Down"] * page, "ctrl+t")
        desktop.reader.wait_for_focus("SMTP server host")
        desktop.leave(program, "ctrl+q")


def test_what_is_saved_from_another_page_is_shown(
    desktop: Desktop, certs: Certificates, clean_environment: Path
) -> None:
    reader = desktop.reader
    script = Script(tls=certs.good.tls)
    with ScriptedServer(script) as server, desktop.open_desk() as program:
        desktop.rush_form(server.port, certs.root.chain_file, "s3cret")
        reader.wait_for_focus(SUCCESS)
        desktop.press(FROM_EMAIL, "shift+Tab")
        reader.wait_for_focus("Settings")
        desktop.press("Down", "Down")
        wait_until(lambda: not reader.named("SMTP server host"), "another page")
        desktop.press("ctrl+s")
        wait_until(
            lambda: reader.control("Save").description == SAVE_HINTS[SaveHint.ALL_SAVED],
            "all saved",
        )
        desktop.leave(program, "ctrl+q")
    assert (clean_environment / "config" / "settings.toml").exists()


def test_the_palette_finds_a_page_and_gives_the_focus_back(desktop: Desktop) -> None:
    reader = desktop.reader
    with desktop.open_desk() as program:
        desktop.fill("SMTP server host", SERVER, HOST)
        desktop.press("ctrl+k")
        reader.wait_for_focus(FIND)
        desktop.press("Escape")
        reader.wait_for_focus("SMTP server host")
        desktop.press("ctrl+k")
        reader.wait_for_focus(FIND)
        desktop.type("text siz")
        reader.wait_for("No command or page matches. Try another word.")
        desktop.press("ctrl+a")
        desktop.type("general")
        desktop.press("Return")
        reader.wait_for("Text size")
        desktop.press("ctrl+q")
        reader.wait_for_focus(KEEP)
        desktop.leave(program, "alt+w")


def test_escape_cancels_the_test(desktop: Desktop, certs: Certificates) -> None:
    reader = desktop.reader
    with ScriptedServer(Script(greeting=Silence())) as server, desktop.open_desk() as program:
        desktop.rush_form(server.port, certs.root.chain_file, "s3cret")
        server.wait_for(lambda server: server.open_connections > 0)
        assert reader.control("Cancel").enabled
        desktop.press("Escape")
        server.wait_for(lambda server: server.open_connections == 0)
        wait_until(lambda: reader.control("Send test email").enabled, "the end of the test")
        assert not reader.control("Save").enabled
        desktop.press("ctrl+q")
        reader.wait_for_focus(KEEP)
        desktop.leave(program, "alt+w")
