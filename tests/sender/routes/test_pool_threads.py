"""Where no thread is to be had, at the limit of the machine or at its end, answers count."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from tests.sender.posts import Post, fates
from tests.sender.ways import Way, failing
from tests.sender.ways_out import ACCEPTED, TickClock, patience, send, statuses
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    import ssl

    from tests.sender.ways_out import WaysOut


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith(("goodbye", "idle sessions", "probe")):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.mark.usefixtures("no_threads")
@pytest.mark.parametrize("most_messages", [1000, 1])
def test_an_accepted_email_is_accepted(
    ways_out: WaysOut, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, most_messages: int
) -> None:
    monkeypatch.setattr("smtp_desk.sender.routes.pooled_session._MOST_MESSAGES", most_messages)
    with ScriptedServer(Script(tls=tls)) as server:
        route = ways_out.route(server)
        for _ in range(3):
            assert statuses(send(route)) == [ACCEPTED]
        route.close()
        assert len(server.messages) == 3


@pytest.mark.usefixtures("no_threads")
def test_an_old_connection_is_hung_up(ways_out: WaysOut, tls: ssl.SSLContext) -> None:
    clock = TickClock()
    with ScriptedServer(Script(tls=tls)) as server:
        pool = ways_out.pool(server, clock=clock)
        with pool.session(patience()):
            pass
        clock.now += 31
        with pool.session(patience()) as pooled:
            assert not pooled.reused
        pool.close()


@pytest.mark.usefixtures("no_threads")
def test_a_probe_that_can_not_begin_costs_no_receipt() -> None:
    post = Post(failing("connect.refused", CUSTOM), Way(DEFAULT))
    post.send()
    post.clock.turn(minutes=1)
    assert fates(post.send()) == [("accepted", DEFAULT)]
    post.dispatcher.settle_probes(1)


def test_a_later_connection_resumes_tls_and_the_log_says_so(
    ways_out: WaysOut, tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "smtp_desk.sender.routes.pool")
    with ScriptedServer(Script(tls=tls)) as server:
        pool = ways_out.pool(server)
        for _ in range(2):
            with pool.session(patience()) as pooled:
                pooled.session.abort()
        assert pool.probe() is None
        pool.close()
    told = [record.getMessage().rpartition(" ")[2] for record in caplog.records]
    assert told == ["TLSv1.3", "resumed", "TLSv1.3"], "a probe looks at the certificate anew"
