"""What every throttle keeps, whatever its engine: connections, pauses, emails an hour."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.sender.routes.throttle import (
    CLOSING,
    CONNECTION_LEASE,
    MAX_CONNECTIONS,
    RECOVER_AFTER,
    RENEW_EVERY,
    SLOW_AT_MOST,
    ConnectionLease,
    Login,
    ThrottleState,
    Turns,
)

if TYPE_CHECKING:
    from datetime import datetime

    from smtp_desk.sender.routes.throttle import Throttle
    from tests.sender.outboxes import TurnedClock

LOGIN: Final = Login("mail.example.org", 587, "desk@example.org")
OTHERS: Final = (
    Login("mail.example.org", 465, "desk@example.org"),
    Login("mail2.example.org", 587, "desk@example.org"),
    Login("mail.example.org", 587, "other@example.org"),
    Login("mail.example.org", 587, ""),
)


def leased(throttle: Throttle, login: Login = LOGIN) -> ConnectionLease:
    lease = throttle.lease(login)
    assert isinstance(lease, ConnectionLease)
    return lease


def refused_until(throttle: Throttle) -> datetime:
    moment = throttle.lease(LOGIN)
    assert not isinstance(moment, ConnectionLease)
    return moment


def test_three_connections_and_no_more(throttle: Throttle, clock: TurnedClock) -> None:
    leases = [leased(throttle) for _ in range(MAX_CONNECTIONS)]
    assert {lease.until for lease in leases} == {clock() + CONNECTION_LEASE}
    assert refused_until(throttle) == clock() + RENEW_EVERY
    assert throttle.state(LOGIN) == ThrottleState(leased=MAX_CONNECTIONS)
    throttle.release(leases[:1])
    leased(throttle)
    refused_until(throttle)


def test_a_closed_connection_leaves_its_room_at_once_and_is_told_a_moment_longer(
    throttle: Throttle, clock: TurnedClock
) -> None:
    leases = [leased(throttle) for _ in range(MAX_CONNECTIONS)]
    throttle.release(leases)
    throttle.release([*leases[:1], leased(throttle)])
    for _ in range(MAX_CONNECTIONS):
        leased(throttle)
    refused_until(throttle)
    assert throttle.state(LOGIN) == ThrottleState(leased=MAX_CONNECTIONS, closing=4)
    assert throttle.renew(leases) == (), "what was given back is nobody's"
    assert [throttle.state(each).closing for each in OTHERS] == [0] * len(OTHERS)
    clock.turn(seconds=CLOSING.total_seconds())
    assert throttle.state(LOGIN) == ThrottleState(leased=MAX_CONNECTIONS)


def test_a_connection_that_never_opened_is_not_closing(throttle: Throttle) -> None:
    throttle.release([leased(throttle)], opened=False)
    assert throttle.state(LOGIN) == ThrottleState()


@pytest.mark.parametrize("login", OTHERS, ids=str)
def test_each_server_port_and_username_has_its_own(throttle: Throttle, login: Login) -> None:
    for _ in range(MAX_CONNECTIONS):
        leased(throttle)
    throttle.record_slow(LOGIN)
    throttle.take_turns(LOGIN, 5, per_hour=5)
    leased(throttle, login)
    assert throttle.take_turns(login, 5, per_hour=5).granted == 5


def test_a_host_is_the_same_in_capitals(throttle: Throttle) -> None:
    leased(throttle)
    assert throttle.state(Login("MAIL.example.org", 587, "desk@example.org")).leased == 1


def test_a_lease_that_nobody_renews_is_over(throttle: Throttle, clock: TurnedClock) -> None:
    kept, lost = leased(throttle), leased(throttle)
    for _ in range(5):
        clock.turn(seconds=RENEW_EVERY.total_seconds())
        (kept,) = throttle.renew([kept])
        assert kept.until == clock() + CONNECTION_LEASE
    assert throttle.state(LOGIN).leased == 1
    assert throttle.renew([lost, kept]) == (kept,)
    throttle.release([lost])
    assert throttle.renew([]) == ()
    assert throttle.state(LOGIN).leased == 1


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_jumps_holds_no_connection(
    throttle: Throttle, clock: TurnedClock, days: int
) -> None:
    leases = [leased(throttle) for _ in range(MAX_CONNECTIONS)]
    throttle.record_slow(LOGIN)
    clock.turn(days=days)
    assert throttle.state(LOGIN).leased == 0
    leased(throttle)
    assert throttle.renew(leases) == ()


def test_who_is_told_too_many_leaves_one_connection_to_others(
    throttle: Throttle, clock: TurnedClock
) -> None:
    first, second, third = (leased(throttle) for _ in range(3))
    state = throttle.record_slow(LOGIN)
    assert (state.connections(clock()), state.paused(clock())) == (
        2,
        clock() + timedelta(seconds=1),
    )
    assert refused_until(throttle) == clock() + timedelta(seconds=1)
    throttle.release([third])
    clock.turn(seconds=1)
    assert refused_until(throttle) == clock() + RENEW_EVERY
    assert len(throttle.renew([first, second])) == 2


def test_the_youngest_is_not_prolonged_where_nobody_left(
    throttle: Throttle, clock: TurnedClock
) -> None:
    leases = [leased(throttle) for _ in range(3)]
    throttle.record_slow(LOGIN)
    clock.turn(seconds=RENEW_EVERY.total_seconds())
    kept = throttle.renew(leases)
    assert [lease.token for lease in kept] == [lease.token for lease in leases[:2]]


def test_it_falls_below_what_is_open_and_never_to_none(
    throttle: Throttle, clock: TurnedClock
) -> None:
    one, two = leased(throttle), leased(throttle)
    assert throttle.record_slow(LOGIN).connections(clock()) == 1
    throttle.release([one, two])
    clock.turn(seconds=2)
    assert throttle.record_slow(LOGIN).connections(clock()) == 1
    clock.turn(seconds=3)
    leased(throttle)


def test_a_connection_comes_back_every_five_minutes(throttle: Throttle, clock: TurnedClock) -> None:
    for _ in range(3):
        leased(throttle)
    throttle.record_slow(LOGIN)
    clock.turn(seconds=CONNECTION_LEASE.total_seconds())
    throttle.record_slow(LOGIN)
    seen = []
    for _ in range(3):
        seen.append(throttle.state(LOGIN).connections(clock()))
        clock.turn(seconds=RECOVER_AFTER.total_seconds())
    assert seen == [1, 2, 3]


def test_pauses_double_up_to_a_minute(throttle: Throttle, clock: TurnedClock) -> None:
    pauses = []
    for _ in range(8):
        until = throttle.record_slow(LOGIN).paused(clock())
        assert until is not None
        assert throttle.record_slow(LOGIN).paused(clock()) == until, "told once by all that wait"
        assert throttle.take_turns(LOGIN, 3) == Turns(0, until)
        pauses.append((until - clock()).total_seconds())
        clock.now = until
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert throttle.take_turns(LOGIN, 3) == Turns(3, clock())


def test_an_acceptance_ends_the_doubling_once_all_is_calm(
    throttle: Throttle, clock: TurnedClock
) -> None:
    def pause() -> float:
        return throttle.record_slow(LOGIN).pause.total_seconds()

    assert pause() == 1
    clock.turn(seconds=1)
    throttle.record_acceptance(LOGIN)
    assert pause() == 2, "it came at once after the pause"
    clock.turn(seconds=4)
    throttle.record_acceptance(LOGIN)
    assert throttle.state(LOGIN).slow_since is None
    assert pause() == 1
    throttle.record_acceptance(LOGIN)
    assert throttle.state(LOGIN).paused(clock()), "others wait yet"


def test_fifteen_minutes_without_an_acceptance_are_an_outage(
    throttle: Throttle, clock: TurnedClock
) -> None:
    began = clock()
    while clock() < began + SLOW_AT_MOST:
        state = throttle.record_slow(LOGIN)
        assert not state.is_outage(clock())
        clock.turn(seconds=state.pause.total_seconds())
    assert throttle.record_slow(LOGIN).is_outage(clock())
    clock.turn(seconds=60)
    throttle.record_acceptance(LOGIN)
    assert not throttle.record_slow(LOGIN).is_outage(clock())


def test_a_complaint_of_yesterday_is_forgotten(throttle: Throttle, clock: TurnedClock) -> None:
    throttle.record_slow(LOGIN)
    clock.turn(days=1)
    state = throttle.record_slow(LOGIN)
    assert (state.pause, state.slow_since) == (timedelta(seconds=1), clock())
    assert not state.is_outage(clock())


def test_a_login_that_never_was_slow_is_free(throttle: Throttle, clock: TurnedClock) -> None:
    throttle.record_acceptance(LOGIN)
    assert throttle.state(LOGIN) == ThrottleState()
    assert throttle.take_turns(LOGIN, 10_000) == Turns(10_000, clock())


def test_no_hour_has_more_emails_than_allowed(throttle: Throttle, clock: TurnedClock) -> None:
    sent: list[datetime] = []
    for _ in range(600):
        turns = throttle.take_turns(LOGIN, 3, per_hour=10)
        sent += [clock()] * turns.granted
        assert turns.again_at == clock() if turns.granted == 3 else turns.again_at > clock()
        clock.turn(seconds=30)
    hour = timedelta(hours=1)
    assert max(sum(at <= each < at + hour for each in sent) for at in sent) == 10
    assert len(sent) >= 45, "and it goes on as soon as it may"


def test_the_moment_to_ask_again_is_the_right_one(throttle: Throttle, clock: TurnedClock) -> None:
    assert throttle.take_turns(LOGIN, 5, per_hour=3).granted == 3
    clock.turn(seconds=100)
    again_at = throttle.take_turns(LOGIN, 1, per_hour=3).again_at
    clock.now = again_at - timedelta(milliseconds=1)
    assert throttle.take_turns(LOGIN, 1, per_hour=3) == Turns(0, again_at)
    clock.now = again_at
    assert throttle.take_turns(LOGIN, 5, per_hour=3).granted == 3


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_jumps_costs_no_turn(
    throttle: Throttle, clock: TurnedClock, days: int
) -> None:
    throttle.take_turns(LOGIN, 3, per_hour=3)
    clock.turn(days=days)
    assert throttle.take_turns(LOGIN, 3, per_hour=3).granted == 3


def test_a_limit_that_was_lowered_holds_at_once(throttle: Throttle) -> None:
    throttle.take_turns(LOGIN, 8, per_hour=10)
    assert throttle.take_turns(LOGIN, 8, per_hour=4).granted == 0
