"""A keyring for tests: one file a key, seen by all processes, with no daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtp_desk.core.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path


class FolderCredentials:
    """Keeps each secret in a file of its own."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> Secret | None:
        try:
            return Secret((self._folder / key).read_text())
        except FileNotFoundError:
            return None

    def set(self, key: str, secret: Secret) -> None:
        (self._folder / key).write_text(secret.reveal())

    def delete(self, key: str) -> None:
        (self._folder / key).unlink(missing_ok=True)

    def keys(self) -> list[str]:
        return sorted(entry.name for entry in self._folder.iterdir())
