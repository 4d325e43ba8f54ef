"""The custom server fails in each of many ways: nothing is lost, nothing is doubled."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.routes.health import Shut
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.smtp.session.envelope import Status
from tests.sender.faults import Fault, Next, faults
from tests.sender.post_office import (
    BODY,
    HASTY,
    PATIENT,
    RECIPIENTS,
    accepted,
    arrived,
    mail,
    opened,
    route_to,
)
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from smtp_desk.sender.receipts import Receipt
    from smtp_desk.smtp.session.limits import SessionLimits
    from tests.servers.certs import Certificates

ONCE = Counter(RECIPIENTS)
FAULTS = tuple(faults())
EACH = pytest.mark.parametrize(
    "fault",
    [
        pytest.param(each, id=each.name, marks=[pytest.mark.soak] if each.soak else ())
        for each in FAULTS
    ],
)


def never() -> bool:
    return False


def fates(receipt: Receipt) -> set[tuple[Status, str]]:
    return {(each.status, each.route) for each in receipt.recipients}


@pytest.fixture
def server_of(certs: Certificates) -> Callable[..., ScriptedServer]:
    def make(fault: Fault, healed: Callable[[], bool] = never) -> ScriptedServer:
        return ScriptedServer(fault.script(certs.good.tls, healed))

    return make


@pytest.fixture
def good(certs: Certificates) -> ScriptedServer:
    return ScriptedServer(Script(tls=certs.good.tls))


def limits_for(fault: Fault) -> SessionLimits:
    """Limits that only a server reaches that says nothing."""
    return HASTY if "silence" in fault.name else PATIENT


def test_there_are_enough_ways_to_fail() -> None:
    assert len(FAULTS) >= 40
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@EACH
def test_with_a_default_service(
    fault: Fault,
    server_of: Callable[..., ScriptedServer],
    good: ScriptedServer,
    certs: Certificates,
    tmp_path: Path,
) -> None:
    with (
        server_of(fault) as custom,
        good,
        opened(
            tmp_path,
            route_to(custom, certs, limits=limits_for(fault)),
            route_to(good, certs, DEFAULT),
        ) as office,
    ):
        receipt = office.sender.send(mail(1, body=BODY * fault.blocks))
        office.settle()
        states = {entry.state for entry in office.entries}
        if fault.next is Next.DEFAULT:
            assert fates(receipt) == {(Status.ACCEPTED, DEFAULT)}
            assert receipt.fallback is not None
            assert states == {EntryState.ACCEPTED}
            assert accepted(custom, good) == ONCE
        elif fault.next is Next.REFUSED:
            assert fates(receipt) == {(Status.REFUSED, CUSTOM)}
            assert states == {EntryState.REFUSED}
            assert accepted(custom, good) == Counter()
        else:
            assert fates(receipt) == {(Status.UNCERTAIN, CUSTOM)}
            assert states == {EntryState.HELD}
            assert accepted(good) == Counter()
            assert arrived(custom) == ONCE + ONCE, "once, and its one re-send"


@EACH
def test_with_both_routes_out_of_order_until_the_custom_server_works_again(
    fault: Fault,
    server_of: Callable[..., ScriptedServer],
    good: ScriptedServer,
    certs: Certificates,
    tmp_path: Path,
) -> None:
    works = False
    with good:
        dead = route_to(good, certs, DEFAULT)
    with (
        server_of(fault, lambda: works) as custom,
        opened(tmp_path, route_to(custom, certs, limits=limits_for(fault)), dead) as office,
    ):
        receipt = office.sender.send(mail(1, body=BODY * fault.blocks))
        if fault.next is Next.DEFAULT:
            assert {fate for fate, _ in fates(receipt)} == {Status.QUEUED}
        works = True
        if isinstance(office.health.may_use(CUSTOM), Shut):
            office.health.try_again(CUSTOM)
        office.settle()
        states = {entry.state for entry in office.entries}
        if fault.next is Next.REFUSED:
            assert states == {EntryState.REFUSED}
            assert accepted(custom) == Counter()
        else:
            assert states == {EntryState.ACCEPTED}
            assert accepted(custom) == ONCE
