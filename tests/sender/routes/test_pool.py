"""The pool: who opens, who waits, who gets which failure, and when connections end."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from smtp_desk.sender.routes.pool import SessionPool, UnavailableError
from smtp_desk.sender.routes.pooled_session import PooledSession
from smtp_desk.sender.routes.throttle import MAX_CONNECTIONS, RECOVER_AFTER
from smtp_desk.sender.testing import MemoryThrottle
from smtp_desk.smtp.session.envelope import Envelope
from tests.sender.outboxes import TurnedClock
from tests.sender.ways_out import HASTY, TickClock, WaysOut, at_once, patience
from tests.servers.script import CREDENTIALS, Close, Default, Reply, Script, Silence, Turns
from tests.servers.scripted import ScriptedServer

ENVELOPE = Envelope("desk@example.test", ("bo@example.test",))
MAIL = b"Subject: hi\r\n\r\nHello.\r\n"


def borrowed(pool: SessionPool) -> str:
    """The finding that a thread gets instead of a session, or ""."""
    try:
        with pool.session(patience()) as pooled:
            assert pooled.session.send(ENVELOPE, MAIL).failure is None
    except UnavailableError as error:
        return error.finding.code
    return ""


class Holder:
    """Borrows in a thread of its own, and gives back when told."""

    def __init__(self, pool: SessionPool) -> None:
        self.pooled: list[PooledSession] = []
        self.code = ""
        self._pool = pool
        self._enough = threading.Event()
        self._settled = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def holds(self) -> bool:
        """Whether it got one; waits until that is known."""
        assert self._settled.wait(20)
        return bool(self.pooled)

    def waits(self) -> bool:
        return not self._settled.is_set()

    def give_back(self) -> None:
        self._enough.set()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            with self._pool.session(patience()) as pooled:
                self.pooled.append(pooled)
                self._settled.set()
                self._enough.wait(20)
        except UnavailableError as error:
            self.code = error.finding.code
            self._settled.set()


@contextmanager
def full(
    ways_out: WaysOut, tls: ssl.SSLContext
) -> Iterator[tuple[ScriptedServer, SessionPool, list[Holder]]]:
    """A pool all of whose connections are lent."""
    with ScriptedServer(Script(tls=tls)) as server:
        pool = ways_out.pool(server)
        holders = [Holder(pool) for _ in range(MAX_CONNECTIONS)]
        assert all(holder.holds() for holder in holders)
        yield server, pool, holders


class TestReuse:
    def test_one_connection_and_login_for_many_messages(
        self, ways_out: WaysOut, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            pool = ways_out.pool(server)
            assert [borrowed(pool) for _ in range(50)] == [""] * 50
            pool.close()
            assert len(server.messages) == 50
            assert len(server.sessions) == server.auth_attempts == 1
            server.wait_for(lambda s: not s.open_connections)
            assert server.commands[-1] == "QUIT"

    def test_at_most_three_for_many_threads(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            pool = ways_out.pool(server)
            assert at_once(12, lambda: borrowed(pool)) == [""] * 12
            assert len(server.messages) == 12
            assert len(server.sessions) <= MAX_CONNECTIONS
            pool.close()

    def test_who_finds_all_in_use_waits_for_one(
        self, ways_out: WaysOut, tls: ssl.SSLContext
    ) -> None:
        with full(ways_out, tls) as (_server, pool, holders):
            fourth = Holder(pool)
            assert fourth.waits()
            holders[1].give_back()
            assert fourth.holds()
            assert fourth.pooled[0] is holders[1].pooled[0]
            assert fourth.pooled[0].reused
            for holder in (holders[0], holders[2], fourth):
                holder.give_back()
            pool.close()

    def test_a_connection_ends_after_its_idle_time(
        self, ways_out: WaysOut, tls: ssl.SSLContext
    ) -> None:
        clock = TickClock()
        with ScriptedServer(Script(tls=tls)) as server:
            pool = ways_out.pool(server, clock=clock)
            borrowed(pool)
            clock.now += 29
            borrowed(pool)
            assert len(server.sessions) == 1
            clock.now += 31
            borrowed(pool)
            assert len(server.sessions) == 2
            server.wait_for(lambda s: s.open_connections == 1)
            assert server.sessions[0].commands[-1] == "QUIT"
            pool.close()

    def test_it_ends_without_anybody_asking(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            pool = ways_out.pool(server, idle_seconds=0.05)
            borrowed(pool)
            server.wait_for(lambda s: not s.open_connections)
            assert server.commands[-1] == "QUIT"
            assert borrowed(pool) == ""
            pool.close()

    def test_a_connection_ends_after_many_messages(
        self, ways_out: WaysOut, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("smtp_desk.sender.routes.pooled_session._MOST_MESSAGES", 3)
        with ScriptedServer(Script(tls=tls)) as server:
            pool = ways_out.pool(server)
            assert [borrowed(pool) for _ in range(7)] == [""] * 7
            pool.close()
            assert [len(session.messages) for session in server.sessions] == [3, 3, 1]

    def test_a_fresh_one_takes_the_place_of_an_idle_one(
        self, ways_out: WaysOut, tls: ssl.SSLContext
    ) -> None:
        with full(ways_out, tls) as (server, pool, holders):
            holders[0].give_back()
            with pool.session(patience(), fresh=True) as pooled:
                assert not pooled.reused
                assert pooled is not holders[0].pooled[0]
                server.wait_for(lambda s: s.open_connections == MAX_CONNECTIONS)
            for holder in holders[1:]:
                holder.give_back()
            pool.close()
            assert len(server.sessions) == MAX_CONNECTIONS + 1


class TestFailure:
    def test_ten_threads_with_a_wrong_password_sign_in_once(
        self, ways_out: WaysOut, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            pool = ways_out.pool(server, password="wr0ng")
            assert at_once(10, lambda: borrowed(pool)) == ["auth.rejected"] * 10
            assert borrowed(pool) == "auth.rejected"
            assert len(server.sessions) == server.auth_attempts == 1

    def test_the_bar_is_lifted_by_a_probe_that_succeeds(
        self, ways_out: WaysOut, tls: ssl.SSLContext
    ) -> None:
        no = Reply("535 5.7.8 no")
        played = Script(tls=tls, on={CREDENTIALS: Turns(no, no, Default())})
        with ScriptedServer(played) as server:
            pool = ways_out.pool(server)
            assert borrowed(pool) == "auth.rejected"
            finding = pool.probe()
            assert finding is not None
            assert finding.code == "auth.rejected"
            assert borrowed(pool) == "auth.rejected"
            assert server.auth_attempts == 2
            assert pool.probe() is None
            assert borrowed(pool) == ""
            assert server.auth_attempts == len(server.sessions) == 3
            pool.close()

    def test_a_probe_that_fails_otherwise_leaves_the_bar(
        self, ways_out: WaysOut, tls: ssl.SSLContext
    ) -> None:
        refused = Script(tls=tls, on={CREDENTIALS: Reply("535 5.7.8 no")})
        busy = Script(greeting=(Reply("421 4.3.2 busy"), Close()))
        with ScriptedServer(refused, busy) as server:
            pool = ways_out.pool(server)
            assert borrowed(pool) == "auth.rejected"
            finding = pool.probe()
            assert finding is not None
            assert finding.code == "greeting.busy"
            assert borrowed(pool) == "auth.rejected"

    @pytest.mark.parametrize("line", ["454 4.7.0 Temporary authentication failure", ""])
    def test_what_is_no_refusal_bars_nobody(
        self, ways_out: WaysOut, tls: ssl.SSLContext, line: str
    ) -> None:
        once = Turns(Reply(line) if line else Close(), Default())
        with ScriptedServer(Script(tls=tls, on={CREDENTIALS: once})) as server:
            pool = ways_out.pool(server)
            assert borrowed(pool) == ("auth.temporary" if line else "auth.closed")
            assert borrowed(pool) == ""
            pool.close()

    def test_probes_at_once_are_one(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        entered = threading.Event()
        go_on = threading.Event()

        def refuse(_: object) -> Reply:
            entered.set()
            go_on.wait(20)
            return Reply("535 5.7.8 no")

        with ScriptedServer(Script(tls=tls, on={CREDENTIALS: refuse})) as server:
            pool = ways_out.pool(server)
            with ThreadPoolExecutor(2) as threads:
                first = threads.submit(pool.probe)
                assert entered.wait(20)
                second = threads.submit(pool.probe)
                go_on.set()
                findings = [first.result(), second.result()]
            assert server.auth_attempts <= 2
            assert {finding.code for finding in findings if finding} == {"auth.rejected"}

    def test_a_probe_waits_for_room(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        with full(ways_out, tls) as (server, pool, holders):
            with ThreadPoolExecutor(1) as threads:
                probing = threads.submit(pool.probe)
                holders[0].give_back()
                assert probing.result(20) is None
            assert len(server.sessions) == MAX_CONNECTIONS + 1
            for holder in holders[1:]:
                holder.give_back()
            pool.close()

    def test_a_server_that_is_full_makes_threads_wait_for_the_open_one(
        self, ways_out: WaysOut, tls: ssl.SSLContext
    ) -> None:
        full = Script(greeting=(Reply("421 4.7.0 too many connections"), Close()))
        with ScriptedServer(Script(tls=tls), full) as server:
            pool = ways_out.pool(server)
            first = Holder(pool)
            assert first.holds()
            second = Holder(pool)
            server.wait_for(lambda s: len(s.sessions) == 2 and s.open_connections == 1)
            assert second.waits()
            first.give_back()
            assert second.holds()
            assert second.pooled == first.pooled
            second.give_back()
            assert at_once(5, lambda: borrowed(pool)) == [""] * 5
            assert len(server.sessions) == 2, "it is not asked again for a while"
            pool.close()

    def test_it_is_asked_again_after_a_while(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        clock, utc = TickClock(), TurnedClock()
        throttle = MemoryThrottle(utc)
        full = Script(greeting=(Reply("421 4.7.0 too many connections"), Close()))
        with ScriptedServer(Script(tls=tls), full, Script(tls=tls)) as server:
            pool = ways_out.pool(server, clock=clock, throttle=throttle)
            first = Holder(pool)
            assert first.holds()
            second = Holder(pool)
            server.wait_for(lambda s: len(s.sessions) == 2 and s.open_connections == 1)
            first.give_back()
            assert second.holds()
            clock.now += RECOVER_AFTER.total_seconds()
            utc.now += RECOVER_AFTER
            third = Holder(pool)
            assert third.holds()
            assert len(server.sessions) == 3
            second.give_back()
            third.give_back()
            pool.close()

    def test_a_refused_sign_in_ends_idle_sessions_too(
        self, ways_out: WaysOut, tls: ssl.SSLContext
    ) -> None:
        changed = Script(tls=tls, on={CREDENTIALS: Reply("535 5.7.8 no")})
        with ScriptedServer(Script(tls=tls), changed) as server:
            pool = ways_out.pool(server)
            first = Holder(pool)
            assert first.holds()
            assert borrowed(pool) == "auth.rejected"
            first.give_back()
            assert borrowed(pool) == "auth.rejected"
            server.wait_for(lambda s: not s.open_connections)
            assert server.auth_attempts == 2


class TestRetire:
    def test_ends_the_idle_now_and_the_lent_when_they_come_back(
        self, ways_out: WaysOut, tls: ssl.SSLContext
    ) -> None:
        with full(ways_out, tls) as (server, pool, holders):
            waiting = Holder(pool)
            holders[0].give_back()
            assert waiting.holds()
            waiting.give_back()
            pool.retire()
            server.wait_for(lambda s: s.open_connections == MAX_CONNECTIONS - 1)
            assert borrowed(pool) == "session.cancelled"
            (pooled,) = holders[1].pooled
            assert pooled.session.send(ENVELOPE, MAIL).failure is None
            for holder in holders[1:]:
                holder.give_back()
            server.wait_for(lambda s: not s.open_connections)
            assert server.commands.count("QUIT") == MAX_CONNECTIONS
            assert len(server.messages) == 1


class TestClose:
    def test_cancels_an_opening_and_all_who_wait_for_it(
        self, ways_out: WaysOut, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(Script(tls=tls, greeting=Silence())) as server:
            pool = ways_out.pool(server)
            holders = [Holder(pool) for _ in range(5)]
            server.wait_for(lambda s: s.open_connections == 1)
            pool.close()
            assert not any(holder.holds() for holder in holders)
            assert {holder.code for holder in holders} == {"session.cancelled"}
            assert len(server.sessions) == 1

    def test_wakes_who_waits_for_a_free_one(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        with full(ways_out, tls) as (server, pool, holders):
            fourth = Holder(pool)
            pool.close()
            assert not fourth.holds()
            assert fourth.code == "session.cancelled"
            for holder in holders:
                holder.give_back()
            server.wait_for(lambda s: not s.open_connections)

    def test_is_bounded_where_quit_has_no_answer(
        self, ways_out: WaysOut, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("smtp_desk.sender.routes.pool._GOODBYE_SECONDS", 0.1)
        with ScriptedServer(Script(tls=tls, on={"QUIT": Silence()})) as server:
            pool = ways_out.pool(server)
            borrowed(pool)
            pool.close()
            server.wait_for(lambda s: not s.open_connections)
            assert server.commands[-1] == "QUIT"

    def test_nothing_goes_after_it(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            pool = ways_out.pool(server)
            pool.close()
            pool.close()
            finding = pool.probe()
            assert finding is not None
            assert finding.code == borrowed(pool) == "session.cancelled"
            assert not server.sessions

    def test_a_goodbye_without_answer_makes_room_for_the_next(
        self, ways_out: WaysOut, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("smtp_desk.sender.routes.pooled_session._MOST_MESSAGES", 1)
        with ScriptedServer(Script(tls=tls, on={"QUIT": Silence()})) as server:
            pool = ways_out.pool(server)
            for _ in range(10):
                assert borrowed(pool) == ""
                assert server.open_connections <= MAX_CONNECTIONS + 1
            pool.close()


def test_a_fault_of_our_own_is_raised_and_the_next_one_opens(
    ways_out: WaysOut, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(Script(tls=tls)) as server:
        pool = ways_out.pool(server, limits=HASTY)
        with monkeypatch.context() as broken:
            broken.setattr("smtp_desk.smtp.session.session.client_context", _fault)
            with pytest.raises(ZeroDivisionError):
                pool.probe()
        assert borrowed(pool) == ""
        pool.close()


def _fault(_: str) -> None:
    raise ZeroDivisionError
