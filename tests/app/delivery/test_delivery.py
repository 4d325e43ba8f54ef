"""The Delivery page without its widgets, over the outbox in memory and the one on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.delivery.listing import PAGE, Span
from smtp_desk.app.delivery.rows import CELLS, COLUMNS
from smtp_desk.app.delivery.state import Emptiness
from smtp_desk.app.delivery.words import DeliveryStatus
from smtp_desk.app.page_presenter import Busy
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import Accept, EntryState, MarkInDoubt, Refuse
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.ui.delivery.words import choose_reason
from tests.app.delivery_page import Page
from tests.sender import mails
from tests.sender.outboxes import TurnedClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["sqlite", "memory"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """A page with nothing in its outbox yet."""
    if request.param == "memory":
        yield Page(tmp_path)
        return
    clock = TurnedClock()
    with Database(tmp_path / "state" / "outbox.sqlite3") as database:
        yield Page(tmp_path, clock, SqliteOutbox(database, clock), SqliteHealth(database, clock))


def busy(page: Page, count: int = 40) -> None:
    mails.busy_morning(page.outbox, page.health, page.clock, count)


def cell(page: Page, entry_id: str, title: str) -> str:
    row = page.view.rows[page.view.ids.index(entry_id)]
    return row[CELLS + COLUMNS.index(title)]


def test_nothing_was_sent_yet(page: Page) -> None:
    page.look()
    assert page.state.emptiness is Emptiness.NO_EMAILS
    assert choose_reason(page.state) == "The list is empty."
    assert page.view.rows == []


def test_a_busy_morning_newest_first_with_counts(page: Page) -> None:
    busy(page)
    page.look()
    assert page.view.ids == [entry.id for entry in page.outbox.page().entries]
    assert page.view.ids == sorted(page.view.ids, reverse=True)
    assert dict(page.state.counts) == {
        DeliveryStatus.WAITING: 5,
        DeliveryStatus.SENDING: 1,
        DeliveryStatus.SENT: 30,
        DeliveryStatus.UNCERTAIN: 2,
        DeliveryStatus.REFUSED: 3,
        DeliveryStatus.DROPPED: 1,
    }
    assert page.state.total == 42
    assert page.state.emptiness is Emptiness.NOT_EMPTY


def test_each_row_says_by_which_route_and_why(page: Page) -> None:
    straight = mails.sent(page.outbox, page.clock, 1)
    fallen = mails.sent(page.outbox, page.clock, 2, "default")
    refused = mails.refused(page.outbox, page.clock, 3)
    page.look()
    assert (cell(page, straight, "Route"), cell(page, straight, "Why")) == ("Custom", "")
    assert cell(page, fallen, "Route") == "Default"
    assert cell(page, fallen, "Why") == "The server refuses connections on this port."
    assert cell(page, refused, "State") == "Refused"
    assert cell(page, refused, "Why") == "This mailbox doesn’t exist."
    assert cell(page, refused, "Kind") == "Message to affiliates or advertisers"


def test_the_list_grows_page_by_page_without_gaps_or_repeats(page: Page) -> None:
    page.outbox.add([mails.mail(number) for number in range(2 * PAGE + 1)])
    page.look()
    assert len(page.view.rows) == PAGE
    for expected in (2 * PAGE, 2 * PAGE + 1, 2 * PAGE + 1):
        page.presenter.more()
        page.runner.finish()
        assert len(page.view.rows) == expected
    everything = page.outbox.page(limit=1000).entries
    assert page.view.ids == [entry.id for entry in everything]


def test_more_that_is_wanted_while_the_list_is_read_comes_afterwards(page: Page) -> None:
    page.outbox.add([mails.mail(number) for number in range(3 * PAGE)])
    page.look()
    page.presenter.refresh(page.view.span(0, 9))
    page.presenter.more()
    page.presenter.more()
    page.runner.finish()
    assert len(page.view.rows) == 2 * PAGE


def test_new_emails_come_on_top_and_changed_ones_change(page: Page) -> None:
    page.outbox.add([mails.mail(number) for number in range(30)])
    page.look()
    first = page.view.ids
    page.clock.turn(seconds=5)
    newest = mails.sent(page.outbox, page.clock, 99)
    page.outbox.drop(first[3])
    page.look(page.view.span(0, 9))
    assert page.view.ids == [newest, *first]
    assert cell(page, first[3], "State") == "Dropped"


def test_what_is_in_view_far_down_is_read_again_and_nothing_between(page: Page) -> None:
    page.outbox.add([mails.mail(number) for number in range(5 * PAGE)])
    page.look()
    for _ in range(4):
        page.presenter.more()
        page.runner.finish()
    ids = page.view.ids
    between, seen = 2 * PAGE, 4 * PAGE + 5
    for at in (between, seen):
        page.outbox.drop(ids[at])
    page.look(page.view.span(seen - 5, seen + 15))
    assert cell(page, ids[seen], "State") == "Dropped"
    assert cell(page, ids[between], "State") == "Waiting"
    assert page.view.ids == ids


def test_more_than_a_few_pages_of_new_emails_begin_the_list_anew(page: Page) -> None:
    page.outbox.add([mails.mail(0)])
    page.look()
    page.clock.turn(seconds=1)
    page.outbox.add([mails.mail(number) for number in range(25 * PAGE)])
    page.look(page.view.span(0, 0))
    ids = [entry.id for entry in page.outbox.page(limit=30 * PAGE).entries]
    assert page.view.ids == ids[: len(page.view.ids)]
    page.presenter.more()
    page.runner.finish()
    assert page.view.ids == ids[: len(page.view.ids)]
    assert len(page.view.ids) == 21 * PAGE


def test_an_email_that_no_longer_stands_so_leaves_the_filtered_list(page: Page) -> None:
    busy(page)
    page.look()
    page.presenter.show_only(DeliveryStatus.WAITING)
    page.runner.finish()
    waiting = page.view.ids
    assert len(waiting) == 5
    page.outbox.drop(waiting[2])
    page.look(page.view.span(0, 4))
    assert page.view.ids == waiting[:2] + waiting[3:]


def test_the_search_goes_through_addresses_subjects_and_codes(page: Page) -> None:
    busy(page)
    page.look()
    found = {}
    for text in ("GUS.6@", "winter campaign", "recipient.unknown", "<00000003@"):
        page.presenter.search(text)
        page.runner.finish()
        found[text] = len(page.view.rows)
    assert found == {
        "GUS.6@": 1,
        "winter campaign": 7,
        "recipient.unknown": 3,
        "<00000003@": 1,
    }
    page.presenter.search("nobody")
    page.runner.finish()
    assert page.state.emptiness is Emptiness.NO_MATCHES
    assert page.state.total == 0
    page.presenter.show_all()
    page.runner.finish()
    assert (page.state.text, len(page.view.rows)) == ("", 42)


def test_only_the_newest_search_counts(page: Page) -> None:
    busy(page)
    page.look()
    page.presenter.search("gus")
    page.presenter.search("gus.6@")
    parts = page.view.parts
    page.runner.finish()
    assert page.view.parts == parts + 1
    assert len(page.view.rows) == 1


def test_details_tell_every_attempt_newest_first(page: Page) -> None:
    entry_id = mails.waiting(page.outbox, page.clock, 1)
    page.look()
    page.presenter.select(entry_id)
    assert choose_reason(page.state) == "Reading the email…"
    page.runner.finish()
    details = page.state.details
    assert details is not None
    assert [tried.route for tried in details.attempts] == [
        "Default email service",
        "Custom SMTP server",
    ]
    assert details.attempts[1].cause == "The server refused the username or password."
    assert details.attempts[1].reply == "535 5.7.8 Error: authentication failed"
    facts = dict(details.facts)
    assert details.message_id == "<00000001@example.org>"
    assert facts["Next attempt"].endswith(":00")
    assert (details.retry_reason, details.drop_reason) == ("", "")


def test_what_can_not_be_done_says_why(page: Page) -> None:
    reasons = {}
    for name, entry_id in {
        "sent": mails.sent(page.outbox, page.clock, 1),
        "sending": mails.claim_new(page.outbox, mails.mail(2)).entry.id,
        "uncertain": mails.uncertain(page.outbox, page.clock, 3),
    }.items():
        page.look()
        page.choose(entry_id)
        details = page.state.details
        assert details is not None
        reasons[name] = (details.retry_reason, details.drop_reason, details.may_arrive_twice)
    assert reasons == {
        "sent": (
            "The message was accepted; it is not sent twice.",
            "The message was accepted; it can’t be taken back.",
            False,
        ),
        "sending": ("The message is being sent at this moment.", "", False),
        "uncertain": ("", "", True),
    }


def test_retry_makes_an_email_due_and_shows_it(page: Page) -> None:
    entry_id = mails.refused(page.outbox, page.clock, 1)
    page.look()
    page.choose(entry_id)
    page.presenter.retry()
    assert page.state.busy is Busy.RETRYING
    assert choose_reason(page.state) == "Queuing the email…"
    page.runner.finish()
    assert page.outbox.get(entry_id).state is EntryState.READY
    assert page.state.notice is not None
    assert page.state.notice.text.startswith("Queued: a worker sends it next.")
    assert cell(page, entry_id, "State") == "Waiting"
    assert page.state.details is not None
    assert page.state.details.status is DeliveryStatus.WAITING


def test_a_retry_in_a_pause_says_what_it_waits_for(page: Page) -> None:
    entry_id = mails.refused(page.outbox, page.clock, 1)
    page.look()
    page.choose(entry_id)
    page.services.control.pause()
    page.presenter.retry()
    page.runner.finish()
    assert page.outbox.get(entry_id).state is EntryState.READY
    assert page.state.notice is not None
    assert page.state.notice.text == (
        "Queued. Sending is paused. Nothing is sent until you resume it."
    )


def test_drop_gives_an_email_up(page: Page) -> None:
    entry_id = mails.waiting(page.outbox, page.clock, 1)
    page.look()
    page.choose(entry_id)
    page.presenter.drop()
    page.runner.finish()
    assert page.outbox.get(entry_id).state is EntryState.DROPPED
    assert page.state.details is not None
    assert page.state.details.drop_reason == "It was already dropped."


def test_an_email_that_was_accepted_meanwhile_is_not_sent_again(page: Page) -> None:
    claim = mails.claim_new(page.outbox, mails.mail(1))
    page.outbox.apply([Refuse(claim, (mails.attempt(page.clock, CUSTOM, "sender.quota"),))])
    page.look()
    page.choose(claim.entry.id)
    page.outbox.retry(claim.entry.id)
    (again,) = page.outbox.claim("worker", 1, mails.LEASE)
    page.outbox.apply(
        [
            MarkInDoubt(again, CUSTOM),
            Accept(again, (mails.attempt(page.clock, CUSTOM),)),
        ]
    )
    page.presenter.retry()
    page.runner.finish()
    assert page.state.notice is not None
    assert page.state.notice.error
    assert page.state.notice.text == "The message was accepted; it is not sent twice."
    assert cell(page, claim.entry.id, "State") == "Sent"


def test_a_second_action_waits_for_the_first(page: Page) -> None:
    entry_id = mails.waiting(page.outbox, page.clock, 1)
    page.look()
    page.choose(entry_id)
    page.presenter.retry()
    page.presenter.drop()
    page.runner.finish()
    assert page.outbox.get(entry_id).state is EntryState.READY


def test_after_closing_nothing_is_shown_any_more(page: Page) -> None:
    busy(page)
    page.presenter.refresh(Span())
    page.presenter.close()
    shown = len(page.view.states)
    page.runner.finish()
    assert len(page.view.states) == shown
    assert page.view.rows == []
