"""Every target under libFuzzer, which looks for inputs that reach new code; `make soak` only."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.fuzz import TARGETS

SECONDS: Final = 180
"""How long each target is fuzzed."""
_ROOT: Final = Path(__file__).parents[2]
_FAILURES: Final = ("crash-*", "timeout-*", "oom-*", "leak-*")
_SHOWN: Final = 6000


def fuzz(name: str, folder: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    """Fuzz a target in a process of its own: libFuzzer takes a process over."""
    corpus = folder / "corpus"
    options = (f"-max_total_time={seconds}", "-print_final_stats=1", "-verbosity=1")
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz", name, str(corpus), *options],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks_it(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("for want of atheris: not installed (Linux and Python before 3.14 only)")
    ended = fuzz(name, tmp_path, SECONDS)
    broken = [found.read_bytes() for kind in _FAILURES for found in tmp_path.glob(kind)]
    assert not broken, f"{broken!r}\n{ended.stderr[-_SHOWN:]}"
    assert ended.returncode == 0, ended.stderr[-_SHOWN:]
    executed = re.search(r"number_of_executed_units: (\d+)", ended.stderr)
    features = re.findall(r" ft: (\d+) ", ended.stderr)
    assert executed
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {executed[1]} inputs, {features[-1]} features\n")
