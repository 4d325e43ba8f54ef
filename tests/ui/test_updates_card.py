"""The check for updates on General: asked by the button only, and told beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel

from smtp_desk import __version__
from smtp_desk.app.general import updating
from smtp_desk.app.updates import Updates, UpdatesError
from smtp_desk.smtp.net.deadline import Cancel
from tests.ui.fitting import in_sight, lay_out
from tests.ui.general_scenes import Scene, shown

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
    return shown(qtbot, tmp_path)


def test_nobody_is_asked_until_the_button_is_pressed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updating, "find_updates", Index())
    scene.load()
    assert scene.text("updates_line") == ""
    assert not scene.button("cancel_updates").isVisible()
    texts = [label.text() for label in scene.page.findChildren(QLabel)]
    assert any(f"You have version {__version__}." in text for text in texts)


def test_while_it_asks_it_can_be_cancelled_and_asked_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updating, "find_updates", Index(Updates("1.0", "1.1", newer=True)))
    scene.button("check_updates").click()
    assert scene.text("updates_line") == "Checking…"
    assert not scene.button("check_updates").isEnabled()
    scene.button("cancel_updates").click()
    assert scene.text("updates_line") == "Stopping…"
    assert not scene.button("cancel_updates").isVisible()
    scene.runner.finish()
    assert scene.text("updates_line") == "The check was stopped."
    scene.button("check_updates").click()
    scene.runner.finish()
    assert scene.text("updates_line") == (
        "Version 1.1 is available. You have 1.0. "
        "Update the checkout with “git pull”, then run “make run”."
    )


def test_what_failed_is_told_and_can_be_tried_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = UpdatesError("Couldn’t check for updates at https://example.org/. No answer.")
    answers = Index(failed, Updates("1.1", "1.1", newer=False))
    monkeypatch.setattr(updating, "find_updates", answers)
    scene.button("check_updates").click()
    scene.runner.finish()
    assert scene.text("updates_line") == str(failed)
    scene.button("check_updates").click()
    scene.runner.finish()
    assert scene.text("updates_line") == "You have the newest version, 1.1."


def test_the_answer_is_seen_in_a_small_window(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updating, "find_updates", Index(Updates("1.0", "1.1", newer=True)))
    scene.load()
    scene.page.resize(640, 400)
    lay_out()
    button = scene.button("check_updates")
    scene.page.area.ensureWidgetVisible(button, 0, 0)
    lay_out()
    button.click()
    lay_out()
    assert in_sight(scene.page, "Checking…")
    scene.runner.finish()
    lay_out()
    assert in_sight(scene.page, "Version 1.1 is available.")


def test_a_window_that_closes_stops_asking(scene: Scene) -> None:
    scene.button("check_updates").click()
    scene.updates.close()
    assert scene.runner.cancels[-1].cancelled
