"""Delays grow, differ and end."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from smtp_desk.sender.outbox.lifecycle import LIFETIME, LONGEST_DELAY, delay


def test_they_double_up_to_the_longest() -> None:
    delays = [delay(tries, lambda: 0.0) for tries in range(20)]
    assert delays[0] == timedelta(minutes=1)
    assert all(later in (2 * sooner, LONGEST_DELAY) for sooner, later in pairwise(delays))
    assert delays[-1] == delay(10_000, lambda: 0.0) == LONGEST_DELAY


def test_chance_shortens_them_by_a_quarter_at_most() -> None:
    assert delay(0, lambda: 1.0) == timedelta(seconds=45)
    assert delay(0, lambda: 0.5) < delay(0, lambda: 0.0)


def test_four_days_have_enough_of_them() -> None:
    passed, tries = timedelta(), 0
    while passed < LIFETIME:
        passed += delay(tries, lambda: 0.5)
        tries += 1
    assert 25 < tries < 45
