"""Servers that are programs: started as direct children in a process group of their own."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
from typing import TYPE_CHECKING

from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_STOP_SECONDS = 5.0


def listens(path: pathlib.Path) -> bool:
    """Whether a server takes connections there: its socket is a file a moment before that."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


class ServerProcess:
    """A child process with its output in a file."""

    def __init__(
        self,
        command: Sequence[str],
        log: pathlib.Path,
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        group: str | None = None,
        stdin: bytes = b"",
    ) -> None:
        self.log = log
        self._name = pathlib.Path(command[0]).name
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=env,
                user=user,
                group=group,
                extra_groups=[] if user else None,
                start_new_session=True,
                cwd="/",
            )
        assert self._child.stdin is not None
        self._child.stdin.write(stdin)
        self._child.stdin.close()

    @property
    def pid(self) -> int:
        return self._child.pid

    def wait_ready(self, ready: Callable[[], bool]) -> None:
        """Return once `ready` holds; fail with the log if the process ends before."""

        def ready_or_ended() -> bool:
            return ready() or self._child.poll() is not None

        wait_until(ready_or_ended, f"{self._name} to be ready; its log is {self.log}")
        if self._child.poll() is not None:
            raise AssertionError(f"{self._name} ended: {self.log.read_text(errors='replace')}")

    def stop(self) -> None:
        """Ask the process to end, and end what is left of its group."""
        self._child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_STOP_SECONDS)
        self.kill()

    def wait(self) -> None:
        """Return once the process has ended."""
        self._child.wait(60)

    def kill(self) -> None:
        """End the process and its group at once, for servers with nothing to lose."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()


@contextlib.contextmanager
def server_folder(name: str) -> Iterator[pathlib.Path]:
    """A temporary folder with a short path that servers under other users may enter.

    Short, since the path of a Unix socket has room for 107 bytes.
    """
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
