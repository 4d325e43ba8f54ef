"""A server that wants fewer connections or a slower pace: no fallback, no rest, nothing lost."""

from __future__ import annotations

import errno
import socket
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.core.findings.finding import Scope
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.routes.health import Resting, Usable
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.sender.routes.throttle import MAX_CONNECTIONS, ConnectionLease, Login
from smtp_desk.sender.testing import MemoryThrottle
from smtp_desk.smtp.session.envelope import Status
from tests.sender.outboxes import TurnedClock
from tests.sender.post_office import mail, opened, route_to
from tests.sender.posts import fates
from tests.servers.script import (
    END_OF_DATA,
    PIPELINING_SERVER,
    Close,
    Default,
    Reply,
    Script,
    Turns,
)
from tests.servers.scripted import ScriptedServer
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from smtp_desk.sender.routes.smtp import SmtpRoute
    from tests.sender.post_office import PostOffice
    from tests.servers.certs import Certificates
    from tests.servers.session import Session

ONE: Final = ("bo@example.test",)
SLOW_S: Final = 60.0
"""Longer than any test waits for a server that has its answer held back."""
SLOW: Final = {
    "MAIL": Reply("450 4.7.0 Rate limit exceeded, slow down"),
    "RCPT": Reply("450 4.2.1 The user is receiving mail too quickly"),
    "DATA": Reply("450 4.7.0 Rate limit exceeded, try again later"),
    END_OF_DATA: Reply("432 4.3.2 Concurrent connections limit exceeded"),
}
BUSY: Final = (Reply("421 4.3.2 Service busy"), Close())


class HurryingClock(TurnedClock):
    """A clock of which every look takes some time: pauses pass while somebody waits."""

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=0.2)
        return self.now


@dataclass
class Place:
    """A custom server as the test scripts it, a default service that takes everything."""

    folder: Path
    certs: Certificates
    tls: ssl.SSLContext
    clock: TurnedClock = field(default_factory=TurnedClock)

    def __post_init__(self) -> None:
        self.throttle = MemoryThrottle(self.now)

    def now(self) -> datetime:
        return self.clock()

    def route(self, server: ScriptedServer, per_hour: int = 0) -> SmtpRoute:
        return route_to(server, self.certs, throttle=self.throttle, per_hour=per_hour, now=self.now)

    def login(self, server: ScriptedServer) -> Login:
        return Login(server.host, server.port, "desk")


@pytest.fixture
def place(tmp_path: Path, certs: Certificates) -> Place:
    return Place(tmp_path, certs, certs.good.tls)


@pytest.fixture
def good(certs: Certificates) -> Iterator[ScriptedServer]:
    with ScriptedServer(Script(tls=certs.good.tls)) as server:
        yield server


def taken(server: ScriptedServer) -> int:
    return sum(message.accepted for message in server.messages)


def all_wait(office: PostOffice) -> bool:
    return {entry.state for entry in office.entries} == {EntryState.READY}


def only_entry(office: PostOffice) -> EntryState:
    (entry,) = office.entries
    return entry.state


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("moment", SLOW)
def test_a_server_that_wants_a_pause_gets_it(
    place: Place, good: ScriptedServer, moment: str, *, pipelining: bool
) -> None:
    place.clock = HurryingClock()
    words = Turns(SLOW[moment], SLOW[moment], Default())
    played = Script(
        tls=place.tls,
        on={moment: words},
        extensions=PIPELINING_SERVER if pipelining else ("AUTH PLAIN LOGIN",),
    )
    with (
        ScriptedServer(played) as custom,
        opened(place.folder, place.route(custom), route_to(good, place.certs, DEFAULT)) as office,
    ):
        receipt = office.sender.send(mail(1, ONE))
        assert fates(receipt) == [("accepted", CUSTOM)]
        assert receipt.fallback is None
        assert isinstance(office.health.may_use(CUSTOM), Usable)
        assert (taken(custom), taken(good)) == (1, 0)
        state = place.throttle.state(place.login(custom))
        assert state.connections(place.clock.now) < MAX_CONNECTIONS


@pytest.mark.parametrize("moment", SLOW)
def test_who_does_not_wait_so_long_is_told_queued(
    place: Place, good: ScriptedServer, moment: str
) -> None:
    played = Script(tls=place.tls, on={moment: Turns(SLOW[moment], Default())})
    with (
        ScriptedServer(played) as custom,
        opened(
            place.folder, place.route(custom), route_to(good, place.certs, DEFAULT), place.clock
        ) as office,
    ):
        receipt = office.sender.send(mail(1, ONE), timeout=0.5)
        assert [str(each.status) for each in receipt.recipients] == ["queued"]
        wait_until(lambda: only_entry(office) is EntryState.READY, "the pause is longer")
        assert office.entries[0].next_attempt_at == place.clock.now + timedelta(seconds=1)
        assert isinstance(office.health.may_use(CUSTOM), Usable)
        assert taken(good) == 0
        place.clock.turn(seconds=2)
        assert office.sender.drain() == 1
        assert only_entry(office) is EntryState.ACCEPTED
        assert (taken(custom), taken(good)) == (1, 0)


