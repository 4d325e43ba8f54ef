"""What stands beside the settings to be told of only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from smtp_desk.store.paths import Paths

TOLD: Final = frozenset({"changes.jsonl", "previous.json", "previous-ca.pem"})


def names_in(paths: Paths) -> set[str]:
    """The files in the config folder, but those."""
    return {entry.name for entry in paths.config.iterdir()} - TOLD
