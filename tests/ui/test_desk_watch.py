"""Settings that another process changes under an open window: told at once, never overwritten."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit

from smtp_desk.app.services import Services
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.ui import wiring
from smtp_desk.ui.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

SLOW_MS: Final = 20_000
SERVER: Final = ServerSettings(
    host="smtp.example.org", port=587, from_name="Example", from_email="desk@example.org"
)
# How editors and programs change a file, each as a command of a shell.
WAYS: Final = {
    "replaced": "sed -i s/Example/Elsewhere/ {file}",
    "in place": "text=$(sed s/Example/Elsewhere/ {file}); printf '%s\\n' \"$text\" > {file}",
    "backed up first": "mv {file} {file}~; sed s/Example/Elsewhere/ {file}~ > {file}",
}


@pytest.fixture
def services(tmp_path: Path) -> Services:
    made = Services.sandbox(tmp_path / "desk")
    made.store.save_server(SERVER, Security.STARTTLS, Secret(""))
    return made


@pytest.fixture
def desk(
    services: Services, theme: Theme, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setattr(wiring, "_LOOK_MS", 100 * SLOW_MS)
    made = Desk(lambda: services)
    qtbot.addWidget(made.window)
    with qtbot.waitSignal(made.furnished, timeout=SLOW_MS):
        made.window.show()
    qtbot.waitUntil(lambda: see(made, "from_name").text() == "Example", timeout=SLOW_MS)
    yield made
    made.window.may_close = None
    made.window.close()
    made.close()


def see(desk: Desk, name: str) -> QLineEdit:
    found = desk.window.findChild(QLineEdit, name)
    assert isinstance(found, QLineEdit), name
    return found


def said(desk: Desk) -> str:
    hint = desk.window.findChild(QLabel, "save_hint")
    assert isinstance(hint, QLabel)
    return hint.text()


def change(services: Services, way: str) -> None:
    """Change the file by a process of its own."""
    file = shlex.quote(str(services.paths.settings_file))
    subprocess.run(["sh", "-c", WAYS[way].format(file=file)], check=True, timeout=20)


@pytest.mark.parametrize("way", WAYS)
def test_it_is_shown_where_nothing_was_typed(
    way: str, desk: Desk, services: Services, qtbot: QtBot
) -> None:
    change(services, way)
    qtbot.waitUntil(lambda: see(desk, "from_name").text() == "Elsewhere", timeout=SLOW_MS)
    assert "changed outside this window" in said(desk)


@pytest.mark.parametrize("way", WAYS)
def test_it_is_told_and_what_was_typed_stays(
    way: str, desk: Desk, services: Services, qtbot: QtBot
) -> None:
    see(desk, "username").setText("ann")
    change(services, way)
    qtbot.waitUntil(lambda: "changed outside this window" in said(desk), timeout=SLOW_MS)
    assert see(desk, "username").text() == "ann"
    assert see(desk, "from_name").text() == "Example"
    assert "Elsewhere" in services.paths.settings_file.read_text()


def test_each_change_is_told_not_the_first_alone(
    desk: Desk, services: Services, qtbot: QtBot
) -> None:
    for way in ("replaced", "in place"):
        change(services, way)
        qtbot.waitUntil(lambda: see(desk, "from_name").text() == "Elsewhere", timeout=SLOW_MS)
        text = services.paths.settings_file.read_text()
        services.paths.settings_file.write_text(text.replace("Elsewhere", "Example"))
        qtbot.waitUntil(lambda: see(desk, "from_name").text() == "Example", timeout=SLOW_MS)


def test_a_first_save_by_another_program_is_seen_in_a_window_that_has_saved_nothing(
    tmp_path: Path, theme: Theme, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "_LOOK_MS", 50)
    fresh = Services.sandbox(tmp_path / "fresh")
    desk = Desk(lambda: fresh)
    qtbot.addWidget(desk.window)
    with qtbot.waitSignal(desk.furnished, timeout=SLOW_MS):
        desk.window.show()
    fresh.store.save_server(SERVER, Security.STARTTLS, Secret(""))
    qtbot.waitUntil(lambda: see(desk, "from_name").text() == "Example", timeout=SLOW_MS)
    desk.workshop._looking.stop()
    change(fresh, "in place")
    qtbot.waitUntil(lambda: see(desk, "from_name").text() == "Elsewhere", timeout=SLOW_MS)
    desk.window.close()
    desk.close()
