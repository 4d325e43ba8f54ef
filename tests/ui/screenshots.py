"""Draws every state of the window into PNG files: `python -m tests.ui.screenshots FOLDER`.

The states are made by hand and shown by the real widgets; nothing is read or sent.
`QT_SCALE_FACTOR=2` draws them for a sharp screen. A screen of 1366x768 at 200 % has the room of
the narrow looks.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QUrl, Slot
from PySide6.QtGui import QColor, QDesktopServices, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QMainWindow,
    QPlainTextEdit,
    QWidget,
)

from smtp_desk.ui.arrived.view import ArrivedView
from smtp_desk.ui.diagnostics.view import DiagnosticsView
from smtp_desk.ui.integrations.test_panel import TestPanel
from smtp_desk.ui.integrations.view import IntegrationsView
from smtp_desk.ui.main_window import MainWindow
from smtp_desk.ui.menus import Menus
from smtp_desk.ui.navigation import Navigation
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.theme import Theme
from tests.ui import (
    arrived_scenes,
    delivery_scenes,
    diagnostics_scenes,
    dialog_scenes,
    email_types_scenes,
    find_scenes,
    general_scenes,
    oauth_scenes,
    states,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from smtp_desk.app.diagnostics.presenter import DiagnosisState
    from smtp_desk.app.proposals.presenter import FindState

    Arrange = Callable[[], None]
    Make = Callable[[Path, Theme], tuple[QWidget, Arrange]]

LAPTOP: Final = QSize(1256, 706)
"""The window on a screen of 1366x768."""
WIDE: Final = QSize(1040, 780)
TALL: Final = QSize(1040, 1500)
NARROW: Final = QSize(640, 400)
SLIM: Final = QSize(640, 1500)


_LONGER: Final = 0.4


@dataclass(frozen=True)
class Look:
    """In which window a page is drawn."""

    size: QSize
    theme: str = "light"
    mirrored: bool = False
    lengthened: bool = False
    text_size: str = "system"


FORM_LOOKS: Final = {
    "": Look(TALL),
    "_laptop": Look(LAPTOP),
    "_dark": Look(TALL, theme="dark"),
    "_large": Look(LAPTOP, text_size="150"),
    "_narrow": Look(NARROW),
    "_slim": Look(SLIM),
    "_rtl": Look(TALL, mirrored=True),
    "_longer": Look(TALL, lengthened=True),
}
LIST_LOOKS: Final = {
    "": Look(WIDE),
    "_laptop": Look(LAPTOP),
    "_dark": Look(WIDE, theme="dark"),
    "_tall": Look(TALL),
    "_large": Look(LAPTOP, text_size="150"),
    "_narrow": Look(NARROW),
    "_slim": Look(SLIM),
    "_rtl": Look(WIDE, mirrored=True),
    "_longer": Look(TALL, lengthened=True),
}
SHORT_LOOKS: Final = {
    "": Look(TALL),
    "_laptop": Look(LAPTOP),
    "_dark": Look(WIDE, theme="dark"),
    "_large": Look(LAPTOP, text_size="150"),
    "_narrow": Look(NARROW),
    "_slim": Look(SLIM),
    "_rtl": Look(WIDE, mirrored=True),
    "_longer": Look(TALL, lengthened=True),
}


@dataclass(frozen=True)
class Kind:
    """A page of the window: the pages beside it in the list, and its looks by suffix."""

    name: str
    others: tuple[str, ...]
    looks: dict[str, Look]


INTEGRATIONS: Final = Kind("integrations", ("general",), FORM_LOOKS)
DELIVERY: Final = Kind("delivery", ("integrations", "diagnostics", "general"), LIST_LOOKS)
EMAIL_TYPES: Final = Kind("email_types", ("integrations", "delivery", "diagnostics"), FORM_LOOKS)
DIAGNOSTICS: Final = Kind(
    "diagnostics", ("integrations", "email_types", "delivery", "general"), FORM_LOOKS
)
ARRIVED: Final = Kind("arrived", ("integrations", "delivery", "diagnostics"), FORM_LOOKS)
GENERAL: Final = Kind("general", ("integrations", "delivery", "diagnostics"), SHORT_LOOKS)


class _NoBrowser(QObject):
    """Takes the pages that a scene opens."""

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        """Leave it at that."""


class Studio:
    """Shows scenes and draws them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._application = QApplication.instance() or QApplication([])
        assert isinstance(self._application, QApplication)
        self._theme = Theme(self._application)
        self._browser = _NoBrowser()
        QDesktopServices.setUrlHandler("https", self._browser, "open")  # type: ignore[arg-type] # the stub says bytes

    def draw(self, name: str, kind: Kind, make: Make, look: Look) -> None:
        """Draw the page that `make` makes, arranged once it is seen, into `name`.png."""
        self._theme.prefer(look.theme, look.text_size)
        directions = Qt.LayoutDirection
        QApplication.setLayoutDirection(
            directions.RightToLeft if look.mirrored else directions.LeftToRight
        )
        with tempfile.TemporaryDirectory() as home:
            window = MainWindow(sandboxed=False)
            menus = Menus(window, sandboxed=False) if kind is INTEGRATIONS else None
            page, arrange = make(Path(home), self._theme)
            navigation = Navigation(
                {**dict.fromkeys(kind.others, QWidget), kind.name: lambda: page}
            )
            window.setCentralWidget(navigation)
            window.resize(look.size)
            window.show()
            navigation.open_page(kind.name)
            arrange()
            for each in (window, *_in_front_of(window)):
                if look.lengthened:
                    _rewrite(each, _longer)
                if look.mirrored:
                    _rewrite(each, _hebrew)
            for _ in range(12):
                self._application.processEvents()
            _picture(window).save(str(self._folder / f"{name}.png"))
            for each in _in_front_of(window):
                each.close()
            window.close()
            if menus is not None:
                menus.deleteLater()
            # What deletes itself goes before Python looks for garbage: it would delete it twice.
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _in_front_of(window: QWidget) -> list[QWidget]:
    """Return the windows that stand in front of this one."""
    return [each for each in window.findChildren(QWidget) if each.isWindow() and each.isVisible()]


