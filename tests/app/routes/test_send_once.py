"""A sample can be stopped while a server lets us wait; what was stopped is never sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.routes.send_once import sending
from smtp_desk.app.services import Services
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.sender.mail.kinds import sample
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.receipts import Receipt
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from smtp_desk.smtp.session.envelope import Status
from tests.app.sandboxed import sending_through
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


@pytest.fixture
def services(tmp_path: Path, server: Sandbox) -> Services:
    return sending_through(server, tmp_path / "desk")


def test_what_is_not_cancelled_arrives(services: Services) -> None:
    receipt = sending(services)(sample("invitation", to="ann@sandbox.test"), Cancel())
    assert [each.status for each in receipt.recipients] == [Status.ACCEPTED]


def test_a_sample_that_waits_for_the_server_is_stopped_and_given_up(
    services: Services, server: Sandbox
) -> None:
    cancel, came = Cancel(), list[Receipt | Exception]()
    before = len(server.inbox.mails())

    def send() -> None:
        try:
            came.append(sending(services)(sample("invitation", to="slow@sandbox.test"), cancel))
        except CancelledError as error:
            came.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    wait_until(lambda: services.outbox.counts().of(EntryState.SENDING) == 1, "the sample to leave")
    cancel.cancel()
    thread.join(30)
    assert [type(each) for each in came] == [CancelledError]
    assert [entry.state for entry in services.outbox.page().entries] == [EntryState.DROPPED]
    assert len(server.inbox.mails()) == before
    assert services.health.status(CUSTOM).code == ""


def test_cancelled_before_it_began_nothing_is_stored(services: Services) -> None:
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(CancelledError):
        sending(services)(sample("invitation", to="ann@sandbox.test"), cancel)
    assert services.outbox.page().entries == ()