def test_slow_for_a_quarter_of_an_hour_is_out_of_service(
    place: Place, good: ScriptedServer
) -> None:
    with (
        ScriptedServer(Script(tls=place.tls, on={"RCPT": SLOW["RCPT"]})) as custom,
        opened(
            place.folder, place.route(custom), route_to(good, place.certs, DEFAULT), place.clock
        ) as office,
    ):
        for minute in range(15):
            assert fates(office.sender.send(mail(minute, ONE), timeout=0.2))[0][0] == "queued"
            wait_until(lambda: all_wait(office), "they are put off")
            assert isinstance(office.health.may_use(CUSTOM), Usable)
            place.clock.turn(minutes=1)
        assert fates(office.sender.send(mail("last", ONE))) == [("accepted", DEFAULT)]
        assert isinstance(office.health.may_use(CUSTOM), Resting)
        assert (taken(custom), taken(good)) == (0, 1)


@pytest.mark.parametrize("moment", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_a_server_that_takes_its_time_does_not_hold_up_the_caller(
    place: Place, moment: str
) -> None:
    go_on = threading.Event()

    def dawdle(_session: Session) -> Default:
        go_on.wait(SLOW_S)
        return Default()

    with (
        ScriptedServer(Script(tls=place.tls, on={moment: dawdle})) as custom,
        opened(place.folder, place.route(custom)) as office,
    ):
        receipt = office.sender.send(mail(1, ONE), timeout=0.05)
        assert [str(each.status) for each in receipt.recipients] == ["queued"]
        go_on.set()
        wait_until(lambda: only_entry(office) is EntryState.ACCEPTED, "it goes on")
        assert taken(custom) == 1


def test_after_the_dot_it_is_uncertain_until_the_answer_comes(place: Place) -> None:
    # On a busy machine the dot may come later than the caller waits: then the caller waits longer.
    told = next(
        (told for patience in (0.4, 4.0, 40.0) if (told := told_at_the_dot(place, patience))), ""
    )
    assert told == "uncertain"


def told_at_the_dot(place: Place, patience: float) -> str:
    """Send an email whose dot is answered late; "" where the dot came too late itself."""
    go_on = threading.Event()

    def dawdle(_session: Session) -> Default:
        go_on.wait(SLOW_S)
        return Default()

    with (
        ScriptedServer(Script(tls=place.tls, on={END_OF_DATA: dawdle})) as custom,
        opened(place.folder / str(patience), place.route(custom)) as office,
    ):
        (recipient,) = office.sender.send(mail(1, ONE), timeout=patience).recipients
        go_on.set()
        wait_until(lambda: only_entry(office) is EntryState.ACCEPTED, "the answer is read")
        assert taken(custom) == 1
    return "" if recipient.status is Status.QUEUED else str(recipient.status)


def test_so_many_emails_an_hour_and_no_more(place: Place, good: ScriptedServer) -> None:
    with (
        ScriptedServer(Script(tls=place.tls)) as custom,
        opened(
            place.folder,
            place.route(custom, per_hour=3),
            route_to(good, place.certs, DEFAULT),
            place.clock,
        ) as office,
    ):
        receipts = list(office.sender.send_many(mail(number, ONE) for number in range(8)))
        told = [str(receipt.recipients[0].status) for receipt in receipts]
        assert (told.count("accepted"), told.count("queued")) == (3, 5)
        assert office.sender.drain() == 0, "its time has not come"
        for accepted in (6, 8):
            place.clock.turn(minutes=61)
            office.sender.drain()
            assert taken(custom) == accepted
        assert taken(good) == 0
        assert isinstance(office.health.may_use(CUSTOM), Usable)


def test_several_recipients_count_as_several_emails(place: Place) -> None:
    with (
        ScriptedServer(Script(tls=place.tls)) as custom,
        opened(place.folder, place.route(custom, per_hour=3), clock=place.clock) as office,
    ):
        to = tuple(f"p{number}@example.test" for number in range(5))
        receipt = office.sender.send(mail(1, to))
        told = [str(each.status) for each in receipt.recipients]
        assert told == ["accepted"] * 3 + ["queued"] * 2
        assert [len(message.recipients) for message in custom.messages] == [3]


def test_where_others_have_all_connections_it_waits(place: Place, good: ScriptedServer) -> None:
    with (
        ScriptedServer(Script(tls=place.tls)) as custom,
        opened(place.folder, place.route(custom), route_to(good, place.certs, DEFAULT)) as office,
    ):
        leases = [place.throttle.lease(place.login(custom)) for _ in range(MAX_CONNECTIONS)]
        receipt = office.sender.send(mail(1, ONE), timeout=0.4)
        assert [str(each.status) for each in receipt.recipients] == ["queued"]
        assert not custom.sessions
        place.throttle.release(each for each in leases if isinstance(each, ConnectionLease))
        office.settle()
        assert only_entry(office) is EntryState.ACCEPTED
        assert (taken(custom), taken(good)) == (1, 0)


def test_a_busy_server_is_ours_to_wait_for_while_another_process_is_connected(
    place: Place, good: ScriptedServer
) -> None:
    with (
        ScriptedServer(Script(greeting=BUSY), Script(tls=place.tls)) as custom,
        opened(
            place.folder, place.route(custom), route_to(good, place.certs, DEFAULT), place.clock
        ) as office,
    ):
        other = place.throttle.lease(place.login(custom))
        assert isinstance(other, ConnectionLease)
        receipt = office.sender.send(mail(1, ONE), timeout=3)
        assert fates(receipt) == [("queued", CUSTOM)]
        assert isinstance(office.health.may_use(CUSTOM), Usable)
        assert place.throttle.state(place.login(custom)).connections(place.clock.now) == 1
        place.throttle.release([other])
        place.clock.turn(seconds=2)
        assert office.sender.drain() == 1
        assert (taken(custom), taken(good)) == (1, 0)


def test_a_busy_server_that_none_of_us_is_connected_to_is_out_of_service(
    place: Place, good: ScriptedServer
) -> None:
    with (
        ScriptedServer(Script(greeting=BUSY)) as custom,
        opened(place.folder, place.route(custom), route_to(good, place.certs, DEFAULT)) as office,
    ):
        assert fates(office.sender.send(mail(1, ONE))) == [("accepted", DEFAULT)]
        assert isinstance(office.health.may_use(CUSTOM), Resting)
        assert place.throttle.state(place.login(custom)).leased == 0


def test_no_dot_goes_out_by_a_connection_that_may_be_anothers(place: Place) -> None:
    """Its lease was not renewed, as where a machine slept: the email goes by a new one."""
    seconds = [0.0]

    def sleep_once(_session: Session) -> Default:
        seconds.append(seconds[-1] + (31 if len(seconds) == 1 else 0))
        return Default()

    with ScriptedServer(Script(tls=place.tls, on={"DATA": sleep_once})) as custom:
        route = route_to(custom, place.certs, throttle=place.throttle, clock=lambda: seconds[-1])
        with opened(place.folder, route) as office:
            assert fates(office.sender.send(mail(1, ONE))) == [("accepted", CUSTOM)]
            assert taken(custom) == 1
            assert len(custom.sessions) == 2


@pytest.mark.parametrize(
    ("limits", "transactions", "sessions"),
    [
        ("RCPTMAX=2", [2, 2, 1], 1),
        ("MAILMAX=1 RCPTMAX=3", [3, 2], 2),
        ("RCPTDOMAINMAX=1", [2, 1, 2], 1),
        ("rcptmax=4 MAILMAX=9", [4, 1], 1),
        ("RCPTMAX=0 MAILMAX=none RCPTDOMAINMAX=-1 FUTURE=1", [5], 1),
    ],
)
def test_the_limits_that_a_server_tells_are_kept(
    place: Place, limits: str, transactions: list[int], sessions: int
) -> None:
    to = ("a@x.test", "b@X.test", "c@y.test", "d@z.test", "e@z.test")
    played = Script(tls=place.tls, extensions=(*PIPELINING_SERVER, f"LIMITS {limits}"))
    with (
        ScriptedServer(played) as custom,
        opened(place.folder, place.route(custom)) as office,
    ):
        assert {status for status, _ in fates(office.sender.send(mail(1, to)))} == {"accepted"}
        assert [len(message.recipients) for message in custom.messages] == transactions
        assert len(custom.sessions) == sessions


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_process_without_descriptors_rests_no_route(
    place: Place, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(number, "none left")

    with (
        ScriptedServer(Script(tls=place.tls)) as custom,
        opened(place.folder, place.route(custom)) as office,
    ):
        without = SimpleNamespace(**{**vars(socket), "socket": refuse})
        monkeypatch.setattr("smtp_desk.smtp.net.dial.socket", without)
        receipt = office.sender.send(mail(1, ONE))
        assert fates(receipt) == [("queued", CUSTOM)]
        assert receipt.recipients[0].finding is not None
        assert receipt.recipients[0].finding.scope is Scope.PROCESS
        assert isinstance(office.health.may_use(CUSTOM), Usable)
        monkeypatch.undo()
        office.settle()
        assert only_entry(office) is EntryState.ACCEPTED
