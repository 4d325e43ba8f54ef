"""What the program runs on, for reports."""

import platform
import ssl
from collections.abc import Mapping
from importlib import metadata
from typing import Final

from smtp_desk import __version__
from smtp_desk.core.stages import Json

_QT_DISTRIBUTIONS: Final = ("PySide6-Essentials", "PySide6")


def versions() -> Mapping[str, Json]:
    """Return the versions of program, Python, OpenSSL, Qt and system; never the machine's name."""
    return {
        "program": f"SMTP Desk {__version__}",
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "qt": _qt_version(),
        "system": _system(),
    }


def _qt_version() -> str:
    """Look up what is installed: importing Qt takes longer than a whole test."""
    for name in _QT_DISTRIBUTIONS:
        try:
            return f"PySide6 {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
    return "not installed"


def _system() -> str:
    kernel = f"{platform.system()} {platform.release()} {platform.machine()}"
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']} ({kernel})"
    except (OSError, KeyError):
        return kernel
