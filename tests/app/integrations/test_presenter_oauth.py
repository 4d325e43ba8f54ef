"""A sign-in by OAuth 2.0 on the Integrations page: chosen, filled in, tested, saved, done again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from smtp_desk.app.integrations.presenter import IntegrationsPresenter
from smtp_desk.app.integrations.sign_in import NOT_A_KEY_FILE
from smtp_desk.app.integrations.state import IntegrationsState
from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.services import Services
from smtp_desk.core.findings.finding import SIGN_IN_AGAIN, Remedy
from smtp_desk.core.gate import Outcome, SaveHint
from smtp_desk.core.problems import Field
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.sender.routes.health import Usable
from smtp_desk.sender.routes.route import CUSTOM
from tests.app.faces import DeferredRunner, RememberingView
from tests.app.page import Page
from tests.core.test_oauth import ACCOUNT
from tests.oauth.person import Person
from tests.servers.certs import Certificates
from tests.servers.scripted import ScriptedServer
from tests.servers.sign_in_service import SignInService, refusal
from tests.servers.token_mail import takes_tokens

ANN = "ann@example.test"


class SigningView(RememberingView):
    """A face whose person does what a prompt asks for."""

    person: Person
    cancels: IntegrationsPresenter | None = None

    def render(self, state: IntegrationsState) -> None:
        super().render(state)
        prompt = state.prompt
        if prompt is None or prompt in self.person.prompts:
            return
        if self.cancels is not None:
            self.person.prompts.append(prompt)
            self.cancels.cancel_test()
        else:
            self.person(prompt)


@dataclass
class OAuthPage(Page):
    """The page, a sign-in service and a mail server that takes its tokens."""

    service: SignInService
    server: ScriptedServer
    person: Person
    ca_file: str

    def sign_in_by(self, flow: str = "browser", **other: str) -> None:
        """Fill the form in for a sign-in by this flow."""
        texts = {
            "host": "localhost",
            "port": str(self.server.port),
            "username": ANN,
            "from_email": ANN,
            "security": "starttls",
            "ca_file": self.ca_file,
            "recipient": "bo@example.test",
            "oauth_provider": "custom",
            "flow": flow,
            "client_id": "desk",
            "oauth_authorize_url": f"{self.service.url}/authorize",
            "oauth_token_url": f"{self.service.url}/token",
            "oauth_device_url": f"{self.service.url}/device",
            "oauth_scope": "smtp offline_access",
            "oauth_ca_file": self.ca_file,
        }
        for name, text in (texts | other).items():
            self.presenter.edit(Field(name), text)
        self.runner.finish()


@pytest.fixture
def page(services: Services, certs: Certificates, quick_proofs: None) -> Iterator[OAuthPage]:
    tls = certs.good_rsa.server_context()
    with SignInService(tls) as service, ScriptedServer(takes_tokens(service, tls, ANN)) as server:
        runner, view, person = DeferredRunner(), SigningView(), Person(service)
        view.person = person
        presenter = IntegrationsPresenter(services, runner, view)
        ca_file = str(certs.root.chain_file)
        made = OAuthPage(presenter, runner, view, services, service, server, person, ca_file)
        presenter.start()
        runner.finish()
        yield made


@pytest.mark.parametrize("flow", ["browser", "device"])
def test_a_person_signs_in_during_the_test_and_it_is_saved(page: OAuthPage, flow: str) -> None:
    page.sign_in_by(flow)
    page.test()
    state = page.state()
    assert state.outcome is Outcome.SUCCESS, state.finding
    assert [str(each.stage) for each in state.stages][:2] == ["settings", "token"]
    (prompt,) = page.person.prompts
    assert bool(prompt.user_code) == (flow == "device")
    assert state.prompt is None
    assert state.may_save
    page.save()
    assert page.state().save_hint is SaveHint.ALL_SAVED
    assert page.state().may_sign_in
    assert isinstance(page.view.draft.secret, StoredSecret)
    page.test()
    assert page.state().outcome is Outcome.SUCCESS
    assert len(page.person.prompts) == 1, "what is saved needs no person"


def test_a_second_test_of_the_same_values_asks_nobody(page: OAuthPage) -> None:
    page.sign_in_by()
    page.test()
    page.test()
    assert page.state().outcome is Outcome.SUCCESS
    assert len(page.person.prompts) == 1
    page.presenter.edit(Field.CLIENT_ID, "other")
    assert page.state().outcome is Outcome.CHANGED
    assert not page.state().may_save
    page.presenter.edit(Field.CLIENT_ID, "desk")
    assert page.state().may_save


def test_cancel_while_a_person_should_sign_in(page: OAuthPage) -> None:
    page.sign_in_by()
    page.view.cancels = page.presenter  # type: ignore[attr-defined]
    page.test()
    state = page.state()
    assert (state.busy, state.prompt, state.outcome) == (Busy.NOTHING, None, None)
    assert state.test_notice is not None
    assert not page.server.messages


def test_a_sign_in_that_is_refused_is_told_and_opens_nothing(page: OAuthPage) -> None:
    page.service.replies["/token"] = refusal("access_denied", "End-User aborted interaction")
    page.sign_in_by("device")
    page.test()
    state = page.state()
    assert state.finding is not None
    assert (state.finding.code, state.outcome) == ("oauth.denied", Outcome.UNREACHABLE)
    assert not state.may_save


def test_a_person_signs_in_again_for_what_is_saved(page: OAuthPage) -> None:
    page.sign_in_by()
    page.test()
    page.save()
    page.presenter.apply(Remedy(SIGN_IN_AGAIN, ""))
    assert page.state().busy is Busy.SIGNING_IN
    page.runner.finish()
    state = page.state()
    assert len(page.person.prompts) == 2
    assert state.test_notice is not None
    assert state.test_notice.text.startswith("Signed in.")
    assert (state.prompt, state.save_hint) == (None, SaveHint.ALL_SAVED)


def test_signing_in_again_that_fails_says_why(page: OAuthPage) -> None:
    page.sign_in_by()
    page.test()
    page.save()
    page.service.replies["/token"] = refusal("invalid_client", "", 401)
    page.presenter.apply(Remedy(SIGN_IN_AGAIN, ""))
    page.runner.finish()
    notice = page.state().test_notice
    assert notice is not None
    assert notice.error
    assert notice.text == "The sign-in service refuses the client ID or the client secret."


def test_the_remedy_of_a_sign_in_that_ended_before_it_was_saved_is_a_new_one(
    page: OAuthPage,
) -> None:
    page.service.gives = {"expires_in": 0.001}
    page.sign_in_by()
    page.test()
    page.service.refresh = ""
    page.test()
    finding = page.state().finding
    assert finding is not None
    assert finding.code == "auth.sign_in_again"
    (remedy,) = (each for each in finding.remedies if each.id == SIGN_IN_AGAIN)
    assert remedy.doable
    assert "smtp-desk sign-in" in remedy.text
    page.presenter.apply(remedy)
    page.runner.finish()
    assert page.state().outcome is Outcome.SUCCESS
    assert len(page.person.prompts) == 2
    page.save()
    assert page.state().save_hint is SaveHint.ALL_SAVED


def test_try_again_is_a_sign_in_where_only_that_opens_the_route(page: OAuthPage) -> None:
    page.sign_in_by()
    page.test()
    page.save()
    page.presenter.switch(on=True)
    page.runner.finish()
    page.services.health.record_failure(CUSTOM, "auth.sign_in_again")
    page.presenter.look()
    page.runner.finish()
    assert page.state().status.needs_sign_in
    page.presenter.edit(Field.CLIENT_ID, "typed meanwhile")
    page.presenter.try_again()
    assert page.state().busy is Busy.SIGNING_IN
    page.runner.finish()
    assert len(page.person.prompts) == 2
    assert not page.state().status.out
    assert page.services.health.may_use(CUSTOM) == Usable()
    assert page.state().oauth.client_id == "typed meanwhile"
    assert not page.state().outdated


def test_each_credential_keeps_what_was_typed_for_it(page: OAuthPage) -> None:
    presenter = page.presenter
    presenter.edit(Field.PASSWORD, "s3cret")
    presenter.edit(Field.AUTH_METHOD, "login")
    presenter.edit(Field.OAUTH_PROVIDER, "microsoft")
    presenter.edit(Field.CLIENT_ID, "0f8f")
    assert page.view.draft.secret == Secret("")
    presenter.edit(Field.OAUTH_PROVIDER, "google")
    assert page.view.draft.oauth.client_id == ""
    presenter.edit(Field.OAUTH_PROVIDER, "microsoft")
    assert page.view.draft.oauth.client_id == "0f8f"
    presenter.edit(Field.OAUTH_PROVIDER, "")
    draft = page.view.draft
    assert (draft.secret, draft.auth_method) == (Secret("s3cret"), "login")
    assert draft.oauth.provider == ""
    presenter.discard()
    presenter.edit(Field.OAUTH_PROVIDER, "microsoft")
    assert page.view.draft.oauth.client_id == "", "what was discarded does not come back"


def test_another_credential_than_the_saved_one_is_a_change(page: OAuthPage) -> None:
    page.sign_in_by()
    page.test()
    page.save()
    page.presenter.edit(Field.OAUTH_PROVIDER, "")
    assert page.state().changed
    assert not page.state().may_sign_in
    assert not page.state().secret_stored
    page.presenter.edit(Field.OAUTH_PROVIDER, "custom")
    state = page.state()
    assert (state.changed, state.secret_stored, state.may_sign_in) == (False, True, True)


def test_the_stored_sign_in_never_goes_to_another_service(page: OAuthPage) -> None:
    page.sign_in_by()
    page.test()
    page.save()
    page.presenter.edit(Field.OAUTH_TOKEN_URL, "https://elsewhere.test/token")
    state = page.state()
    assert not state.secret_stored
    assert [each.code for each in state.problems] == ["password.stored_elsewhere"]


def test_a_key_file_is_the_secret(page: OAuthPage, tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    path.write_text(ACCOUNT.replace(",", ",\n"))
    page.presenter.edit(Field.OAUTH_PROVIDER, "google")
    page.presenter.edit(Field.OAUTH_FLOW, "service-account")
    page.presenter.key_file.choose(str(path))
    page.runner.finish()
    assert page.view.draft.secret == Secret(path.read_text())
    assert page.state().from_key_file
    page.presenter.finish_editing(Field.PASSWORD)
    assert not [each for each in page.state().problems if each.field is Field.PASSWORD]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_a_key_file_that_is_none_is_told(
    page: OAuthPage, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)
    page.presenter.edit(Field.OAUTH_PROVIDER, "google")
    page.presenter.key_file.choose(str(path))
    page.runner.finish()
    notice = page.state().notice
    assert notice is not None
    assert notice.error
    assert (notice.text == NOT_A_KEY_FILE) == (content is not None)
    assert page.view.draft.secret == Secret("")
