"""Parts of the system a test can need, and how to skip by name what is not installed."""

from __future__ import annotations

import os
import pathlib
import shutil
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

NODE_FOLDER: Final = pathlib.Path(__file__).parent / "node"
POSTFIX_DAEMONS: Final = pathlib.Path("/usr/lib/postfix/sbin")
_POSTGRES: Final = pathlib.Path("/usr/lib/postgresql")

_REASON: Final = "for want of "

_PROGRAMS: Final[Mapping[str, tuple[str, ...]]] = {
    "postfix": (str(POSTFIX_DAEMONS / "master"), "dovecot"),
    "dovecot": ("dovecot", "/usr/lib/dovecot/submission-login"),
    "node": ("node",),
    "oidc": ("node",),
    "chromium": ("chromium", "chromedriver"),
    "gnome_keyring": ("gnome-keyring-daemon", "dbus-daemon"),
    "x_display": ("Xvfb", "openbox", "xdotool", "import"),
    "postgres": ("initdb", "postgres", "pg_isready"),
    "git_email": ("git", "/usr/lib/git-core/git-send-email"),
    "systemd": ("systemd-analyze",),
    "systemd_credentials": ("systemd-creds",),
    "real_programs": ("cron", "php", "s-nail"),
    "system_wide": ("systemd-creds", "useradd", "userdel"),
    "freedesktop": ("desktop-file-validate", "appstreamcli", "update-mime-database"),
    "man": ("man",),
    "deb": ("dpkg-deb",),
    "clean_root": ("debootstrap", "chroot", "unshare", "lintian"),
    "accessibility": ("/usr/libexec/at-spi-bus-launcher", "/usr/bin/python3"),
}
_FILES: Final[Mapping[str, tuple[pathlib.Path, ...]]] = {
    "node": (NODE_FOLDER / "node_modules" / "smtp-server",),
    "oidc": (NODE_FOLDER / "node_modules" / "oidc-provider",),
    "git_email": (pathlib.Path("/usr/share/perl5/Mail/Address.pm"),),
    "accessibility": (pathlib.Path("/usr/lib/python3/dist-packages/pyatspi"),),
}
_NEEDS_ROOT: Final = frozenset({"postfix", "system_wide", "clean_root"})
# Where Debian keeps servers, which is not on everybody's path.
_DEBIAN_FOLDERS: Final = ("/usr/sbin", "/sbin", *map(str, _POSTGRES.glob("*/bin")))
_SEARCHED: Final = os.pathsep.join([os.environ.get("PATH", os.defpath), *_DEBIAN_FOLDERS])


def program(name: str) -> str:
    """The full path of an installed program."""
    found = shutil.which(name, path=_SEARCHED)
    if found is None:
        raise FileNotFoundError(name)
    return found


def missing(part: str) -> str | None:
    """What `part` lacks here, or None if it can be used."""
    lacking = [name for name in _PROGRAMS[part] if not shutil.which(name, path=_SEARCHED)]
    lacking += [str(path) for path in _FILES.get(part, ()) if not path.exists()]
    if lacking:
        return f"{', '.join(lacking)} not installed (make system)"
    if part in _NEEDS_ROOT and os.geteuid() != 0:
        return "must be started by root"
    return None


def require(part: str) -> None:
    """Skip the running test, by name, if `part` can't be used here."""
    why = missing(part)
    if why is not None:
        pytest.skip(f"{_REASON}{part}: {why}")


def skipped_part(reason: str) -> str | None:
    """The part named in the reason of a skip, or None for another kind of skip."""
    _, found, rest = reason.partition(_REASON)
    return rest.partition(":")[0] if found else None
