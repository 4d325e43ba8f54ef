"""The letters that a window marks in its menus, labels and buttons."""

from __future__ import annotations

from collections import Counter

from PySide6.QtWidgets import QLabel, QMenuBar, QPushButton, QWidget


def mnemonics(window: QWidget) -> Counter[str]:
    """How often each letter is marked."""
    bar = window.findChild(QMenuBar)
    assert isinstance(bar, QMenuBar)
    marked = [action.text() for action in bar.actions()]
    marked += [label.text() for label in window.findChildren(QLabel) if label.buddy() is not None]
    marked += [button.text() for button in window.findChildren(QPushButton)]
    return Counter(text[text.index("&") + 1].lower() for text in marked if "&" in text)
