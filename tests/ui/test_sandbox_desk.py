"""Try with the built-in sandbox: one click sends, the mail arrives, all is forgotten."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QMainWindow,
    QPushButton,
    QTextBrowser,
    QWidget,
)

from smtp_desk.app.services import Services
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.store.credentials import KeyringCredentials
from smtp_desk.store.stored import Preferences
from smtp_desk.ui.application import SandboxOpener
from smtp_desk.ui.desk import Desk
from smtp_desk.ui.sandbox.sandbox_desk import SandboxDesk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

W = TypeVar("W", bound=QWidget)
SLOW_MS = 30_000
SUCCESS = "Test email sent successfully"


class Trial:
    """A real desk, and the sandbox that somebody opens from its Help menu."""

    def __init__(self, desk: Desk, home: Path, qtbot: QtBot) -> None:
        self.desk = desk
        self.home = home
        self._qtbot = qtbot

    def ask(self) -> None:
        action = self.desk.window.findChild(QAction, "try_sandbox")
        assert isinstance(action, QAction)
        action.trigger()

    def open(self) -> None:
        self.ask()
        self.wait(lambda: self.edit("recipient").text() != "")
        self.wait(self.see(QPushButton, "send_test").isEnabled)

    def wait(self, condition: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(condition, timeout=SLOW_MS)

    @property
    def windows(self) -> list[QWidget]:
        return [window for window in QApplication.topLevelWidgets() if window.isVisible()]

    @property
    def window(self) -> QMainWindow | None:
        mains = [each for each in self.windows if isinstance(each, QMainWindow)]
        return next((main for main in mains if "Sandbox" in main.windowTitle()), None)

    @property
    def inbox(self) -> QWidget | None:
        return next((each for each in self.windows if each.objectName() == "inbox"), None)

    def see(self, kind: type[W], name: str) -> W:
        within = [within for within in (self.window, self.inbox) if within is not None]
        found = next(filter(None, (each.findChild(kind, name) for each in within)), None)
        return found if found is not None else kind()

    def edit(self, name: str) -> QLineEdit:
        return self.see(QLineEdit, name)

    def send(self) -> None:
        self.see(QPushButton, "send_test").click()
        self.wait(lambda: self.see(QLabel, "outcome").text() == SUCCESS)


@pytest.fixture
def trial(
    qtbot: QtBot, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Trial]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(threading.enumerate())
    home = tmp_path / "real"
    services = Services.open({"SMTP_DESK_HOME": str(home)}, interactive=False)
    services.store.save_preferences(Preferences(company_name="Real & Co", theme="dark"))
    theme.prefer("dark")  # as saved: a desk that is open already would be drawn anew
    for name in ("get", "set", "delete"):
        monkeypatch.setattr(KeyringCredentials, name, _no_keyring)
    desk = Desk(lambda: services)
    SandboxOpener(desk)
    qtbot.addWidget(desk.window)
    desk.window.show()
    qtbot.waitUntil(
        lambda: any(edit.text() == "Real & Co" for edit in desk.window.findChildren(QLineEdit)),
        timeout=SLOW_MS,
    )
    qtbot.waitUntil(lambda: theme.colours.window == "#1b1d21", timeout=SLOW_MS)
    yield Trial(desk, home, qtbot)
    desk.window.close()
    desk.close()
    # Closing waits within bounds: on a busy machine a start may be undone behind it.
    qtbot.waitUntil(lambda: set(threading.enumerate()) <= before, timeout=SLOW_MS)
    assert [path.name for path in tmp_path.iterdir()] == ["real"], "no sandbox home stays"


def _no_keyring(*_: object) -> NoReturn:
    raise AssertionError("the sandbox reached for the keyring")


def _files(folder: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "log" not in path.suffix
    }


def test_one_click_sends_proves_and_saves_and_nothing_real_is_touched(trial: Trial) -> None:
    real = _files(trial.home)
    assert real
    trial.open()
    assert trial.window is not None
    assert "Sandbox" in trial.window.windowTitle()
    assert trial.see(QLabel, "no_mail").isVisible()
    assert trial.edit("host").text() == "localhost"
    assert trial.edit("from_name").text() == "Example Ltd"
    assert trial.edit("recipient").text() == "ann@sandbox.test"
    assert Path(trial.edit("ca_file").text()).read_text().startswith("-----BEGIN CERTIFICATE")
    assert not trial.see(QPushButton, "save").isEnabled()

    trial.send()
    mails = trial.see(QListWidget, "mails")
    trial.wait(lambda: mails.count() == 1)
    assert "ann@sandbox.test" in trial.see(QLabel, "mail_envelope").text()
    assert trial.see(QTextBrowser, "mail_message").toPlainText().strip()
    assert not trial.see(QLabel, "no_mail").isVisible()

    save = trial.see(QPushButton, "save")
    assert save.isEnabled()
    save.click()
    trial.wait(lambda: trial.edit("password").placeholderText() != "")
    assert _files(trial.home) == real


def test_a_failing_address_is_chosen_by_one_click(trial: Trial) -> None:
    trial.open()
    trial.see(QPushButton, "hints").click()
    trial.see(QPushButton, "try_unknown").click()
    assert trial.edit("recipient").text() == "unknown@sandbox.test"
    trial.see(QPushButton, "send_test").click()
    trial.wait(lambda: trial.see(QLabel, "outcome").text().startswith("Could not reach"))
    shown = [each.text() for each in trial.see(QWidget, "finding").findChildren(QLabel)]
    assert "unknown@sandbox.test" in " ".join(shown)


def test_a_fault_of_the_server_is_chosen_and_mended(trial: Trial) -> None:
    trial.open()
    trial.see(QPushButton, "hints").click()
    fault = trial.see(QComboBox, "fault")
    assert fault.accessibleName() == "What is wrong with the server"
    fault.setCurrentIndex(fault.findData("expired-certificate"))
    trial.see(QPushButton, "send_test").click()
    trial.wait(lambda: trial.see(QLabel, "outcome").text().startswith("Could not reach"))
    shown = [each.text() for each in trial.see(QWidget, "finding").findChildren(QLabel)]
    assert "expired" in " ".join(shown)
    fault.setCurrentIndex(0)
    trial.send()


def test_the_theme_of_the_real_desk_stays(trial: Trial, theme: Theme) -> None:
    trial.open()
    trial.send()
    assert theme.colours.window == "#1b1d21"


def test_closing_the_sandbox_closes_its_inbox_and_it_can_be_opened_again(trial: Trial) -> None:
    trial.open()
    home = Path(trial.edit("ca_file").text()).parent
    port = trial.edit("port").text()
    first = trial.window
    assert first is not None
    first.close()
    trial.wait(lambda: trial.windows == [trial.desk.window])
    trial.wait(lambda: not home.exists())
    trial.open()
    assert trial.window is not first
    assert trial.edit("port").text() != port
    trial.send()


def test_what_is_left_may_be_collected_in_any_thread(trial: Trial) -> None:
    for _ in range(2):
        trial.open()
        assert trial.window is not None
        trial.window.close()
        trial.wait(lambda: trial.windows == [trial.desk.window])
        collector = threading.Thread(target=gc.collect)
        collector.start()
        collector.join()


def test_opening_it_twice_shows_the_same_windows(trial: Trial) -> None:
    trial.open()
    window, inbox = trial.window, trial.inbox
    assert inbox is not None
    inbox.close()
    trial.ask()
    assert (trial.window, trial.inbox) == (window, inbox)
    assert len(trial.windows) == 3


def test_closing_the_real_desk_closes_everything(trial: Trial) -> None:
    trial.open()
    trial.desk.window.close()
    assert trial.windows == []


@pytest.mark.parametrize("steps", range(0, 60, 12))
def test_closing_while_it_opens_leaves_nothing(trial: Trial, steps: int, qtbot: QtBot) -> None:
    trial.ask()
    for _ in range(steps):
        qtbot.wait(1)
    trial.desk.window.close()
    assert trial.windows == []


def test_closing_during_a_test_is_clean(trial: Trial) -> None:
    trial.open()
    trial.edit("recipient").setText("slow@sandbox.test")
    trial.see(QPushButton, "send_test").click()
    assert trial.window is not None
    trial.window.close()
    trial.wait(lambda: trial.windows == [trial.desk.window])


def test_a_sandbox_offers_no_second_one(trial: Trial) -> None:
    trial.open()
    assert trial.window is not None
    assert trial.window.findChild(QAction, "try_sandbox") is None


def test_a_server_that_cannot_start_is_told_and_undone(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(_server: Sandbox) -> NoReturn:
        raise OSError("no port left")

    monkeypatch.setattr(Sandbox, "start", fail)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = SandboxDesk()
    with qtbot.waitSignal(made.failed, timeout=SLOW_MS) as told:
        made.start()
    assert told.args == ["The sandbox can’t start: no port left"]
    made.close()
    assert list(tmp_path.iterdir()) == []
