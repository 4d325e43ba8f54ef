"""The whole of the Integrations page without a window, against the embedded mail server."""

from pathlib import Path

import pytest

from smtp_desk.app.integrations.form_offers import Offer
from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.routes.words import switch_reason
from smtp_desk.app.services import Services
from smtp_desk.core.findings.finding import Remedy
from smtp_desk.core.gate import Outcome, SaveHint
from smtp_desk.core.problems import Field
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.store.credentials import CredentialsUnavailableError, UnavailableReason
from smtp_desk.store.stored import Preferences, ServerState
from tests.app.page import Page, open_page


def test_a_fresh_machine_shows_an_empty_form_that_says_what_to_do(page: Page) -> None:
    state = page.state()
    assert state.status.kind is ServerState.NOT_CONFIGURED
    assert (state.may_save, state.save_hint) == (False, SaveHint.NEEDS_TEST)
    assert state.outcome is None
    assert state.problems == ()
    assert not state.changed
    assert state.status.server is None
    assert switch_reason(state.status)


def test_fill_test_save_switch_on(page: Page, sandbox: Sandbox, ca_file: Path) -> None:
    page.fill(sandbox, ca_file)
    page.test()
    assert page.state().outcome is Outcome.SUCCESS
    assert [str(result.stage) for result in page.state().stages][-1] == "done"
    assert page.view.focus[-1] == "outcome"
    assert page.state().may_save
    page.save()
    state = page.state()
    assert (state.may_save, state.save_hint) == (False, SaveHint.ALL_SAVED)
    assert isinstance(page.view.draft.secret, StoredSecret)
    assert state.status.kind is ServerState.OFF
    page.presenter.switch(on=True)
    page.runner.finish()
    assert page.state().status.kind is ServerState.ACTIVE
    assert page.state().status.on
    assert page.state().notice is None


def test_problems_show_all_at_once_focus_the_first_and_send_nothing(page: Page) -> None:
    page.presenter.send_test()
    assert page.runner.waiting == 0
    assert {problem.field for problem in page.state().problems} >= {
        Field.HOST,
        Field.FROM_EMAIL,
        Field.RECIPIENT,
    }
    assert page.view.focus == [Field.HOST]
    test_notice = page.state().test_notice
    assert test_notice
    assert test_notice.error


def test_a_field_complains_only_after_it_was_left_then_live(page: Page) -> None:
    page.presenter.edit(Field.PORT, "70000")
    assert page.state().problems == ()
    page.presenter.finish_editing(Field.PORT)
    assert [problem.code for problem in page.state().problems] == ["port.range"]
    page.presenter.edit(Field.PORT, "587")
    assert page.state().problems == ()


@pytest.mark.parametrize("field", [Field.HOST, Field.USERNAME])
def test_host_and_username_are_trimmed_where_the_person_sees_it(page: Page, field: Field) -> None:
    page.presenter.edit(field, "  mail ")
    page.presenter.finish_editing(field)
    assert getattr(page.view.draft, field) == "mail"


def test_nothing_else_is_ever_altered(page: Page) -> None:
    page.presenter.edit(Field.PASSWORD, " pass ")
    page.presenter.edit(Field.FROM_NAME, " Bo ")
    page.presenter.finish_editing(Field.PASSWORD)
    page.presenter.finish_editing(Field.FROM_NAME)
    page.presenter.accept(Offer.STORED_PASSWORD)
    page.presenter.discard()
    page.presenter.edit(Field.PASSWORD, " pass ")
    page.presenter.apply(Remedy("use_port_465", "…", {"port": "465"}))
    assert page.view.draft.secret == Secret(" pass ")


def test_a_wrong_password_shows_the_second_text_and_the_true_cause(
    page: Page, sandbox: Sandbox, ca_file: Path
) -> None:
    page.fill(sandbox, ca_file, password="wrong")
    page.test()
    state = page.state()
    assert state.outcome is Outcome.UNREACHABLE
    assert state.finding
    assert state.finding.code == "auth.rejected"
    assert not state.may_save


def test_an_edit_after_success_closes_and_typing_it_back_opens(
    page: Page, sandbox: Sandbox, ca_file: Path
) -> None:
    page.fill(sandbox, ca_file)
    page.test()
    page.presenter.edit(Field.HOST, "localhost2")
    assert page.state().outcome is Outcome.CHANGED
    assert not page.state().may_save
    page.presenter.edit(Field.HOST, " localhost ")
    assert page.state().outcome is Outcome.SUCCESS
    assert page.state().may_save


def test_an_edit_during_the_test_shows_the_third_text_and_the_result_opens_nothing(
    page: Page, sandbox: Sandbox, ca_file: Path
) -> None:
    page.fill(sandbox, ca_file)
    page.presenter.send_test()
    assert page.state().testing
    page.presenter.edit(Field.FROM_NAME, "Another")
    assert page.state().outcome is Outcome.CHANGED
    page.runner.finish()
    assert page.state().outcome is Outcome.CHANGED
    assert not page.state().may_save
    page.presenter.edit(Field.FROM_NAME, "Example")
    assert page.state().may_save


def test_a_failed_test_of_the_proven_values_closes_save(
    page: Page, sandbox: Sandbox, ca_file: Path
) -> None:
    page.fill(sandbox, ca_file)
    page.test()
    page.presenter.edit(Field.RECIPIENT, "unknown@sandbox.test")
    assert page.state().may_save
    page.test()
    assert page.state().outcome is Outcome.UNREACHABLE
    assert not page.state().may_save
    finding = page.state().finding
    assert finding
    assert finding.code == "recipient.unknown"


