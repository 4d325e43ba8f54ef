"""What git tracks is what people wrote, not what a program left behind."""

import subprocess
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_LARGEST: Final = 2_000_000
"""In octets; the film of README may have as many."""


def test_no_tracked_file_is_large() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    names = [name for name in listed.stdout.split("\0") if (_ROOT / name).is_file()]
    assert names
    assert [name for name in names if (_ROOT / name).stat().st_size > _LARGEST] == []
