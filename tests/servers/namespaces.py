"""Network namespaces as machines, joined to a hub by a line that can be taken down; needs root."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLONE_NEWNET: Final = 0x40000000
_NAMES: Final = Path("/run/netns")


def available() -> bool:
    """Whether namespaces can be made here."""
    tried = ("unshare", "--net", "true")
    may = os.name == "posix" and os.geteuid() == 0 and all(map(shutil.which, ("ip", "unshare")))
    return may and subprocess.run(tried, check=False, capture_output=True).returncode == 0


def enter(name: str) -> None:
    """Go on in the namespace of a machine; only before there are threads."""
    with (_NAMES / name).open() as file:
        _call("setns", file.fileno(), _CLONE_NEWNET)


@contextlib.contextmanager
def hub() -> Iterator[None]:
    """Let this thread, and what it starts, be in a network of its own that has nothing else."""
    with Path("/proc/thread-self/ns/net").open() as before:
        _call("unshare", _CLONE_NEWNET)
        try:
            _ip("link", "set", "lo", "up")
            yield
        finally:
            _call("setns", before.fileno(), _CLONE_NEWNET)


class Cable:
    """A machine of its own, and the cable from it to the hub.

    Attributes:
        name: The machine's namespace.
        hub: The hub's address at this cable.
    """

    def __init__(self, number: int) -> None:
        self.name = f"desk-{os.getpid()}-{number}"
        self.hub = hub_address(number)
        self._end = f"desk{number}"
        there = self.hub.removesuffix("1") + "2"
        _ip("netns", "add", self.name)
        _ip("link", "add", self._end, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _ip("address", "add", f"{self.hub}/30", "dev", self._end)
        _ip("link", "set", self._end, "up")
        for command in (
            ("address", "add", f"{there}/30", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", self.name, *command)

    def unplug(self) -> None:
        """Let nothing pass, and nobody be told of that."""
        _ip("link", "set", self._end, "down")

    def plug(self) -> None:
        """Let everything pass again."""
        _ip("link", "set", self._end, "up")

    def remove(self) -> None:
        """Take the machine away."""
        _ip("netns", "delete", self.name)


def hub_address(number: int) -> str:
    """The hub's address at a cable."""
    return f"10.213.{number}.1"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=20)


def _call(name: str, *arguments: int) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
