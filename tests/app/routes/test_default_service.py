"""The default email service: each kind is chosen only where it can serve."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.routes.default import (
    InvalidSendmailError,
    address_problems,
    default_text,
    load_default,
    path_problems,
    use_outbox,
    use_relay,
    use_sendmail,
)
from smtp_desk.app.services import Services
from smtp_desk.app.words import failure_text
from smtp_desk.core.settings import Security
from smtp_desk.sender.routes.route import DEFAULT
from smtp_desk.store.stored import DefaultKind, NotProvenError, ServerState
from tests.store.settings import NEW, NEW_SECRET, OLD, OLD_SECRET, secret_of

if TYPE_CHECKING:
    pass


def save_relay(services: Services) -> None:
    services.store.save_server(NEW, Security.TLS, NEW_SECRET, default=True)


def test_a_fresh_machine_holds_emails(services: Services) -> None:
    state = load_default(services)
    assert state.kind is DefaultKind.OUTBOX
    assert state.relay is None
    assert (
        default_text(state)
        == "Emails wait in the outbox; a worker sends them once a server is available."
    )
    assert not services.paths.config.exists()


def test_sendmail(services: Services) -> None:
    state = use_sendmail(services, f" {sys.executable} ", " desk@EXAMPLE.org ")
    assert state == load_default(services)
    assert state.kind is DefaultKind.SENDMAIL
    assert (
        default_text(state) == f"Emails are sent through {sys.executable}, from desk@example.org."
    )
    assert services.store.load().default.sendmail_path == sys.executable


@pytest.mark.parametrize(
    ("path", "address", "wrong"),
    [
        ("sendmail", "desk@example.org", (1, 0)),
        (sys.executable, "desk", (0, 1)),
        ("", "", (1, 1)),
    ],
)
def test_what_can_not_serve_is_said_for_each_field_and_not_saved(
    services: Services, path: str, address: str, wrong: tuple[int, int]
) -> None:
    with pytest.raises(InvalidSendmailError) as caught:
        use_sendmail(services, path, address)
    assert (len(caught.value.path), len(caught.value.from_email)) == wrong
    assert str(caught.value)
    assert load_default(services).kind is DefaultKind.OUTBOX


def test_an_intranet_address_is_only_noted(services: Services) -> None:
    (notice,) = address_problems("desk@corp.local")
    assert not notice.error
    assert use_sendmail(services, sys.executable, "desk@corp.local").kind is DefaultKind.SENDMAIL
    assert path_problems(sys.executable) == ()


def test_a_relay_stays_saved_while_another_kind_is_in_use(services: Services) -> None:
    save_relay(services)
    relay = load_default(services).relay
    assert relay is not None
    assert relay.proven
    for state in (use_outbox(services), use_sendmail(services, sys.executable, "a@example.org")):
        assert state.relay == relay
    state = use_relay(services)
    assert state.kind is DefaultKind.SMTP
    assert state.from_email == NEW.from_email
    assert default_text(state) == f"Emails are sent through {NEW.host}, from {NEW.from_email}."


def test_the_custom_server_and_the_relay_have_each_their_own_secret(services: Services) -> None:
    services.store.save_server(OLD, Security.STARTTLS, OLD_SECRET)
    save_relay(services)
    stored = services.store.load()
    assert stored.server
    assert stored.default.server
    services.credentials.delete(stored.default.server.key)
    assert secret_of(services.store, stored.server) == OLD_SECRET
    state = load_default(services)
    assert state.relay
    assert state.relay.state.state is ServerState.SECRET_UNAVAILABLE
    assert default_text(state).startswith(f"{NEW.host} isn’t used: ")


def test_an_unproven_relay_can_not_be_chosen(services: Services) -> None:
    save_relay(services)
    use_outbox(services)
    file = services.paths.settings_file
    file.write_text(file.read_text().replace(NEW.host, "evil.example.test"))
    with pytest.raises(NotProvenError) as caught:
        use_relay(services)
    assert caught.value.status.state is ServerState.UNPROVEN
    assert load_default(services).kind is DefaultKind.OUTBOX


def test_without_a_relay_there_is_none_to_choose(services: Services) -> None:
    with pytest.raises(NotProvenError) as caught:
        use_relay(services)
    assert "No relay is saved" in failure_text(caught.value)


def test_each_choice_ends_the_rest_of_the_default_route(services: Services) -> None:
    save_relay(services)
    for choose in (use_outbox, use_relay):
        services.health.record_failure(DEFAULT, "connect.refused")
        choose(services)
        assert services.health.status(DEFAULT).resting_until is None
