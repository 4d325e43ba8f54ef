"""A desk whose sign-in has ended: begun again from the banner, and from Delivery."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from smtp_desk.app.services import Services
from smtp_desk.core.oauth import OAuthFlow
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.sender.routes.health import Usable
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.ui.desk import Desk
from tests.oauth.conftest import settings_of
from tests.oauth.person import Person
from tests.servers.sign_in_service import SignInService
from tests.ui.test_desk_outage import SLOW_MS, see

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PySide6.QtCore import QUrl
    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme
    from tests.servers.certs import Certificates

ANN = "ann@example.org"


@pytest.fixture
def service(certs: Certificates) -> Iterator[SignInService]:
    with SignInService(certs.good_rsa.tls) as running:
        yield running


@pytest.fixture
def services(tmp_path: Path, certs: Certificates, service: SignInService) -> Services:
    services = Services.sandbox(tmp_path / "desk")
    ca_pem = certs.root.chain_file.read_text()
    oauth = replace(settings_of(service, OAuthFlow.BROWSER), ca_pem=ca_pem)
    settings = ServerSettings(host="localhost", port=587, username=ANN, from_email=ANN, oauth=oauth)
    for default in (False, True):
        services.store.save_server(
            settings,
            Security.STARTTLS,
            None,
            refresh_token=Secret("ended"),
            default=default,
        )
    services.store.set_enabled(True)
    return services


@pytest.fixture
def desk(qtbot: QtBot, theme: Theme, services: Services) -> Iterator[Desk]:
    services.health.record_failure(CUSTOM, "auth.sign_in_again")
    services.health.record_failure(DEFAULT, "auth.sign_in_again")
    made = Desk(lambda: services)
    qtbot.addWidget(made.window)
    with qtbot.waitSignal(made.furnished, timeout=SLOW_MS):
        made.window.show()
    yield made
    made.workshop.cancel()
    made.close()


@pytest.mark.parametrize("place", ["integrations", "delivery"])
def test_a_person_signs_in_again_and_the_route_is_open(  # noqa: PLR0917 - parts of one desk
    desk: Desk,
    services: Services,
    service: SignInService,
    visited: list[QUrl],
    qtbot: QtBot,
    place: str,
) -> None:
    status = see(desk, QLabel, "status")
    qtbot.waitUntil(lambda: status.text().startswith("Unavailable, "), timeout=SLOW_MS)
    desk.workshop.navigation.open_page(place)
    name = "try_again" if place == "integrations" else "try_again_custom"
    again = see(desk, QPushButton, name)
    qtbot.waitUntil(lambda: again.isVisible() and again.text() == "Sign in again…", timeout=SLOW_MS)
    again.click()
    assert desk.workshop.navigation.current == "integrations"
    qtbot.waitUntil(lambda: len(visited) == 1, timeout=SLOW_MS)
    Person(service)(Prompt(visited[0].toString()))
    qtbot.waitUntil(see(desk, QWidget, "outage").isHidden, timeout=SLOW_MS)
    assert services.health.may_use(CUSTOM) == Usable()
    assert status.text().startswith("Active. ")
    saved = services.store.load().server
    entry = services.store.entry(saved) if saved else None
    assert entry is not None
    assert entry.refresh_token.reveal() == service.refresh


def test_the_relay_s_sign_in_is_begun_where_the_relay_is_set_up(desk: Desk, qtbot: QtBot) -> None:
    desk.workshop.navigation.open_page("delivery")
    again = see(desk, QPushButton, "try_again_default")
    qtbot.waitUntil(lambda: again.isVisible() and again.text() == "Sign in again…", timeout=SLOW_MS)
    again.click()
    dialog = see(desk, QWidget, "relay_dialog")
    qtbot.waitUntil(dialog.isVisible, timeout=SLOW_MS)
    sign_in = dialog.findChild(QPushButton, "relay_sign_in")
    assert isinstance(sign_in, QPushButton)
    qtbot.waitUntil(sign_in.isVisible, timeout=SLOW_MS)
    dialog.close()