def _picture(window: QWidget) -> QPixmap:
    """Draw the window, and what stands in front of it."""
    picture = window.grab()
    painter = QPainter(picture)
    for each in _in_front_of(window):
        place = each.rect()
        place.moveCenter(window.rect().center())
        painter.fillRect(window.rect(), QColor(0, 0, 0, 60))
        painter.drawPixmap(place.topLeft(), each.grab())
    painter.end()
    return picture


def _rewrite(window: QWidget, anew: Callable[[str], str]) -> None:
    """Write every text anew, as a translation does."""
    parts: list[QLabel | QAbstractButton] = list(window.findChildren(QLabel))
    parts += window.findChildren(QAbstractButton)
    for part in parts:
        if part.text() and part.isVisible():
            show = part.show_text if isinstance(part, Label) else part.setText
            show(anew(part.text()))


def _longer(text: str) -> str:
    """Return a text that is 40 % longer."""
    words = "lorem ipsum dolor " * (len(text) // 24 + 1)
    return f"{text} {words[: round(len(text) * _LONGER)].strip()}"


_WORD: Final = re.compile(r"(?<![^\s(“])[A-Za-z&’]+(?![\w@/_-])(?![.:][\w/])")
_HEBREW: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "אבגדהוזחטיכלמנסעפצקרשתאבגד", "&’")


def _hebrew(text: str) -> str:
    """Return a text with Hebrew letters; addresses, names of hosts and files stay."""
    return _WORD.sub(lambda word: word.group().lower().translate(_HEBREW), text)


def _integrations(
    scene: states.Scene, find: FindState | None, _home: Path, theme: Theme
) -> tuple[QWidget, Arrange]:
    view = IntegrationsView(theme, test=TestPanel(offer_details=True))

    def arrange() -> None:
        view.show_draft(scene.draft, scene.recipient)
        view.render(scene.state)
        view.render_earlier(scene.earlier)
        if find is not None:
            view.finder.render_state(find)
        QApplication.processEvents()
        if scene.unfolded:
            header = view.page.findChild(QAbstractButton, scene.unfolded)
            assert header is not None
            header.click()
        if scene.focus is not None:
            view.focus_field(scene.focus)
        elif scene.state.outcome is not None:
            view.focus_outcome()

    return view.page, arrange


