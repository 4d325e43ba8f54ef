"""`make run` where there is no display: the demo plays to its end instead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from smtp_desk.core.texts import CHANGED, SUCCESS, UNREACHABLE

RUN: Final = Path(__file__).parents[2] / "packaging" / "run"
_DISPLAY: Final = frozenset({"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"})


def test_the_demo_says_each_outcome(clean_environment: Path) -> None:
    done = subprocess.run(
        ["sh", str(RUN), str(Path(sys.executable).parent)],
        env={name: value for name, value in os.environ.items() if name not in _DISPLAY},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    for outcome in (SUCCESS, UNREACHABLE, CHANGED):
        assert any(outcome in line for line in lines), outcome
    assert "Traceback" not in done.stderr
    assert not (clean_environment / "config" / "settings.toml").exists()
