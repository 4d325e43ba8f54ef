"""`worker`: what waits is sent, and a signal ends it in good order."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.entries import State
from smtp_desk.sender.outbox import EVERYTHING
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
    assert ended.err.splitlines()[-1] == "Ended. Emails dealt with: 1."
    assert [mail.recipients for mail in sandbox.inbox.mails()] == [("ann@example.org",)]
    assert sending_desk.services.outbox.get(entry.id).state is State.ACCEPTED


def test_once_with_nothing_to_do(desk: Desk) -> None:
    ended = desk("worker", "--once")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err.splitlines() == ["Sending what is due.", "Ended. Emails dealt with: 0."]


def test_an_outbox_that_does_not_work(desk: Desk) -> None:
    outbox = desk.services.paths.outbox_file
    outbox.parent.mkdir(parents=True)
    outbox.write_bytes(b"this is no database" * 100)
    ended = desk("worker", "--once")
    assert (ended.status, ended.out) == (75, "")


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
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
    assert ended.err.splitlines()[0] == "Waiting for emails; Ctrl-C ends this."
    assert ended.err.splitlines()[-1] == "Ended. Emails dealt with: 1."
