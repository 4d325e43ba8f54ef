"""What is told beside a control."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence beside the control that caused it; an error offers what to do.

    Attributes:
        plain: Whether it tells neither of a success nor of an error: something was cancelled.
    """

    text: str
    error: bool = False
    plain: bool = False
