"""Back to what worked: filled in, and proven anew before it can be saved."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from smtp_desk.app.integrations.earlier import (
    EarlierPresenter,
    EarlierState,
    change_text,
    values_of,
)
from smtp_desk.core.gate import Outcome
from smtp_desk.core.oauth import OAuthDraft
from smtp_desk.core.problems import Field
from smtp_desk.core.settings import OAUTH, SettingsDraft
from smtp_desk.store.history import SavedChange
from tests.table import each_row

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.sandbox.server import Sandbox
    from tests.app.page import Page


class Earlier:
    """The presenter beside that of the form."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.states: list[EarlierState] = []
        self.presenter = EarlierPresenter(page.services, page.runner, self, page.presenter)

    def render_earlier(self, state: EarlierState) -> None:
        self.states.append(state)

    def load(self) -> EarlierState:
        self.presenter.load()
        self.page.runner.finish()
        return self.states[-1]


def test_a_fresh_machine_has_nothing_to_go_back_to(page: Page) -> None:
    earlier = Earlier(page)
    assert earlier.load() == EarlierState()
    earlier.presenter.take()
    assert page.view.draft.host == ""


def test_what_worked_is_taken_again_and_proven_anew(
    page: Page, sandbox: Sandbox, ca_file: Path
) -> None:
    page.fill(sandbox, ca_file)
    page.test()
    page.save()
    first = page.view.draft
    earlier = Earlier(page)
    assert earlier.load().previous == ""
    page.presenter.edit(Field.FROM_NAME, "Another name")
    page.presenter.edit(Field.PORT, str(sandbox.tls_port))
    page.presenter.edit(Field.PASSWORD, sandbox.password.reveal())
    page.test()
    assert page.state().may_save
    page.save()
    state = earlier.load()
    assert state.previous.startswith(f"localhost, port {first.port} as {first.username}, in use")
    assert any(text == f"From name: {first.from_name} → Another name" for _, text in state.changes)
    earlier.presenter.take()
    page.runner.finish()
    assert page.view.draft.from_name == first.from_name
    assert page.view.draft.port == first.port
    assert not page.state().may_save, "it has to be tested first"
    page.presenter.edit(Field.PASSWORD, sandbox.password.reveal())
    page.test()
    assert page.state().outcome is Outcome.SUCCESS
    page.save()
    server = page.services.store.load().server
    assert server is not None
    assert str(server.settings.port) == first.port
    assert sandbox.password.reveal() not in " ".join(text for _, text in earlier.load().changes)


def test_a_sign_in_comes_back_field_by_field() -> None:
    draft = SettingsDraft(
        host="smtp.example.org",
        auth_method=OAUTH,
        oauth=OAuthDraft(provider="microsoft", flow="app", client_id="id", tenant="t"),
    )
    values = values_of(draft)
    assert next(iter(values)) is Field.OAUTH_PROVIDER
    assert values[Field.CLIENT_ID] == "id"
    assert Field.AUTH_METHOD not in values
    assert Field.PASSWORD not in values
    assert values_of(SettingsDraft(auth_method="plain"))[Field.AUTH_METHOD] == "plain"


@each_row(
    ("field", "before", "after", "text"),
    [
        ("port", "587", "465", "Port: 587 → 465"),
        ("from_name", "", "Ann", "From name: (empty) → Ann"),
        ("secret", "ab12", "cd34", "Password or sign-in: saved again"),
        ("secret", "", "cd34", "Password or sign-in: added"),
        ("ca_file", "ab12", "", "CA certificate: removed"),
        ("default.host", "a", "b", "Default email service: SMTP server host: a → b"),
        ("oauth.client_id", "a", "b", "Client id: a → b"),
        ("x\u202ey", "a", "b\u202e", "X\\u202ey: a → b\\u202e"),
    ],
)
def test_each_change_has_words(field: str, before: str, after: str, text: str) -> None:
    change = SavedChange(datetime(2026, 3, 1, tzinfo=UTC), field, before, after)
    assert change_text(change) == text