def _in_front(
    open_it: Callable[[QMainWindow], None], home: Path, theme: Theme
) -> tuple[QWidget, Arrange]:
    page, arrange = _integrations(states.SCENES["failure"], None, home, theme)

    def open_too() -> None:
        arrange()
        window = page.window()
        assert isinstance(window, QMainWindow)
        open_it(window)

    return page, open_too


def _delivery(
    make: Callable[[Path], delivery_scenes.Scene],
    ask: Callable[[delivery_scenes.Scene], None] | None,
    home: Path,
    _theme: Theme,
) -> tuple[QWidget, Arrange]:
    scene = make(home)

    def arrange() -> None:
        scene.runner.finish()
        scene.table.setFocus()
        if ask is not None:
            ask(scene)

    return scene.view.page, arrange


def _email_types(
    prepare: Callable[[email_types_scenes.Scene], None], home: Path, _theme: Theme
) -> tuple[QWidget, Arrange]:
    scene = email_types_scenes.Scene(home)

    def arrange() -> None:
        prepare(scene)
        scene.finish()

    return scene.view.page, arrange


def _diagnostics(state: DiagnosisState, _home: Path, _theme: Theme) -> tuple[QWidget, Arrange]:
    view = DiagnosticsView()

    def arrange() -> None:
        view.render(state)
        while view._slices.running:
            QApplication.processEvents()
        if state.domain_is_news:
            view.focus_domain()
        else:
            view.focus_verdict()

    return view.page, arrange


def _arrived(scene: arrived_scenes.Scene, _home: Path, _theme: Theme) -> tuple[QWidget, Arrange]:
    view = ArrivedView()

    def arrange() -> None:
        view.page.findChildren(QPlainTextEdit, "header")[0].setPlainText(scene.pasted)
        view.render(scene.state)
        view.focus_result()

    return view.page, arrange


def _general(
    prepare: Callable[[general_scenes.Scene], None], home: Path, _theme: Theme
) -> tuple[QWidget, Arrange]:
    scene = general_scenes.Scene(home)
    return scene.page, lambda: prepare(scene)


def pages() -> Iterator[tuple[str, Kind, Make]]:
    """Return each scene: its name, the page it is of, and what makes it."""
    for name, scene in states.SCENES.items():
        yield name, INTEGRATIONS, partial(_integrations, scene, None)
    for name, scene in oauth_scenes.OAUTH_SCENES.items():
        yield f"oauth_{name}", INTEGRATIONS, partial(_integrations, scene, None)
    for name, (scene, find) in find_scenes.FIND_SCENES.items():
        yield f"find_{name}", INTEGRATIONS, partial(_integrations, scene, find)
    for name, scene in find_scenes.MANAGED_SCENES.items():
        yield f"managed_{name}", INTEGRATIONS, partial(_integrations, scene, None)
    for name, open_it in dialog_scenes.SCENES.items():
        yield f"dialog_{name}", INTEGRATIONS, partial(_in_front, open_it)
    for name, make in delivery_scenes.SCENES.items():
        yield f"delivery_{name}", DELIVERY, partial(_delivery, make, None)
    for name, ask in delivery_scenes.DIALOGS.items():
        selected = partial(_delivery, delivery_scenes.selected, ask)
        yield f"delivery_{name}", DELIVERY, selected
    for name, prepare in email_types_scenes.SCENES.items():
        yield f"email_types_{name}", EMAIL_TYPES, partial(_email_types, prepare)
    for name, state in diagnostics_scenes.SCENES.items():
        yield f"diagnostics_{name}", DIAGNOSTICS, partial(_diagnostics, state)
    for name, arrived in arrived_scenes.SCENES.items():
        yield f"arrived_{name}", ARRIVED, partial(_arrived, arrived)
    for name, arranged in general_scenes.SCENES.items():
        yield f"general_{name}", GENERAL, partial(_general, arranged)


def main() -> None:
    """Draw everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--look", default=None, help="only this one: laptop, dark, rtl, …")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    studio = Studio(arguments.folder)
    for name, kind, make in pages():
        if arguments.only in name:
            for suffix, look in kind.looks.items():
                if arguments.look in (None, suffix.removeprefix("_")):
                    studio.draw(f"{name}{suffix}", kind, make, look)


if __name__ == "__main__":
    main()
