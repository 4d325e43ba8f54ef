"""Disabled controls say why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


def enable(widget: QWidget, reason: str) -> None:
    """Enable `widget`, or disable it and say why.

    Args:
        widget: A control.
        reason: Why it is disabled, as tooltip and accessible description; "" enables it.
    """
    widget.setEnabled(not reason)
    if widget.accessibleDescription() != reason:
        widget.setAccessibleDescription(reason)
        # A button that is only an icon tells its name instead.
        widget.setToolTip(reason or widget.accessibleName())
