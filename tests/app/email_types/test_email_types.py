"""The Email types page without its widgets: previews, samples, and files that go away."""

from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.email_types.presenter import (
    EmailTypesPresenter,
    EmailTypesState,
    email_types,
)
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.services import Services
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.mail.kinds import VARIANTS, Invitation
from smtp_desk.sender.outbox.outbox import OutboxUnavailableError
from smtp_desk.sender.receipts import Receipt, RecipientReceipt
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.stored import Preferences
from tests.app.faces import DeferredRunner

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.sender.mail.kinds import Email
    from smtp_desk.smtp.net.deadline import Cancel


class Page:
    """The presenter with a face that remembers."""

    def __init__(self, home: Path) -> None:
        self.services = Services.sandbox(home)
        self.runner, self.sending = DeferredRunner(), DeferredRunner()
        self.states: list[EmailTypesState] = []
        self.sent: list[Email] = []
        self.opened: list[Path] = []
        self.focused = 0
        self.has_browser = True
        self.error: Exception | None = None
        self.presenter = EmailTypesPresenter(
            self.services, self.runner, self.sending, self, self.send
        )

    @property
    def state(self) -> EmailTypesState:
        return self.states[-1]

    def look(self) -> EmailTypesState:
        self.presenter.refresh()
        self.runner.finish()
        return self.state

    def render(self, state: EmailTypesState) -> None:
        self.states.append(state)

    def focus_recipient(self) -> None:
        self.focused += 1

    def open_file(self, file: Path) -> bool:
        self.opened.append(file)
        return self.has_browser

    def send(self, email: Email, cancel: Cancel) -> Receipt:
        cancel.check()
        self.sent.append(email)
        if self.error is not None:
            raise self.error
        found = (RecipientReceipt(each, Status.ACCEPTED, "custom") for each in email.recipients)
        return Receipt("<1@example.org>", tuple(found))


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page(tmp_path / "desk")


