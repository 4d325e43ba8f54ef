"""Disabled controls say why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


def enable(widget: QWidget, reason: str, *, focus_to: QWidget | None = None) -> None:
    """Enable `widget`, or disable it and say why.

    Args:
        widget: A control.
        reason: Why it is disabled, as tooltip and accessible description; "" enables it.
        focus_to: Where the focus goes if a disabled control would lose it; otherwise Qt
            moves it to the next control.
    """
    if reason and focus_to is not None and widget.hasFocus():
        focus_to.setFocus()
    widget.setEnabled(not reason)
    if widget.accessibleDescription() != reason:
        widget.setAccessibleDescription(reason)
        widget.setToolTip(reason)
