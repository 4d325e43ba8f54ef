"""How long a search waits for whom, and what ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from smtp_desk.core.settings import Security
from smtp_desk.discovery import finder
from smtp_desk.discovery.candidates import SearchResult, Source
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from tests.discovery.configs import PATH, config, server
from tests.discovery.world import AUTOCONFIG, NAMES, WELL_KNOWN, World, answers
from tests.servers.certs import Certificates
from tests.servers.dns import SILENCE, Zone
from tests.servers.waiting import wait_until
from tests.servers.web import WebServer, page

pytestmark = pytest.mark.usefixtures("unhurried_search")


def test_what_does_not_answer_is_listed(
    world: World, monkeypatch: pytest.MonkeyPatch, certs: Certificates
) -> None:
    monkeypatch.setattr(finder, "TOTAL_SECONDS", 0.5)
    world.serve({WELL_KNOWN: page(config(server()))}, {"example.test": SILENCE})
    silent = threading.Event()

    def drip() -> Iterator[bytes]:
        while not silent.wait(0.01):
            yield b"H"

    with WebServer(certs.for_names(*NAMES).tls, {AUTOCONFIG: drip}) as dripping:
        world.web = dripping
        began = time.monotonic()
        found = world.find()
    assert time.monotonic() - began < 3
    told = answers(found)
    assert told[Source.AUTOCONFIG, f"https://{AUTOCONFIG}"] is SearchResult.NO_ANSWER
    assert told[Source.MX, "example.test"] is SearchResult.NO_ANSWER


def test_what_is_less_sure_than_a_server_found_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that only DNS leads to is less sure than one of the domain's own website."""
    monkeypatch.setattr(finder, "_LESS_SURE_SECONDS", 0.1)
    over = threading.Event()

    def drip() -> Iterator[bytes]:
        while not over.wait(0.01):
            yield b"H"

    def stuck(host: str, cancel: Cancel, deadline: Deadline) -> list[tuple[int, Security]]:
        wait_until(lambda: cancel.cancelled, f"the end of {host}")
        cancel.check()
        return []

    monkeypatch.setattr(world, "probed", stuck)
    hoster = f"autoconfig.hoster.test{PATH}"
    world.serve(
        {WELL_KNOWN: page(config(server())), hoster: drip},
        {"example.test": ["MX 10 mail.hoster.test."]},
    )
    found = world.find()
    over.set()
    (candidate,) = found.candidates
    assert candidate.source is Source.WELL_KNOWN
    told = answers(found)
    assert told[Source.AUTOCONFIG, f"https://{AUTOCONFIG}"] is SearchResult.NOTHING
    assert told[Source.AUTOCONFIG, f"https://{hoster}"] is SearchResult.NO_ANSWER
    assert told[Source.GUESS, "smtp.example.test"] is SearchResult.NO_ANSWER


def test_what_is_surer_than_a_server_found_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder, "_LESS_SURE_SECONDS", 0.0)

    def last() -> Iterator[bytes]:
        sources = (Source.WELL_KNOWN, Source.MX, Source.SRV, Source.SRV, Source.GUESS, Source.GUESS)
        wait_until(
            lambda: (
                sorted(each.source for each in world.shown if each.result)
                == sorted((Source.PROVIDER, *sources))
            ),
            "all other answers",
        )
        yield page(config(server()))

    records = {"_submissions._tcp.example.test": ["SRV 0 1 465 mail.example.test."]}
    world.serve({AUTOCONFIG: last}, records)
    found = world.find()
    assert [each.source for each in found.candidates] == [Source.AUTOCONFIG, Source.SRV]


def test_a_probe_that_never_ends_is_left_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder, "TOTAL_SECONDS", 0.3)
    ended = threading.Event()

    def stuck(host: str, cancel: Cancel, deadline: Deadline) -> list[tuple[int, Security]]:
        wait_until(lambda: cancel.cancelled, f"the end of {host}")
        ended.set()
        return []

    monkeypatch.setattr(world, "probed", stuck)
    found = world.find()
    assert answers(found)[Source.GUESS, "smtp.example.test"] is SearchResult.NO_ANSWER
    assert ended.wait(5)


@pytest.mark.parametrize("zone", [{"example.test": SILENCE}, {}])
def test_cancel_ends_all_at_once(world: World, zone: Zone) -> None:
    cancel = Cancel()
    ended: list[float] = []

    def ask(run: Callable[[], object]) -> None:
        with pytest.raises(CancelledError):
            run()
        ended.append(time.monotonic())

    with WebServer(None, {}) as silent:
        world.serve({}, zone)
        world.web = silent
        thread = threading.Thread(target=ask, args=(lambda: world.find(cancel=cancel),))
        thread.start()
        wait_until(lambda: bool(world.dns.questions), "the questions")
        began = time.monotonic()
        cancel.cancel()
        thread.join()
    assert ended[0] - began < 0.5
