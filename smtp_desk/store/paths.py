"""The paths of files on this platform; the only use of platformdirs."""

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import platformdirs

from smtp_desk.core.system import System, this_system
from smtp_desk.store.ownership import make_folder_of, make_private_folder, make_public_folder

HOME_VARIABLE: Final = "SMTP_DESK_HOME"
"""Moves all three folders below one directory."""
SYSTEM_ROOT_VARIABLE: Final = "SMTP_DESK_SYSTEM_ROOT"
"""Stands in front of the folders of the whole system: for images, and tests."""

WORKER_USER: Final = "smtp-desk"
"""The user that the worker of the whole system runs as."""

_PROGRAM: Final = "smtp-desk"


_PROGRAM_FILES: Final = r"C:\Program Files"


def site_folder(system: System) -> Path:
    """Return where this machine's administrator sets what holds for all users.

    On Windows that is below Program Files, where only administrators can write: in ProgramData,
    the usual place, every user can make a folder that isn't there yet.
    """
    if system is not System.WINDOWS:
        return platformdirs.site_config_path(_PROGRAM, appauthor=False)
    return Path(_program_files(), "SMTP Desk")


def _program_files() -> str:
    """Return what Windows itself calls Program Files; variables could be anybody's."""
    registry = importlib.import_module("winreg")  # Windows only
    try:
        key = r"SOFTWARE\Microsoft\Windows\CurrentVersion"
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, key) as opened:
            return str(registry.QueryValueEx(opened, "ProgramFilesDir")[0])
    except OSError:
        return _PROGRAM_FILES


def _site() -> Path:
    return site_folder(this_system())


@dataclass(frozen=True, slots=True)
class Paths:
    """The program's folders.

    Attributes:
        config: Settings, the copied CA files and their lock.
        state: The outbox.
        logs: The log.
        site: What the machine's administrator sets for all users; not moved by `SMTP_DESK_HOME`.
        run: Where the system-wide worker listens; None for the folders of one user.
        credstore: Where systemd finds that worker's encrypted credentials.
    """

    config: Path
    state: Path
    logs: Path
    site: Path = field(default_factory=_site)
    run: Path | None = None
    credstore: Path | None = None

    @classmethod
    def default(cls, environ: Mapping[str, str] | None = None) -> "Paths":
        """The folders of this user, or those below `SMTP_DESK_HOME` if it is set."""
        home = (os.environ if environ is None else environ).get(HOME_VARIABLE, "")
        if home:
            return replace(cls.below(Path(home).expanduser().absolute()), site=_site())
        return cls(
            config=platformdirs.user_config_path(_PROGRAM, appauthor=False),
            state=platformdirs.user_state_path(_PROGRAM, appauthor=False),
            logs=platformdirs.user_log_path(_PROGRAM, appauthor=False),
        )

    @classmethod
    def system(cls, environ: Mapping[str, str] | None = None) -> "Paths":
        """The folders of the worker that serves all users of the machine."""
        known = os.environ if environ is None else environ
        root = Path(known.get(SYSTEM_ROOT_VARIABLE, "") or "/").absolute()
        return cls(
            config=root / "etc" / _PROGRAM,
            state=root / "var/lib" / _PROGRAM,
            logs=root / "var/log" / _PROGRAM,
            run=root / "run" / _PROGRAM,
            credstore=root / "etc/credstore.encrypted",
        )

    @classmethod
    def below(cls, home: Path) -> "Paths":
        """All folders below `home`: the sandbox, and tests."""
        return cls(
            config=home / "config", state=home / "state", logs=home / "log", site=home / "site"
        )

    @property
    def settings_file(self) -> Path:
        """The settings, without secrets."""
        return self.config / "settings.toml"

    @property
    def managed_file(self) -> Path:
        """The defaults that an organization sets for its workstations."""
        return self.site / "managed.toml"

    @property
    def trusted_cas(self) -> Path:
        """The company CAs that were trusted by their fingerprint."""
        return self.config / "ca"

    @property
    def journal_file(self) -> Path:
        """The keys of a save in progress."""
        return self.config / "settings.journal"

    @property
    def lock_file(self) -> Path:
        """Held while settings are changed."""
        return self.config / "settings.lock"

    @property
    def token_lock_file(self) -> Path:
        """Held while a sign-in is renewed."""
        return self.state / "token.lock"

    @property
    def token_mark_file(self) -> Path:
        """Which refresh token is being exchanged, as a digest."""
        return self.state / "token.mark"

    @property
    def outbox_file(self) -> Path:
        """The outbox and the health of the routes."""
        return self.state / "outbox.sqlite3"

    @property
    def aliases_file(self) -> Path:
        """The table of aliases: who receives the mail for local names; it may be missing."""
        return self.config / "aliases"

    @property
    def templates(self) -> Path:
        """The person's own email templates; the folder may be missing."""
        return self.config / "templates"

    @property
    def socket(self) -> Path | None:
        """The socket on which the system-wide worker accepts messages."""
        return self.run / "submit.sock" if self.run else None

    def ensure(self) -> None:
        """Create the folders, private to this user; system-wide ones as their users need them.

        Raises:
            OSError: A folder can't be created.
        """
        if self.run is not None:
            make_public_folder(self.config)
            make_folder_of(self.state, WORKER_USER)
            return
        for folder in (self.config, self.state, self.logs):
            make_private_folder(folder)
