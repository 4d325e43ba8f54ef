"""The page over settings whose sign-in is by OAuth 2.0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from smtp_desk.app.services import Services
from smtp_desk.core.gate import Outcome, SaveHint
from smtp_desk.core.oauth import OAuthFlow
from smtp_desk.core.problems import OAUTH_FIELDS, Field
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from tests.app.page import Page, open_page
from tests.oauth.conftest import settings_of
from tests.servers.certs import Certificates
from tests.servers.scripted import ScriptedServer
from tests.servers.sign_in_service import SignInService
from tests.servers.token_mail import takes_tokens

ANN = "ann@example.org"


@pytest.fixture
def service(certs: Certificates) -> Iterator[SignInService]:
    with SignInService(certs.good_rsa.tls) as running:
        yield running


@pytest.fixture
def server(certs: Certificates, service: SignInService) -> Iterator[ScriptedServer]:
    script = takes_tokens(service, certs.good.tls, ANN)
    with ScriptedServer(script) as running:
        yield running


@pytest.fixture
def signed_in(
    services: Services, certs: Certificates, service: SignInService, server: ScriptedServer
) -> Page:
    """A page over a saved sign-in of a person, whose service has a CA of its own."""
    ca_pem = certs.root.chain_file.read_text()
    settings = ServerSettings(
        host="localhost",
        port=server.port,
        username=ANN,
        from_email=ANN,
        security=Security.STARTTLS,
        ca_pem=ca_pem,
        oauth=replace(settings_of(service, OAuthFlow.BROWSER), ca_pem=ca_pem),
    )
    refresh = Secret(service.new_refresh_token())
    services.store.save_server(settings, Security.STARTTLS, None, refresh_token=refresh)
    page = open_page(services)
    page.presenter.edit(Field.RECIPIENT, "bo@example.org")
    return page


def test_what_is_saved_is_proven_and_tested_without_a_person(
    signed_in: Page, server: ScriptedServer
) -> None:
    state = signed_in.state()
    assert (state.save_hint, state.changed, state.problems) == (SaveHint.ALL_SAVED, False, ())
    assert state.secret_stored
    signed_in.test()
    assert signed_in.state().outcome is Outcome.SUCCESS
    assert len(server.messages) == 1


def test_a_change_beside_the_sign_in_is_tested_and_saved_with_it(
    signed_in: Page, service: SignInService
) -> None:
    signed_in.presenter.edit(Field.FROM_NAME, "Example")
    assert signed_in.state().save_hint is SaveHint.CHANGED
    signed_in.test()
    assert signed_in.state().may_save
    signed_in.save()
    store = signed_in.services.store
    server = store.load().server
    assert server is not None
    entry = store.entry(server)
    assert entry is not None
    assert (server.settings.from_name, entry.refresh_token) == ("Example", Secret(service.refresh))
    assert signed_in.state().save_hint is SaveHint.ALL_SAVED


# Where codes for devices are given matters to the flow of that name only.
_USED = OAUTH_FIELDS - {Field.OAUTH_CA_FILE, Field.TENANT, Field.OAUTH_DEVICE_URL}


@pytest.mark.parametrize("field", sorted(_USED))
def test_another_sign_in_never_gets_the_stored_one(
    signed_in: Page, service: SignInService, field: Field
) -> None:
    before = len(service.requests)
    signed_in.presenter.edit(field, f"https://evil.example/{field}")
    signed_in.test()
    assert signed_in.state().outcome is not Outcome.SUCCESS
    assert len(service.requests) == before
    signed_in.presenter.discard()
    assert not signed_in.state().changed
    signed_in.test()
    assert signed_in.state().outcome is Outcome.SUCCESS


def test_a_sign_in_that_has_ended_is_named(signed_in: Page, service: SignInService) -> None:
    service.refresh = "used by somebody else"
    signed_in.test()
    finding = signed_in.state().finding
    assert finding is not None
    assert finding.code == "auth.sign_in_again"
