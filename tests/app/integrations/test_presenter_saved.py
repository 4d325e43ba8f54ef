"""The Integrations page once settings are saved: stored password, discard, remove."""

from dataclasses import replace
from pathlib import Path

import pytest

from smtp_desk.app.integrations.form_offers import Offer
from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.routes.words import status_text
from smtp_desk.core.gate import Outcome, SaveHint
from smtp_desk.core.problems import Field
from smtp_desk.core.secret import Secret
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.store.stored import DefaultKind, DefaultService, ServerState
from tests.app.page import Page, open_page


def test_the_stored_password_is_tested_without_being_typed(saved: Page, sandbox: Sandbox) -> None:
    again = open_page(saved.services)
    assert again.state().secret_stored
    assert again.state().save_hint is SaveHint.ALL_SAVED
    again.presenter.edit(Field.RECIPIENT, "ann@sandbox.test")
    again.test()
    assert again.state().outcome is Outcome.SUCCESS
    again.save()
    assert again.state().save_hint is SaveHint.ALL_SAVED


@pytest.mark.parametrize(
    ("field", "text"),
    [("host", "127.0.0.1"), ("port", "25"), ("username", "bo"), ("security", "tls")],
)
def test_the_stored_password_never_goes_elsewhere(saved: Page, field: str, text: str) -> None:
    again = open_page(saved.services)
    again.presenter.edit(Field.RECIPIENT, "ann@sandbox.test")
    again.presenter.edit(Field(field), text)
    again.presenter.send_test()
    assert again.runner.waiting == 0
    assert "password.stored_elsewhere" in {p.code for p in again.state().problems}


def test_an_emptied_password_is_not_the_untouched_one(saved: Page) -> None:
    again = open_page(saved.services)
    again.presenter.edit(Field.PASSWORD, "x")
    again.presenter.edit(Field.PASSWORD, "")
    assert not again.state().secret_stored
    assert Offer.STORED_PASSWORD in again.state().offers
    again.presenter.finish_editing(Field.PASSWORD)
    assert "credentials.no_password" in {p.code for p in again.state().problems}
    again.presenter.accept(Offer.STORED_PASSWORD)
    assert again.state().secret_stored
    assert again.state().problems == ()


def test_discard_goes_back_to_what_is_saved(saved: Page) -> None:
    saved.presenter.edit(Field.HOST, "elsewhere.example")
    assert saved.state().changed
    saved.presenter.discard()
    assert saved.view.draft.host == "localhost"
    assert saved.state().save_hint is SaveHint.ALL_SAVED
    assert not saved.state().changed


@pytest.mark.parametrize(
    ("default", "fate"),
    [
        (DefaultKind.OUTBOX, "wait in the outbox"),
        (DefaultKind.SENDMAIL, "sent by the default email service"),
    ],
)
def test_remove_goes_back_to_the_default_service(
    saved: Page, default: DefaultKind, fate: str
) -> None:
    saved.services.store.save_default(DefaultService(default, "/bin/true", "desk@example.org"))
    assert saved.state().status.server is not None
    saved.presenter.remove()
    saved.runner.finish()
    state = saved.state()
    assert state.status.kind is ServerState.NOT_CONFIGURED
    assert saved.view.draft.host == ""
    assert state.notice
    assert fate in state.notice.text
    assert fate in status_text(state.status)
    assert saved.services.store.load().server is None


def test_the_switch_needs_proven_settings(page: Page) -> None:
    page.presenter.switch(on=True)
    page.runner.finish()
    assert not page.state().status.on
    notice = page.state().notice
    assert notice
    assert notice.error


def test_an_edit_while_saving_is_kept(page: Page, sandbox: Sandbox, ca_file: Path) -> None:
    page.fill(sandbox, ca_file)
    page.test()
    page.presenter.save()
    assert page.state().busy is Busy.SAVING
    page.presenter.edit(Field.FROM_NAME, "Later")
    page.runner.finish()
    assert page.state().outcome is Outcome.CHANGED
    assert page.state().changed
    page.presenter.edit(Field.FROM_NAME, "Example")
    assert page.state().may_save


def test_typing_the_saved_values_back_opens_save_again(saved: Page) -> None:
    again = open_page(saved.services)
    again.presenter.edit(Field.FROM_NAME, "x")
    again.presenter.edit(Field.FROM_NAME, "Example")
    assert again.state().may_save
    again.save()
    assert again.state().save_hint is SaveHint.ALL_SAVED


def test_an_edited_file_is_unproven(saved: Page) -> None:
    path = saved.services.paths.settings_file
    path.write_text(path.read_text("utf-8").replace("Example", "Forged"), "utf-8")
    again = open_page(saved.services)
    assert again.state().status.kind is ServerState.UNPROVEN
    assert not again.state().may_save
    again.presenter.edit(Field.FROM_NAME, "x")
    again.presenter.edit(Field.FROM_NAME, "Forged")
    assert not again.state().may_save


def test_the_state_holds_no_secret(saved: Page) -> None:
    saved.presenter.edit(Field.PASSWORD, "another s3cret")
    assert "s3cret" not in repr(saved.view.states)
    assert "s3cret" not in repr(replace(saved.view.draft))


def test_the_next_start_settles_what_a_killed_process_left(saved: Page) -> None:
    orphan, store = "0" * 32, saved.services.store
    saved.services.credentials.set(orphan, Secret("left behind"))
    store._journal.add({orphan})
    again = open_page(saved.services)
    assert again.state().secret_stored
    assert saved.services.credentials.get(orphan) is None
