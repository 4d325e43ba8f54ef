"""The button: a choice, nothing typed overwritten, one press undoes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from smtp_desk.app.proposals.presenter import FindBusy, FindPresenter, FindState, Proposal
from smtp_desk.app.proposals.proposals import sandbox_network
from smtp_desk.app.proposals.words import OTHER_ADDRESS
from smtp_desk.app.services import Services
from smtp_desk.core.oauth import OAuthDraft
from smtp_desk.core.problems import Field
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.discovery.candidates import Source
from smtp_desk.discovery.finder import Network
from smtp_desk.sandbox.server import Sandbox
from tests.app.faces import DeferredRunner

pytestmark = pytest.mark.usefixtures("unhurried_search")


@dataclass
class FakeForm:
    draft: SettingsDraft = field(default_factory=SettingsDraft)

    locked: frozenset[Field] = frozenset()

    def fill(self, changes: Mapping[Field, str]) -> None:
        values = {str(name): value for name, value in changes.items()}
        provider = values.pop("oauth_provider", None)
        if provider is not None:
            self.draft = replace(self.draft, oauth=OAuthDraft(provider=provider))
        self.draft = replace(self.draft, **values)  # type: ignore[arg-type]


@dataclass
class Shown:
    states: list[FindState] = field(default_factory=list)
    focused: int = 0

    def render_state(self, state: FindState) -> None:
        self.states.append(state)

    def focus_address(self) -> None:
        self.focused += 1

    @property
    def state(self) -> FindState:
        return self.states[-1]


class Button:
    def __init__(self, services: Services, sandbox: Sandbox | None = None) -> None:
        self.form, self.view, self.runner = FakeForm(), Shown(), DeferredRunner()

        def network() -> Network:
            assert sandbox is not None
            return sandbox_network(sandbox)

        self.presenter = FindPresenter(
            services, self.runner, self.view, self.form, network if sandbox else None
        )

    def find(self, address: str) -> tuple[Proposal, ...]:
        self.form.draft = replace(self.form.draft, from_email=address)
        self.presenter.find()
        self.runner.finish()
        return self.view.state.proposals


@pytest.fixture
def button(services: Services) -> Button:
    return Button(services)


def test_a_known_provider_is_proposed_and_nothing_is_filled_in(button: Button) -> None:
    (proposal,) = button.find("ann@gmail.com")
    assert proposal.candidate.host == "smtp.gmail.com"
    assert "https://myaccount.google.com/apppasswords" in proposal.sign_in
    assert proposal.limits.startswith("500 emails a day for a Gmail account")
    assert button.form.draft == SettingsDraft(from_email="ann@gmail.com")
    assert button.view.state.may_undo is False


def test_taking_fills_in_and_undo_takes_it_back(button: Button) -> None:
    (proposal,) = button.find("ann@web.de")
    before = button.form.draft
    button.presenter.accept(proposal)
    draft = button.form.draft
    assert (draft.host, draft.port, draft.security) == ("smtp.web.de", "587", "starttls")
    assert draft.username == "ann@web.de"
    assert button.view.state.may_undo
    button.presenter.undo()
    assert button.form.draft == before
    assert button.view.state.may_undo is False


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"host": "mail.example.org"}, (Field.HOST,)),
        ({"port": "2525"}, (Field.PORT,)),
        ({"security": "tls"}, (Field.SECURITY,)),
        ({"host": "smtp.web.de", "port": "465"}, (Field.PORT,)),
    ],
)
def test_a_typed_server_is_never_mixed_with_another(
    button: Button, typed: dict[str, str], kept: tuple[Field, ...]
) -> None:
    button.form.draft = replace(button.form.draft, **typed)  # type: ignore[arg-type]
    (proposal,) = button.find("ann@web.de")
    assert proposal.kept == kept
    assert dict(proposal.changes) == {Field.USERNAME: "ann@web.de"}
    button.presenter.accept(proposal)
    for name, value in typed.items():
        assert getattr(button.form.draft, name) == value


@pytest.mark.parametrize(
    ("address", "credential", "alone"),
    [
        ("ann@gmail.com", "google", False),
        ("ann@outlook.com", "microsoft", True),
        ("ann@example.onmicrosoft.com", "microsoft", False),
        ("ann@yahoo.com", "", False),
        ("ann@web.de", "", False),
    ],
)
def test_the_sign_in_that_the_provider_s_row_names_is_a_choice(
    button: Button, address: str, credential: str, alone: bool
) -> None:
    (proposal,) = button.find(address)
    assert (proposal.credential, proposal.needs_credential) == (credential, alone)
    before = button.form.draft
    button.presenter.accept(proposal)
    assert button.form.draft.oauth.provider == "", "only where it is asked for"
    button.presenter.undo()
    button.presenter.accept(proposal, by_oauth=True)
    draft, notice = button.form.draft, button.view.state.notice
    assert (draft.oauth.provider, bool(draft.host)) == (credential, True)
    assert notice is not None
    assert ("client ID" in notice.text) == bool(credential)
    button.presenter.undo()
    assert button.form.draft == before


@pytest.mark.parametrize(
    "typed",
    [
        {"secret": Secret("typed")},
        {"auth_method": "login"},
        {"oauth": OAuthDraft(provider="custom", client_id="x")},
        {"host": "mail.example.org"},
    ],
)
def test_no_credential_takes_the_place_of_what_was_typed(
    button: Button, typed: dict[str, object]
) -> None:
    button.form.draft = replace(button.form.draft, **typed)  # type: ignore[arg-type]
    (proposal,) = button.find("ann@outlook.com")
    assert proposal.credential == ""
    before = button.form.draft.oauth
    button.presenter.accept(proposal, by_oauth=True)
    assert button.form.draft.oauth == before


@pytest.mark.parametrize("field", [Field.OAUTH_PROVIDER, Field.PASSWORD, Field.AUTH_METHOD])
def test_a_locked_credential_is_no_choice(button: Button, field: Field) -> None:
    button.form.locked = frozenset({field})
    (proposal,) = button.find("ann@outlook.com")
    assert proposal.credential == ""


def test_undo_leaves_another_credential_that_was_chosen_since(button: Button) -> None:
    (proposal,) = button.find("ann@outlook.com")
    button.presenter.accept(proposal, by_oauth=True)
    button.form.draft = replace(button.form.draft, oauth=OAuthDraft(provider="custom"))
    button.presenter.undo()
    assert (button.form.draft.oauth.provider, button.form.draft.host) == ("custom", "")


def test_a_typed_username_stays(button: Button) -> None:
    button.form.draft = replace(button.form.draft, username="desk")
    (proposal,) = button.find("ann@web.de")
    assert proposal.kept == (Field.USERNAME,)
    button.presenter.accept(proposal)
    assert (button.form.draft.username, button.form.draft.host) == ("desk", "smtp.web.de")


def test_what_was_typed_after_the_search_counts(button: Button) -> None:
    (proposal,) = button.find("ann@web.de")
    button.form.draft = replace(button.form.draft, host="mail.example.org")
    button.presenter.form_changed()
    assert button.view.state.proposals[0].kept == (Field.HOST,)
    button.presenter.accept(proposal)
    assert button.form.draft.host == "mail.example.org"


def test_what_is_there_already_needs_no_taking(button: Button) -> None:
    (proposal,) = button.find("ann@web.de")
    button.presenter.accept(proposal)
    again = button.view.state.proposals[0]
    assert (dict(again.changes), again.kept) == ({}, ())


def test_undo_leaves_what_was_typed_since(button: Button) -> None:
    (proposal,) = button.find("ann@web.de")
    button.presenter.accept(proposal)
    button.form.draft = replace(button.form.draft, username="desk")
    button.presenter.undo()
    assert (button.form.draft.username, button.form.draft.host) == ("desk", "")


@pytest.mark.parametrize("address", ["", "ann", "ann@", "a b@example.org"])
def test_what_is_no_address_is_said(button: Button, address: str) -> None:
    assert button.find(address) == ()
    state = button.view.state
    assert state.reason
    assert state.notice is not None
    assert state.notice.error
    assert button.runner.cancels == []


def test_what_is_asked_where_is_shown_first(button: Button) -> None:
    button.form.draft = replace(button.form.draft, from_email="ann@example.test")
    button.presenter.find()
    state = button.view.state
    assert state.busy is FindBusy.FINDING
    targets = [each.target for each in state.questions]
    assert "https://example.test/.well-known/autoconfig/mail/config-v1.1.xml" in targets
    assert "_submissions._tcp.example.test" in targets
    assert not [each for each in targets if "ispdb" in each]
    button.presenter.cancel()
    button.runner.finish()


def test_a_second_press_while_it_runs_does_nothing(button: Button) -> None:
    button.form.draft = replace(button.form.draft, from_email="ann@gmail.com")
    button.presenter.find()
    button.presenter.find()
    assert button.runner.waiting == 1
    button.runner.finish()


def test_cancel_answers_at_once_and_is_told(button: Button) -> None:
    button.form.draft = replace(button.form.draft, from_email="ann@example.test")
    button.presenter.find()
    button.presenter.cancel()
    assert button.view.state.busy is FindBusy.CANCELLING
    button.runner.finish()
    state = button.view.state
    assert state.busy is FindBusy.NOTHING
    assert state.notice is not None
    assert (state.notice.text, state.notice.error) == ("The search was cancelled.", False)


def test_closing_cancels(button: Button) -> None:
    button.form.draft = replace(button.form.draft, from_email="ann@example.test")
    button.presenter.find()
    button.presenter.close()
    assert button.runner.cancels[0].cancelled
    button.runner.finish()


def test_nothing_found_offers_the_database(services: Services, sandbox: Sandbox) -> None:
    button = Button(services, sandbox)
    assert button.find("ann@elsewhere.example.test") == ()
    state = button.view.state
    assert state.may_ask_ispdb
    assert state.notice is not None
    assert "No server found" in state.notice.text


def test_the_sandbox_publishes_its_own_settings(services: Services, sandbox: Sandbox) -> None:
    button = Button(services, sandbox)
    first, second = button.find("desk@sandbox.test")
    assert (first.candidate.host, first.candidate.port) == ("localhost", sandbox.tls_port)
    assert second.candidate.port == sandbox.starttls_port
    button.presenter.accept(first)
    assert button.form.draft.username == sandbox.username


def test_what_was_typed_gives_way_where_the_person_says_so_and_comes_back(button: Button) -> None:
    button.form.draft = replace(button.form.draft, host="mail.example.org", username="desk")
    (proposal,) = button.find("ann@web.de")
    before = button.form.draft
    assert proposal.may_replace
    button.presenter.accept(proposal, instead=True)
    draft = button.form.draft
    assert (draft.host, draft.port, draft.username) == ("smtp.web.de", "587", "ann@web.de")
    button.presenter.undo()
    assert button.form.draft == before


@pytest.mark.parametrize(
    ("locked", "instead"),
    [
        ({Field.HOST}, {Field.USERNAME}),
        ({Field.PORT}, {Field.USERNAME}),
        ({Field.SECURITY}, {Field.USERNAME}),
        ({Field.USERNAME}, {Field.HOST, Field.PORT, Field.SECURITY}),
        ({Field.HOST, Field.USERNAME}, set()),
    ],
)
def test_a_locked_field_never_gives_way(
    button: Button, locked: set[Field], instead: set[Field]
) -> None:
    managed = {"host": "relay.example.org", "port": "25", "security": "tls", "username": "desk"}
    button.form.draft = replace(button.form.draft, **managed)  # type: ignore[arg-type]
    button.form.locked = frozenset(locked)
    (proposal,) = button.find("ann@web.de")
    assert set(proposal.instead) == instead
    assert set(proposal.kept) >= locked
    assert proposal.changes == {}
    button.presenter.accept(proposal, instead=True)
    for name in locked:
        assert getattr(button.form.draft, name) == managed[name]


def test_a_lock_that_agrees_with_the_server_stands_in_nobodys_way(button: Button) -> None:
    button.form.draft = replace(button.form.draft, host="smtp.web.de")
    button.form.locked = frozenset({Field.HOST, Field.PORT})
    (proposal,) = button.find("ann@web.de")
    assert proposal.kept == ()
    assert set(proposal.changes) == {Field.SECURITY, Field.USERNAME}


@pytest.mark.parametrize(
    ("address", "sign_in"),
    [
        ("ann@gmail.com", "app password"),
        ("ann@web.de", "password"),
        ("ann@icloud.com", "app password"),
        ("ann@outlook.com", "OAuth 2.0 sign-in under Credential"),
    ],
)
def test_what_comes_next_is_said(button: Button, address: str, sign_in: str) -> None:
    (proposal,) = button.find(address)
    button.presenter.accept(proposal)
    notice = button.view.state.notice
    assert notice is not None
    assert notice.text.startswith("Filled in. ")
    assert sign_in in notice.text


def test_each_question_is_told_with_its_answer(services: Services, sandbox: Sandbox) -> None:
    button = Button(services, sandbox)
    button.find("ann@elsewhere.example.test")
    live = [state.questions for state in button.view.states if state.busy is FindBusy.FINDING]
    assert [each.result for each in live[0]] == [None, None]
    assert len(live) > len(live[0]), "the answers came one by one"
    assert None not in {each.result for each in button.view.state.questions}


def test_nobody_is_told_before_the_press_and_mozilla_only_after_a_yes(
    services: Services, sandbox: Sandbox
) -> None:
    button = Button(services, sandbox)
    button.form.draft = replace(button.form.draft, from_email="ann@elsewhere.example.test")
    button.presenter.form_changed()
    assert button.runner.cancels == []
    planned = [each.source for each in button.view.state.questions]
    assert planned == [Source.AUTOCONFIG, Source.WELL_KNOWN]
    assert button.view.state.searched is False
    button.presenter.find()
    button.runner.finish()
    assert Source.ISPDB not in {each.source for each in button.view.state.questions}
    button.presenter.find(ispdb=True)
    assert Source.ISPDB in {each.source for each in button.view.state.questions}
    button.presenter.cancel()
    button.runner.finish()


def test_what_was_found_goes_with_the_address(button: Button) -> None:
    button.find("ann@web.de")
    button.form.draft = replace(button.form.draft, from_email="ann@gmx.de")
    button.presenter.form_changed()
    assert button.view.state.proposals == ()
    assert button.view.state.searched is False


def test_an_address_that_changes_during_the_search_gets_no_answer_of_another(
    button: Button,
) -> None:
    button.form.draft = replace(button.form.draft, from_email="ann@web.de")
    button.presenter.find()
    button.form.draft = replace(button.form.draft, from_email="ann@gmx.de")
    button.presenter.form_changed()
    button.runner.finish()
    state = button.view.state
    assert state.proposals == ()
    assert state.notice is not None
    assert state.notice.text == OTHER_ADDRESS


def test_what_is_no_address_gets_the_focus(button: Button) -> None:
    button.find("ann@")
    assert button.view.focused == 1


def test_what_was_filled_in_can_be_undone_after_another_search(button: Button) -> None:
    (proposal,) = button.find("ann@web.de")
    button.presenter.accept(proposal)
    button.find("ann@web.de")
    assert button.view.state.may_undo
    button.presenter.undo()
    assert button.form.draft.host == ""
