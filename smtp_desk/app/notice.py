"""Notices shown beside a control."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence beside the control that caused it; an error offers what to do.

    Attributes:
        plain: Whether it reports neither a success nor an error, such as a cancelled action.
    """

    text: str
    error: bool = False
    plain: bool = False
