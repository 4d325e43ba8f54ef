"""Scenes of what opens in front of the form: each opens it over a window that is shown."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QMainWindow, QPushButton, QWidget

from smtp_desk.app.integrations.ca_offer import CaOffer
from smtp_desk.app.services import Services
from smtp_desk.sandbox.inbox import Inbox
from smtp_desk.ui.general.relay_dialog import RelayDialog
from smtp_desk.ui.integrations.trust_dialog import TrustDialog
from smtp_desk.ui.menus import Menus
from smtp_desk.ui.navigation import Navigation
from smtp_desk.ui.palette import Palette
from smtp_desk.ui.palette_entries import palette_entries
from smtp_desk.ui.sandbox.inbox_window import InboxWindow
from smtp_desk.ui.widgets.theme import theme_of_application
from tests.app.faces import DeferredRunner
from tests.servers.certs import Certificates

if TYPE_CHECKING:
    from collections.abc import Callable

W = TypeVar("W", bound=QWidget)

_NOON: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_MAIL: Final = b"""\
From: Example Partners <desk@sandbox.test>\r
To: ann@sandbox.test\r
Subject: Test email from SMTP Desk\r
\r
This is a test email. It has arrived, so the settings work.\r
"""


def palette(window: QMainWindow) -> None:
    """All that can be done."""
    navigation, menus = window.centralWidget(), window.findChild(Menus)
    assert isinstance(navigation, Navigation)
    assert isinstance(menus, Menus)
    offered = palette_entries(window.menuBar(), navigation, menus.palette)
    Palette(window, offered).show_over()


def palette_typed(window: QMainWindow) -> None:
    """What some letters leave of it."""
    palette(window)
    _part(window, QLineEdit, "palette_text").setText("sa")


def palette_nothing(window: QMainWindow) -> None:
    """Nothing is called that."""
    palette(window)
    _part(window, QLineEdit, "palette_text").setText("fax")


def trust(window: QMainWindow) -> None:
    """A company CA, and the digits that somebody else tells."""
    with tempfile.TemporaryDirectory() as folder:
        pem = Certificates(Path(folder)).other_root.chain_file.read_text("utf-8")
    offer = CaOffer(
        host="mail.example.org",
        subject="CN=Example Company CA",
        issuer="CN=Example Company Root",
        not_before="2024-01-01",
        not_after="2034-01-01",
        pem=pem,
    )
    dialog = TrustDialog(offer, window)
    dialog.open()
    _part(dialog, QLineEdit, "ca_digits").setText("12345678")


def discard(window: QMainWindow) -> None:
    """What was typed would be lost."""
    _part(window, QPushButton, "discard").click()


def relay(window: QMainWindow) -> None:
    """The form of the organization's relay."""
    runner = DeferredRunner()
    services = Services.sandbox(Path(tempfile.gettempdir()) / "relay")
    RelayDialog(services, runner, theme_of_application(), window).start()
    runner.finish()


def inbox(window: QMainWindow) -> None:
    """The inbox of the sandbox, over its window."""
    received = Inbox(lambda: _NOON)
    shown = InboxWindow(received)
    received.add("desk@sandbox.test", ("ann@sandbox.test",), _MAIL)
    shown.setParent(window, Qt.WindowType.Window)
    shown.show()


def inbox_empty(window: QMainWindow) -> None:
    """The same, before anything arrived."""
    shown = InboxWindow(Inbox(lambda: _NOON))
    shown.setParent(window, Qt.WindowType.Window)
    shown.show()


def _part(window: QWidget, kind: type[W], name: str) -> W:
    found = window.findChild(kind, name)
    assert isinstance(found, kind), name
    return found


SCENES: Final[dict[str, Callable[[QMainWindow], None]]] = {
    "palette": palette,
    "palette_typed": palette_typed,
    "palette_nothing": palette_nothing,
    "trust": trust,
    "discard": discard,
    "relay": relay,
    "inbox": inbox,
    "inbox_empty": inbox_empty,
}
