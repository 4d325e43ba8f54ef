"""What every health of routes keeps, whatever its engine."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.routes.health import (
    EVENT_LEASE,
    KEPT_EVENTS,
    PROBE_LEASE,
    Ending,
    HealthEventKind,
    Needed,
    Probe,
    Resting,
    RouteHealth,
    Shut,
    Usable,
)

if TYPE_CHECKING:
    from smtp_desk.sender.routes.health import Health
    from tests.sender.outboxes import TurnedClock

LONGEST_REST = timedelta(minutes=15)


def probe(health: Health) -> str:
    verdict = health.may_use("custom")
    assert isinstance(verdict, Probe)
    return verdict.token


def kinds(health: Health) -> list[HealthEventKind]:
    found = []
    while event := health.take_event():
        health.acknowledge(event)
        found.append(event.kind)
    return found


def test_a_route_that_never_failed_is_usable(health: Health) -> None:
    assert health.may_use("custom") == Usable()
    assert health.status("custom") == RouteHealth(route="custom")
    health.record_success("custom")
    assert health.take_event() is None


def test_rests_double_up_to_fifteen_minutes(health: Health, clock: TurnedClock) -> None:
    token, rests = "", []
    for _ in range(7):
        health.record_failure("custom", "connect.refused", token)
        verdict = health.may_use("custom")
        assert isinstance(verdict, Resting)
        rests.append((verdict.until - clock()).total_seconds())
        clock.now = verdict.until
        token = probe(health)
    assert rests == [60, 120, 240, 480, 900, 900, 900]
    assert health.may_use("default") == Usable()


def test_one_probe_at_a_time(health: Health, clock: TurnedClock) -> None:
    health.record_failure("custom", "connect.refused")
    clock.turn(seconds=60)
    first = probe(health)
    assert health.may_use("custom") == Resting(clock() + PROBE_LEASE)
    clock.turn(seconds=PROBE_LEASE.total_seconds())
    second = probe(health)
    assert first != second
    health.record_success("custom", first)
    assert isinstance(health.may_use("custom"), Resting)
    health.record_success("custom", second)
    assert health.may_use("custom") == Usable()
    assert health.status("custom").failures == 0


def test_sessions_from_before_the_rest_tell_nothing_new(health: Health, clock: TurnedClock) -> None:
    health.record_failure("custom", "connect.refused")
    health.record_failure("custom", "session.closed")
    health.record_success("custom")
    assert health.may_use("custom") == Resting(clock() + timedelta(seconds=60))
    assert health.status("custom").code == "connect.refused"


def test_once_the_rest_is_over_an_email_that_went_through_is_proof_enough(
    health: Health, clock: TurnedClock
) -> None:
    health.record_failure("custom", "connect.refused")
    clock.turn(seconds=60)
    health.record_success("custom")
    assert health.may_use("custom") == Usable()


@pytest.mark.parametrize("code", ["auth.rejected", "auth.not_offered", "oauth.denied"])
def test_a_refused_sign_in_shuts_the_route_until_a_person_acts(
    health: Health, clock: TurnedClock, code: str
) -> None:
    health.record_failure("custom", code)
    clock.turn(days=30)
    health.record_success("custom")
    health.record_failure("custom", "connect.refused")
    assert health.may_use("custom") == Shut(code)
    health.try_again("custom")
    token = probe(health)
    assert isinstance(health.may_use("custom"), Resting)
    health.record_failure("custom", code, token)
    assert health.may_use("custom") == Shut(code)
    health.reopen("custom")
    assert health.may_use("custom") == Usable()


@pytest.mark.parametrize(
    "code",
    ["auth.temporary", "auth.closed", "authority.none", "oauth.unreachable", "oauth.untrusted"],
)
def test_other_failures_do_not_shut_it(health: Health, code: str) -> None:
    health.record_failure("custom", code)
    assert isinstance(health.may_use("custom"), Resting)


def test_a_refused_sign_in_shuts_a_resting_route_too(health: Health) -> None:
    health.record_failure("custom", "connect.refused")
    health.record_failure("custom", "auth.rejected")
    assert health.may_use("custom") == Shut("auth.rejected")


def test_new_settings_end_the_rest(health: Health) -> None:
    health.record_failure("custom", "connect.refused")
    health.reopen("custom")
    assert health.may_use("custom") == Usable()
    health.try_again("custom")
    assert health.may_use("custom") == Usable()


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_jumps_keeps_no_route_resting(
    health: Health, clock: TurnedClock, days: int
) -> None:
    for _ in range(9):
        health.record_failure("custom", "connect.refused")
    clock.turn(days=days)
    probe(health)
    clock.turn(days=days)
    probe(health)


def test_one_beginning_and_one_end_of_an_outage(health: Health, clock: TurnedClock) -> None:
    began_at = clock()
    health.record_failure("custom", "connect.refused")
    health.record_fallback("custom")
    health.record_fallback("custom", 2)
    began = health.take_event()
    assert began is not None
    assert (began.kind, began.route, began.code, began.at, began.out_since) == (
        HealthEventKind.BEGAN, "custom", "connect.refused", began_at, began_at,
    )  # fmt: skip
    health.acknowledge(began)
    clock.turn(seconds=60)
    health.record_failure("custom", "connect.timeout", probe(health))
    clock.turn(seconds=120)
    health.record_success("custom", probe(health))
    health.record_success("custom")
    ended = health.take_event()
    assert ended is not None
    assert (ended.kind, ended.code, ended.out_since, ended.fallbacks, ended.at) == (
        HealthEventKind.ENDED, "connect.timeout", began_at, 3, clock(),
    )  # fmt: skip
    health.acknowledge(ended)
    assert health.take_event() is None
    assert health.status("custom").fallbacks == 3
    health.record_failure("custom", "connect.refused")
    assert health.status("custom").fallbacks == 0


@pytest.mark.parametrize("code", ["sender.not_owned", "recipient.relay_denied", "session.timeout"])
def test_what_no_probe_sees_ends_with_an_email_that_goes_through(
    health: Health, clock: TurnedClock, code: str
) -> None:
    rests = []
    for _ in range(6):
        health.record_failure("custom", code)
        verdict = health.may_use("custom")
        assert isinstance(verdict, Resting)
        rests.append((verdict.until - clock()).total_seconds())
        clock.now = verdict.until
        health.record_success("custom", probe(health))
        assert health.may_use("custom") == Usable()
    assert rests == [60, 120, 240, 480, 900, 900]
    assert kinds(health) == [HealthEventKind.BEGAN]
    health.record_success("custom")
    assert kinds(health) == [HealthEventKind.ENDED]
    assert health.status("custom").failures == 0


def test_an_outage_with_new_settings_ends_with_the_first_session_that_works(
    health: Health,
) -> None:
    health.record_failure("custom", "auth.rejected")
    health.reopen("custom")
    assert kinds(health) == [HealthEventKind.BEGAN]
    health.record_failure("custom", "connect.refused")
    health.reopen("custom")
    assert kinds(health) == []
    health.record_success("custom")
    assert kinds(health) == [HealthEventKind.ENDED]


def test_an_event_that_nobody_acknowledged_is_given_again(
    health: Health, clock: TurnedClock
) -> None:
    health.record_failure("custom", "connect.refused")
    first = health.take_event()
    assert first is not None
    assert health.take_event() is None
    clock.turn(seconds=EVENT_LEASE.total_seconds())
    assert health.take_event() == first
    clock.turn(days=-9)
    assert health.take_event() == first


def test_events_that_nobody_wants_are_bounded(health: Health) -> None:
    for _ in range(KEPT_EVENTS):
        health.record_failure("custom", "connect.refused")
        health.reopen("custom")
        health.record_success("custom")
    assert len(kinds(health)) == KEPT_EVENTS


def test_three_unanswered_dots_in_a_row_stop_the_resends(health: Health) -> None:
    assert [health.record_uncertain("custom").may_resend for _ in range(4)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert kinds(health) == [HealthEventKind.UNCERTAIN]
    assert health.may_use("custom") == Usable()
    health.record_success("custom")
    assert health.status("custom").may_resend


def test_a_probe_says_nothing_of_dots(health: Health, clock: TurnedClock) -> None:
    health.record_uncertain("custom")
    health.record_failure("custom", "connect.refused")
    clock.turn(seconds=60)
    health.record_success("custom", probe(health))
    assert health.status("custom").uncertain == 1


def refuse(health: Health, *emails: tuple[str, str]) -> None:
    for recipient, message_id in emails:
        health.record_refusal("custom", "recipient.refused", recipient, message_id)


@pytest.mark.parametrize(
    "emails",
    [
        [("ann@example.org", f"<{number}@x>") for number in range(9)],
        [(f"{number}@example.org", "<1@x>") for number in range(9)],
        [("ann@example.org", "<1@x>"), ("bo@example.org", "<2@x>"), ("ann@example.org", "<3@x>")],
    ],
    ids=["one recipient", "one message", "one recipient twice"],
)
def test_refusals_that_one_recipient_or_message_explains_rest_no_route(
    health: Health, emails: list[tuple[str, str]]
) -> None:
    refuse(health, *emails)
    assert health.may_use("custom") == Usable()


def test_three_unknown_refusals_in_a_row_rest_the_route(health: Health, clock: TurnedClock) -> None:
    refuse(health, ("ann@example.org", "<1@x>"), ("bo@example.org", "<2@x>"))
    health.record_success("custom")
    refuse(health, ("cy@example.org", "<3@x>"), ("di@example.org", "<4@x>"))
    assert health.may_use("custom") == Usable()
    refuse(health, ("ed@example.org", "<5@x>"))
    assert health.may_use("custom") == Resting(clock() + timedelta(seconds=60))
    assert health.status("custom").code == "recipient.refused"
    assert kinds(health) == [HealthEventKind.BEGAN]


def test_one_asker_a_day_is_to_look(health: Health, clock: TurnedClock) -> None:
    assert not health.may_look("custom"), "it was proven today"
    clock.turn(hours=23)
    assert not health.may_look("custom")
    clock.turn(hours=1)
    assert [health.may_look("custom") for _ in range(3)] == [True, False, False]
    assert not health.may_look("default")
    clock.turn(days=-40)  # a clock that was wrong
    assert health.may_look("custom")
    health.record_failure("custom", "connect.refused")
    clock.turn(days=1)
    assert not health.may_look("custom"), "what rests is probed"
    health.reopen("custom")
    assert not health.may_look("custom")


def test_what_ends_makes_one_event(health: Health, clock: TurnedClock) -> None:
    soon, later = clock() + timedelta(days=20), clock() + timedelta(days=25)
    ours = Ending(later, Needed.CLIENT_CERTIFICATE)
    theirs = Ending(soon, Needed.SERVER_CERTIFICATE)
    health.record_endings("default", (ours,))
    event = health.take_event()
    assert event is not None
    assert (event.kind, event.route, event.endings) == (HealthEventKind.ENDING, "default", (ours,))
    health.acknowledge(event)
    health.record_endings("default", (ours,))
    assert health.take_event() is None
    health.record_endings("default", (ours, theirs))
    event = health.take_event()
    assert event is not None
    assert event.endings == (theirs,)
    health.acknowledge(event)
    health.record_success("default")
    assert health.status("default").endings == (theirs, ours)
    health.reopen("default")
    assert health.status("default").endings == ()
    assert health.take_event() is None
