"""A refusal in words that nobody knows is never final on one route's word."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest

from smtp_desk.core.reply import Reply
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.routes.health import Usable
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from tests.sender.posts import Post, fates
from tests.sender.ways import Way, failing, finding
from tests.table import each_row

GENERIC_CODES: Final = ("recipient.refused", "message.refused")
FINAL_CODES: Final = ("recipient.unknown", "recipient.mailbox_full", "message.spam")


@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("code", GENERIC_CODES)
def test_words_that_nobody_knows_are_not_final_on_one_routes_word(
    code: str, *, dotted: bool
) -> None:
    post = Post(failing(code, dotted=dotted), Way(DEFAULT))
    outcome = post.send()
    assert fates(outcome) == [("accepted", DEFAULT)]
    assert outcome.fallback == finding(code)
    assert isinstance(post.health.may_use(CUSTOM), Usable)


@each_row("second", [*GENERIC_CODES, *FINAL_CODES])
def test_words_that_nobody_knows_are_final_where_both_routes_refuse(second: str) -> None:
    post = Post(failing("recipient.refused"), failing(second, DEFAULT))
    outcome = post.send()
    assert fates(outcome) == [("refused", DEFAULT)]
    assert [attempt.route for attempt in post.entry.attempts] == [CUSTOM, DEFAULT]
    assert post.entry.state is EntryState.REFUSED


@pytest.mark.parametrize("second", ["connect.refused", "recipient.greylisted"])
def test_a_default_service_that_can_not_tell_now_is_asked_again(second: str) -> None:
    custom, default = failing("message.refused"), failing(second, DEFAULT)
    post = Post(custom, default)
    assert fates(post.send()) == [("queued", DEFAULT)]
    for _ in range(5):
        post.clock.now = post.entry.next_attempt_at
        post.again()
    assert post.entry.state is EntryState.READY
    default.answer, default.probes = (lambda _recipient: ""), [""]
    post.health.try_again(DEFAULT)
    post.dispatcher.probe_rested(post.routes)
    post.dispatcher.settle_probes(5)
    post.clock.now = post.entry.next_attempt_at
    assert fates(post.again()) == [("accepted", DEFAULT)]


@pytest.mark.parametrize("name", [CUSTOM, DEFAULT])
def test_the_only_route_is_asked_once_more_after_an_hour(name: str) -> None:
    way = failing("recipient.refused", name)
    post = Post(*((way, None) if name == CUSTOM else (None, way)))
    assert fates(post.send()) == [("queued", name)]
    assert post.entry.next_attempt_at == post.clock.now + timedelta(hours=1)
    post.clock.turn(minutes=5)
    post.outbox.make_due()  # another route began to work, and failed again
    assert fates(post.again()) == [("queued", name)]
    post.clock.now = post.entry.next_attempt_at
    assert fates(post.again()) == [("refused", name)]
    assert len(way.sent) == 3


def test_a_refusal_for_now_is_not_counted_as_one_for_good() -> None:
    custom = failing("recipient.refused")
    custom.reply = Reply(450, "4.0.0", ("odd",))
    post = Post(custom, None)
    post.send()
    post.clock.turn(hours=2)
    assert fates(post.again()) == [("queued", CUSTOM)]
