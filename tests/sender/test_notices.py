"""The mails of an outage: whatever becomes of them, the email that began it has its receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender import Status
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from tests.sender.test_sender import INVITATION, Office
from tests.sender.ways import Way, failing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    with office.sender:
        yield office


def test_an_address_that_is_none_costs_no_receipt(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    default = Way(DEFAULT)
    office.ways(failing("connect.refused"), default, tell="nobody, written by hand")
    assert office.sender.send(INVITATION).route == DEFAULT
    assert office.sender.send(INVITATION).route == DEFAULT
    assert len(default.given) == 2
    assert "could not be told" in caplog.text
    assert office.health.take_event() is None, "not tried for ever"


def test_a_notice_that_is_refused_is_told_of_nowhere_else(office: Office) -> None:
    def answer(recipient: str) -> str:
        return "recipient.unknown" if recipient.startswith("it@") else ""

    office.ways(failing("connect.refused"), Way(DEFAULT, answer), tell="it@example.org")
    for _ in range(3):
        assert office.sender.send(INVITATION).recipients[0].status is Status.ACCEPTED
    told = [entry for entry in office.outbox.page().entries if entry.recipient == "it@example.org"]
    assert [entry.state for entry in told] == [EntryState.REFUSED]


@pytest.mark.parametrize("code", ["connect.refused", "message.unconfirmed", "message.temporary"])
def test_notices_that_fail_make_no_notices(office: Office, code: str) -> None:
    office.ways(failing("connect.refused"), failing(code, DEFAULT), tell="it@example.org")
    for _ in range(20):
        office.sender.send(INVITATION)
        office.sender.drain()
        office.clock.turn(hours=1)
    told = [entry for entry in office.outbox.page().entries if entry.recipient == "it@example.org"]
    assert len(told) == 1


def test_a_notice_that_takes_long_is_told_by_no_other_process(office: Office) -> None:
    told_elsewhere: list[object] = []

    def answer(recipient: str) -> str:
        if recipient.startswith("it@"):
            office.clock.turn(minutes=5)
            told_elsewhere.append(office.health.take_event())
        return ""

    office.ways(failing("connect.refused"), Way(DEFAULT, answer), tell="it@example.org")
    office.sender.send(INVITATION)
    assert told_elsewhere == [None]


def test_without_a_default_service_notices_take_the_custom_server_later(office: Office) -> None:
    custom = failing("connect.refused")
    office.ways(custom, tell="it@example.org")
    office.sender.send(INVITATION)
    custom.answer = lambda _recipient: ""
    office.clock.turn(minutes=1)
    office.sender.drain()
    office.sender.drain()
    told = [recipient for _, recipient in custom.given]
    assert sorted(told) == ["ann@example.org", "it@example.org", "it@example.org"]
    assert office.health.status(CUSTOM).out_since is None


def test_a_notice_outlives_the_default_service_that_it_waits_for(office: Office) -> None:
    custom = failing("connect.refused")
    office.ways(custom, failing("connect.refused", DEFAULT), tell="it@example.org")
    office.sender.send(INVITATION)
    custom.answer = lambda _recipient: ""
    office.ways(custom, tell="it@example.org")
    office.clock.turn(minutes=2)
    office.sender.drain()
    office.sender.drain()
    assert [recipient for _, recipient in custom.given].count("it@example.org") == 2
    assert office.outbox.next_due() is None


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 email was"), (2, "2 emails were"), (11, "11 emails were")]
)
def test_the_end_of_an_outage_says_how_many_emails_the_default_service_sent(
    office: Office, count: int, words: str
) -> None:
    custom = failing("connect.refused")
    office.ways(custom, Way(DEFAULT), tell="it@example.org")
    for _ in range(count):
        office.sender.send(INVITATION)
    custom.probes = [""]
    office.clock.turn(minutes=1)
    office.sender.drain()
    (ended,) = (
        entry for entry in office.outbox.page().entries if entry.subject.endswith("available again")
    )
    payload = office.outbox.message(ended.id).payload.decode()
    assert f"{words} sent by the default email service" in payload
