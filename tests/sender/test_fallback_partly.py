"""A message to several people, of whom each has a fate of its own."""

from __future__ import annotations

import pytest

from smtp_desk.core.reply import Reply
from smtp_desk.sender.mail.addressing import FOREIGN
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.routes.health import Usable
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT, Routes
from tests.sender.posts import Post, fates
from tests.sender.ways import ACCEPTED, UNCERTAIN, Way, failing

PEOPLE = ("ann@example.org", "bo@example.org", "chris@example.org")


@pytest.mark.parametrize("code", ["recipient.relay_denied", "sender.internationalized"])
def test_a_server_that_took_the_message_for_others_does_not_rest(code: str) -> None:
    custom = Way(answer=lambda recipient: code if recipient.startswith("bo@") else ACCEPTED)
    post = Post(custom, Way(DEFAULT))
    assert fates(post.send(*PEOPLE, kind=FOREIGN)) == [
        ("accepted", CUSTOM),
        ("accepted", DEFAULT),
        ("accepted", CUSTOM),
    ]
    assert isinstance(post.health.may_use(CUSTOM), Usable)
    assert post.health.take_event() is None


def test_a_server_that_refuses_all_for_its_own_sake_does_rest() -> None:
    post = Post(failing("recipient.relay_denied"), Way(DEFAULT))
    post.send(*PEOPLE, kind=FOREIGN)
    assert not isinstance(post.health.may_use(CUSTOM), Usable)


def test_a_resend_that_some_get() -> None:
    custom, default = failing(UNCERTAIN), Way(DEFAULT)
    post = Post(custom, default)
    assert fates(post.send(*PEOPLE, kind=FOREIGN)) == [("uncertain", CUSTOM)] * 3
    post.clock.turn(minutes=15)
    answers = dict(
        zip(PEOPLE, ("recipient.unknown", ACCEPTED, "recipient.greylisted"), strict=True)
    )
    custom.answer = answers.__getitem__
    post.again()
    states = [EntryState.HELD, EntryState.ACCEPTED, EntryState.READY]
    assert [entry.state for entry in post.entries] == states
    answers["chris@example.org"] = UNCERTAIN
    post.clock.turn(minutes=2)
    post.again()
    states[2] = EntryState.HELD
    assert [entry.state for entry in post.entries] == states
    assert not default.sent
    assert [recipient for _, recipient in custom.given] == ["bo@example.org"]


@pytest.mark.parametrize("default", [Way(DEFAULT), None])
def test_a_resend_whose_route_is_gone_is_held_and_a_person_sends_it(default: Way | None) -> None:
    """It could wait for ever, and nobody would look."""
    post = Post(failing(UNCERTAIN), default)
    post.send()
    post.routes = Routes(default=default)
    post.clock.turn(minutes=15)
    assert fates(post.again()) == [("uncertain", "")]
    assert post.entry.state is EntryState.HELD
    other = Way(DEFAULT)
    post.routes = Routes(default=other)
    post.outbox.retry(post.entry.id)
    assert fates(post.again()) == [("accepted", DEFAULT)]


def test_more_than_a_server_takes_at_once_where_some_are_refused() -> None:
    people = [f"p{number:03}@example.org" for number in range(250)]
    taken: list[str] = []

    def answer(recipient: str) -> str:
        if recipient[1:4] in {"007", "107", "207"}:
            return "recipient.unknown"
        if len(taken) % 40 == 39:
            taken.append("")
            return "recipient.throttled"
        taken.append(recipient)
        return ACCEPTED

    custom = Way(answer=answer)
    post = Post(custom, Way(DEFAULT))
    outcome = post.send(*people, kind=FOREIGN)
    refused = [each.recipient for each in outcome.recipients if each.status == "refused"]
    assert refused == ["p007@example.org", "p107@example.org", "p207@example.org"]
    assert sorted(recipient for _, recipient in custom.given) == sorted(set(people) - set(refused))


@pytest.mark.parametrize("code", ["recipient.mailbox_full", "message.spam"])
@pytest.mark.parametrize(("reply_code", "fate"), [(452, "queued"), (552, "refused")])
def test_what_is_refused_for_now_only_is_tried_again(code: str, reply_code: int, fate: str) -> None:
    custom = Way(answer=lambda _: code, reply=Reply.from_lines(reply_code, [b"full"]))
    post = Post(custom, None)
    assert [each for each, _ in fates(post.send())] == [fate]
    assert post.entry.state is (EntryState.READY if fate == "queued" else EntryState.REFUSED)
    assert isinstance(post.health.may_use(CUSTOM), Usable)
