"""Processes that never outlive the `with` they were started in."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING, AnyStr, Final

if TYPE_CHECKING:
    from types import TracebackType

_SECONDS: Final = 60.0


class Child(subprocess.Popen[AnyStr]):
    """As its base, but a test that fails ends it; one that passes waits for a minute at most."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.kill()
        with contextlib.ExitStack() as stack:
            stack.callback(super().__exit__, kind, error, trace)
            stack.callback(self.kill)  # one that has ended is left alone
            self.wait(_SECONDS)
