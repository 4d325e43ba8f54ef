"""Moments, to the millisecond, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from smtp_desk.sender.outbox.clock import from_ms, to_ms, utc_now, whole_ms

MOMENT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))


def test_what_is_stored_is_what_is_compared() -> None:
    assert from_ms(to_ms(MOMENT)) == whole_ms(MOMENT) == MOMENT.replace(microsecond=123000)
    assert whole_ms(MOMENT).tzinfo is UTC


def test_moments_before_1970() -> None:
    assert to_ms(datetime(1969, 12, 31, 23, 59, 59, 999900, tzinfo=UTC)) == -1
    assert from_ms(-1) == datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)


def test_now_has_a_time_zone() -> None:
    assert utc_now().tzinfo is UTC
