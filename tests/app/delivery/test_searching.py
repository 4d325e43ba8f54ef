"""A search of the Delivery page in a large outbox: the newest at once, older ones by and by."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.delivery import listing
from smtp_desk.app.delivery.listing import PAGE, Span
from smtp_desk.app.delivery.state import Emptiness, SearchProgress
from smtp_desk.app.delivery.words import DeliveryStatus
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.outbox import OutboxLimits, OutboxUnavailableError
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from smtp_desk.sender.testing import MemoryOutbox
from tests.app.delivery_page import Page
from tests.sender.outboxes import TurnedClock, message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLICE = 10
STORED = 95
LIMITS = OutboxLimits(searched=SLICE)


@pytest.fixture(params=["sqlite", "memory"])
def page(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Page]:
    """A page over ten slices; the recipients are called 0, 1, 2…, the newest is 94."""
    monkeypatch.setattr(listing, "SEARCHED_AT_ONCE", SLICE)
    clock = TurnedClock()
    with Database(tmp_path / "state" / "outbox.sqlite3") as database:
        if request.param == "memory":
            made = Page(tmp_path, clock, MemoryOutbox(clock, LIMITS))
        else:
            outbox = SqliteOutbox(database, clock, LIMITS)
            made = Page(tmp_path, clock, outbox, SqliteHealth(database, clock))
        for number in range(STORED):
            clock.turn(seconds=1)
            made.outbox.add([message(f"<{number}>@example.org", subject=f"Part {number % 30}")])
        made.look()
        yield made


def found(page: Page) -> list[str]:
    return [page.outbox.get(entry_id).recipient.partition("@")[0] for entry_id in page.view.ids]


def test_the_newest_are_shown_at_once_and_older_ones_are_searched_by_and_by(page: Page) -> None:
    page.presenter.search("part 2")
    page.runner.finish_next()
    first = [f"<{number}>" for number in range(94, 84, -1) if str(number % 30).startswith("2")]
    assert found(page) == first
    assert page.state.progress.value == "running"
    steps = [len(page.view.rows)]
    while page.runner.waiting:
        page.runner.finish_next()
        steps.append(len(page.view.rows))
    assert len(steps) == STORED // SLICE + 1
    assert all(fewer <= more for fewer, more in pairwise(steps))
    assert found(page) == [
        f"<{number}>" for number in range(94, -1, -1) if str(number % 30).startswith("2")
    ]
    assert page.state.progress is SearchProgress.IDLE
    assert page.state.emptiness is Emptiness.NOT_EMPTY
    assert dict(page.state.counts) == {}, "to count them would mean to search through all"


def test_enough_for_a_page_is_enough_until_the_person_scrolls(page: Page) -> None:
    page.presenter.search("@example.org")
    page.runner.finish()
    assert len(page.view.rows) == PAGE
    assert page.state.progress is SearchProgress.IDLE
    page.presenter.more()
    page.runner.finish()
    assert len(page.view.rows) == STORED
    page.presenter.more()
    assert not page.runner.waiting


def test_a_search_that_is_stopped_goes_on_only_if_the_person_wants_it(page: Page) -> None:
    page.presenter.search("<3>")
    page.runner.finish_next()
    page.presenter.stop_search()
    page.runner.finish()
    assert (page.state.progress, page.view.rows) == (SearchProgress.STOPPED, [])
    assert page.state.emptiness is Emptiness.NOT_EMPTY, "older ones may match"
    page.presenter.more()
    page.look()
    assert (page.state.progress, page.view.rows) == (SearchProgress.STOPPED, [])
    page.presenter.search_on()
    assert page.state.progress is SearchProgress.RUNNING
    page.runner.finish()
    assert (page.state.progress, found(page)) == (SearchProgress.IDLE, ["<3>"])


def test_new_words_stop_the_search_for_the_old_ones(page: Page) -> None:
    page.presenter.search("<3>")
    page.runner.finish_next()
    page.presenter.search("<4>")
    page.runner.finish()
    assert found(page) == ["<4>"]
    page.presenter.search("")
    page.runner.finish()
    assert len(page.view.rows) == PAGE
    assert page.state.progress is SearchProgress.IDLE
    assert page.state.total == STORED


def test_that_nothing_matches_is_told_at_the_end_only(page: Page) -> None:
    page.presenter.search("nobody")
    shown = []
    while page.runner.waiting:
        page.runner.finish_next()
        shown.append(page.state.emptiness)
    assert shown == [*[Emptiness.NOT_EMPTY] * (STORED // SLICE), Emptiness.NO_MATCHES]


def test_a_status_is_searched_in_alone(page: Page) -> None:
    page.outbox.drop(page.outbox.page(before="~", limit=STORED).entries[-1].id)
    page.presenter.show_only(DeliveryStatus.DROPPED)
    page.presenter.search("part")
    page.runner.finish()
    assert found(page) == ["<0>"]


def test_what_was_found_is_read_again_however_far_apart_it_is(page: Page) -> None:
    page.presenter.search("part 20")
    page.runner.finish()
    assert found(page) == ["<80>", "<50>", "<20>"]
    middle = page.view.ids[1]
    page.outbox.drop(middle)
    page.clock.turn(seconds=1)
    page.outbox.add([message("new@example.org", subject="Part 20")])
    page.look(page.view.span(0, 2))
    assert found(page) == ["new", "<80>", "<50>", "<20>"]
    assert page.view.rows[2][1] == DeliveryStatus.DROPPED
    assert not page.runner.waiting
    page.services.control.erase([middle])
    for _ in range(3):
        page.look(page.view.span(0, 3))
    assert len(page.view.rows) == 3


def test_many_new_emails_do_not_begin_a_search_anew(page: Page) -> None:
    page.presenter.search("<3>")
    page.runner.finish()
    for number in range(5):
        page.clock.turn(seconds=1)
        page.outbox.add([message(f"{number}.{each}@example.org") for each in range(2 * SLICE)])
        page.look(page.view.span(0, 0))
        assert found(page) == ["<3>"]
        assert page.state.progress is SearchProgress.IDLE


@pytest.mark.parametrize("typed", ["7@example.org", "7@EXAMPLE.org ", "<unlike@any.other>"])
def test_a_whole_address_or_message_id_finds_its_emails_at_once(page: Page, typed: str) -> None:
    page.outbox.add([message("7@example.org"), message("77@example.org")])
    page.outbox.add([replace(message("7@example.org"), message_id="<unlike@any.other>")])
    page.presenter.search(typed)
    page.runner.finish_next()
    assert not page.runner.waiting
    assert found(page) == ["7"] * (1 if typed.startswith("<") else 2)
    assert page.state.total == len(page.view.rows)


def test_a_search_that_fails_can_be_gone_on_with(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.presenter.search("<3>")
    page.runner.finish_next()

    def fail(*_args: object, **_names: object) -> None:
        raise OutboxUnavailableError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(type(page.outbox), "page", fail)
        page.runner.finish()
    assert page.state.trouble
    assert page.state.progress is SearchProgress.STOPPED
    page.presenter.search_on()
    page.runner.finish()
    assert found(page) == ["<3>"]
    page.presenter.refresh(Span())
    page.runner.finish()
    assert not page.state.trouble
