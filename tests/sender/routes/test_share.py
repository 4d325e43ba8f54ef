"""The connections that all processes share: a probe is one of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.findings.finding import Scope
from smtp_desk.sender.routes import share
from smtp_desk.sender.routes.pool import UnavailableError
from smtp_desk.sender.routes.throttle import CLOSING, MAX_CONNECTIONS, ConnectionLease, Login
from smtp_desk.sender.testing import MemoryThrottle
from tests.sender.outboxes import TurnedClock
from tests.sender.ways_out import patience
from tests.servers.script import Close, Reply, Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    import ssl

    from tests.sender.ways_out import WaysOut


@pytest.mark.parametrize("released", [0, 1])
def test_a_probe_waits_a_little_for_a_lease_and_goes_on_without(
    ways_out: WaysOut, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, released: int
) -> None:
    monkeypatch.setattr(share, "_PATIENCE_S", 60.0 if released else 0.1)
    with ScriptedServer(Script(tls=tls)) as server, ThreadPoolExecutor(1) as threads:
        throttle, login = MemoryThrottle(), Login(server.host, server.port, "desk")
        held = [throttle.lease(login) for _ in range(MAX_CONNECTIONS)]
        pool = ways_out.pool(server, throttle=throttle)
        probed = threads.submit(pool.probe)
        throttle.release(each for each in held[:released] if isinstance(each, ConnectionLease))
        assert probed.result(30) is None
        assert throttle.state(login).leased == MAX_CONNECTIONS
        assert len(server.sessions) == 1
        pool.close()
        assert throttle.state(login).leased == MAX_CONNECTIONS - released


@pytest.mark.parametrize(
    ("opened", "passed", "scope"),
    [
        (True, 0.0, Scope.SLOW),
        (True, CLOSING.total_seconds() - 0.1, Scope.SLOW),
        (True, CLOSING.total_seconds(), Scope.ROUTE),
        (False, 0.0, Scope.ROUTE),
    ],
)
def test_a_server_that_still_counts_what_another_just_closed_is_not_out_of_service(
    ways_out: WaysOut,
    monkeypatch: pytest.MonkeyPatch,
    opened: bool,
    passed: float,
    scope: Scope,
) -> None:
    monkeypatch.setattr(share, "_SECOND_LOOK_S", 0.05)
    clock = TurnedClock()
    full = Script(greeting=(Reply("421 4.7.0 Too many connections"), Close()))
    with ScriptedServer(full) as server:
        throttle = MemoryThrottle(clock)
        lease = throttle.lease(Login(server.host, server.port, "desk"))
        assert isinstance(lease, ConnectionLease)
        throttle.release([lease], opened=opened)
        clock.turn(seconds=passed)
        pool = ways_out.pool(server, throttle=throttle)
        with pytest.raises(UnavailableError) as refused, pool.session(patience()):
            pass
        assert (refused.value.finding.code, refused.value.finding.scope) == ("greeting.busy", scope)
        pool.close()
