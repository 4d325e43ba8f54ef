"""What comes after each scope of finding, for the dispatcher over an outbox in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.sender.attempts import MessageAttempt
from smtp_desk.sender.mail.addressing import FOREIGN
from smtp_desk.sender.outbox.entries import Claim, EntryState, OutboxMessage
from smtp_desk.sender.outbox.lifecycle import RESEND_AFTER
from smtp_desk.sender.routes.health import Probe, Resting, Shut, Usable
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT, Routes
from smtp_desk.smtp.session.envelope import Status
from tests.sender.posts import LEASE, Post, fates
from tests.sender.ways import UNCERTAIN, Way, failing, finding
from tests.table import each_row

if TYPE_CHECKING:
    pass

ROUTE_CODES: Final = (
    "resolve.not_found",
    "connect.refused",
    "greeting.busy",
    "tls.expired",
    "auth.temporary",
    "sender.not_owned",
    "recipient.relay_denied",
    "message.unauthenticated",
    "session.timeout",
)
SOFT_CODES: Final = (
    "recipient.greylisted",
    "recipient.temporary",
    "message.temporary",
    "message.lost_before_end",
)
PROCESS_CODES: Final = (
    "settings.secret_unavailable",
    "settings.not_proven",
    "settings.file_unreadable",
    "session.internal_error",
)
FINAL_CODES: Final = ("recipient.unknown", "recipient.mailbox_full", "message.spam")


def test_the_custom_server_takes_it() -> None:
    custom, default = Way(), Way(DEFAULT)
    post = Post(custom, default)
    outcome = post.send()
    assert fates(outcome) == [("accepted", CUSTOM)]
    assert outcome.fallback is None
    assert outcome.recipients[0].finding is None
    assert post.entry.state is EntryState.ACCEPTED
    assert post.entry.attempts[-1].reply == "250 2.0.0 queued"
    assert not default.sent


@each_row("dotted", [False, True])
@each_row("code", ROUTE_CODES)
def test_a_broken_route_rests_and_the_default_service_takes_it(code: str, *, dotted: bool) -> None:
    custom, default = failing(code, dotted=dotted), Way(DEFAULT)
    post = Post(custom, default)
    outcome = post.send()
    assert fates(outcome) == [("accepted", DEFAULT)]
    assert outcome.fallback == finding(code)
    assert outcome.recipients[0].finding == finding(code)
    assert isinstance(post.health.may_use(CUSTOM), Resting)
    assert post.health.status(CUSTOM).fallbacks == 1
    assert [attempt.code for attempt in post.entry.attempts] == [code, ""]
    post.send()
    assert len(custom.sent) == 1, "while it rests nothing goes there"
    assert post.health.status(CUSTOM).fallbacks == 2


@each_row("dotted", [False, True])
@each_row("code", SOFT_CODES)
def test_a_soft_failure_takes_the_default_service_without_a_rest(
    code: str, *, dotted: bool
) -> None:
    post = Post(failing(code, dotted=dotted), Way(DEFAULT))
    assert fates(post.send()) == [("accepted", DEFAULT)]
    assert isinstance(post.health.may_use(CUSTOM), Usable)


@each_row("dotted", [False, True])
@each_row("code", FINAL_CODES)
def test_what_is_final_is_refused_and_takes_no_other_route(code: str, *, dotted: bool) -> None:
    default = Way(DEFAULT)
    post = Post(failing(code, dotted=dotted), default)
    outcome = post.send()
    assert fates(outcome) == [("refused", CUSTOM)]
    assert outcome.recipients[0].finding == finding(code)
    assert outcome.fallback is None
    assert post.entry.state is EntryState.REFUSED
    assert not default.sent
    assert isinstance(post.health.may_use(CUSTOM), Usable)


def test_each_recipient_gets_what_is_its_own() -> None:
    answers = {
        "a@example.org": "",
        "b@example.org": "recipient.unknown",
        "c@example.org": "recipient.greylisted",
    }
    custom, default = Way(answer=answers.__getitem__), Way(DEFAULT)
    post = Post(custom, default)
    outcome = post.send(*answers, kind=FOREIGN)
    assert fates(outcome) == [("accepted", CUSTOM), ("refused", CUSTOM), ("accepted", DEFAULT)]
    assert [recipients for _, recipients in default.sent] == [("c@example.org",)]
    states = [entry.state for entry in post.entries]
    assert states == [EntryState.ACCEPTED, EntryState.REFUSED, EntryState.ACCEPTED]


def test_too_many_recipients_are_split_on_the_same_route() -> None:
    custom, default = Way(), Way(DEFAULT)
    taken: list[str] = []

    def at_most_two(recipient: str) -> str:
        if len(custom.sent) * 2 > len(taken):
            taken.append(recipient)
            return ""
        return "recipient.throttled"

    custom.answer = at_most_two
    post = Post(custom, default)
    outcome = post.send(*(f"{name}@example.org" for name in "abcde"), kind=FOREIGN)
    assert {fate for fate, _ in fates(outcome)} == {"accepted"}
    assert {route for _, route in fates(outcome)} == {CUSTOM}
    assert outcome.fallback is None
    assert [len(recipients) for _, recipients in custom.sent] == [5, 3, 1]
    assert not default.sent


def test_no_answer_is_uncertain_and_is_sent_once_more_by_the_same_route() -> None:
    custom, default = failing(UNCERTAIN), Way(DEFAULT)
    post = Post(custom, default)
    assert fates(post.send()) == [("uncertain", CUSTOM)]
    assert not default.sent
    assert post.entry.state is EntryState.READY
    assert post.entry.next_attempt_at == post.clock.now + RESEND_AFTER
    post.clock.turn(minutes=15)
    assert fates(post.again()) == [("uncertain", CUSTOM)]
    held = post.entry
    assert held.state is EntryState.HELD
    assert custom.sent[0][0] == custom.sent[1][0], "the Message-ID stays"
    assert not default.sent


def test_a_resend_that_is_refused_is_held() -> None:
    custom = failing(UNCERTAIN)
    post = Post(custom, Way(DEFAULT))
    post.send()
    post.clock.turn(minutes=15)
    custom.answer = lambda _recipient: "recipient.unknown"
    post.again()
    assert post.entry.state is EntryState.HELD


def test_a_resend_waits_for_its_own_route() -> None:
    custom, default = failing(UNCERTAIN), Way(DEFAULT)
    post = Post(custom, default)
    post.send()
    post.clock.turn(minutes=15)
    custom.answer = lambda _recipient: "connect.refused"
    assert fates(post.again()) == [("queued", CUSTOM)]
    assert post.entry.state is EntryState.READY
    assert not default.sent


def test_resends_stop_after_three_in_a_row() -> None:
    post = Post(failing(UNCERTAIN), Way(DEFAULT))
    for _ in range(3):
        post.send()
    states = [entry.state for entry in post.outbox.page().entries]
    assert states == [EntryState.HELD, EntryState.READY, EntryState.READY]
    event = post.health.take_event()
    assert event is not None
    assert event.kind == "uncertain"


def test_resends_can_be_turned_off() -> None:
    post = Post(failing(UNCERTAIN), Way(DEFAULT))
    held = Routes(custom=post.routes.custom, resend_uncertain=False)
    assert fates(post.send(routes=held)) == [("uncertain", CUSTOM)]
    assert post.entry.state is EntryState.HELD


def test_both_routes_fail_with_growing_delays_until_four_days_are_over() -> None:
    post = Post(failing("connect.refused"), failing("recipient.greylisted", DEFAULT))
    assert fates(post.send()) == [("queued", DEFAULT)]
    delays = []
    while not post.entry.state.settled:
        delays.append(post.entry.next_attempt_at - post.clock.now)
        post.clock.now = post.entry.next_attempt_at
        post.again()
    assert delays[:3] == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert max(delays) == timedelta(hours=4)
    assert sum(delays, timedelta()) == timedelta(days=4)
    assert post.entry.state is EntryState.REFUSED


def test_without_any_route_it_waits_as_long_as_it_takes() -> None:
    post = Post(None, None)
    assert fates(post.send()) == [("queued", "")]
    for _ in range(500):
        post.clock.turn(minutes=15)
        post.again()
    assert post.entry.state is EntryState.READY
    post.routes = Routes(default=Way(DEFAULT))
    post.clock.turn(minutes=15)
    assert fates(post.again()) == [("accepted", DEFAULT)]


def test_a_route_that_is_switched_off_is_no_fallback() -> None:
    outcome = Post(None, Way(DEFAULT)).send()
    assert fates(outcome) == [("accepted", DEFAULT)]
    assert outcome.fallback is None


@pytest.mark.parametrize("code", PROCESS_CODES)
def test_what_one_process_can_not_use_is_no_outage_of_the_route(code: str) -> None:
    problem = finding(code)
    post = Post(problem, Way(DEFAULT))
    outcome = post.send()
    assert fates(outcome) == [("accepted", DEFAULT)]
    assert outcome.fallback == problem
    assert isinstance(post.health.may_use(CUSTOM), Usable), "other processes go on using it"
    assert post.health.take_event() is None
    others = Routes(custom=Way(), default=post.routes.default)
    assert fates(post.send(routes=others)) == [("accepted", CUSTOM)]


def test_a_refused_sign_in_shuts_the_route() -> None:
    custom = failing("auth.rejected")
    post = Post(custom, Way(DEFAULT))
    post.send()
    assert post.health.may_use(CUSTOM) == Shut("auth.rejected")
    for _ in range(60):
        post.clock.turn(minutes=1)
        outcome = post.send()
        assert fates(outcome) == [("accepted", DEFAULT)]
        assert outcome.fallback is not None
        assert outcome.fallback.code == "auth.rejected"
    assert len(custom.sent) == 1
    assert not custom.probed.acquire(blocking=False)


def test_a_single_probe_opens_the_route_again_and_mail_does_not_wait_for_it() -> None:
    custom, default = failing("connect.refused"), Way(DEFAULT)
    post = Post(custom, default)
    post.send()
    custom.probes = ["connect.timeout", ""]
    post.clock.turn(seconds=60)
    post.send()
    assert custom.probed.acquire(timeout=5)
    post.dispatcher.settle_probes(5)
    verdict = post.health.may_use(CUSTOM)
    assert verdict == Resting(post.clock.now + timedelta(minutes=2))
    post.clock.turn(minutes=2)
    post.dispatcher.probe_rested(post.routes)
    post.dispatcher.settle_probes(5)
    assert isinstance(post.health.may_use(CUSTOM), Usable)
    assert len(custom.sent) == 1, "a probe is no message"
    custom.answer = lambda _recipient: ""
    assert fates(post.send()) == [("accepted", CUSTOM)]


def test_a_probe_that_works_makes_waiting_mail_due() -> None:
    custom = failing("connect.refused")
    custom.probes = [""]
    post = Post(custom, None)
    post.send()
    post.clock.turn(seconds=60)
    post.again()
    post.dispatcher.settle_probes(5)
    assert post.entry.next_attempt_at == post.clock.now


def test_a_probe_that_was_cancelled_says_nothing() -> None:
    custom = failing("connect.refused")
    post = Post(custom, Way(DEFAULT))
    post.send()
    custom.probes = ["session.cancelled"]
    post.clock.turn(seconds=60)
    post.send()
    post.dispatcher.settle_probes(5)
    post.clock.turn(minutes=2)
    assert isinstance(post.health.may_use(CUSTOM), Probe)


def test_a_foreign_sender_that_is_refused_rests_no_route() -> None:
    post = Post(failing("sender.not_owned"), Way(DEFAULT))
    assert fates(post.send(kind=FOREIGN)) == [("accepted", DEFAULT)]
    assert isinstance(post.health.may_use(CUSTOM), Usable)


def test_our_own_fault_takes_the_default_service(caplog: pytest.LogCaptureFixture) -> None:
    custom, default = Way(fault=RuntimeError("a fault of ours")), Way(DEFAULT)
    post = Post(custom, default)
    outcome = post.send()
    assert fates(outcome) == [("accepted", DEFAULT)]
    assert outcome.fallback is not None
    assert outcome.fallback.code == "session.internal_error"
    assert isinstance(post.health.may_use(CUSTOM), Usable), "the server did nothing wrong"
    assert "a fault of ours" in caplog.text


def test_our_own_fault_after_the_dot_is_uncertain() -> None:
    default = Way(DEFAULT)
    post = Post(Way(late_fault=RuntimeError("a fault of ours")), default)
    assert fates(post.send()) == [("uncertain", CUSTOM)]
    assert not default.sent


def test_a_cancelled_email_is_given_back_untried() -> None:
    default = Way(DEFAULT)
    post = Post(failing("session.cancelled"), default)
    assert fates(post.send()) == [("queued", "")]
    assert post.entry.state is EntryState.READY
    assert post.entry.next_attempt_at == post.clock.now
    assert post.entry.attempts == ()
    assert not default.sent


def test_a_message_may_be_bound_to_one_route() -> None:
    custom, default = Way(), failing("connect.refused", DEFAULT)
    post = Post(custom, default)
    assert fates(post.send(only=DEFAULT)) == [("queued", DEFAULT)]
    assert not custom.sent


def test_an_entry_that_was_taken_over_is_not_sent() -> None:
    custom = Way()
    post = Post(custom, Way(DEFAULT))
    message = OutboxMessage(
        message_id="<1@example.org>", kind=FOREIGN, payload=b"", recipients=("a@x.test", "b@x.test")
    )
    claims = post.outbox.add_claimed((message,), "first", timedelta(minutes=1))
    post.clock.turn(minutes=2)
    taken = post.outbox.claim("second", 1, LEASE)
    outcome = post.dispatcher.deliver(MessageAttempt.of(claims, message, post.routes))
    by_recipient = {receipt.recipient: receipt.status for receipt in outcome.recipients}
    lost = taken[0].entry.recipient
    assert by_recipient.pop(lost) is Status.QUEUED
    assert set(by_recipient.values()) == {Status.ACCEPTED}
    assert lost not in {recipient for _, recipients in custom.sent for recipient in recipients}


def test_all_that_was_taken_over_costs_no_transaction() -> None:
    """A long list on a slow server, and a worker beside it: no connection for each in vain."""
    custom = Way()
    post = Post(custom, Way(DEFAULT))
    message = OutboxMessage(
        message_id="<1@example.org>", kind="invitation", payload=b"", recipients=("a@x.test",)
    )
    claims = post.outbox.add_claimed((message,), "list", LEASE)
    post.clock.turn(minutes=11)
    post.outbox.claim("worker", 1, LEASE)
    assert fates(post.dispatcher.deliver(MessageAttempt.of(claims, message, post.routes))) == [
        ("queued", "")
    ]
    assert not custom.sent


def test_a_lease_that_is_half_over_is_renewed() -> None:
    worker_finds: list[object] = []
    post = Post(Way(), None)

    def slow(_recipient: str) -> str:
        post.clock.turn(minutes=6)
        worker_finds.extend(post.outbox.claim("worker", 1, LEASE))
        return ""

    message = OutboxMessage(
        message_id="<1@example.org>", kind="invitation", payload=b"", recipients=("a@x.test",)
    )
    claims = post.outbox.add_claimed((message,), "list", LEASE)
    post.clock.turn(minutes=6)
    post.routes = Routes(custom=Way(answer=slow))
    assert fates(post.dispatcher.deliver(MessageAttempt.of(claims, message, post.routes))) == [
        ("accepted", CUSTOM)
    ]
    assert not worker_finds


def test_a_failure_of_settings_that_were_replaced_meanwhile_shuts_nothing() -> None:
    post = Post(failing("auth.rejected"), Way(DEFAULT))
    old = Routes(custom=post.routes.custom, default=post.routes.default, current=lambda: False)
    assert fates(post.send(routes=old)) == [("accepted", DEFAULT)]
    assert isinstance(post.health.may_use(CUSTOM), Usable)


def test_claims_that_are_given_keep_their_order() -> None:
    post = Post(Way(), None)
    outcome = post.send("b@example.org", "a@example.org", kind=FOREIGN)
    assert [receipt.recipient for receipt in outcome.recipients] == [
        "b@example.org",
        "a@example.org",
    ]
    assert all(isinstance(claim, Claim) for claim in post.outbox.claim("x", 1, LEASE))