def test_the_list_names_the_seven_variants() -> None:
    assert [each.variant for each in email_types()] == list(VARIANTS)
    assert [each.title for each in email_types()] == [
        "Welcome affiliate (approved)",
        "Welcome affiliate (pending)",
        "Welcome advertiser (approved)",
        "Welcome advertiser (pending)",
        "User invitation",
        "Message to affiliates or advertisers",
        "Notification",
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_is_shown_as_its_recipient_sees_it(page: Page, variant: str) -> None:
    page.services.store.save_preferences(Preferences(company_name="Example Network"))
    page.services.store.save_server(
        ServerSettings(host="h.test", port=587, from_email="desk@example.org", from_name="Desk"),
        Security.STARTTLS,
        Secret(""),
    )
    page.services.store.set_enabled(True)
    page.look()
    page.presenter.choose(variant)
    page.runner.finish()
    preview = page.state.preview
    assert preview is not None
    assert preview.variant == page.state.chosen == variant
    assert preview.sender == "Desk <desk@example.org>"
    assert preview.subject
    assert "Example Network" in preview.text
    assert "Example Network" in preview.html
    assert preview.values
    assert not preview.problem


def test_a_preview_that_comes_late_is_not_shown(page: Page) -> None:
    page.look()
    page.presenter.choose("invitation")
    page.presenter.choose("notification")
    page.runner.finish()
    variants = {state.preview.variant for state in page.states if state.preview is not None}
    assert "invitation" not in variants
    assert page.state.preview is not None
    assert page.state.preview.variant == "notification"


def test_an_own_template_is_told_and_so_is_a_broken_one(page: Page) -> None:
    folder = page.services.paths.templates
    folder.mkdir(parents=True)
    (folder / "welcome_affiliate_approved.txt").write_text("Hi {{ name }}", "utf-8")
    preview = page.look().preview
    assert preview is not None
    assert preview.text == "Hi Ann Example\n"
    assert preview.overrides == ("welcome_affiliate_approved.txt",)
    (folder / "welcome_affiliate_approved.txt").write_text("Hi {{ nme }}", "utf-8")
    preview = page.look().preview
    assert preview is not None
    assert preview.problem == "welcome_affiliate_approved.txt, line 1: 'nme' is undefined."
    assert "Hello Ann Example" in preview.text
    assert page.state.folder == str(folder)


def test_settings_that_cant_be_read_hide_only_the_sender(page: Page) -> None:
    page.services.paths.ensure()
    page.services.paths.settings_file.write_text("not = [toml", "utf-8")
    preview = page.look().preview
    assert preview is not None
    assert preview.sender.startswith("Unknown")
    assert preview.subject


def test_a_sample_goes_out_and_its_fate_is_told(page: Page) -> None:
    page.look()
    page.presenter.choose("invitation")
    page.presenter.send_sample(" bo@example.org ")
    assert page.state.busy is Busy.SENDING
    page.presenter.send_sample("ann@example.org")
    page.sending.finish()
    (email,) = page.sent
    assert isinstance(email, Invitation)
    assert email.recipients == ("bo@example.org",)
    assert not page.state.busy
    assert page.state.notice is not None
    assert page.state.notice.text.startswith("Accepted for bo@example.org by")


@pytest.mark.parametrize("recipient", ["", "ann", "ann@", "a@example.org\r\nBcc: b@example.org"])
def test_a_wrong_address_sends_nothing_and_takes_the_focus(page: Page, recipient: str) -> None:
    page.look()
    page.presenter.edit_recipient(recipient)
    assert not page.state.address
    page.presenter.send_sample(recipient)
    page.sending.finish()
    assert not page.sent
    assert page.focused == 1
    assert page.state.address[0].error
    page.presenter.edit_recipient("ann@example.org")
    assert not page.state.address


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OutboxUnavailableError("The outbox can’t be opened."), "The outbox can’t be opened."),
        (RuntimeError("x"), "SMTP Desk ran into an internal error (RuntimeError)."),
    ],
)
def test_a_sample_that_could_not_be_sent_is_told(page: Page, error: Exception, said: str) -> None:
    page.look()
    page.error = error
    page.presenter.send_sample("ann@example.org")
    page.sending.finish()
    assert page.state.notice is not None
    assert page.state.notice.error
    assert page.state.notice.text.startswith(said)
    assert not page.state.busy


def test_a_sample_that_waits_can_be_cancelled(page: Page) -> None:
    page.look()
    page.presenter.cancel_sample()
    assert not page.state.busy
    page.presenter.send_sample("ann@example.org")
    page.presenter.cancel_sample()
    assert page.state.busy is Busy.CANCELLING
    page.sending.finish()
    assert not page.sent
    assert not page.state.busy
    assert page.state.notice == Notice("Cancelled. The sample wasn’t sent.", plain=True)


def test_closing_the_window_cancels_a_sample(page: Page) -> None:
    page.look()
    page.presenter.send_sample("ann@example.org")
    page.presenter.close()
    page.sending.finish()
    assert not page.sent


def test_the_browser_gets_a_file_that_only_this_user_can_read(page: Page) -> None:
    page.presenter.open_in_browser()
    assert not page.runner.waiting
    state = page.look()
    page.presenter.open_in_browser()
    page.runner.finish()
    (file,) = page.opened
    assert state.preview is not None
    assert file.read_text("utf-8") == state.preview.html
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    page.presenter.close()
    assert not file.parent.exists()


def test_a_file_that_is_written_while_the_window_closes_goes_away(page: Page) -> None:
    page.look()
    page.presenter.open_in_browser()
    page.presenter.close()
    page.runner.finish()
    assert not page.opened
    assert page.presenter._folder is not None
    assert not page.presenter._folder.exists()


def test_without_a_browser_it_says_so(page: Page) -> None:
    page.has_browser = False
    page.look()
    page.presenter.open_in_browser()
    page.runner.finish()
    assert page.state.notice is not None
    assert page.state.notice.error
    page.presenter.close()


def test_nothing_is_shown_after_the_window_closed(page: Page) -> None:
    page.look()
    page.presenter.send_sample("ann@example.org")
    shown = len(page.states)
    page.presenter.close()
    page.sending.finish()
    assert len(page.states) == shown
