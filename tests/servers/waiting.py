"""Waiting for a condition, for things that have no event of their own (other processes, files)."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_never = threading.Event()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Return once `condition` holds; fail the test, naming `what`, after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        _never.wait(0.005)
