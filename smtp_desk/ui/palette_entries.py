"""What can be done in a window: its menus, its pages and the buttons on them, in one list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QPushButton

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PySide6.QtGui import QAction

    from smtp_desk.ui.navigation import Navigation

_LOOKS_LEFT_OUT: Final = frozenset({"fold", "choice"})
"""They show or choose something, and do nothing."""


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """Something that can be done now, or is told why not.

    Attributes:
        title: What it does, as its menu or button says it.
        place: The menu or the page where it stands.
        run: Does it.
        keys: Its shortcut in the words of the platform, or "".
        reason: Why it can't be done now, or "".
    """

    title: str
    place: str
    run: Callable[[], object]
    keys: str = ""
    reason: str = ""


def palette_entries(bar: QMenuBar, navigation: Navigation, own: QAction) -> list[PaletteEntry]:
    """Return all of a window: menus, pages, and buttons, those of the page in sight first.

    What a menu and a button both do is told once, with the reason of the button. What only hidden
    buttons do is left out.

    Args:
        bar: The menus.
        navigation: The pages.
        own: The action that shows this list.
    """
    offered, hidden = _of_pages(navigation)
    found: dict[str, PaletteEntry] = {}
    for command in _of_menus(bar, own):
        button = offered.pop(_plain(command.title), None)
        if button is not None:
            command = replace(command, reason=button.reason)  # noqa: PLW2901 - the same one
        elif _plain(command.title) in hidden:
            continue
        found[_plain(command.title)] = command
    pages = [
        PaletteEntry(title, "Settings", partial(_go, navigation, name))
        for name, title in navigation.titles.items()
    ]
    return [*found.values(), *pages, *offered.values()]


def _of_menus(bar: QMenuBar, own: QAction) -> Iterator[PaletteEntry]:
    for menu in (each.menu() for each in bar.actions()):
        if not isinstance(menu, QMenu):
            continue
        for action in menu.actions():
            if action.isSeparator() or action is own:
                continue
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            yield PaletteEntry(_said(action.text()), _said(menu.title()), action.trigger, keys)


def _of_pages(navigation: Navigation) -> tuple[dict[str, PaletteEntry], set[str]]:
    """Return the buttons on all pages by their text, and the texts of buttons that are hidden."""
    offered: dict[str, PaletteEntry] = {}
    hidden: set[str] = set()
    for name, page in navigation.built():
        for button in page.findChildren(QPushButton):
            title = _said(button.accessibleName() or button.text())
            if not title or button.property("kind") in _LOOKS_LEFT_OUT:
                continue
            if not button.isVisibleTo(page):
                hidden.add(_plain(title))
                continue
            known = offered.get(_plain(title))
            if known is None or (known.reason and button.isEnabled()):
                offered[_plain(title)] = _of_button(navigation, name, title, button)
    return offered, hidden


def _of_button(navigation: Navigation, name: str, title: str, button: QPushButton) -> PaletteEntry:
    def run() -> None:
        navigation.open_page(name)
        button.setFocus()
        button.click()

    reason = "" if button.isEnabled() else button.accessibleDescription()
    return PaletteEntry(title, navigation.titles[name], run, reason=reason)


def _go(navigation: Navigation, name: str) -> None:
    navigation.open_page(name)
    navigation.take_focus()


def _said(text: str) -> str:
    """The text without its access key."""
    return text.replace("&", "")


def _plain(title: str) -> str:
    return title.casefold().removesuffix("…")
