"""Where the widgets of a test end."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication, QEvent

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def garbage_stays_here() -> Iterator[None]:
    """Destroy widgets after their test, in this thread only, as the program does (`ui.garbage`)."""
    gc.collect()
    gc.freeze()  # what other tests left is not this one's: looking through it takes 100 ms
    gc.disable()
    yield
    # What a test closed waits for an event loop to be deleted; all tests together would pile it up.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    gc.enable()
