"""The alerts of the General page: saved, shown by scheme only, and tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QMessageBox, QPushButton

from smtp_desk.app.general import alerting
from smtp_desk.app.routes import notifying
from tests.ui import general_scenes
from tests.ui.fitting import in_sight, lay_out
from tests.ui.general_scenes import Scene, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

SECRET = "ntfys://alerts.example.org/s3cret-topic"


@pytest.fixture
def scene(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Scene:
    return shown(qtbot, tmp_path)


def add(scene: Scene, url: str) -> QLineEdit:
    edit = scene.page.findChild(QLineEdit, "alert_url")
    assert isinstance(edit, QLineEdit)
    edit.setText(url)
    edit.textEdited.emit(url)
    scene.button("add_alert").click()
    scene.runner.finish()
    return edit


def test_without_any_there_is_nothing_to_test(scene: Scene) -> None:
    assert scene.text("alerts_saved") == "No alert URLs are saved."
    for name in ("test_alerts", "remove_alerts"):
        assert not scene.button(name).isEnabled()
        assert scene.button(name).toolTip() == "No alert URLs are saved."
    assert scene.button("add_alert").toolTip() == "Enter an alert URL first."


def test_a_url_is_saved_and_shown_by_its_scheme_only(scene: Scene) -> None:
    edit = add(scene, f" {SECRET} ")
    assert scene.services.store.alerts().reveal() == SECRET
    assert scene.text("alerts_saved") == "Alerts go to: ntfys."
    assert scene.text("alerts_line") == "Saved."
    assert edit.text() == ""
    add(scene, "slack://T1/B2/C3 ntfys://alerts.example.org/two")
    assert scene.text("alerts_saved") == "Alerts go to: ntfys (2), slack."
    shown = [label.text() for label in scene.page.findChildren(QLabel)]
    assert not any("s3cret" in each for each in shown)


@pytest.mark.parametrize(
    "url",
    ["nonsense", "mailto://a:b@example.org", "slack://", "ntfys://x/y?verify=no", "x" * 3000],
)
def test_what_is_refused_stays_in_the_field(scene: Scene, url: str) -> None:
    edit = add(scene, url)
    assert scene.text("alerts_line").startswith("The alert URL is refused: ")
    assert edit.text() == url
    assert scene.services.store.alerts().reveal() == ""


def test_a_test_alert_tells_each_result(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    add(scene, f"{SECRET} slack://T1/B2/C3")
    given: list[str] = []

    def send(urls: Sequence[str], _title: str, _body: str) -> list[str]:
        given.extend(urls)
        return ["", "the service refused it, or can’t be reached"]

    monkeypatch.setattr(notifying, "send_alert", send)
    scene.page.resize(640, 400)
    lay_out()
    scene.page.area.ensureWidgetVisible(scene.button("test_alerts"), 0, 0)
    scene.button("test_alerts").click()
    lay_out()
    assert in_sight(scene.page, "Sending a test alert…")
    scene.runner.finish()
    scene.page.resize(900, 1200)
    assert given == [SECRET, "slack://T1/B2/C3"]
    assert scene.text("alert_result_0") == "ntfys: Sent. Check that it arrived."
    assert scene.text("alert_result_1") == "slack: The service refused it, or can’t be reached."
    add(scene, "jsons://example.org/hook")
    assert scene.page.findChild(QLabel, "alert_result_0") is None or not scene.text(
        "alert_result_0"
    )


def test_all_are_removed_after_a_question(scene: Scene) -> None:
    add(scene, SECRET)
    scene.button("remove_alerts").click()
    box = scene.page.findChild(QMessageBox, "confirm_remove_alerts")
    assert isinstance(box, QMessageBox)
    assert box.defaultButton().objectName() == "keep"
    confirmed = box.findChild(QPushButton, "confirmed")
    assert isinstance(confirmed, QPushButton)
    confirmed.click()
    scene.runner.finish()
    assert scene.services.store.alerts().reveal() == ""
    assert scene.text("alerts_saved") == "No alert URLs are saved."


def test_where_the_part_is_missing_it_says_how_to_get_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerting, "installed", lambda _extra: False)
    scene.alerts.load()
    scene.runner.finish()
    assert "alerts" in scene.text("alerts_saved")
    assert not scene.button("add_alert").isEnabled()
    assert not scene.button("test_alerts").isEnabled()


def test_scenes_are_made_of_what_is_saved(scene: Scene) -> None:
    general_scenes.SCENES["alerts"](scene)
    assert scene.text("alerts_saved") == "Alerts go to: ntfys, slack."
