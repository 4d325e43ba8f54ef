"""Many threads on one route while the server dies, refuses and stalls at any moment."""

from __future__ import annotations

import collections
import random
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

from smtp_desk.sender.routes.route import RouteResult
from smtp_desk.sender.routes.throttle import MAX_CONNECTIONS
from smtp_desk.smtp.session.envelope import Status
from tests.sender.ways_out import (
    ACCEPTED,
    HASTY,
    REFUSED,
    UNCERTAIN,
    Dots,
    WaysOut,
    foreign,
    patience,
)
from tests.servers.script import (
    END_OF_DATA,
    Action,
    Close,
    Default,
    Reply,
    Reset,
    Script,
    Silence,
)
from tests.servers.scripted import ScriptedServer
from tests.servers.session import Session

TROUBLES: tuple[Action, ...] = (
    Close(),
    Reset(),
    Silence(),
    (Reply("421 4.3.2 going down"), Close()),
    Reply("451 4.3.0 later"),
    Reply("554 5.7.1 no"),
)


@pytest.mark.parametrize("seed", range(4))
def test_every_email_has_the_fate_that_is_told(
    ways_out: WaysOut, tls: ssl.SSLContext, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the weather, not a secret

    def moody(_: Session) -> Action:
        return chance.choice(TROUBLES) if chance.random() < 0.07 else Default()

    moments = ("MAIL", "RCPT", "DATA", END_OF_DATA, "EHLO", "QUIT")
    played = Script(tls=tls, on=dict.fromkeys(moments, moody))
    recipients = [f"r{number}@example.test" for number in range(150)]
    with ScriptedServer(played) as server:
        route = ways_out.route(server, limits=HASTY)

        def send(recipient: str) -> RouteResult:
            (result,) = route.send(foreign(), (recipient,), Dots(), patience())
            assert server.open_connections <= 2 * MAX_CONNECTIONS
            return result

        with ThreadPoolExecutor(8) as threads:
            results = list(threads.map(send, recipients))
        route.close()
        server.wait_for(lambda s: not s.open_connections)
        arrived = collections.Counter(mail.recipients[0] for mail in server.messages)
        taken = collections.Counter(mail.recipients[0] for mail in server.messages if mail.accepted)
    assert max(arrived.values()) == 1, "no dot was ever sent twice"
    told = {status: [r for r in results if r.status is status] for status in Status}
    assert {result.recipient for result in told[ACCEPTED]} <= taken.keys()
    assert not {result.recipient for result in told[REFUSED]} & taken.keys()
    assert len(told[ACCEPTED]) > len(recipients) / 2
    assert all(result.finding is not None for result in (*told[REFUSED], *told[UNCERTAIN]))
