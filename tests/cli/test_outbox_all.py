"""`outbox pause`, `resume` and `erase`."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.entries import EntryState
from tests.sender.outboxes import message

if TYPE_CHECKING:
    from tests.cli.desk import Desk


def add(desk: Desk, *recipients: str) -> None:
    desk.services.outbox.add([message(each) for each in recipients])


def test_a_pause_is_told_by_status_until_it_ends(desk: Desk) -> None:
    add(desk, "ann@example.org")
    ended = desk("outbox", "pause")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("Sending has been paused since ")
    told = dict(line.split(": ", 1) for line in desk("status").out.splitlines())
    assert told["Sending"].startswith("Sending has been paused since ")
    assert "smtp-desk outbox resume" in told["Sending"]
    document = json.loads(desk("status", "--json").out)
    assert document["paused_since"] is not None
    assert document["worker_needed"] is False
    assert desk("outbox", "resume").out == (
        "Sending resumed. Waiting emails are sent when they’re due.\n"
    )
    assert "Sending: " not in desk("status").out
    assert json.loads(desk("status", "--json").out)["paused_since"] is None


def test_send_tells_that_it_is_stored_during_a_pause(desk: Desk) -> None:
    desk("outbox", "pause")
    ended = desk(
        *("send", "notification", "--to", "ann@example.org"),
        *("--set", "title=Hello", "--set", "body=Text"),
    )
    assert ended.status == 0
    assert "waits in the outbox" in ended.out
    assert "paused" in ended.out + ended.err


def test_workers_that_run_are_told(desk: Desk) -> None:
    assert json.loads(desk("status", "--json").out)["workers"] == 0
    desk.services.control.announce("one")
    assert "Worker: A worker is running." in desk("status").out
    desk.services.control.announce("other")
    assert "Worker: 2 workers are running." in desk("status").out
    assert json.loads(desk("status", "--json").out)["workers"] == 2


def test_erase_asks_first(desk: Desk) -> None:
    add(desk, "ann@example.org", "ann@example.org", "bo@example.org")
    ended = desk("outbox", "erase", "Ann@example.org", stdin=b"n\n")
    assert ended.status == 130
    assert "2 emails to Ann@example.org (2 waiting) stored." in ended.err
    assert "Nothing was erased." in ended.err
    assert desk.services.outbox.counts().total == 3
    ended = desk("outbox", "erase", "Ann@example.org", stdin=b"y\n")
    assert ended.status == 0
    assert ended.out == "Erased: 2 emails to Ann@example.org (2 waiting).\n"
    assert desk.services.outbox.counts().total == 1


def test_erase_with_yes_asks_nothing(desk: Desk) -> None:
    add(desk, "ann@example.org")
    ended = desk("outbox", "erase", "ann@example.org", "--yes")
    assert (ended.status, ended.err) == (0, "")
    ended = desk("outbox", "erase", "ann@example.org", "--yes")
    assert (ended.status, ended.out) == (0, "Erased: no emails to ann@example.org.\n")


def test_without_an_answer_nothing_is_erased(desk: Desk) -> None:
    add(desk, "ann@example.org")
    assert desk("outbox", "erase", "ann@example.org").status == 130
    assert desk.services.outbox.counts().total == 1


def test_what_is_being_sent_stays_and_the_status_says_so(desk: Desk) -> None:
    add(desk, "ann@example.org")
    desk.services.outbox.claim("other", 1, timedelta(minutes=5))
    ended = desk("outbox", "erase", "ann@example.org", "--yes")
    assert ended.status == 75
    assert "being sent right now" in ended.err
    assert desk.services.outbox.counts().of(EntryState.SENDING) == 1


@pytest.mark.parametrize("address", ["", "   "])
def test_an_empty_address_is_refused(desk: Desk, address: str) -> None:
    add(desk, "ann@example.org")
    assert desk("outbox", "erase", address, "--yes").status == 65
    assert desk.services.outbox.counts().total == 1


@pytest.mark.parametrize(
    "arguments", [("pause",), ("resume",), ("erase", "ann@example.org", "--yes")]
)
def test_an_outbox_that_is_damaged_is_told_and_left(desk: Desk, arguments: tuple[str, ...]) -> None:
    file = desk.services.paths.outbox_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"somebody's notes" * 64)
    ended = desk("outbox", *arguments)
    assert ended.status == 69
    assert "damaged" in ended.err or "another program" in ended.err
    assert file.read_bytes() == b"somebody's notes" * 64


def test_a_server_in_use_says_that_sending_is_paused(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    arguments = (*settings, "--to", "ann@example.org", "--password-stdin")
    assert desk("configure", *arguments, stdin=password).status == 0
    assert desk("enable").status == 0
    desk("outbox", "pause")
    assert "Active, but sending has been paused since " in desk("status").out
    ended = desk(
        *("send", "notification", "--to", "ann@example.org"),
        *("--set", "title=Hello", "--set", "body=Text"),
    )
    assert (ended.status, "waits in the outbox" in ended.out) == (0, True)
    assert "smtp-desk outbox resume" in ended.out + ended.err
    desk("outbox", "resume")
    assert "Active. System emails are sent through localhost." in desk("status").out
