"""The stages of a session as events: their begin, their end, its time and facts."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeAlias

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.stages import Json, Stage, StageEvent, StageStatus
from smtp_desk.smtp.net.deadline import Clock
from smtp_desk.smtp.session.failures import reply_facts

Observe: TypeAlias = Callable[[StageEvent], None]
"""Takes each event, in the thread of the session; must return soon."""

Translate: TypeAlias = Callable[[BaseException, Stage], SmtpFailure | None]
"""Tells what an error means in a stage; None for a fault of our own."""


class StageRun:
    """One run of one stage: a context manager that reports how it went.

    An exception inside leaves as the `SmtpFailure` that it means; an error of this program
    leaves unchanged.

    Attributes:
        facts: What was learned; filled while it runs.
        status: PASSED, unless the stage sets another one.
    """

    __slots__ = ("_began", "_stage", "_timeline", "facts", "status")

    def __init__(self, stage: Stage, timeline: "Timeline") -> None:
        self.facts: dict[str, Json] = {}
        self.status = StageStatus.PASSED
        self._stage = stage
        self._timeline = timeline
        self._began = 0.0

    @property
    def watched(self) -> bool:
        """Whether anybody observes it; otherwise no facts need to be collected."""
        return self._timeline.observe is not None

    def __enter__(self) -> Self:
        if self._timeline.observe is not None:
            self._began = self._timeline.clock()
            self._timeline.observe(StageEvent(self._stage, StageStatus.STARTED))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            if self._timeline.observe is not None:
                self._report(self.status)
            return
        failure = self._timeline.translate(error, self._stage)
        if failure is None:
            self._report(StageStatus.FAILED)
            return
        if self.watched:
            self.facts.update(failure.facts)
            if failure.reply is not None:
                self.facts.update(reply_facts(failure.reply))
        self._report(StageStatus.FAILED)
        if failure is not error:
            raise failure from error

    def _report(self, status: StageStatus) -> None:
        if self._timeline.observe is not None:
            spent = (self._timeline.clock() - self._began) * 1000
            self._timeline.observe(StageEvent(self._stage, status, spent, self.facts))


class Timeline:
    """Begins stages, and reports those that are skipped.

    Attributes:
        observe: Called for each event; None for nobody.
        translate: Returns the failure that an error means.
        clock: Returns the time.
    """

    def __init__(
        self, observe: Observe | None, translate: Translate, clock: Clock = time.monotonic
    ) -> None:
        """Report each stage to `observe`; without it a stage costs next to nothing."""
        self.observe = observe
        self.translate = translate
        self.clock = clock

    def unwatch(self) -> None:
        """Stop reporting."""
        self.observe = None

    def stage(self, stage: Stage) -> StageRun:
        """Return a run of `stage`, to be entered."""
        return StageRun(stage, self)

    def skip(self, stage: Stage, reason: str) -> None:
        """Report that `stage` is skipped, and why."""
        if self.observe is not None:
            self.observe(StageEvent(stage, StageStatus.SKIPPED, 0.0, {"reason": reason}))
