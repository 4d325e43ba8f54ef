"""A process of a test ends with its test."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.servers import child
from tests.servers.child import Child

ENDLESS = [sys.executable, "-c", "import time; time.sleep(600)"]


def test_one_that_ends_by_itself() -> None:
    with Child([sys.executable, "-c", "print(7)"], stdout=subprocess.PIPE, text=True) as process:
        assert process.communicate(timeout=60)[0] == "7\n"
    assert process.returncode == 0


def test_a_test_that_fails_does_not_wait_for_it() -> None:
    with pytest.raises(AssertionError, match="failed"), Child(ENDLESS) as process:
        raise AssertionError("failed")
    assert process.returncode != 0


def test_one_that_does_not_end_fails_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_SECONDS", 0.1)
    with pytest.raises(subprocess.TimeoutExpired), Child(ENDLESS) as process:
        pass
    assert process.returncode != 0
