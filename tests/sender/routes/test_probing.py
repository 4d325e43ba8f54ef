"""Probes, and processes that share what is known of a route."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.core.findings.finding import Scope
from smtp_desk.sender.routes.health import Probe, Shut, Usable
from smtp_desk.sender.routes.probing import Prober
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT, Routes
from tests.sender.post_office import mail, opened, route_to
from tests.sender.posts import Post, fates
from tests.sender.ways import Way, failing, finding
from tests.sender.ways_out import TickClock
from tests.servers.script import CREDENTIALS, Reply, Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from smtp_desk.core.findings.finding import Finding
    from tests.servers.certs import Certificates

REFUSED: Final = Reply("535 5.7.8 Error: authentication failed")
A_MINUTE: Final = 60.0


class SlowProbe(Way):
    """A route whose probe ends when a test lets it, in a refused sign-in."""

    def __init__(self) -> None:
        super().__init__(answer=lambda _recipient: "connect.refused")
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def probe(self) -> Finding | None:
        self.begun.set()
        assert self.go_on.wait(10)
        return finding("auth.rejected")


def test_a_probe_of_settings_that_were_replaced_meanwhile_shuts_nothing() -> None:
    custom, current = SlowProbe(), [True]
    post = Post(custom, Way(DEFAULT))
    post.routes = Routes(custom=custom, default=post.routes.default, current=lambda: all(current))
    post.send()
    post.clock.turn(minutes=1)
    post.send()
    assert custom.begun.wait(10)
    current.append(False)  # other settings are saved, and end the rest
    post.health.reopen(CUSTOM)
    custom.go_on.set()
    post.dispatcher.settle_probes(10)
    assert isinstance(post.health.may_use(CUSTOM), Usable)
    post.routes = Routes(custom=Way(), default=Way(DEFAULT))
    assert fates(post.send()) == [("accepted", CUSTOM)]


class SaysNothing(Way):
    """A route that fails, and whose probe ends for a reason that is not the route's."""

    def __init__(self, probed: Finding) -> None:
        super().__init__(answer=lambda _recipient: "connect.refused")
        self.why = probed
        self.ended = threading.Event()

    def probe(self) -> Finding | None:
        self.ended.set()
        return self.why


@pytest.mark.parametrize(
    "why",
    [
        replace(
            finding("greeting.busy"), scope=Scope.SLOW
        ),  # our own connections are all there are
        finding("settings.secret_unavailable"),
        finding("settings.part_missing"),
        finding("session.cancelled"),
    ],
    ids=lambda why: f"{why.code} {why.scope}",
)
def test_a_probe_that_says_nothing_of_the_route_lengthens_no_rest(why: Finding) -> None:
    custom = SaysNothing(why)
    post = Post(custom, Way(DEFAULT))
    post.send()
    before = post.health.status(CUSTOM)
    post.clock.turn(minutes=1)
    post.send()
    assert custom.ended.wait(10)
    post.dispatcher.settle_probes(10)
    after = post.health.status(CUSTOM)
    assert (after.failures, after.code) == (before.failures, before.code)
    assert not isinstance(post.health.may_use(CUSTOM), Shut)


def test_settings_that_could_not_be_used_and_were_replaced_meanwhile_are_no_outage() -> None:
    post = Post(Way(), Way(DEFAULT))
    problem = finding("settings.secret_unavailable")
    old = Routes(custom=problem, default=post.routes.default, current=lambda: False)
    assert fates(post.send(routes=old)) == [("accepted", DEFAULT)]
    assert isinstance(post.health.may_use(CUSTOM), Usable)
    assert post.health.take_event() is None
    assert fates(post.send()) == [("accepted", CUSTOM)]


def test_what_another_process_found_to_work_is_used_by_all(
    tmp_path: Path, certs: Certificates, tls: ssl.SSLContext
) -> None:
    """A person corrects the account and presses Try again; the worker takes part."""
    answers = [REFUSED]
    script = Script(tls=tls, on={CREDENTIALS: lambda _session: answers[-1]})
    clock = TickClock()
    with ScriptedServer(script) as server, ScriptedServer(Script(tls=tls)) as relay:
        worker, window = route_to(server, certs, clock=clock), route_to(server, certs)
        with opened(tmp_path, worker, route_to(relay, certs, DEFAULT)) as office:
            assert office.sender.send(mail(1)).route == DEFAULT
            clock.now += A_MINUTE
            answers.append(Reply("235 2.7.0 ok"))
            office.health.try_again(CUSTOM)
            verdict = office.health.may_use(CUSTOM)
            assert isinstance(verdict, Probe)
            prober = Prober(office.health, office.outbox)
            prober.grant(window, verdict.token)
            prober.start_granted()
            prober.wait(10)
            window.close()
            assert office.sender.send(mail(2)).route == CUSTOM
            assert isinstance(office.health.may_use(CUSTOM), Usable)
            assert server.auth_attempts == 3


def test_a_probe_that_never_answers_stops_no_mail() -> None:
    custom = SlowProbe()
    post = Post(custom, Way(DEFAULT))
    post.send()
    post.clock.turn(minutes=1)
    assert fates(post.send()) == [("accepted", DEFAULT)]
    post.dispatcher.settle_probes(0)
    custom.go_on.set()
    post.dispatcher.settle_probes(10)


def test_a_message_that_its_route_can_not_take_for_its_letters_rests_nothing() -> None:
    """SMTPUTF8: the recipient needs it, the server's other mail does not."""
    post = Post(failing("sender.internationalized"), Way(DEFAULT))
    assert fates(post.send("jörg@example.org")) == [("accepted", DEFAULT)]
    assert isinstance(post.health.may_use(CUSTOM), Usable)
    assert post.health.take_event() is None
