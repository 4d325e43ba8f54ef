"""Ctrl-C and SIGTERM: the first ends a test in good order, the second ends the program."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def ending_at_once() -> Iterator[None]:
    """Let Ctrl-C end the program without a word while it only loads itself.

    In the middle of an import Python's own way to tell it comes out as a traceback, or as any
    other error. A signal that is ignored or handled otherwise stays so.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def first_interrupt() -> Iterator[threading.Event]:
    """Turn the first SIGINT or SIGTERM into an event; the next one has its usual effect.

    A signal that the program was started to ignore, as by nohup, stays ignored. For the main
    thread, which alone may set signal handlers.
    """
    interrupted = threading.Event()

    def note(_signal: int, _frame: FrameType | None) -> None:
        for number in before:
            signal.signal(number, signal.SIG_DFL)
        interrupted.set()

    before = {
        number: handler
        for number in _SIGNALS
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }
    for number in before:
        signal.signal(number, note)
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
