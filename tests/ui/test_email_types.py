"""The Email types page: what it shows, what it sends, and what an email can't make it do."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QAccessible, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QTabWidget,
    QTextBrowser,
    QWidget,
)

from smtp_desk.sender.mail.kinds import VARIANTS
from smtp_desk.sender.receipts import Receipt, RecipientReceipt
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.stored import Preferences
from smtp_desk.ui.widgets.label import breakable
from tests.sender.ways import finding
from tests.ui.email_types_scenes import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.sender.mail.kinds import Email
    from smtp_desk.ui.widgets.theme import Theme

W = TypeVar("W", bound=QWidget)


class Sight:
    """The page and short ways to its parts."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.page = scene.view.page

    def find(self, kind: type[W], name: str) -> W:
        found = self.page.findChild(kind, name)
        assert isinstance(found, kind), name
        return found

    def text(self, name: str) -> str:
        label = self.find(QLabel, name)
        return label.text().replace("\u200b", "") if label.isVisible() else ""

    @property
    def list(self) -> QListWidget:
        return self.find(QListWidget, "email_variants")

    @property
    def html(self) -> QTextBrowser:
        return self.find(QTextBrowser, "email_html")


@pytest.fixture
def sight(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[Sight]:
    scene = Scene(tmp_path / "desk")
    scene.configure()
    page = scene.view.page
    qtbot.addWidget(page)
    page.resize(900, 900)
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    scene.finish()
    yield Sight(scene)
    scene.presenter.close()


@pytest.mark.parametrize("row", range(len(VARIANTS)))
def test_each_variant_is_shown(sight: Sight, row: int) -> None:
    sight.list.setCurrentRow(row)
    sight.scene.finish()
    assert sight.text("email_from") == "Example Network <desk@example.org>"
    assert "platform@example.test" in sight.text("email_answers")
    assert sight.text("email_subject")
    assert "Example Network" in sight.html.toPlainText()
    assert "Example Network" in sight.find(QPlainTextEdit, "email_text").toPlainText()
    assert sight.text("template_notice") == ""


def test_all_variants_are_seen_at_once(sight: Sight) -> None:
    last = sight.list.visualItemRect(sight.list.item(len(VARIANTS) - 1))
    assert sight.list.viewport().rect().contains(last)
    assert last.height() * len(VARIANTS) >= sight.list.height() * 0.8


def test_the_keyboard_reaches_everything_in_order(sight: Sight) -> None:
    sight.list.setFocus()
    QTest.keyClick(sight.list, Qt.Key.Key_Down)
    sight.scene.finish()
    assert sight.list.currentRow() == 1
    assert "waiting" in sight.html.toPlainText()
    order = ["email_variants"]
    while "send_sample" not in order:
        focus = QApplication.focusWidget()
        assert focus is not None
        # Within an email, Tab visits its links first.
        if focus.objectName() != order[-1]:
            order.append(focus.objectName())
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    assert order == [
        "email_variants",
        "qt_tabwidget_tabbar",
        "email_html",
        "open_in_browser",
        "sample_data",
        "sample_recipient",
        "send_sample",
    ]


def test_readers_hear_the_labels_that_are_seen(sight: Sight) -> None:
    for kind, name, label in (
        (QListWidget, "email_variants", "Email types"),
        (QTabWidget, "email_tabs", "Views of the email"),
        (QTextBrowser, "email_html", "HTML"),
        (QPlainTextEdit, "email_text", "Text"),
        (QLineEdit, "sample_recipient", "Send sample to"),
        (QPushButton, "send_sample", "Send sample"),
        (QPushButton, "open_in_browser", "Open in browser"),
    ):
        widget = sight.find(kind, name)
        interface = QAccessible.queryAccessibleInterface(widget)
        assert interface is not None
        assert interface.text(QAccessible.Text.Name).replace("&", "") == label


def test_an_email_loads_nothing_and_leads_nowhere(sight: Sight, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", "utf-8")
    for kind in QTextDocument.ResourceType:
        assert sight.html.loadResource(kind.value, QUrl.fromLocalFile(str(secret))) is None
        document = sight.html.document()
        assert document.loadResource(kind.value, QUrl.fromLocalFile(str(secret))) is None
    before = sight.html.toPlainText()
    assert not sight.html.openLinks()
    assert not sight.html.openExternalLinks()
    sight.html.anchorClicked.emit(QUrl.fromLocalFile(str(secret)))
    assert sight.html.toPlainText() == before


def test_own_templates_and_broken_ones_are_told(sight: Sight) -> None:
    file = sight.scene.folder / "welcome_affiliate_approved.html"
    file.write_text("<p>Hi {{ name }}</p>", "utf-8")
    sight.scene.presenter.refresh()
    sight.scene.finish()
    assert sight.text("template_notice") == (
        "Your own templates are used: welcome_affiliate_approved.html."
    )
    assert sight.html.toPlainText().strip() == "Hi Ann Example"
    file.write_text("<p>Hi {{ nme }}</p>", "utf-8")
    QTest.keyClick(sight.page, Qt.Key.Key_F5)
    sight.scene.finish()
    said = sight.text("template_notice")
    assert "welcome_affiliate_approved.html, line 1: 'nme' is undefined." in said
    assert "built-in" in said
    assert "Hello Ann Example" in sight.html.toPlainText()


def test_a_sample_is_sent_and_its_fate_stands_beside_the_button(sight: Sight) -> None:
    sight.list.setCurrentRow(4)
    sight.scene.finish()
    edit = sight.find(QLineEdit, "sample_recipient")
    edit.setFocus()
    QTest.keyClicks(edit, "bo@example.org")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    send = sight.find(QPushButton, "send_sample")
    assert not send.isEnabled()
    assert send.accessibleDescription() == "Sending the sample…"
    assert sight.text("sample_result") == "Sending the sample…"
    sight.scene.finish()
    assert send.isEnabled()
    told = "Accepted for bo@example.org by: Custom SMTP server."
    assert sight.text("sample_result") == told
    assert send.hasFocus()
    assert send.accessibleDescription() == told
    assert [email.kind for email in sight.scene.sent] == ["invitation"]


def test_cancel_is_offered_while_a_sample_is_on_its_way(sight: Sight) -> None:
    cancel = sight.find(QPushButton, "cancel_sample")
    assert not cancel.isVisible()
    sight.scene.send("bo@example.org")
    cancel.setFocus()
    QTest.keyClick(cancel, Qt.Key.Key_Space)
    assert not cancel.isEnabled()
    assert cancel.accessibleDescription() == "Cancelling…"
    sight.scene.finish()
    assert not cancel.isVisible()
    assert sight.find(QPushButton, "send_sample").hasFocus()
    assert not sight.scene.sent
    assert sight.text("sample_result") == "Cancelled. The sample wasn’t sent."


def test_no_mnemonic_is_given_twice(sight: Sight) -> None:
    sight.scene.send("bo@example.org")
    labels = sight.page.findChildren(QLabel)
    marked = [label.text() for label in labels if label.buddy() is not None]
    marked += [button.text() for button in sight.page.findChildren(QPushButton)]
    tabs = sight.find(QTabWidget, "email_tabs")
    marked += [tabs.tabText(index) for index in range(tabs.count())]
    marked += ["&File", "&Help"]
    letters = [text[text.index("&") + 1].lower() for text in marked if "&" in text]
    assert len(letters) >= 8
    assert len(letters) == len(set(letters))


def test_until_the_preview_is_there_the_texts_stand_at_the_top(
    qtbot: QtBot, theme: Theme, tmp_path: Path
) -> None:
    scene = Scene(tmp_path / "desk")
    page = scene.view.page
    qtbot.addWidget(page)
    page.resize(900, 900)
    page.show()
    (hint,) = (
        each for each in page.findChildren(QLabel) if "template with the same" in each.text()
    )
    qtbot.waitUntil(lambda: hint.isVisible() and hint.geometry().bottom() < page.height() / 3)
    scene.presenter.close()


def test_the_focus_stays_where_the_person_went_meanwhile(sight: Sight) -> None:
    send = sight.find(QPushButton, "send_sample")
    send.setFocus()
    sight.scene.send("bo@example.org")
    assert sight.find(QLineEdit, "sample_recipient").hasFocus()
    sight.list.setFocus()
    sight.scene.finish()
    assert sight.text("sample_result")
    assert sight.list.hasFocus()


def test_a_refusal_names_its_cause(sight: Sight) -> None:
    cause = finding("recipient.unknown")

    def refused(email: Email) -> Receipt:
        found = (
            RecipientReceipt(each, Status.REFUSED, "custom", cause) for each in email.recipients
        )
        return Receipt("<1@example.org>", tuple(found))

    sight.scene.receipt = refused
    sight.scene.send("ann@example.org")
    sight.scene.finish()
    assert sight.text("sample_result") == f"Refused. {cause.summary}"


def test_a_wrong_address_is_named_and_takes_the_focus(sight: Sight) -> None:
    sight.scene.send("ann@")
    edit = sight.find(QLineEdit, "sample_recipient")
    assert edit.hasFocus()
    assert "name@example.com" in edit.accessibleDescription()
    assert not sight.scene.sent
    QTest.keyClicks(edit, "example.org")
    assert "name@example.com" not in edit.accessibleDescription()


def test_the_browser_shows_the_html(sight: Sight) -> None:
    sight.find(QPushButton, "open_in_browser").click()
    sight.scene.finish()
    (file,) = sight.scene.opened
    assert "Your affiliate account is approved" in file.read_text("utf-8")


def test_sample_data_is_shown_on_demand(sight: Sight) -> None:
    sight.find(QPushButton, "sample_data").click()
    shown = [label.text() for label in sight.page.findChildren(QLabel) if label.isVisible()]
    assert "Ann Example" in shown
    assert breakable("https://platform.example.org/login") in shown


def test_long_texts_stay_within_the_page(sight: Sight, qtbot: QtBot) -> None:
    sight.scene.services.store.save_preferences(Preferences(company_name="x" * 255))
    sight.page.resize(480, 600)
    sight.scene.presenter.choose("invitation")
    sight.scene.finish()
    qtbot.waitUntil(lambda: sight.page.area.horizontalScrollBar().maximum() == 0)
    assert sight.text("email_subject") == f"Bo invites you to {'x' * 255}"
