"""The banner of an outage, and the one who looks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from smtp_desk.app.routes.outage import Outage
from smtp_desk.app.services import Services
from smtp_desk.core.settings import Security
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.ui.integrations.outage_banner import OutageBanner
from smtp_desk.ui.integrations.outage_keeper import OutageKeeper
from smtp_desk.ui.worker import Worker
from tests.servers.ports import free_port
from tests.store.settings import OLD, OLD_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.ui.widgets.theme import Theme

OUTAGE = Outage(since="10:02", summary="Nobody listens there.", fallbacks=3, shut=False, held=False)


@pytest.fixture
def banner(qtbot: QtBot, theme: Theme) -> OutageBanner:
    made = OutageBanner()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def services(tmp_path: Path) -> Services:
    services = Services.sandbox(tmp_path / "desk")
    settings = replace(OLD, host="127.0.0.1", port=free_port())
    services.store.save_server(settings, Security.STARTTLS, OLD_SECRET)
    services.store.set_enabled(True)
    return services


@pytest.fixture
def keeper(services: Services, banner: OutageBanner) -> Iterator[OutageKeeper]:
    worker = Worker()
    made = OutageKeeper(services, worker)
    made.changed.connect(banner.show_outage)
    made.answered.connect(banner.show_answer)
    banner.try_again_wanted.connect(made.try_again)
    yield made
    made.stop()
    assert worker.close()


def said(banner: OutageBanner) -> list[str]:
    return [label.text() for label in banner.findChildren(QLabel) if label.isVisible()]


def test_without_an_outage_there_is_none(banner: OutageBanner) -> None:
    banner.show_outage(OUTAGE)
    banner.show_outage(None)
    assert banner.isHidden()


def test_it_says_since_when_why_and_what_became_of_the_emails(banner: OutageBanner) -> None:
    banner.show_outage(OUTAGE)
    assert said(banner)[-3:] == [OUTAGE.title, OUTAGE.summary, OUTAGE.consequence]
    assert banner.accessibleName() == OUTAGE.title
    assert OUTAGE.consequence in banner.accessibleDescription()


def test_an_outage_is_found_and_its_end_too(
    keeper: OutageKeeper, services: Services, banner: OutageBanner, qtbot: QtBot
) -> None:
    services.health.record_failure(CUSTOM, "auth.rejected")
    with qtbot.waitSignal(keeper.changed):
        keeper.start()
    assert banner.isVisible()
    services.health.reopen(CUSTOM)
    with qtbot.waitSignal(keeper.changed):
        keeper.look()
    assert banner.isHidden()


def test_try_again_tries_the_server_and_says_what_came_of_it(
    keeper: OutageKeeper, services: Services, banner: OutageBanner, qtbot: QtBot
) -> None:
    services.health.record_failure(CUSTOM, "auth.rejected")
    with qtbot.waitSignal(keeper.changed):
        keeper.look()
    button = banner.findChild(QPushButton, "try_again")
    assert isinstance(button, QPushButton)
    with qtbot.waitSignal(keeper.answered):
        button.click()
        assert not button.isEnabled()
        assert "Trying the server…" in said(banner)
    assert button.isEnabled()
    assert any(text.startswith("Still unavailable. ") for text in said(banner))
    assert services.health.status(CUSTOM).code == "connect.refused"


def test_what_keeps_it_from_being_tried_is_said(
    keeper: OutageKeeper, services: Services, banner: OutageBanner, qtbot: QtBot
) -> None:
    banner.show_outage(OUTAGE)
    services.paths.outbox_file.write_bytes(b"no database" * 100)
    with qtbot.waitSignal(keeper.answered) as answered:
        keeper.try_again()
    assert answered.args[0].error
