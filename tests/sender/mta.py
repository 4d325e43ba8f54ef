"""A small mail program: a shell script that is called like sendmail and keeps what it is given."""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING

from smtp_desk.sender.routes.sendmail import SendmailRoute
from tests.sender.ways_out import CATALOGUE, IDENTITY
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCRIPT = """\
#!/bin/sh
folder='{folder}'
printf '%s\\n' "$@" > "$folder/$$.arguments"
env > "$folder/$$.environment"
pwd > "$folder/$$.cwd"
case "$*" in
  *reject@*) echo 'no such user here' >&2; exit 67;;
  *tempfail@*) echo 'try later' >&2; exit 75;;
esac
{before}
cat > "$folder/$$.message"
touch "$folder/$$.taken"
{after}
"""


class Mta:
    """The script, and what it was given.

    Attributes:
        path: of the script.
    """

    def __init__(self, folder: pathlib.Path, *, before: str = "", after: str = "") -> None:
        """Write the script.

        Args:
            folder: where it keeps what it is given.
            before: shell commands before it reads the message.
            after: shell commands after it has read the message.
        """
        self._folder = folder / "mta"
        self._folder.mkdir()
        self.path = folder / "mta.sh"
        self.path.write_text(_SCRIPT.format(folder=self._folder, before=before, after=after))
        self.path.chmod(0o755)

    def route(self, limit_seconds: float = 60) -> SendmailRoute:
        """A route over it."""
        return SendmailRoute(str(self.path), IDENTITY, CATALOGUE, limit_seconds=limit_seconds)

    @property
    def arguments(self) -> list[list[str]]:
        """The arguments of each run, in any order."""
        return [file.read_text().splitlines() for file in self._files("arguments")]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the one run."""
        (file,) = self._files("environment")
        return dict(line.partition("=")[::2] for line in file.read_text().splitlines())

    @property
    def messages(self) -> list[bytes]:
        """The messages that were taken whole."""
        return [file.with_suffix(".message").read_bytes() for file in self._files("taken")]

    @property
    def recipients(self) -> list[str]:
        """To whom the messages go that were taken whole, sorted."""
        taken = [file.with_suffix(".arguments") for file in self._files("taken")]
        return sorted(file.read_text().splitlines()[-1] for file in taken)

    def wait_for_run(self) -> int:
        """Wait until it runs; return its process id."""
        wait_until(lambda: bool(self._files("cwd")), "the mail program to start")
        return int(self._files("cwd")[0].stem)

    def wait_for_end(self, process: int) -> None:
        """Wait until a run is over."""
        wait_until(lambda: not _lives(process), f"the end of process {process}")

    def _files(self, kind: str) -> Sequence[pathlib.Path]:
        return sorted(self._folder.glob(f"*.{kind}"))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
