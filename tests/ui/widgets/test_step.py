"""Websites one press away: our own at once, a stranger's after a look at the whole address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from smtp_desk.core.findings.offers import MAX_LINK
from smtp_desk.ui.integrations.words import cut
from smtp_desk.ui.widgets.step import step

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

LONGEST = "https://mail.example.org/?" + "a" * (MAX_LINK - len("https://mail.example.org/?"))
LINKS = [
    "https://mail.zoho.example/UnblockMe",
    "https://xn--bcher-kva.example/hilfe?id=%3Cb%3E&x=1#teil",
    "https://mail.example.org:8443/a/b?c=d%0A",
    LONGEST,
]


def shown(qtbot: QtBot, text: str, *, links: bool = True, link: str = "") -> QWidget:
    holder = QWidget()
    qtbot.addWidget(holder)
    holder.setLayout(step(text, links=links, link=link))
    holder.show()
    return holder


def press(within: QWidget, name: str) -> None:
    button = within.findChild(QPushButton, name)
    assert isinstance(button, QPushButton), name
    button.click()


def asked(holder: QWidget) -> QMessageBox:
    box = holder.findChild(QMessageBox, "confirm_website")
    assert isinstance(box, QMessageBox)
    return box


@pytest.mark.parametrize("link", LINKS, ids=["plain", "idn", "port", "longest"])
def test_a_page_that_the_server_names_opens_after_a_look_at_all_of_it(
    link: str, theme: Theme, visited: list[QUrl], qtbot: QtBot
) -> None:
    holder = shown(qtbot, cut(f"Open the page from the server’s reply: {link}"), link=link)
    press(holder, "open_website")
    box = asked(holder)
    told = box.informativeText().replace("\u200b", "")
    assert link in told
    assert QUrl(link).host(QUrl.ComponentFormattingOption.FullyEncoded) in box.text()
    assert box.defaultButton().objectName() == "keep_closed"
    assert visited == []
    press(box, "confirmed_website")
    assert [each.toString(QUrl.ComponentFormattingOption.FullyEncoded) for each in visited] == [
        link
    ]


def test_a_look_may_be_enough(theme: Theme, visited: list[QUrl], qtbot: QtBot) -> None:
    holder = shown(qtbot, f"Open: {LINKS[0]}", link=LINKS[0])
    for _ in range(2):
        press(holder, "open_website")
        box = asked(holder)
        box.reject()
        qtbot.waitUntil(lambda: holder.findChild(QMessageBox) is None)
    assert visited == []


def test_only_the_servers_own_page_is_offered_where_it_names_one(
    theme: Theme, qtbot: QtBot
) -> None:
    text = f"Open {LINKS[0]}, not https://elsewhere.example/"
    holder = shown(qtbot, text, link=LINKS[0])
    buttons = holder.findChildren(QPushButton)
    assert [each.text() for each in buttons] == ["Open mail.zoho.example…"]
    strangers = shown(qtbot, text, links=False, link=LINKS[0])
    assert strangers.findChildren(QPushButton) == []


def test_our_own_pages_open_at_once(theme: Theme, visited: list[QUrl], qtbot: QtBot) -> None:
    holder = shown(qtbot, "Create one on https://myaccount.google.com/apppasswords.")
    press(holder, "open_website")
    assert visited == [QUrl("https://myaccount.google.com/apppasswords")]
