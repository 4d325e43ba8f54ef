"""Deadlines on a clock of the test's own."""

from __future__ import annotations

import dataclasses

from smtp_desk.smtp.net.deadline import Deadline


@dataclasses.dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_deadline_counts_down_and_passes() -> None:
    clock = Clock()
    deadline = Deadline.after(10, clock)
    seen = []
    for step in (0, 9.5, 0.5, 5):
        clock.now += step
        seen.append((deadline.remaining, deadline.passed))
    assert seen == [(10, False), (0.5, False), (0, True), (0, True)]


def test_a_stage_never_outlasts_the_whole() -> None:
    clock = Clock()
    whole = Deadline.after(60, clock)
    assert whole.within(15).remaining == 15
    clock.now += 50
    assert whole.within(15).remaining == 10
    assert whole.within(15).clock is clock


def test_time_is_monotonic_unless_told_otherwise() -> None:
    assert 0 < Deadline.after(30).remaining <= 30
