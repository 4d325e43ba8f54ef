"""The banner of an outage: found, told, tried again, gone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from smtp_desk.app.integrations.presenter import IntegrationsPresenter
from smtp_desk.app.integrations.state import IntegrationsState
from smtp_desk.app.routes.words import outage_consequence, outage_title
from smtp_desk.app.services import Services
from smtp_desk.core.settings import Security
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.store.stored import DefaultKind
from smtp_desk.ui.integrations.outage_banner import OutageBanner
from smtp_desk.ui.integrations.view import IntegrationsView
from tests.app.faces import DeferredRunner
from tests.servers.ports import free_port
from tests.store.settings import OLD, OLD_SECRET
from tests.ui.states import ACTIVE, UNAVAILABLE

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

OUT = IntegrationsState(status=UNAVAILABLE)


class Page:
    """Integrations over a server that can be out."""

    def __init__(self, services: Services, theme: Theme) -> None:
        self.services = services
        self.runner = DeferredRunner()
        self.view = IntegrationsView(theme)
        self.presenter = IntegrationsPresenter(services, self.runner, self.view)
        self.view.attach(self.presenter)
        self.presenter.start()
        self.runner.finish()

    @property
    def banner(self) -> OutageBanner:
        found = self.view.page.findChild(OutageBanner)
        assert isinstance(found, OutageBanner)
        return found

    def fail(self, code: str = "auth.rejected") -> None:
        self.services.health.record_failure(CUSTOM, code)
        self.look()

    def look(self) -> None:
        self.presenter.look()
        self.runner.finish()

    def status(self) -> str:
        label = self.view.page.findChild(QLabel, "status")
        assert isinstance(label, QLabel)
        return label.text()


@pytest.fixture
def banner(qtbot: QtBot, theme: Theme) -> OutageBanner:
    made = OutageBanner()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def page(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Page:
    services = Services.sandbox(tmp_path / "desk")
    settings = replace(OLD, host="127.0.0.1", port=free_port())
    services.store.save_server(settings, Security.STARTTLS, OLD_SECRET)
    services.store.set_enabled(True)
    made = Page(services, theme)
    qtbot.addWidget(made.view.page)
    made.view.page.show()
    return made


def said(banner: QWidget) -> list[str]:
    return [label.text() for label in banner.findChildren(QLabel) if label.isVisible()]


def test_without_an_outage_there_is_none(banner: OutageBanner) -> None:
    banner.render_state(OUT)
    banner.render_state(replace(OUT, status=ACTIVE))
    assert banner.isHidden()


def test_it_says_since_when_why_and_what_became_of_the_emails(banner: OutageBanner) -> None:
    banner.render_state(OUT)
    title, consequence = outage_title(UNAVAILABLE), outage_consequence(UNAVAILABLE)
    assert UNAVAILABLE.health
    assert said(banner)[-3:] == [title, UNAVAILABLE.health.summary, consequence]
    assert banner.accessibleName() == title
    assert consequence in banner.accessibleDescription()


def test_an_outage_is_found_and_its_end_too(page: Page) -> None:
    page.fail()
    assert page.banner.isVisible()
    page.services.health.reopen(CUSTOM)
    page.look()
    assert page.banner.isHidden()


def test_try_again_tries_the_server_and_says_what_came_of_it(page: Page) -> None:
    page.fail()
    button = page.banner.findChild(QPushButton, "try_again")
    assert isinstance(button, QPushButton)
    button.click()
    assert not button.isEnabled()
    assert "Trying the server…" in said(page.banner)
    page.runner.finish()
    assert button.isEnabled()
    assert any(text.startswith("Still unavailable. ") for text in said(page.banner))
    assert page.services.health.status(CUSTOM).code == "connect.refused"


def test_what_keeps_it_from_being_tried_is_said(page: Page) -> None:
    page.fail()
    page.services.paths.outbox_file.write_bytes(b"no database" * 100)
    page.presenter.try_again()
    states: list[IntegrationsState] = []
    page.presenter.subscribe(states.append)
    page.runner.finish()
    notices = [state.outage_notice for state in states if state.outage_notice]
    assert notices
    assert notices[0].error


def test_the_status_line_tells_of_it_and_of_the_service_of_now(page: Page) -> None:
    store = page.services.store
    page.fail()
    assert page.status().startswith("Unavailable, emails wait in the outbox since ")
    default = replace(
        store.load().default,
        kind=DefaultKind.SENDMAIL,
        sendmail_path="/usr/sbin/sendmail",
        from_email="desk@example.org",
    )
    store.save_default(default)
    page.look()
    assert page.status().startswith("Unavailable, using the default service since ")
    store.set_enabled(False)
    page.look()
    assert page.status() == "Off. System emails are sent by the default email service."
    assert page.banner.isHidden()


def test_an_outage_after_each_change_of_what_is_saved_is_seen_at_once(page: Page) -> None:
    page.services.health.record_failure(CUSTOM, "auth.rejected")
    page.presenter.switch(on=False)
    page.runner.finish()
    assert page.banner.isHidden()
    page.presenter.switch(on=True)
    page.runner.finish()
    assert page.banner.isVisible()


def test_a_sign_in_that_ended_is_begun_again_from_the_banner(page: Page) -> None:
    button = page.banner.findChild(QPushButton, "try_again")
    assert button is not None
    page.fail("connect.refused")
    assert button.text() == "Try again"
    page.fail("auth.sign_in_again")
    assert button.text() == "Sign in again…"
