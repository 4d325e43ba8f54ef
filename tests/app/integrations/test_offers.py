"""What is offered to be typed: only what was pasted, never unasked."""

from __future__ import annotations

import pytest

from smtp_desk.app.integrations.form_offers import Offer, host_and_port
from smtp_desk.core.gate import Outcome
from smtp_desk.core.problems import Field
from smtp_desk.core.secret import Secret
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.store.stored import Preferences
from tests.app.page import Page, open_page
from tests.table import each_row


@each_row(
    ("typed", "host", "port"),
    [
        ("smtp://smtp.example.org:465/x", "smtp.example.org", "465"),
        ("smtps://smtp.example.org", "smtp.example.org", "465"),
        ("https://mail.example.org/login?x=1", "mail.example.org", ""),
        ("smtp.example.org:587", "smtp.example.org", "587"),
        ("smtp.example.org 587", "smtp.example.org", "587"),
        ("smtp://desk@example.org@smtp.example.org:25", "", ""),
        ("smtp://desk@smtp.example.org:25", "smtp.example.org", "25"),
        ("[::1]:2525", "::1", "2525"),
        ("smtp.example.org/", "smtp.example.org", ""),
        ("smtp.example.org", "", ""),
        ("  smtp.example.org  ", "", ""),
        ("ann@example.org", "", ""),
        ("::1", "", ""),
        ("", "", ""),
        ("a b c", "", ""),
    ],
)
def test_host_and_port_of_what_was_pasted(typed: str, host: str, port: str) -> None:
    assert host_and_port(typed) == (host, port)


def test_a_pasted_url_becomes_host_and_port_when_it_is_accepted(page: Page) -> None:
    page.presenter.edit(Field.HOST, "smtp://smtp.example.org:465/x")
    assert page.view.draft.port != "465"
    page.presenter.accept(Offer.HOST_AND_PORT)
    assert (page.view.draft.host, page.view.draft.port) == ("smtp.example.org", "465")
    assert Offer.HOST_AND_PORT not in page.state().offers


@pytest.mark.parametrize(
    ("typed", "left"),
    [("geheim\n", "geheim"), ("geheim\r\n", "geheim"), ("\tgeheim", "geheim"),
     ("ge heim\u2028", "ge heim")],
)  # fmt: skip
def test_what_was_pasted_around_a_password_can_be_removed(
    page: Page, typed: str, left: str
) -> None:
    page.presenter.edit(Field.PASSWORD, typed)
    assert Offer.PASSWORD_END in page.state().offers
    page.presenter.accept(Offer.PASSWORD_END)
    assert page.view.draft.secret == Secret(left)


@pytest.mark.parametrize("typed", ["geheim", " geheim ", "", "ge\nheim", "\n"])
def test_nothing_else_of_a_password_is_offered_to_be_removed(page: Page, typed: str) -> None:
    page.presenter.edit(Field.PASSWORD, typed)
    assert Offer.PASSWORD_END not in page.state().offers


@pytest.mark.parametrize(
    ("field", "text"), [("host", "127.0.0.1"), ("port", "25"), ("username", "bo@example.org")]
)
def test_for_another_server_the_stored_password_is_none_at_once(
    saved: Page, field: str, text: str
) -> None:
    again = open_page(saved.services)
    before = str(getattr(again.view.draft, field))
    assert again.state().secret_stored
    again.presenter.edit(Field(field), text)
    assert not again.state().secret_stored
    assert "password.stored_elsewhere" in {problem.code for problem in again.state().problems}
    again.presenter.edit(Field(field), before)
    assert again.state().secret_stored
    assert again.state().problems == ()


def change_elsewhere(page: Page) -> None:
    file = page.services.paths.settings_file
    file.write_text(file.read_text().replace("Example", "Elsewhere"))


def look(page: Page) -> None:
    page.presenter.look()
    page.runner.finish()


def test_settings_that_changed_elsewhere_are_shown_where_nothing_was_typed(saved: Page) -> None:
    change_elsewhere(saved)
    look(saved)
    assert saved.view.draft.from_name == "Elsewhere"
    assert saved.state().status.proven is False
    assert saved.state().notice
    assert not saved.state().outdated


def test_what_was_typed_stays_and_what_was_saved_is_never_replaced_unasked(
    saved: Page, sandbox: Sandbox
) -> None:
    saved.presenter.edit(Field.FROM_NAME, "Mine")
    saved.test()
    assert saved.state().may_save
    change_elsewhere(saved)
    saved.save()
    assert "Elsewhere" in saved.services.paths.settings_file.read_text()
    assert saved.state().outdated
    look(saved)
    assert saved.state().status.proven is False
    assert saved.presenter.request().draft.from_name == "Mine"
    saved.presenter.save(overwrite=True)
    saved.runner.finish()
    assert "Mine" in saved.services.paths.settings_file.read_text()
    assert not saved.state().outdated
    assert saved.state().status.proven


def test_a_preference_that_changed_elsewhere_disturbs_nobody(saved: Page) -> None:
    saved.presenter.edit(Field.FROM_NAME, "Mine")
    saved.services.store.save_preferences(Preferences(company_name="Other"))
    look(saved)
    assert not saved.state().outdated
    assert saved.state().notice is None


def test_discarding_shows_what_others_saved(saved: Page) -> None:
    saved.presenter.edit(Field.FROM_NAME, "Mine")
    change_elsewhere(saved)
    look(saved)
    assert saved.state().outdated
    saved.presenter.discard()
    assert saved.view.draft.from_name == "Elsewhere"
    assert not saved.state().outdated


def test_a_finding_stays_until_the_next_test(page: Page, sandbox: Sandbox, ca_file: object) -> None:
    page.fill(sandbox, ca_file, password="wrong")  # type: ignore[arg-type]
    page.test()
    assert not page.state().last_test
    page.presenter.edit(Field.PASSWORD, sandbox.password.reveal())
    assert page.state().finding
    assert page.state().last_test
    assert page.state().outcome is Outcome.CHANGED
    page.test()
    assert page.state().finding is None
    assert not page.state().last_test
