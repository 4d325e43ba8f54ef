"""Deadlines: moments on a monotonic clock, so that slow drips stretch nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, TypeAlias

Clock: TypeAlias = Callable[[], float]
"""Seconds since any fixed moment; never goes back."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment at which waiting ends.

    Attributes:
        at: That moment, in seconds of `clock`.
        clock: Tells the time.
    """

    at: float
    clock: Clock = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> Self:
        """Return the deadline that passes in `seconds`."""
        return cls(clock() + seconds, clock)

    def within(self, seconds: float) -> "Deadline":
        """Return a deadline for one stage: in `seconds`, but never later than this one."""
        return Deadline(min(self.at, self.clock() + seconds), self.clock)

    @property
    def remaining(self) -> float:
        """Seconds left; 0 once it has passed."""
        return max(0.0, self.at - self.clock())

    @property
    def passed(self) -> bool:
        """Whether the moment is over."""
        return self.clock() >= self.at
