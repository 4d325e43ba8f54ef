"""The same form, test and gate for the relay of the default email service."""

from pathlib import Path

import pytest

from smtp_desk.app.routes.words import relay_text
from smtp_desk.core.gate import Outcome
from smtp_desk.core.problems import Field
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.store.stored import DefaultKind, ServerState
from tests.app.page import Page, open_page
from tests.store.settings import secret_of


@pytest.fixture
def relay(saved: Page) -> Page:
    """The form of the relay, on a machine whose custom server is saved."""
    return open_page(saved.services, default=True)


def save_relay(relay: Page, sandbox: Sandbox, ca_file: Path) -> None:
    relay.fill(sandbox, ca_file, from_name="Relay")
    relay.test()
    assert relay.state().outcome is Outcome.SUCCESS
    relay.save()


def test_it_starts_empty_whatever_the_custom_server_is(relay: Page) -> None:
    assert relay.view.draft.host == ""
    assert not relay.state().secret_stored
    assert relay_text(relay.state().status) == "No relay is set up yet."
    assert relay.state().status.server is None


def test_what_was_not_proven_is_not_saved(relay: Page, sandbox: Sandbox, ca_file: Path) -> None:
    relay.fill(sandbox, ca_file, password="wrong")
    relay.test()
    assert not relay.state().may_save
    relay.save()
    assert relay.services.store.load().default.server is None


def test_what_was_proven_becomes_the_default_service(
    relay: Page, sandbox: Sandbox, ca_file: Path
) -> None:
    before = relay.services.store.load().server
    save_relay(relay, sandbox, ca_file)
    state, stored = relay.state(), relay.services.store.load()
    assert state.notice
    assert state.notice.text == "Saved. This relay is now the default email service."
    assert relay_text(state.status) == "Proven. localhost can send emails."
    assert stored.default.kind is DefaultKind.SMTP
    assert stored.server == before
    assert stored.default.server
    assert before
    assert stored.default.server.key != before.key


def test_its_stored_password_is_tested_without_being_typed(
    relay: Page, sandbox: Sandbox, ca_file: Path
) -> None:
    save_relay(relay, sandbox, ca_file)
    again = open_page(relay.services, default=True)
    assert again.state().secret_stored
    again.presenter.edit(Field.RECIPIENT, "ann@sandbox.test")
    again.test()
    assert again.state().outcome is Outcome.SUCCESS


def test_an_edited_file_is_unproven(relay: Page, sandbox: Sandbox, ca_file: Path) -> None:
    save_relay(relay, sandbox, ca_file)
    path = relay.services.paths.settings_file
    path.write_text(path.read_text("utf-8").replace("Relay", "Forged"), "utf-8")
    again = open_page(relay.services, default=True)
    assert again.state().status.kind is ServerState.UNPROVEN
    assert not again.state().may_save
    assert open_page(relay.services).state().status.kind is ServerState.OFF


def test_a_password_that_is_gone_is_said(relay: Page, sandbox: Sandbox, ca_file: Path) -> None:
    save_relay(relay, sandbox, ca_file)
    server = relay.services.store.load().default.server
    assert server
    relay.services.credentials.delete(server.key)
    again = open_page(relay.services, default=True)
    assert again.state().status.kind is ServerState.SECRET_UNAVAILABLE


def test_remove_forgets_the_relay_alone(relay: Page, sandbox: Sandbox, ca_file: Path) -> None:
    save_relay(relay, sandbox, ca_file)
    relay.presenter.remove()
    relay.runner.finish()
    state, stored = relay.state(), relay.services.store.load()
    assert state.notice
    assert state.notice.text == "The relay and its password were removed."
    assert stored.default.server is None
    assert stored.default.kind is DefaultKind.OUTBOX
    assert stored.server
    assert secret_of(relay.services.store, stored.server) == sandbox.password
