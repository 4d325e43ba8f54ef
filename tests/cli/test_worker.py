"""`worker`: what waits is sent, and a signal ends it in good order."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.outbox import EVERYTHING
from smtp_desk.sender.routes.route import CUSTOM
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from smtp_desk.sandbox.server import Sandbox
    from tests.cli.desk import Desk


def test_once_sends_what_waits(sending_desk: Desk, sandbox: Sandbox) -> None:
    assert sending_desk("disable").status == 0
    assert sending_desk("sendmail", "ann@example.org", stdin=b"x").status == 0
    assert sandbox.inbox.mails() == ()
    assert sending_desk("enable").status == 0
    (entry,) = sending_desk.services.outbox.page(EVERYTHING).entries
    sending_desk.services.outbox.retry(entry.id)
    ended = sending_desk("worker", "--once")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err.splitlines()[-1] == "Stopped. 1 email processed."
    assert [mail.recipients for mail in sandbox.inbox.mails()] == [("ann@example.org",)]
    assert sending_desk.services.outbox.get(entry.id).state is EntryState.ACCEPTED


def test_once_with_nothing_to_do(desk: Desk) -> None:
    ended = desk("worker", "--once")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err.splitlines() == [
        ("Sending emails that are due."),
        "Stopped. 0 emails processed.",
    ]


def test_once_tells_what_waits_until_when_and_why(desk: Desk) -> None:
    for _ in range(2):
        assert desk("sendmail", "ann@example.org", stdin=b"x").status == 0
    ended = desk("worker", "--once")
    dealt, waiting = ended.err.splitlines()[-2:]
    assert dealt == "Stopped. 0 emails processed."
    assert re.fullmatch(
        r"2 emails wait in the outbox; next attempt at [-0-9: ]+\. Nothing is configured\. .+",
        waiting,
    )


def test_once_tells_an_email_that_waits_for_a_route_to_be_back(sending_desk: Desk) -> None:
    sending_desk.services.health.record_failure(CUSTOM, "connect.refused")
    assert sending_desk("sendmail", "ann@example.org", stdin=b"x").status == 0
    waiting = sending_desk("worker", "--once").err.splitlines()[-1]
    assert re.fullmatch(r"1 email waits in the outbox; next attempt at [-0-9: ]+\.", waiting)


def test_an_outbox_that_does_not_work(desk: Desk) -> None:
    outbox = desk.services.paths.outbox_file
    outbox.parent.mkdir(parents=True)
    outbox.write_bytes(b"this is no database" * 100)
    ended = desk("worker", "--once")
    assert (ended.status, ended.out) == (75, "")


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it(sending_desk: Desk, sandbox: Sandbox, number: signal.Signals) -> None:
    assert sending_desk("disable").status == 0
    assert sending_desk("sendmail", "ann@example.org", stdin=b"x").status == 0
    assert sending_desk("enable").status == 0
    (entry,) = sending_desk.services.outbox.page(EVERYTHING).entries
    sending_desk.services.outbox.retry(entry.id)

    def interrupt_after_the_mail() -> None:
        wait_until(lambda: len(sandbox.inbox.mails()) == 1, "the mail")
        os.kill(os.getpid(), number)

    watcher = threading.Thread(target=interrupt_after_the_mail)
    watcher.start()
    ended = sending_desk("worker")
    watcher.join()
    assert (ended.status, ended.out) == (0, "")
    assert ended.err.splitlines()[0] == "Waiting for emails. Press Ctrl-C to stop."
    assert ended.err.splitlines()[-1] == "Stopped. 1 email processed."
