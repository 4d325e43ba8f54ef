"""Fuzzing: one module a target, which takes any bytes and asserts what must hold for them.

Hypothesis runs them in `make test`; `make soak` runs them longer, and under libFuzzer guided
by the coverage they reach (`python -m tests.fuzz TARGET`).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

TARGETS: Final = (
    "replies",
    "session",
    "catalogue",
    "report",
    "settings_file",
    "certificates",
    "addresses",
    "foreign",
    "html",
)


class Target(Protocol):
    """A module of this package."""

    WORDS: Sequence[bytes]
    """What its input is made of: worth putting in."""

    def seeds(self) -> Sequence[bytes]:
        """Inputs that go far."""
        ...

    def run(self, data: bytes) -> None:
        """Take any bytes; raise where something does not hold."""
        ...


def target(name: str) -> Target:
    """Return the target of this name."""
    return cast("Target", importlib.import_module(f"tests.fuzz.{name}"))
