"""A storage that fails while emails are on their way loses none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtp_desk.sender.entries import State
from smtp_desk.sender.outbox import OutboxUnavailableError
from smtp_desk.sender.routes import Routes
from smtp_desk.sender.transport import CUSTOM, DEFAULT
from tests.sender.posts import Post, fates
from tests.sender.ways import UNCERTAIN, Way, failing

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from smtp_desk.sender.entries import Change
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
    assert post.entry.state is State.SENDING


def test_an_acceptance_that_can_not_be_written_down_is_still_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    custom = Way()
    post = Post(custom, Way(DEFAULT))
    monkeypatch.setattr(post.outbox, "apply", FullDisk(post.outbox, 1))
    assert fates(post.send()) == [("accepted", CUSTOM)]
    assert post.entry.state is State.IN_DOUBT, "uncertain when its lease is over"


def test_health_that_can_not_be_written_down_loses_no_email(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise OutboxUnavailableError("the disk is full")

    post = Post(failing(UNCERTAIN), Way(DEFAULT))
    for method in ("record_success", "record_failure", "record_uncertain", "record_fallback"):
        monkeypatch.setattr(post.health, method, broken)
    assert fates(post.send()) == [("uncertain", CUSTOM)]
    assert post.entry.state is State.HELD
    post.routes = Routes(custom=Way(), default=Way(DEFAULT))
    assert fates(post.send()) == [("accepted", CUSTOM)]
