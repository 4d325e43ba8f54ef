"""The journal of a save: which keys of the keyring it touches, known before it touches them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from smtp_desk.store.atomic import sync_folder, write_atomic
from smtp_desk.store.regular import read_regular

_MAX_BYTES: Final = 1024 * 1024


class Journal:
    """A file with one key a line, durable before the first of them is touched."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keys(self) -> frozenset[str]:
        """Return the keys of saves that did not end; empty where all did.

        Raises:
            OSError: The journal can't be read.
        """
        try:
            data = read_regular(self._path, _MAX_BYTES)
        except FileNotFoundError:
            return frozenset()
        return frozenset(filter(None, data.decode(errors="replace").split("\n")))

    def add(self, keys: Iterable[str]) -> None:
        """Name more keys, durably.

        Raises:
            OSError: The journal can't be written; nothing must be touched then.
        """
        named = self.keys() | set(keys)
        write_atomic(self._path, "".join(f"{key}\n" for key in sorted(named)).encode())

    def clear(self) -> None:
        """Forget all keys, durably.

        Raises:
            OSError: The journal can't be removed.
        """
        self._path.unlink(missing_ok=True)
        sync_folder(self._path.parent)
