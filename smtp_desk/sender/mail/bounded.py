"""Limits for a person's own templates: one that never ends must not hold up an email."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

_MOST_BITS: Final = 100_000
_MOST_ITEMS: Final = 10_000_000


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox whose results can't grow without limit: a huge one couldn't be interrupted."""

    intercepted_binops = frozenset({"**", "*", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - what a template says
        """Calculate, unless the result would be far too large."""
        numbers = isinstance(left, int) and isinstance(right, int)
        if _size(operator, left, right) > (_MOST_BITS if numbers else _MOST_ITEMS):
            raise SecurityError("a calculation has too large a result")
        return super().call_binop(context, operator, left, right)


@contextmanager
def in_time(seconds: float) -> Iterator[None]:
    """Interrupt the code in this block when it takes longer, wherever it is.

    Raises:
        TimeoutError: It took longer.
    """
    end = time.monotonic() + seconds
    before = sys.gettrace()

    def trace(_frame: FrameType, _event: str, _argument: object) -> Callable[..., Any]:
        if time.monotonic() > end:
            raise TimeoutError(f"it is not ready after {seconds:.0f} s")
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def _size(operator: str, left: object, right: object) -> int:
    """Return about how large a result is: in bits for numbers, in items for the rest."""
    if operator == "%":
        widths = "".join(sign if sign.isdigit() else " " for sign in str(left)).split()
        return max((int(width[:9]) for width in widths), default=0) if isinstance(left, str) else 0
    if isinstance(left, int) and isinstance(right, int):
        bits = max(left.bit_length(), 1)
        power = bits * min(max(right, 0), _MOST_BITS)
        return power if operator == "**" else bits + right.bit_length()
    for many, times in ((left, right), (right, left)):
        if isinstance(many, str | list | tuple) and isinstance(times, int):
            return len(many) * max(times, 0)
    return 0
