"""The tables of `resources/` as the build makes them ready: read in milliseconds.

To read them as TOML and to take their patterns apart takes many times as long. The first line
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

    def __init__(self, read: Callable[[], tuple[bytes, str]]) -> None:
        self._read = read
        self._loaded: dict[str, Tables] = {}

    def load(self, text: str) -> Tables:
        """Return the tables of a TOML text, ready or not; all who ask share them unchanged."""
        made_of = digest(text)
        if made_of not in self._loaded:
            self._loaded[made_of] = self._tables(made_of) or tomllib.loads(text)
        return self._loaded[made_of]

    def _tables(self, made_of: str) -> Tables | None:
        try:
            made = json.loads(self._lines.pop(made_of.encode()))
        except (KeyError, ValueError, RecursionError):  # not built, or cut off
            return None
        return made if isinstance(made, dict) else None

    @LazyProperty
    def _lines(self) -> dict[bytes, bytes]:
        # As octets, since one Chinese letter would double the size of all as text.
        ready, maker = self._read()
        made_by, *lines = ready.split(b"\n")
        if maker and made_by != digest(maker).encode():
            return {}
        return {made_of: tables for made_of, _, tables in (line.partition(b" ") for line in lines)}


def digest(text: str) -> str:
    """Return what stands for a text in what is ready."""
    return sha256(text.encode()).hexdigest()
