"""The tables of `resources/` as the build makes them ready: read in milliseconds.

To read them as TOML and to take their patterns apart takes a hundred times as long. The first line
says by what code they were made (see `making`), each other one of which text, and has its tables as
JSON: a text that has changed since is read itself.
"""

import json
import tomllib
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from smtp_desk.core.lazy import LazyProperty

Tables = dict[str, Any]
Load = Callable[[str], Tables]
"""Returns the tables of a TOML text."""


class ReadyTables:
    """What `make_ready` made, read when it is first needed.

    Args:
        read: Returns it, and the code that would make it now or "" where that isn't known.
    """

    def __init__(self, read: Callable[[], tuple[str, str]]) -> None:
        self._read = read

    def load(self, text: str) -> Tables:
        """Return the tables of a TOML text, ready or not."""
        try:
            made = json.loads(self._lines[digest(text)])
        except (KeyError, ValueError, RecursionError):  # not built, or cut off
            return tomllib.loads(text)
        return made if isinstance(made, dict) else tomllib.loads(text)

    @LazyProperty
    def _lines(self) -> dict[str, str]:
        ready, maker = self._read()
        made_by, *lines = ready.split("\n")
        if maker and made_by != digest(maker):
            return {}
        return {made_of: tables for made_of, _, tables in (line.partition(" ") for line in lines)}


def digest(text: str) -> str:
    """Return what stands for a text in what is ready."""
    return sha256(text.encode()).hexdigest()
