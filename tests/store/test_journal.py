"""The journal names keys until all is done."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from smtp_desk.store.save_protocol import Journal

if TYPE_CHECKING:
    from pathlib import Path


def test_names_keys_until_cleared(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    journal = Journal(file)
    assert journal.keys() == frozenset()
    journal.add(["b", "a"])
    journal.add(["c"])
    assert Journal(file).keys() == {"a", "b", "c"}
    assert file.read_text() == "a\nb\nc\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    journal.clear()
    assert not file.exists()
    journal.clear()


def test_a_journal_that_can_not_be_read_is_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(IsADirectoryError):
        journal.keys()
    with pytest.raises(IsADirectoryError):
        journal.add(["a"])
