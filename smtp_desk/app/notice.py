"""What is told beside a control, and how the custom server stands."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence beside the control that caused it; an error offers what to do.

    Attributes:
        plain: Whether it tells neither of a success nor of an error: something was cancelled.
    """

    text: str
    error: bool = False
    plain: bool = False


class StatusKind(StrEnum):
    """How the custom server stands."""

    NOT_CONFIGURED = "not_configured"
    OFF = "off"
    NOT_PROVEN = "not_proven"
    ACTIVE = "active"
    PASSWORD_UNAVAILABLE = "password_unavailable"  # noqa: S105 - a state's name
    UNAVAILABLE = "unavailable"
    FILE_UNREADABLE = "file_unreadable"


@dataclass(frozen=True, slots=True)
class StatusLine:
    """The status of the custom server and, where there is one, the reason."""

    kind: StatusKind
    text: str