def test_cancel_answers_at_once_and_leaves_no_outcome(
    page: Page, sandbox: Sandbox, ca_file: Path
) -> None:
    page.fill(sandbox, ca_file)
    page.presenter.send_test()
    page.presenter.cancel_test()
    assert page.state().busy is Busy.CANCELLING
    page.runner.finish()
    state = page.state()
    assert (state.busy, state.outcome) == (Busy.NOTHING, None)
    assert state.test_notice
    assert state.test_notice.text == "The test was cancelled."


def test_one_test_runs_at_a_time(page: Page, sandbox: Sandbox, ca_file: Path) -> None:
    page.fill(sandbox, ca_file)
    page.presenter.send_test()
    page.presenter.send_test()
    page.presenter.save()
    page.presenter.remove()
    page.presenter.switch(on=True)
    assert page.runner.waiting == 1


def test_closing_cancels_what_runs(page: Page, sandbox: Sandbox, ca_file: Path) -> None:
    page.presenter.close()
    page.fill(sandbox, ca_file)
    page.presenter.send_test()
    page.presenter.close()
    assert page.runner.cancels[-1].cancelled


def test_the_company_name_fills_from_name_once(tmp_path: Path) -> None:
    services = Services.sandbox(tmp_path / "home")
    services.store.save_preferences(Preferences(company_name="Example Ltd"))
    page = open_page(services)
    assert page.view.draft.from_name == "Example Ltd"


def test_a_remedy_changes_the_form_and_waits_for_a_test(page: Page) -> None:
    page.presenter.apply(Remedy("use_port_465", "…", {"port": "465", "security": "tls"}))
    assert (page.view.draft.port, page.view.draft.security) == ("465", "tls")


def test_the_spaces_of_an_app_password_are_removed_on_request_only(page: Page) -> None:
    page.presenter.edit(Field.HOST, "smtp.gmail.com")
    page.presenter.edit(Field.PASSWORD, "abcd efgh ijkl mnop")
    assert Offer.PASSWORD_SPACES in page.state().offers
    page.presenter.apply(Remedy("remove_password_spaces", "…"))
    assert page.view.draft.secret == Secret("abcdefghijklmnop")
    page.presenter.accept(Offer.PASSWORD_SPACES)
    assert page.view.draft.secret == Secret("abcdefghijklmnop")


def test_a_missing_ca_file_is_shown_at_its_field(page: Page, tmp_path: Path) -> None:
    page.presenter.edit(Field.CA_FILE, str(tmp_path / "none.pem"))
    page.runner.finish()
    page.presenter.finish_editing(Field.CA_FILE)
    assert [p.code for p in page.state().problems if p.field is Field.CA_FILE] == [
        "ca_file.missing"
    ]


def test_a_ca_file_that_vanishes_before_the_test_is_said(
    page: Page, sandbox: Sandbox, ca_file: Path
) -> None:
    page.fill(sandbox, ca_file)
    ca_file.unlink()
    page.test()
    test_notice = page.state().test_notice
    assert test_notice
    assert test_notice.error
    assert page.state().busy is Busy.NOTHING


def test_a_damaged_settings_file_is_shown_and_never_overwritten(tmp_path: Path) -> None:
    services = Services.sandbox(tmp_path / "home")
    services.paths.ensure()
    services.paths.settings_file.write_bytes(b"\x00\xff broken")
    page = open_page(services)
    assert page.state().status.kind is ServerState.UNREADABLE
    page.presenter.remove()
    page.runner.finish()
    notice = page.state().notice
    assert notice
    assert notice.error
    assert services.paths.settings_file.read_bytes() == b"\x00\xff broken"


def test_a_keyring_that_does_not_answer_keeps_the_proven_values(
    page: Page, sandbox: Sandbox, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.fill(sandbox, ca_file)
    page.test()

    def locked(*_: object) -> None:
        raise CredentialsUnavailableError(UnavailableReason.LOCKED)

    monkeypatch.setattr(page.services.credentials, "set", locked)
    page.save()
    notice = page.state().notice
    assert notice
    assert "The keyring is locked." in notice.text
    assert page.state().may_save
    monkeypatch.undo()
    page.save()
    assert page.state().save_hint is SaveHint.ALL_SAVED


def test_a_fault_of_our_own_is_said_and_leaves_the_page_usable(
    page: Page, sandbox: Sandbox, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.fill(sandbox, ca_file)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("smtp_desk.app.integrations.presenter.prove", broken)
    page.test()
    notice = page.state().notice
    assert notice
    assert "ZeroDivisionError" in notice.text
    assert page.state().busy is Busy.NOTHING


@pytest.mark.parametrize(
    ("typed", "provider"),
    [
        ("smtp.gmail.com", "google"),
        (" SMTP.Zoho.EU ", "zoho"),
        ("smtp.example.org", None),
        ("not a host", None),
        ("", None),
    ],
)
def test_the_provider_of_the_host_is_known(
    services: Services, typed: str, provider: str | None
) -> None:
    page = open_page(services)
    assert page.state().provider is None
    page.presenter.edit(Field.HOST, typed)
    found = page.state().provider
    assert (found and found.id) == provider
