"""Disabled controls say why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


_PURPOSE: Final = "purpose"
"""The property that keeps a control's own tooltip while a reason stands in its place."""


def enable(widget: QWidget, reason: str) -> None:
    """Enable `widget`, or disable it and say why.

    Args:
        widget: A control.
        reason: Why it is disabled, as tooltip and accessible description; "" enables it and
            gives it back its own tooltip.
    """
    widget.setEnabled(not reason)
    if widget.accessibleDescription() != reason:
        if widget.property(_PURPOSE) is None:
            # A control that has nothing but a name for screen readers tells that.
            widget.setProperty(_PURPOSE, widget.toolTip() or widget.accessibleName())
        widget.setAccessibleDescription(reason)
        widget.setToolTip(reason or widget.property(_PURPOSE))
