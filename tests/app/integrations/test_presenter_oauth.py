"""A sign-in by OAuth 2.0 on the Integrations page: chosen, filled in, tested, saved, done again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from smtp_desk.app.integrations.presenter import IntegrationsPresenter
from smtp_desk.app.integrations.sign_in import NOT_A_KEY_FILE
from smtp_desk.app.integrations.state import IntegrationsState
from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.routes.custom import load_saved
from smtp_desk.app.services import Services
from smtp_desk.core.findings.finding import SIGN_IN_AGAIN, Remedy
from smtp_desk.core.gate import Outcome, SaveHint
from smtp_desk.core.problems import Field
from smtp_desk.core.secret import AccessToken, Lifetime, Secret, StoredSecret
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
    tls = certs.good_rsa.tls
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


def saved_day(page: OAuthPage) -> tuple[str, str]:
    """The saved day, and the refresh token that is kept."""
    server = page.services.store.load().server
    assert server is not None
    entry = page.services.store.entry(server)
    assert entry is not None
    return str(server.settings.client_secret_expires), entry.refresh_token.reveal()


def in_days(page: OAuthPage, days: int) -> str:
    return str(page.services.now().date() + timedelta(days=days))


def test_when_the_client_secret_expires_is_saved_without_a_test(page: OAuthPage) -> None:
    page.sign_in_by("app", password="client s3cret")
    page.test()
    page.save()
    version = page.services.store.fingerprint()
    assert (page.state().save_hint, page.state().ends) == (SaveHint.ALL_SAVED, "")
    emails, soon = len(page.server.messages), in_days(page, 9)
    page.presenter.edit(Field.CLIENT_SECRET_EXPIRES, soon)
    state = page.state()
    assert (state.may_save, state.changed, state.save_hint) == (True, True, SaveHint.NONE)
    page.save()
    state = page.state()
    assert (state.may_save, state.changed, state.save_hint) == (False, False, SaveHint.ALL_SAVED)
    assert f"client secret expires on {soon}, in 9 days." in state.ends
    assert saved_day(page)[0] == soon
    assert len(page.server.messages) == emails
    assert page.services.store.fingerprint() != version
    page.presenter.edit(Field.CLIENT_SECRET_EXPIRES, "")
    page.save()
    assert (saved_day(page)[0], page.state().ends) == ("None", "")
    assert load_saved(page.services).proven


@pytest.mark.parametrize("typed", ["2020-01-01", "2027-02-29", "next year", "9999-01-01"])
def test_a_wrong_day_can_not_be_saved(page: OAuthPage, typed: str) -> None:
    page.sign_in_by("app", password="client s3cret")
    page.test()
    page.save()
    page.presenter.edit(Field.CLIENT_SECRET_EXPIRES, typed)
    page.presenter.finish_editing(Field.CLIENT_SECRET_EXPIRES)
    state = page.state()
    assert not state.may_save
    assert [each.field for each in state.problems] == [Field.CLIENT_SECRET_EXPIRES]
    page.save()
    assert saved_day(page)[0] == "None"
    page.presenter.discard()
    assert page.state().save_hint is SaveHint.ALL_SAVED


def test_the_day_that_stands_there_at_save_counts_not_that_of_the_test(page: OAuthPage) -> None:
    page.sign_in_by("app", password="client s3cret", client_secret_expires=in_days(page, 100))
    page.test()
    page.presenter.edit(Field.CLIENT_SECRET_EXPIRES, in_days(page, 200))
    assert page.state().outcome is Outcome.SUCCESS
    page.save()
    assert saved_day(page)[0] == in_days(page, 200)


def test_a_day_that_is_saved_later_brings_back_no_old_sign_in(page: OAuthPage) -> None:
    """A worker may have renewed it: an old refresh token would end the sign-in."""
    page.sign_in_by("browser", password="client s3cret")
    page.test()
    page.save()
    server = page.services.store.load().server
    assert server is not None
    access = AccessToken(Secret("a"), 0.0, 1.0)
    page.services.store.keep_tokens(server, Secret("renewed by a worker"), access)
    page.presenter.edit(Field.CLIENT_SECRET_EXPIRES, in_days(page, 100))
    page.save()
    assert saved_day(page) == (in_days(page, 100), "renewed by a worker")
    # A test anew, with something else to save, takes what is kept by then.
    page.service.refresh = "renewed by a worker"
    page.presenter.edit(Field.FROM_NAME, "Example")
    page.test()
    page.save()
    assert saved_day(page) == (in_days(page, 100), page.service.refresh)


def test_a_day_that_another_program_saved_is_shown(page: OAuthPage) -> None:
    page.sign_in_by("app", password="client s3cret")
    page.test()
    page.save()
    page.services.store.save_expiry(page.services.now().date() + timedelta(days=3))
    page.presenter.look()
    page.runner.finish()
    draft = page.view.draft
    assert draft is not None
    assert draft.oauth.client_secret_expires == in_days(page, 3)
    assert "in 3 days" in page.state().ends
    assert not page.state().changed


def test_a_day_is_not_saved_over_what_was_saved_elsewhere(page: OAuthPage) -> None:
    page.sign_in_by("app", password="client s3cret")
    page.test()
    page.save()
    store = page.services.store
    page.presenter.edit(Field.CLIENT_SECRET_EXPIRES, in_days(page, 100))
    store.save_preferences(replace(store.load().preferences, company_name="Example"))
    page.save()
    assert page.state().outdated
    assert saved_day(page)[0] == "None"
    page.presenter.save(overwrite=True)
    page.runner.finish()
    assert saved_day(page)[0] == in_days(page, 100)


def test_a_sign_in_that_ends_soon_is_shown_until_a_person_signs_in_again(page: OAuthPage) -> None:
    page.sign_in_by()
    page.service.gives = {"refresh_token_expires_in": 604_799}
    page.test()
    page.save()
    assert page.state().ends == ""
    server = page.services.store.load().server
    assert server is not None
    entry = page.services.store.entry(server)
    assert entry is not None
    assert entry.refresh_lifetime is not None
    lifetime = entry.refresh_lifetime
    assert lifetime.until - lifetime.since == 604_799
    # Five days later:
    passed = Lifetime(lifetime.since - 432_000, lifetime.until - 432_000)
    access = AccessToken(Secret("a"), 0.0, 1.0)
    page.services.store.keep_tokens(server, entry.refresh_token, access, passed)
    page.presenter.start()
    page.runner.finish()
    assert page.state().ends.startswith("The sign-in expires on ")
    page.presenter.apply(Remedy(SIGN_IN_AGAIN, ""))
    page.runner.finish()
    assert page.state().ends == ""
