"""Whose clock is wrong: what contradicts it, and what does not."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.smtp.check.clock_evidence import clock_evidence, date_in, installed_at
from tests.table import each_row

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.core.stages import Facts, Json

CLOCK = datetime(2026, 9, 1, 10, 2, tzinfo=UTC)


def banner(days: float) -> str:
    """A greeting dated so many days from the clock."""
    moment = CLOCK + timedelta(days=days)
    return f"mail.example.test ESMTP Sendmail 8.17.1; {moment:%a, %d %b %Y %H:%M:%S} +0000"


def day(days: float) -> str:
    return (CLOCK + timedelta(days=days)).isoformat()


def facts(*begins: float) -> Facts:
    """A refusal: the days from the clock at which each certificate begins, the server's first."""
    chain: list[Json] = [{"not_before": day(each), "not_after": day(400)} for each in begins]
    return {"clock": CLOCK.isoformat(), "chain": chain, "begins": day(begins[0])}


def found(known: Facts, said: str = "", installed: float | None = None) -> Facts:
    written = None if installed is None else CLOCK + timedelta(days=installed)
    return clock_evidence(known, said, written)


@pytest.mark.parametrize(
    ("known", "said", "installed", "evidence"),
    [
        (facts(30), "", 61, {"program_date": "2026-11-01"}),
        (facts(30, 10), "", None, {"other_begins": "2026-09-11"}),
        (
            facts(30, 10),
            banner(80),
            61,
            {
                "server_date": "2026-11-20",
                "program_date": "2026-11-01",
                "other_begins": "2026-09-11",
            },
        ),
    ],
)
def test_a_clock_that_is_behind(
    known: Facts, said: str, installed: float | None, evidence: Facts
) -> None:
    assert found(known, said, installed) == {"clock_wrong": True, **evidence}


@each_row(
    ("known", "said", "installed"),
    [
        (facts(30), "", None),
        # Its own clock made both.
        (facts(30), banner(80), None),
        (facts(30, 30.5), banner(80), None),
        (facts(30), "mail.example.test ESMTP", None),
        (facts(30), banner(0), -100),
        (facts(30), banner(0.9), 0.9),
        (facts(30), banner(-80), None),
        (facts(30, -100), "", None),
        # Made together with the server's own: one fault, not two.
        (facts(30, 30.5), "", None),
    ],
)
def test_a_certificate_for_the_future_alone_is_the_servers(
    known: Facts, said: str, installed: float | None
) -> None:
    assert found(known, said, installed) == {}


def ended(*validity: tuple[float, float]) -> Facts:
    """A refusal: from when to when each certificate is valid, the server's first."""
    chain: list[Json] = [{"not_before": day(a), "not_after": day(b)} for a, b in validity]
    return {"clock": CLOCK.isoformat(), "chain": chain, "since": day(validity[0][1])}


def test_a_clock_that_is_ahead() -> None:
    evidence = found(ended((-400, -10), (-900, -5)), banner(-20))
    expected = {"server_date": "2026-08-12", "other_ends": "2026-08-27"}
    assert evidence == {"clock_wrong": True, **expected}


@each_row(
    ("known", "said"),
    [
        # The greeting alone: the server's own clock may stand still.
        (ended((-400, -10)), banner(-20)),
        (ended((-400, -10), (-900, 800)), banner(-20)),
        # Ended together with the server's own: one fault, not two.
        (ended((-400, -10), (-400, -10)), banner(-20)),
        (ended((-400, -10), (-900, -9.5)), banner(-20)),
        # On that day one of them had ended, or was not made yet: a clock of the server is wrong.
        (ended((-400, -10), (-900, -50)), banner(-20)),
        (ended((-400, -10), (-900, -5)), banner(-500)),
        (ended((-400, -10), (-900, -5)), ""),
    ],
)
def test_an_expired_certificate_is_the_servers(known: Facts, said: str) -> None:
    assert found(known, said, 100) == {}


@each_row("said", ["", banner(0), banner(-0.5), banner(-5), banner(50)])
def test_an_expired_certificate_is_the_servers_even_if_all_its_chain_has_ended(said: str) -> None:
    assert found(ended((-400, -10), (-900, -5)), said, 100) == {}


def test_a_server_behind_by_less_than_a_day_says_nothing() -> None:
    assert found(ended((-400, -0.1), (-900, -0.2)), banner(-0.5)) == {}


@pytest.mark.parametrize("known", [{}, {"clock": CLOCK.isoformat()}, {"begins": day(30)}])
def test_without_both_clocks_there_is_no_evidence(known: Facts) -> None:
    assert found(known, banner(80), 80) == {}


@pytest.mark.parametrize(
    "said",
    [
        "mail.example.test ESMTP Sendmail 8.17.1/8.17.1; Fri, 20 Nov 2026 12:42:00 GMT",
        "MAIL Microsoft ESMTP MAIL Service ready at Fri, 20 Nov 2026 13:42:00 +0100",
        "mail.example.test ESMTP Exim 4.96 Fri, 20 Nov 2026 12:42:00 +0000",
        "mail.example.test ready 20 Nov 2026 12:42",
    ],
)
def test_dates_as_servers_write_them(said: str) -> None:
    assert date_in(said) == datetime(2026, 11, 20, 12, 42, tzinfo=UTC)


@pytest.mark.parametrize("said", ["", "ESMTP 2026", "40 Xyz 2026 12:42", "99 Nov 2026 12:42:00"])
def test_what_is_no_date(said: str) -> None:
    assert date_in(said) is None


def test_the_program_was_installed_when_its_newest_file_was_written(tmp_path: Path) -> None:
    assert installed_at(tmp_path) is None
    for number, name in enumerate(("a.py", "b.py")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1_000_000 * number, 1_000_000 * number))
    (tmp_path / "notes.txt").touch()
    assert installed_at(tmp_path) == datetime.fromtimestamp(1_000_000, UTC)
    installed = installed_at()
    assert installed is not None
    assert installed <= datetime.now(UTC)
