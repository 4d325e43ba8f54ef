"""The set-up of a whole system below a folder, with users that are no figures of speech.

Needs root, who makes the users and starts programs as each of them. The folder stands for `/`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.store.paths import WORKER_USER
from tests.e2e.program import settings_for
from tests.servers import parts
from tests.servers.process import server_folder
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.certs import Certificates
    from tests.servers.postfix import Postfix

PASSWORD: Final = "s3cret"
USERS: Final = ("desk-one", "desk-two")
_HERE: Final = Path(__file__).resolve().parents[2]
_SECONDS: Final = 60.0
# That of the tests may lie in a home that nobody else may enter.
_PYTHONS: Final = (sys.executable, "/usr/bin/python3")
_SENDMAIL: Final = """#!/bin/sh
export PYTHONPATH={path} SMTP_DESK_SYSTEM_ROOT={root}
exec {python} -m smtp_desk sendmail "$@"
"""
_PATH: Final = f"{_HERE}:{sysconfig.get_path('platlib')}"


@contextlib.contextmanager
def users() -> Iterator[None]:
    """Make the users that are missing, and remove them afterwards."""
    made = []
    try:
        for name in (WORKER_USER, *USERS):
            with contextlib.suppress(KeyError):
                pwd.getpwnam(name)
                continue
            command = [parts.program("useradd"), "--system", "--no-create-home", "--user-group"]
            subprocess.run([*command, name], check=True, capture_output=True)
            made.append(name)
        yield
    finally:
        for name in made:
            subprocess.run([parts.program("userdel"), name], check=True, capture_output=True)


def _is_open_to_all(python: str) -> bool:
    return all(
        folder.stat().st_mode & stat.S_IXOTH
        for folder in (
            each for path in (Path(python), Path(python).resolve()) for each in path.parents
        )
    )


class System:
    """A machine: its root folder, its worker, and whoever calls a program there.

    Attributes:
        root: The folder that stands for `/`.
        socket: Where the worker listens.
        sendmail: The program of that name.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.socket = root / "run/smtp-desk/submit.sock"
        self.python = next(filter(_is_open_to_all, _PYTHONS), _PYTHONS[0])
        self._worker: subprocess.Popen[bytes] | None = None
        for name in ("root", *USERS, WORKER_USER):
            home = root / "home" / name
            home.mkdir(parents=True, mode=0o700)
            os.chown(home, pwd.getpwnam(name).pw_uid, -1)
        self.sendmail = root / "usr/sbin/sendmail"
        self.sendmail.parent.mkdir(parents=True)
        self.sendmail.write_text(_SENDMAIL.format(python=self.python, root=root, path=_PATH))
        self.sendmail.chmod(0o755)
        self._make_for_worker(self.socket.parent, 0o755)
        self._make_for_worker(root / "credentials", 0o700)
        self._make_for_worker(root / "var/log/smtp-desk", 0o700)

    def _make_for_worker(self, folder: Path, mode: int) -> None:
        folder.mkdir(parents=True, mode=mode)
        owner = pwd.getpwnam(WORKER_USER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)

    def environment(self, user: str) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(self.root / "home" / user),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": _PATH,
            "SMTP_DESK_SYSTEM_ROOT": str(self.root),
            "SYSTEMD_CREDENTIAL_SECRET": str(self.root / "host-secret"),
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus",
        }

    def run_as(
        self, user: str, command: list[str], stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end, as that user and nobody else."""
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            env=self.environment(user),
            user=user,
            group=pwd.getpwnam(user).pw_gid,
            extra_groups=[],
            cwd="/",
            timeout=_SECONDS,
            check=False,
        )

    def desk(
        self, user: str, *arguments: str, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `smtp-desk` as that user."""
        return self.run_as(user, [self.python, "-m", "smtp_desk", *arguments], stdin)

    def configure(self, postfix: Postfix, certs: Certificates) -> None:
        """Let root prove and save the server for all, and turn it on."""
        settings = settings_for(postfix.starttls_port, certs.root.chain_file)
        arguments = (*settings, "--from-name", "Example Ltd", "--to", "rcpt@example.test")
        done = self.desk(
            "root", "configure", "--system", *arguments, "--password-stdin",
            stdin=f"{PASSWORD}\n".encode(),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        done = self.desk("root", "enable", "--system")
        assert done.returncode == 0, done.stdout + done.stderr
        postfix.mailboxes.wait("rcpt", 1)
        postfix.mailboxes.clear()

    def start_worker(self) -> None:
        """Start the worker as systemd does: as its own user, with the decrypted credentials."""
        owner = pwd.getpwnam(WORKER_USER)
        folder = self.root / "credentials"
        for encrypted in (self.root / "etc/credstore.encrypted").glob("smtp-desk.*"):
            given = folder / encrypted.name
            given.unlink(missing_ok=True)
            subprocess.run(
                [parts.program("systemd-creds"), "decrypt", encrypted, given],
                env=self.environment("root"), check=True, capture_output=True,
            )  # fmt: skip
            os.chown(given, owner.pw_uid, owner.pw_gid)
            given.chmod(0o400)
        with (self.root / "worker.log").open("ab") as log:
            self._worker = subprocess.Popen(
                [self.python, "-m", "smtp_desk", "worker", "--system"],
                env={**self.environment(WORKER_USER), "CREDENTIALS_DIRECTORY": str(folder)},
                user=WORKER_USER, group=owner.pw_gid, extra_groups=[], cwd="/",
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        wait_until(self._answers, "the worker’s socket")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    @property
    def worker(self) -> subprocess.Popen[bytes]:
        """The worker that runs."""
        assert self._worker is not None
        return self._worker

    def stop_worker(self, number: int = signal.SIGTERM) -> None:
        if self._worker is not None:
            self._worker.send_signal(number)
            self._worker.wait(_SECONDS)
            self._worker = None


@contextlib.contextmanager
def whole_system() -> Iterator[System]:
    """A machine with its users and without a configuration; skipped by name where it can't be."""
    parts.require("system_wide")
    with users(), server_folder("system") as root:
        system = System(root)
        if system.desk(USERS[0], "--version").returncode:
            pytest.skip(f"for want of system_wide: {_HERE} or its Python is closed to other users")
        try:
            yield system
        finally:
            system.stop_worker()
