"""What differs by operating system; the only place that asks which one this is.

What a library decides by itself isn't asked for here: the locks of files (filelock), the folders of
a user (platformdirs), the keyring (keyring), dark mode and the usual font (Qt). The program has no
tray icon and shows no notifications of the desktop.

Light: the window asks here before its first paint.
"""

import sys
from enum import StrEnum
from types import ModuleType
from typing import Final

KEYRING_OCTETS: Final = 2560
"""So much, in UTF-16, fits in one entry of every keyring; Credential Manager has the smallest."""


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
    def forks(self) -> bool:
        """Whether a process can be copied with all that it holds (`fork`)."""
        return self is not System.WINDOWS

    @property
    def has_poll(self) -> bool:
        """Whether sockets above number 1023 can be waited for; Windows counts them otherwise."""
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


def flag(module: ModuleType, name: str) -> int:
    """Return a constant that not every system has, such as `os.O_BINARY`; 0 where it is missing.

    0 among flags changes nothing; an option or a signal is there if it isn't 0.
    """
    return int(getattr(module, name, 0))


def this_system() -> System:
    """Return the system that this program runs on."""
    return system_of(sys.platform)
