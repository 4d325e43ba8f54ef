"""The outbox commands as processes of their own, on the outbox that others share."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import EntryState, OutboxMessage
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.store.paths import Paths
from tests.e2e.outgoing import desk_at
from tests.e2e.program import run
from tests.e2e.terminal import on_terminal
from tests.sender import mails
from tests.sender.outboxes import TurnedClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def outbox(clean_environment: Path) -> Iterator[SqliteOutbox]:
    with Database(Paths.below(clean_environment).outbox_file) as database:
        yield SqliteOutbox(database)


def test_a_refused_email_is_found_retried_dropped_and_exported(
    outbox: SqliteOutbox, clean_environment: Path, tmp_path: Path
) -> None:
    desk = desk_at(clean_environment)
    entry_id = mails.refused(outbox, TurnedClock(), 6)
    found = run("outbox", "list", "--search", "gus.6@", "--json")
    assert (found.returncode, found.stderr) == (0, b"")
    (entry,) = json.loads(found.stdout)["entries"]
    assert (entry["id"], entry["why"]) == (entry_id, "This mailbox doesn’t exist.")

    assert run("outbox", "retry", entry_id).stdout.decode() == f"{entry_id}: queued to send now.\n"
    assert outbox.get(entry_id).state is EntryState.READY
    assert desk("outbox", "drop", entry_id).status == 0
    assert outbox.get(entry_id).state is EntryState.DROPPED

    file = tmp_path / "email.eml"
    assert desk("outbox", "export", entry_id, "--to", str(file)).status == 0
    assert run("outbox", "export", entry_id).stdout == file.read_bytes()
    assert file.read_bytes().startswith(b"To: gus.6@example.org\r\nSubject: Welcome")
    assert desk("outbox", "export", entry_id, "--to", str(file)).status == 73


def test_statuses_of_what_can_not_be(outbox: SqliteOutbox, clean_environment: Path) -> None:
    desk = desk_at(clean_environment)
    sent = mails.sent(outbox, TurnedClock(), 1)
    sending = mails.claim_new(outbox, mails.mail(2)).entry.id
    statuses = {
        given: desk("outbox", "retry", given).status for given in (sent, sending, "01zzzzzz", "x")
    }
    assert run("outbox", "retry", sending).returncode == 75
    assert statuses == {sent: 65, sending: 75, "01zzzzzz": 65, "x": 65}


@pytest.mark.skipif(sys.platform != "linux", reason="setsid")
def test_on_a_terminal_nothing_of_a_stranger_acts(outbox: SqliteOutbox) -> None:
    (entry,) = outbox.add(
        [
            OutboxMessage(
                message_id="<1@example.org>",
                kind="foreign",
                payload=b"Subject: \x1b[2Jcleared\r\n\r\n\x07bell \xff\r\n",
                recipients=("ann@example.org",),
                subject="\x1b[2Jcleared \u202etxt",
            )
        ]
    )
    status, listed = on_terminal("outbox", "list", env={"NO_COLOR": "1"})
    assert status == 0
    assert entry.id in listed
    assert r"Other program: \x1b[2Jcleared \u202etxt" in listed
    status, exported = on_terminal("outbox", "export", entry.id, env={"NO_COLOR": "1"})
    assert status == 0
    assert r"Subject: \x1b[2Jcleared" in exported
    assert r"\x07bell ÿ" in exported
    for shown in (listed, exported):
        assert "\x1b[2J" not in shown
        assert "\u202e" not in shown
