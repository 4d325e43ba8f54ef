"""What the organization manages, in the form: defaults fill in, locks hold, what is saved stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_desk.app.integrations.form_offers import Offer
from smtp_desk.app.services import Services
from smtp_desk.core.findings.finding import Remedy
from smtp_desk.core.gate import Outcome, SaveHint
from smtp_desk.core.problems import Field, Severity
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.store.managed import Managed, ManagedError, NotManaged
from smtp_desk.store.stored import Preferences
from tests.app.page import Page, open_page

RELAY = {Field.HOST: "relay.example.org", Field.PORT: "465", Field.SECURITY: "tls"}


def managed_page(
    services: Services, values: Mapping[Field, str], *locked: Field, contact: str = ""
) -> Page:
    # A cached property: as if the file had been read.
    again = replace(services)
    vars(again)["managed"] = Managed(values, frozenset(locked), contact)
    return open_page(again)


def texts(page: Page) -> dict[str, Any]:
    return {str(field): getattr(page.view.draft, field) for field in RELAY}


def test_defaults_fill_a_fresh_form_and_can_be_changed(services: Services) -> None:
    page = managed_page(services, RELAY)
    assert texts(page) == RELAY
    assert page.state().locked == frozenset()
    page.presenter.edit(Field.HOST, "mail.example.org")
    assert [each for each in page.state().problems if each.field is Field.HOST] == []


def test_locked_fields_are_told_with_whom_to_ask(services: Services) -> None:
    page = managed_page(services, RELAY, *RELAY, contact="mail team")
    assert page.state().locked == frozenset(RELAY)
    assert page.state().contact == "mail team"
    assert page.state().problems == ()
    assert Offer.MANAGED_VALUES not in page.state().offers


def test_a_locked_name_wins_over_the_company_name(services: Services) -> None:
    services.store.save_preferences(Preferences(company_name="Example Ltd"))
    page = managed_page(services, {Field.FROM_NAME: "Example Group"}, Field.FROM_NAME)
    assert page.view.draft.from_name == "Example Group"
    assert managed_page(services, {}).view.draft.from_name == "Example Ltd"


@pytest.mark.parametrize(
    ("field", "text"), [(Field.HOST, "other.example.org"), (Field.PORT, "25"), (Field.SECURITY, "")]
)
def test_what_a_remedy_puts_against_a_lock_forbids_the_test(
    services: Services, field: Field, text: str
) -> None:
    page = managed_page(services, RELAY, *RELAY)
    page.presenter.apply(Remedy("other", "Other", {str(field): text}))
    (problem,) = [each for each in page.state().problems if each.code == "managed.locked"]
    assert (problem.field, problem.severity) == (field, Severity.ERROR)
    page.presenter.send_test()
    assert page.runner.waiting == 0
    page.presenter.accept(Offer.MANAGED_VALUES)
    assert texts(page) == RELAY
    assert [each for each in page.state().problems if each.field is field] == []


def test_a_new_lock_leaves_what_is_saved_in_service_and_marks_it(saved: Page) -> None:
    page = managed_page(saved.services, RELAY, Field.HOST, Field.PORT)
    state = page.state()
    assert state.status.proven
    assert page.view.draft.host == "localhost"
    assert state.save_hint is SaveHint.ALL_SAVED
    told = {each.field: each for each in state.problems}
    assert set(told) == {Field.HOST, Field.PORT}
    assert {each.severity for each in told.values()} == {Severity.NOTICE}
    assert told[Field.HOST].params == {"value": "relay.example.org"}
    assert Offer.MANAGED_VALUES in state.offers


def test_what_is_in_service_can_be_tested_again(saved: Page) -> None:
    page = managed_page(saved.services, RELAY, Field.HOST)
    page.presenter.edit(Field.RECIPIENT, "ann@sandbox.test")
    page.test()
    assert page.state().outcome is Outcome.SUCCESS


def test_what_is_changed_keeps_to_the_lock(saved: Page) -> None:
    page = managed_page(saved.services, RELAY, Field.HOST)
    page.presenter.edit(Field.RECIPIENT, "ann@sandbox.test")
    page.presenter.edit(Field.FROM_NAME, "Another name")
    page.presenter.send_test()
    assert page.runner.waiting == 0
    (problem,) = [each for each in page.state().problems if each.code == "managed.locked"]
    assert problem.severity is Severity.ERROR
    page.presenter.discard()
    assert {each.severity for each in page.state().problems} == {Severity.NOTICE}


def test_the_managed_values_are_taken_by_one_press(saved: Page) -> None:
    page = managed_page(saved.services, RELAY, *RELAY)
    page.presenter.accept(Offer.MANAGED_VALUES)
    assert texts(page) == RELAY
    assert page.state().changed
    assert Offer.MANAGED_VALUES not in page.state().offers
    assert "managed.locked" not in {each.code for each in page.state().problems}


def test_the_relay_is_managed_by_nobody(services: Services) -> None:
    again = replace(services)
    vars(again)["managed"] = Managed(RELAY, frozenset(RELAY))
    page = open_page(again, default=True)
    assert page.view.draft.host == ""
    assert page.state().locked == frozenset()


def test_a_proven_form_of_a_lock_is_saved(
    services: Services, sandbox: Sandbox, ca_file: Path
) -> None:
    values = {Field.HOST: "localhost", Field.PORT: str(sandbox.tls_port), Field.SECURITY: "tls"}
    page = managed_page(services, values, *values)
    for field, text in {
        Field.USERNAME: sandbox.username,
        Field.PASSWORD: sandbox.password.reveal(),
        Field.FROM_EMAIL: sandbox.username,
        Field.CA_FILE: str(ca_file),
        Field.RECIPIENT: "ann@sandbox.test",
    }.items():
        page.presenter.edit(field, text)
    page.runner.finish()
    page.test()
    assert page.state().outcome is Outcome.SUCCESS
    page.save()
    assert page.state().save_hint is SaveHint.ALL_SAVED


@pytest.mark.parametrize("times", [1, 3])
def test_the_file_is_read_once_in_a_process(
    services: Services, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    reads: list[Path] = []

    def read(path: Path) -> Managed:
        reads.append(path)
        return Managed(RELAY, frozenset(RELAY))

    monkeypatch.setattr("smtp_desk.app.services.read_managed", read)
    for _ in range(times):
        page = open_page(services)
        assert texts(page) == RELAY
        page.presenter.discard()
        page.presenter.look()
        page.runner.finish()
    assert reads == [services.paths.managed_file]


def test_a_file_that_is_not_believed_is_told_once(
    services: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def read(path: Path) -> Managed:
        raise ManagedError(NotManaged.UNTRUSTED)

    monkeypatch.setattr("smtp_desk.app.services.read_managed", read)
    for _ in range(3):
        assert open_page(services).state().locked == frozenset()
    assert [each for each in caplog.messages if "is not used" in each] == [
        f"{services.paths.managed_file} is not used: untrusted"
    ]
