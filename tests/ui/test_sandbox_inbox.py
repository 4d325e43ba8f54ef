"""The inbox window: what it lists, what it shows, and what a mail can't make it do."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import pytest
from PySide6.QtCore import QLocale, QPoint, Qt, QTime, QUrl
from PySide6.QtGui import QImage, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QTabWidget,
    QTextBrowser,
    QWidget,
)

from smtp_desk.sandbox.inbox import MAX_MAILS, Inbox
from smtp_desk.sandbox.mail_view import VIEW_LIMIT
from smtp_desk.sandbox.recipients import TRY_THESE
from smtp_desk.ui.sandbox.inbox_window import NO_MAIL, InboxWindow
from smtp_desk.ui.sandbox.reader import raw_text
from tests.ui.fitting import DIRECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

W = TypeVar("W", bound=QWidget)
FOCUSED = (QListWidget, QTabWidget, QPlainTextEdit, QTextBrowser, QPushButton)
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ANN = "ann@sandbox.test"
HTML = b"""From: Example Ltd <desk@sandbox.test>\r
Subject: Hello\r
Content-Type: multipart/alternative; boundary=b\r
\r
--b\r
Content-Type: text/plain\r
\r
<b>plain</b> words\r
--b\r
Content-Type: text/html\r
\r
<p>rich <a href="https://example.org/">words</a> <img src="https://example.org/pixel.png"></p>\r
--b--\r
"""


class Sight:
    """The window and short ways to its parts."""

    def __init__(self, window: InboxWindow, inbox: Inbox) -> None:
        self.window = window
        self.inbox = inbox

    def find(self, kind: type[W], name: str) -> W:
        found = self.window.findChild(kind, name)
        assert isinstance(found, kind), name
        return found

    @property
    def mails(self) -> QListWidget:
        return self.find(QListWidget, "mails")

    @property
    def subject(self) -> str:
        return self.find(QLabel, "mail_subject").text()

    def text(self, name: str) -> str:
        return self.find(QPlainTextEdit, name).toPlainText()

    def receive(self, raw: bytes, *recipients: str) -> None:
        self.inbox.add("desk@sandbox.test", recipients or (ANN,), raw)
        QApplication.processEvents()


def mail(subject: str, body: str = "words") -> bytes:
    return f"From: Bo <bo@example.org>\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()


@pytest.fixture
def sight(qtbot: QtBot, theme: Theme) -> Iterator[Sight]:
    theme.prefer("light")
    inbox = Inbox(lambda: NOON)
    window = InboxWindow(inbox)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    yield Sight(window, inbox)
    window.stop()


def test_an_empty_inbox_says_what_to_do(sight: Sight) -> None:
    words = sight.find(QLabel, "no_mail")
    assert words.isVisible()
    assert words.text() == NO_MAIL
    assert NO_MAIL == "No emails yet. Press Send test email in the Sandbox window."


def test_the_newest_mail_is_on_top_and_shown(sight: Sight) -> None:
    sight.receive(mail("first"))
    sight.receive(mail("second"))
    time = QLocale().toString(
        QTime(NOON.astimezone().hour, NOON.astimezone().minute), QLocale.FormatType.ShortFormat
    )
    role = Qt.ItemDataRole.AccessibleTextRole
    assert [sight.mails.item(row).data(role) for row in range(2)] == [
        f"Bo <bo@example.org>, second, {time}",
        f"Bo <bo@example.org>, first, {time}",
    ]
    assert sight.subject == "second"
    assert sight.mails.hasFocus()


def test_a_new_mail_does_not_take_away_the_one_being_read(sight: Sight) -> None:
    for subject in ("first", "second"):
        sight.receive(mail(subject))
    sight.mails.setCurrentRow(1)
    sight.receive(mail("third"))
    assert sight.subject == "first"
    assert sight.mails.count() == 3


def test_the_four_views_of_a_mail(sight: Sight) -> None:
    sight.receive(HTML, ANN, "bo@sandbox.test")
    message = sight.find(QTextBrowser, "mail_message").toPlainText()
    assert message.startswith("rich words")
    assert sight.text("mail_text").strip() == "<b>plain</b> words"
    assert "Subject: Hello" in sight.text("mail_headers").splitlines()
    assert sight.text("mail_raw").splitlines() == HTML.decode().splitlines()
    envelope = sight.find(QLabel, "mail_envelope").text()
    assert "To ann@sandbox.test, bo@sandbox.test" in envelope


def test_a_mail_without_html_shows_its_text_as_it_is(sight: Sight) -> None:
    sight.receive(HTML)
    sight.receive(mail("", "<h1>no markup</h1>"))
    assert sight.find(QTextBrowser, "mail_message").toPlainText().strip() == "<h1>no markup</h1>"
    assert sight.subject == "(no subject)"


def test_nothing_is_loaded_and_no_link_opened(
    sight: Sight, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    picture = f"{tmp_path}/here.png"
    image = QImage(2, 2, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    assert image.save(picture)
    opened: list[object] = []
    monkeypatch.setattr("PySide6.QtGui.QDesktopServices.openUrl", opened.append)
    sight.receive(HTML)
    browser = sight.find(QTextBrowser, "mail_message")
    kind = QTextDocument.ResourceType.ImageResource
    assert browser.loadResource(kind.value, QUrl.fromLocalFile(picture)) is None
    assert browser.document().resource(kind.value, QUrl.fromLocalFile(picture)) is None
    shown = browser.toPlainText()
    browser.anchorClicked.emit(QUrl.fromLocalFile(picture))
    assert browser.toPlainText() == shown
    assert not browser.openLinks()
    assert not browser.openExternalLinks()
    assert "<a " not in browser.toHtml()
    assert opened == []


def test_a_picture_inside_the_mail_is_shown(sight: Sight) -> None:
    pixel = (
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmM"
        "IQAAAABJRU5ErkJggg=="
    )
    url = QUrl(f"data:image/png;base64,{pixel}")
    document = sight.find(QTextBrowser, "mail_message").document()
    assert document.resource(QTextDocument.ResourceType.ImageResource.value, url) is not None


def test_mails_arrive_from_another_thread(sight: Sight, qtbot: QtBot) -> None:
    server = threading.Thread(target=sight.inbox.add, args=("", (ANN,), mail("from afar")))
    server.start()
    server.join()
    assert sight.mails.count() == 0, "shown in the window's thread only"
    qtbot.waitUntil(lambda: sight.subject == "from afar")


def test_a_closed_window_hears_no_more(sight: Sight) -> None:
    sight.window.stop()
    sight.receive(mail("too late"))
    assert sight.mails.count() == 0


def test_the_list_keeps_no_more_than_the_inbox(sight: Sight) -> None:
    for number in range(MAX_MAILS + 3):
        sight.inbox.add("", (ANN,), mail(str(number)))
    QApplication.processEvents()
    assert sight.mails.count() == len(sight.inbox) == MAX_MAILS
    assert sight.subject == str(MAX_MAILS + 2)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"a\r\n\tb\r\n", "a\n\tb\n"),
        (b"\x1b[2J\x00", "\\x1b[2J\\x00"),
        ("\u202eevil".encode(), "\\u202eevil"),
        (b"caf\xe9", "caf\u00e9"),
        (b"x" * (VIEW_LIMIT + 7), "x" * VIEW_LIMIT + "\n[7 more bytes are not shown]"),
    ],
)
def test_the_raw_mail_is_safe_to_look_at(raw: bytes, shown: str) -> None:
    assert raw_text(raw) == shown


@pytest.mark.parametrize(("address", "what_happens"), TRY_THESE)
def test_each_address_to_try_is_a_button(
    sight: Sight, qtbot: QtBot, address: str, what_happens: str
) -> None:
    sight.find(QPushButton, "hints").click()
    button = sight.find(QPushButton, f"try_{address.partition('@')[0]}")
    assert button.isVisible()
    assert button.accessibleName() == address
    assert button.accessibleDescription().lower() == f"{what_happens}.".lower()
    with qtbot.waitSignal(sight.window.recipient_chosen) as chosen:
        QTest.keyClick(button, Qt.Key.Key_Space)
    assert chosen.args == [address]


def test_every_part_that_takes_the_focus_has_a_name(sight: Sight) -> None:
    sight.receive(HTML)
    sight.find(QPushButton, "hints").click()
    named = [
        widget.accessibleName()
        for widget in sight.window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and isinstance(
            widget, QListWidget | QTabWidget | QPlainTextEdit | QTextBrowser | QPushButton
        )
    ]
    assert all(named)
    assert set(named) >= {"Received emails", "Message", "Text", "Headers", "Raw", "Try a failure"}


def test_the_keyboard_reaches_everything(sight: Sight) -> None:
    for subject in ("first", "second"):
        sight.receive(mail(subject))
    QTest.keyClick(sight.mails, Qt.Key.Key_Down)
    assert sight.subject == "first"
    visited = []
    for _ in range(4):
        focused = QApplication.focusWidget()
        assert focused is not None
        visited.append(focused.objectName())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert visited == ["mails", "qt_tabwidget_tabbar", "mail_message", "hints"]
    tabs = sight.find(QTabWidget, "mail_tabs")
    QTest.keyClick(tabs.tabBar(), Qt.Key.Key_Right)
    assert tabs.currentWidget().objectName() == "mail_text"


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_long_words_do_not_widen_the_window(sight: Sight, direction: Qt.LayoutDirection) -> None:
    sight.window.setLayoutDirection(direction)
    sight.window.resize(640, 400)
    sight.receive(mail("s" * 2000, "b" * 2000), f"{'r' * 60}@{'d' * 60}.test")
    QApplication.processEvents()
    assert sight.window.width() == 640
    for name in ("mail_subject", "mail_envelope", "mail_tabs", "mails"):
        part = sight.find(QWidget, name)
        left = part.mapTo(sight.window, QPoint(0, 0)).x()
        assert left >= 0
        assert left + part.width() <= 640
    assert "s" * 2000 in sight.text("mail_headers")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_row_is_drawn_within_its_bounds(
    sight: Sight, theme: Theme, scheme: str, direction: Qt.LayoutDirection
) -> None:
    theme.prefer(scheme)
    sight.window.setLayoutDirection(direction)
    sight.receive(mail("short"))
    before = sight.mails.grab().toImage()
    rect = sight.mails.visualItemRect(sight.mails.item(0))
    ground = before.pixelColor(sight.mails.viewport().mapToParent(rect.center()))
    assert ground.name() == theme.colours.selected
    ink = {
        before.pixelColor(sight.mails.viewport().mapToParent(QPoint(x, y))).name()
        for x in range(rect.left(), rect.right())
        for y in range(rect.top(), rect.bottom())
    }
    assert theme.colours.text in ink
