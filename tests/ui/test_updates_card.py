"""The check for updates on General: asked by the button only, and told beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from smtp_desk import __version__
from smtp_desk.app.general import updating
from smtp_desk.app.updates import Updates, UpdatesError
from smtp_desk.smtp.net.deadline import Cancel
from tests.ui.general_scenes import Scene

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.app.services import Services
    from smtp_desk.ui.widgets.theme import Theme

Answer = Updates | Exception


class Index:
    """What the presenter asks, with the answers that it gets."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)

    def __call__(self, services: Services, cancel: Cancel) -> Updates:
        cancel.check()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def scene(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    qtbot.addWidget(made.page)
    made.page.resize(900, 1200)
    made.page.show()
    made.runner.finish()
    return made


def button(scene: Scene, name: str) -> QPushButton:
    found = scene.page.findChild(QPushButton, name)
    assert isinstance(found, QPushButton), name
    return found


def told(scene: Scene) -> str:
    found = scene.page.findChild(QLabel, "updates_line")
    assert isinstance(found, QLabel)
    return found.text() if found.isVisible() else ""


def test_nobody_is_asked_until_the_button_is_pressed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updating, "find_updates", Index())
    scene.load()
    assert told(scene) == ""
    assert not button(scene, "cancel_updates").isVisible()
    texts = [label.text() for label in scene.page.findChildren(QLabel)]
    assert any(f"You have version {__version__}." in text for text in texts)


def test_while_it_asks_it_can_be_cancelled_and_asked_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updating, "find_updates", Index(Updates("1.0", "1.1", newer=True)))
    button(scene, "check_updates").click()
    assert told(scene) == "Checking…"
    assert not button(scene, "check_updates").isEnabled()
    button(scene, "cancel_updates").click()
    assert told(scene) == "Stopping…"
    assert not button(scene, "cancel_updates").isVisible()
    scene.runner.finish()
    assert told(scene) == "The check was stopped."
    button(scene, "check_updates").click()
    scene.runner.finish()
    assert told(scene) == (
        "Version 1.1 is available. You have 1.0. "
        "Update the checkout with “git pull”, then run “make run”."
    )


def test_what_failed_is_told_and_can_be_tried_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = UpdatesError("Couldn’t check for updates at https://example.org/. No answer.")
    answers = Index(failed, Updates("1.1", "1.1", newer=False))
    monkeypatch.setattr(updating, "find_updates", answers)
    button(scene, "check_updates").click()
    scene.runner.finish()
    assert told(scene) == str(failed)
    button(scene, "check_updates").click()
    scene.runner.finish()
    assert told(scene) == "You have the newest version, 1.1."


def test_a_window_that_closes_stops_asking(scene: Scene) -> None:
    button(scene, "check_updates").click()
    scene.updates.close()
    assert scene.runner.cancels[-1].cancelled
