"""What people are told of the routes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.delivery import presenter as delivery
from smtp_desk.app.notice import Notice
from smtp_desk.app.routes.route_status import HealthState, RouteStatus
from smtp_desk.app.routes.status import read_routes
from smtp_desk.app.routes.words import fallbacks_text, route_text
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.outbox.entries import Postpone
from smtp_desk.sender.routes.health import Probe
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.store.stored import DefaultKind, DefaultService, ServerState
from tests.app.delivery_page import Page
from tests.sender import mails

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.app.services import Services

SERVER = ServerSettings(host="smtp.example.org", port=587, from_email="desk@example.org")


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page(tmp_path)


@pytest.fixture
def configured(page: Page) -> Page:
    """A page with a custom server in use, and a relay as the default service."""
    store = page.services.store
    store.save_server(SERVER, Security.STARTTLS, Secret(""))
    store.set_enabled(True)
    store.save_default(
        DefaultService(
            kind=DefaultKind.SENDMAIL,
            sendmail_path="/usr/sbin/sendmail",
            from_email="relay@example.org",
        )
    )
    return page


def told(page: Page) -> dict[str, RouteStatus]:
    return {status.route: status for status in read_routes(page.services)}


def health(status: RouteStatus) -> HealthState:
    assert status.health
    return status.health.state


def cause(status: RouteStatus) -> str:
    assert status.health
    return status.health.summary


def clock_time(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M}"


def test_a_fresh_machine_has_none(page: Page) -> None:
    views = told(page)
    assert route_text(views[CUSTOM]) == "Not configured."
    assert route_text(views[DEFAULT]).startswith("None. Emails the custom server can’t send")
    assert {health(view) for view in views.values()} == {HealthState.USABLE}


def test_both_in_use(configured: Page) -> None:
    views = told(configured)
    assert {view.kind for view in views.values()} == {ServerState.ACTIVE}
    assert {health(view) for view in views.values()} == {HealthState.USABLE}
    assert route_text(views[CUSTOM]) == "In use."
    assert route_text(views[DEFAULT]) == "Ready for emails that the custom server can’t send."
    assert views[CUSTOM].target == "smtp.example.org, port 587"
    assert views[DEFAULT].target == "/usr/sbin/sendmail"


def test_the_switch_is_off(configured: Page) -> None:
    configured.services.store.set_enabled(False)
    configured.health.record_failure(CUSTOM, "connect.refused")
    view = told(configured)[CUSTOM]
    assert (view.kind, view.on, view.out) == (ServerState.OFF, False, False)


def test_a_rest_says_until_when_and_why(configured: Page) -> None:
    configured.health.record_failure(CUSTOM, "connect.refused")
    configured.health.record_fallback(CUSTOM, 1)
    began = configured.clock()
    view = told(configured)[CUSTOM]
    until = configured.health.status(CUSTOM).resting_until
    assert until is not None
    out = f"Unavailable until {clock_time(until)}."
    assert route_text(view) == f"{out} The next email after that, or a worker, tries it again."
    assert cause(view) == "smtp.example.org refuses connections on port 587."
    since = clock_time(began)
    assert fallbacks_text(view) == f"1 email sent by the default email service since {since}."
    assert health(view) is HealthState.RESTING


def test_the_rest_is_over_and_the_next_email_tries(configured: Page) -> None:
    configured.health.record_failure(CUSTOM, "connect.refused")
    configured.clock.turn(minutes=2)
    view = told(configured)[CUSTOM]
    assert health(view) is HealthState.DUE
    assert isinstance(configured.health.may_use(CUSTOM), Probe)
    assert health(told(configured)[CUSTOM]) is HealthState.PROBING


def test_a_clock_that_was_ahead_makes_no_endless_rest(configured: Page) -> None:
    configured.clock.turn(days=2)
    configured.health.record_failure(CUSTOM, "connect.refused")
    configured.clock.turn(days=-2)
    assert health(told(configured)[CUSTOM]) is HealthState.DUE


def test_try_again_tries_a_shut_route_and_tells_how_it_does(
    configured: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured.health.record_failure(CUSTOM, "auth.rejected")
    configured.look()
    (view, _) = configured.state.routes
    assert health(view) is HealthState.SHUT
    assert cause(view) == "The server refused the username or password."

    def tried(services: Services, route: str) -> Notice:
        services.health.reopen(route)
        return Notice("The server works again.")

    monkeypatch.setattr(delivery, "try_again", tried)
    configured.presenter.try_again(CUSTOM)
    configured.runner.finish()
    assert health(configured.state.routes[0]) is HealthState.USABLE
    assert configured.state.notice == Notice("The server works again.")


def test_an_outage_that_ended_leaves_its_count(configured: Page) -> None:
    configured.health.record_failure(CUSTOM, "connect.refused")
    configured.health.record_fallback(CUSTOM, 1234)
    configured.health.reopen(CUSTOM)
    configured.health.record_success(CUSTOM)
    view = told(configured)[CUSTOM]
    assert health(view) is HealthState.USABLE
    said = "1,234 emails sent by the default email service in the newest outage."
    assert fallbacks_text(view) == said


def test_settings_that_can_not_be_read(page: Page) -> None:
    file = page.services.paths.settings_file
    file.parent.mkdir(parents=True)
    file.write_text("[[[")
    assert {view.kind for view in told(page).values()} == {ServerState.UNREADABLE}


def look_for(page: Page, seconds: int) -> bool:
    """Look every three seconds, as the page does while it is seen."""
    for _ in range(0, seconds, 3):
        page.clock.turn(seconds=3)
        page.look()
    return page.state.undrained


@pytest.mark.parametrize("custom", [True, False], ids=["custom", "default alone"])
def test_mail_that_is_due_and_that_nobody_sends_is_told(custom: bool, configured: Page) -> None:
    configured.services.store.set_enabled(custom)
    mails.waiting(configured.outbox, configured.clock, 1)
    assert not look_for(configured, 60)
    configured.clock.turn(minutes=7)
    assert not look_for(configured, 9)
    assert look_for(configured, 6)


def test_mail_that_no_route_could_take_waits_for_no_worker(page: Page) -> None:
    mails.waiting(page.outbox, page.clock, 1)
    page.clock.turn(hours=2)
    assert not look_for(page, 60)


def test_a_worker_at_work_is_not_asked_for(configured: Page) -> None:
    for number in range(3):
        mails.waiting(configured.outbox, configured.clock, number)
    configured.clock.turn(hours=2)
    assert look_for(configured, 15)
    (claim,) = configured.outbox.claim("worker", 1, mails.LEASE)
    assert not look_for(configured, 30)
    configured.outbox.apply([Postpone(claim, configured.clock() + timedelta(hours=1), ())])
    assert look_for(configured, 15)


def test_what_was_due_at_another_look_long_ago_does_not_count(configured: Page) -> None:
    mails.waiting(configured.outbox, configured.clock, 1)
    configured.clock.turn(hours=2)
    configured.look()
    configured.clock.turn(hours=1)
    configured.look()
    assert not configured.state.undrained
