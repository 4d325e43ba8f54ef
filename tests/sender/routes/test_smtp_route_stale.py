"""A connection of the pool that died while nobody used it."""

from __future__ import annotations

import ssl

import pytest

from smtp_desk.smtp.session.limits import SessionLimits
from tests.sender.ways_out import (
    ACCEPTED,
    HASTY,
    Dots,
    TickClock,
    WaysOut,
    codes,
    send,
    statuses,
)
from tests.servers.postfix import Postfix
from tests.servers.process import server_folder
from tests.servers.script import (
    END_OF_DATA,
    Action,
    Close,
    Default,
    Delay,
    Reply,
    Reset,
    Script,
    Silence,
    Turns,
)
from tests.servers.scripted import ScriptedServer
from tests.servers.waiting import wait_until

BEFORE_THE_DOT = ["MAIL", "RCPT", "DATA"]


class TestStaleConnection:
    @pytest.mark.parametrize("verb", BEFORE_THE_DOT)
    @pytest.mark.parametrize(
        "end", [Close(), Reset(), (Reply("421 4.4.2 timeout exceeded"), Close()), Silence()]
    )
    def test_is_replaced(
        self,
        ways_out: WaysOut,
        *,
        tls: ssl.SSLContext,
        extensions: tuple[str, ...],
        verb: str,
        end: Action,
    ) -> None:
        dies = Script(tls=tls, extensions=extensions, on={verb: Turns(Default(), end)})
        with ScriptedServer(dies, Script(tls=tls)) as server:
            route = ways_out.route(server, limits=HASTY)
            assert statuses(send(route)) == [ACCEPTED]
            dots = Dots()
            assert statuses(send(route, before_dot=dots)) == [ACCEPTED]
            assert dots.announced == 1
            assert len(server.messages) == len(server.sessions) == 2
            route.close()

    def test_that_was_closed_meanwhile(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        bye = (Default(), Reply("421 4.4.2 idle too long"), Close(notify=True))
        with ScriptedServer(Script(tls=tls, on={END_OF_DATA: bye}), Script(tls=tls)) as server:
            route = ways_out.route(server)
            assert statuses(send(route)) == [ACCEPTED]
            assert statuses(send(route)) == [ACCEPTED]
            assert len(server.messages) == len(server.sessions) == 2
            route.close()

    def test_that_was_idle_and_is_silent_is_given_up_soon(
        self, ways_out: WaysOut, tls: ssl.SSLContext, extensions: tuple[str, ...]
    ) -> None:
        """The computer slept or took another network: no word comes that it is dead."""
        dies = Script(tls=tls, extensions=extensions, on={"MAIL": Turns(Default(), Silence())})
        clock = TickClock()
        limits = SessionLimits(total=None, connect=10, command=3600, idle=0.3)
        with ScriptedServer(dies, Script(tls=tls)) as server:
            route = ways_out.route(server, limits=limits, clock=clock)
            assert statuses(send(route)) == [ACCEPTED]
            clock.now += 5
            assert statuses(send(route)) == [ACCEPTED]
            assert len(server.messages) == len(server.sessions) == 2
            route.close()

    def test_that_is_busy_is_waited_for(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        slow = Script(tls=tls, on={"MAIL": (Delay(0.5), Default())})
        limits = SessionLimits(total=None, connect=10, idle=0.1)
        with ScriptedServer(slow) as server:
            route = ways_out.route(server, limits=limits, clock=TickClock())
            assert statuses(send(route)) == [ACCEPTED]
            assert statuses(send(route)) == [ACCEPTED]
            assert len(server.sessions) == 1
            route.close()

    def test_is_replaced_once(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        dies = Script(tls=tls, on={"MAIL": Turns(Default(), Close())})
        dead = Script(tls=tls, on={"MAIL": Close()})
        with ScriptedServer(dies, dead) as server:
            route = ways_out.route(server)
            assert statuses(send(route)) == [ACCEPTED]
            assert codes(send(route)) == ["session.closed"]
            assert len(server.sessions) == 2
            route.close()

    def test_by_one_that_does_not_open(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        dies = Script(tls=tls, on={"MAIL": Turns(Default(), Close())})
        busy = Script(greeting=(Reply("421 4.3.2 busy"), Close()))
        with ScriptedServer(dies, busy) as server:
            route = ways_out.route(server)
            assert statuses(send(route)) == [ACCEPTED]
            assert codes(send(route)) == ["greeting.busy"]
            route.close()


@pytest.mark.needs("postfix")
def test_postfix_that_hangs_up_on_the_idle(ways_out: WaysOut) -> None:
    with (
        server_folder("postfix-hasty") as folder,
        Postfix(folder, ways_out.certs.good, settings="smtpd_timeout = 1s\n") as postfix,
    ):
        route = ways_out.route(postfix)
        assert statuses(send(route)) == [ACCEPTED]
        wait_until(lambda: "timeout after" in postfix.maillog.read_text(), "Postfix to hang up")
        assert statuses(send(route)) == [ACCEPTED]
        postfix.mailboxes.wait("bo", 2)
        route.close()
