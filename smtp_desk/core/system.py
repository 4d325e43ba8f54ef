"""What differs by operating system; the only place that asks which one this is.

Light: the window asks here before its first paint.
"""

import sys
from enum import StrEnum


class System(StrEnum):
    """A family of systems that are alike in all that this program asks."""

    UNIX = "unix"
    """Linux, the BSDs and their like."""
    MACOS = "macos"
    WINDOWS = "windows"

    @property
    def has_owners(self) -> bool:
        """Whether a file's owner and mode tell who may write to it; signals reach processes."""
        return self is not System.WINDOWS

    @property
    def always_has_display(self) -> bool:
        """Whether a window can be opened in every session, without a variable that says where."""
        return self is not System.UNIX

    @property
    def verifies_certificates(self) -> bool:
        """Whether the system itself verifies a certificate, after the handshake."""
        return self is not System.UNIX


def system_of(platform: str) -> System:
    """Return the system that `sys.platform` names."""
    return {"win32": System.WINDOWS, "darwin": System.MACOS}.get(platform, System.UNIX)


def this_system() -> System:
    """Return the system that this program runs on."""
    return system_of(sys.platform)
