"""A storage that fails while emails are on their way loses none of them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender import Status
from smtp_desk.sender.outbox.entries import EntryState, MarkInDoubt
from smtp_desk.sender.outbox.outbox import OutboxBusyError, OutboxUnavailableError
from smtp_desk.sender.routes.health import Shut, Usable
from smtp_desk.sender.routes.probing import Refusals
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT, Routes
from tests.sender.posts import Post, fates
from tests.sender.test_sender import INVITATION, Office
from tests.sender.ways import UNCERTAIN, Way, failing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from smtp_desk.sender.outbox.entries import Change
    from smtp_desk.sender.testing import MemoryOutbox


class FullDisk:
    """An outbox that stops to work after some changes."""

    def __init__(self, outbox: MemoryOutbox, works_for: int) -> None:
        self._apply = outbox.apply
        self._left = works_for

    def __call__(self, changes: Iterable[Change]) -> frozenset[str]:
        self._left -= 1
        if self._left < 0:
            raise OutboxUnavailableError("the disk is full")
        return self._apply(changes)


def test_a_dot_that_can_not_be_written_down_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    custom, default = Way(), Way(DEFAULT)
    post = Post(custom, default)
    monkeypatch.setattr(post.outbox, "apply", FullDisk(post.outbox, 0))
    assert fates(post.send()) == [("queued", "")]
    assert not custom.given
    assert not default.given
    assert post.entry.state is EntryState.SENDING


def test_an_acceptance_that_can_not_be_written_down_is_still_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    custom = Way()
    post = Post(custom, Way(DEFAULT))
    monkeypatch.setattr(post.outbox, "apply", FullDisk(post.outbox, 1))
    assert fates(post.send()) == [("accepted", CUSTOM)]
    assert post.entry.state is EntryState.IN_DOUBT, "uncertain when its lease is over"


class HeldDisk:
    """An outbox that does not work while `held`, from the answer to the dot on."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self._apply = outbox.apply
        self.held = True
        self.fails: int | None = None

    def __call__(self, changes: Iterable[Change]) -> frozenset[str]:
        wanted = tuple(changes)
        if self.fails is not None:
            self.fails -= 1
            self.held = self.fails >= 0
        if self.held and not isinstance(wanted[0], MarkInDoubt):
            raise OutboxBusyError("the outbox is held by another program")
        return self._apply(wanted)


def test_an_acceptance_is_written_down_when_the_outbox_works_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only a server may leave us in doubt: no second message because a disk was busy."""
    custom = Way()
    post = Post(custom, Way(DEFAULT))
    disk = HeldDisk(post.outbox)
    monkeypatch.setattr(post.outbox, "apply", disk)
    assert fates(post.send("ann@example.org")) == [("accepted", CUSTOM)]
    assert fates(post.send("bo@example.org")) == [("accepted", CUSTOM)]
    disk.held = False
    assert fates(post.send("chris@example.org")) == [("accepted", CUSTOM)]
    assert {entry.state for entry in post.entries} == {EntryState.ACCEPTED}
    post.clock.turn(hours=1)
    assert post.outbox.next_due() is None


def test_an_acceptance_is_written_down_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    post = Post(Way(), Way(DEFAULT))
    disk = HeldDisk(post.outbox)
    monkeypatch.setattr(post.outbox, "apply", disk)
    post.send()
    post.dispatcher.catch_up()
    assert [entry.state for entry in post.entries] == [EntryState.IN_DOUBT]
    disk.held = False
    post.dispatcher.catch_up()
    assert [entry.state for entry in post.entries] == [EntryState.ACCEPTED]


def test_an_outbox_that_is_held_at_the_end_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(tmp_path)
    office.ways(Way())
    disk = HeldDisk(office.outbox)
    monkeypatch.setattr(office.outbox, "apply", disk)
    with office.sender:
        assert office.sender.send(INVITATION).recipients[0].status is Status.ACCEPTED
        disk.fails = 3
    (entry,) = office.outbox.page().entries
    assert entry.state is EntryState.ACCEPTED


def test_an_outbox_that_is_held_is_waited_for_once_a_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try may take ten seconds of whoever closes the sender."""
    post = Post(Way(), Way(DEFAULT))
    disk, tries = HeldDisk(post.outbox), list[str]()

    def record(_route: str, code: str, _probe: str = "") -> None:
        tries.append(code)
        raise OutboxBusyError("the outbox is held by another program")

    monkeypatch.setattr(post.outbox, "apply", disk)
    monkeypatch.setattr(post.health, "record_failure", record)
    post.send()
    with suppress(OutboxBusyError):
        post.dispatcher._refusals.tell(DEFAULT, "auth.rejected")
    assert tries == ["auth.rejected"]
    assert not post.dispatcher.catch_up()
    assert tries == ["auth.rejected"]
    disk.held = False
    assert not post.dispatcher.catch_up()
    assert tries == ["auth.rejected"] * 2
    assert post.entry.state is EntryState.ACCEPTED


@pytest.mark.parametrize("probed", [False, True])
def test_a_refused_sign_in_that_can_not_be_written_down_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, *, probed: bool
) -> None:
    custom = failing("connect.refused" if probed else "auth.rejected")
    post = Post(custom, Way(DEFAULT))
    if probed:
        post.send()
        post.clock.turn(minutes=1)
        custom.probes = ["auth.rejected"]
    record_failure, held = post.health.record_failure, [True]

    def record(route: str, code: str, probe: str = "") -> None:
        if held:
            raise OutboxBusyError("the outbox is held by another program")
        record_failure(route, code, probe)

    monkeypatch.setattr(post.health, "record_failure", record)
    post.send()
    post.dispatcher.settle_probes(10)
    tried = len(custom.sent)
    post.clock.turn(minutes=5)
    assert fates(post.send()) == [("queued", "")], "it could not be told of a second refusal"
    assert not post.dispatcher.catch_up()
    held.clear()
    assert fates(post.send()) == [("accepted", DEFAULT)]
    assert post.health.may_use(CUSTOM) == Shut("auth.rejected")
    assert len(custom.sent) == tried
    assert post.dispatcher.catch_up()


def test_a_refusal_of_settings_that_were_replaced_shuts_nothing() -> None:
    post = Post(None, None)
    current = [True]

    def record(route: str, code: str, probe: str = "") -> None:
        raise OutboxBusyError("the outbox is held by another program")

    refusals = Refusals(post.health)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(post.health, "record_failure", record)
        with pytest.raises(OutboxBusyError):
            refusals.tell(CUSTOM, "auth.rejected", current=lambda: bool(current))
    current.clear()
    refusals.catch_up()
    assert post.health.may_use(CUSTOM) == Usable()


def test_health_that_can_not_be_written_down_loses_no_email(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise OutboxUnavailableError("the disk is full")

    post = Post(failing(UNCERTAIN), Way(DEFAULT))
    for method in ("record_success", "record_failure", "record_uncertain", "record_fallback"):
        monkeypatch.setattr(post.health, method, broken)
    assert fates(post.send()) == [("uncertain", CUSTOM)]
    assert post.entry.state is EntryState.HELD
    post.routes = Routes(custom=Way(), default=Way(DEFAULT))
    assert fates(post.send()) == [("accepted", CUSTOM)]
