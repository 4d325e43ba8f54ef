"""The Email types page without its widgets: every variant as its recipient would see it."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from smtp_desk.app.delivery.words import kind_name, outbox_failure_text, sent_notice
from smtp_desk.app.email_types.words import answers_to, sender_of
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy, PagePresenter, PageState, quietly
from smtp_desk.app.routes.default import address_problems
from smtp_desk.app.runner import Runner
from smtp_desk.app.services import Services
from smtp_desk.app.words import failure_text
from smtp_desk.sender.mail.kinds import VARIANTS, Email, sample
from smtp_desk.sender.mail.templates import Rendered, Templates
from smtp_desk.sender.receipts import Receipt
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from smtp_desk.store.files import write_atomic
from smtp_desk.store.settings_file import SettingsFileError

Send: TypeAlias = Callable[[Email, Cancel], Receipt]
"""Sends one email; cancelled, it raises `CancelledError` where it will not be sent any more."""

_UNKNOWN: Final = "Unknown. The settings can’t be read."
_CANCELLED: Final = "Cancelled. The sample wasn’t sent."


@dataclass(frozen=True, slots=True)
class EmailType:
    """One variant, for the list.

    Attributes:
        variant: Its name, which is that of its templates.
        title: Its name for people.
        purpose: When it is sent.
    """

    variant: str
    title: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One variant with sample values, as its recipient would see it.

    Attributes:
        variant: The variant.
        sender: From, according to the saved settings.
        answers: The address for replies if it isn't From; else "".
        subject: The subject.
        text: The plain text.
        html: The HTML.
        overrides: The person's own templates that were used, or would have been.
        problem: Why those aren't used; "" if they are.
        values: The sample values, each with its name.
    """

    variant: str
    sender: str
    answers: str
    subject: str
    text: str
    html: str
    overrides: tuple[str, ...] = ()
    problem: str = ""
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailTypesState(PageState):
    """Everything on the page except the address that the person types.

    Attributes:
        types: The variants that can be chosen.
        chosen: The variant shown.
        preview: Its preview; None until it is ready.
        trouble: Why there is no preview, or "".
        folder: The folder of the person's own templates.
        address: What is wrong with the address, or worth knowing.
    """

    types: tuple[EmailType, ...]
    chosen: str
    preview: Preview | None = None
    trouble: str = ""
    folder: str = ""
    address: tuple[Notice, ...] = ()


class EmailTypesFace(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def render(self, state: EmailTypesState) -> None:
        """Show this."""

    def focus_recipient(self) -> None:
        """Move the focus to the address."""

    def open_file(self, file: Path) -> bool:
        """Open a file in the browser; return whether there is one."""


def email_types() -> tuple[EmailType, ...]:
    """Return the seven variants."""
    return tuple(_type(variant) for variant in VARIANTS)


class EmailTypesPresenter(PagePresenter[EmailTypesState]):
    """Decides what the Email types page shows.

    Args:
        services: What to work with.
        runner: For what takes no time: reading templates and settings.
        sending: A thread of its own for what may take minutes.
        view: The page.
        send: Sends a sample.
    """

    def __init__(
        self, services: Services, runner: Runner, sending: Runner, view: EmailTypesFace, send: Send
    ) -> None:
        types = email_types()
        folder = str(services.paths.templates)
        state = EmailTypesState(types=types, chosen=types[0].variant, folder=folder)
        super().__init__(sending, view.render, state)
        self._services = services
        self._reader = runner
        self._view = view
        self._send = send
        self._templates = Templates(services.paths.templates)
        self._folder: Path | None = None
        self._closed = False

    def refresh(self) -> None:
        """Read templates and settings again."""
        self._show()
        self._look(self._state.chosen)

    def choose(self, variant: str) -> None:
        """Show this variant."""
        if variant != self._state.chosen:
            self._show(chosen=variant, notice=None)
            self._look(variant)

    def edit_recipient(self, text: str) -> None:
        """Check the address again only if it was found to be wrong."""
        if self._state.address:
            self._show(address=address_problems(text))

    def send_sample(self, recipient: str) -> None:
        """Send the chosen variant with its sample values, and show the result."""
        if not self._idle:
            return
        notices = address_problems(recipient)
        if any(notice.error for notice in notices):
            self._show(address=notices, notice=None)
            self._view.focus_recipient()
            return
        email, send = sample(self._state.chosen, to=recipient), self._send
        services = self._services

        def job(_emit: object, cancel: Cancel) -> Notice:
            return sent_notice(services, send(email, cancel))

        self._state = replace(self._state, address=notices, notice=None)
        self._run(Busy.SENDING, job, self._sent, failed=_why)

    def cancel_sample(self) -> None:
        """Cancel sending the sample."""
        if self._cancel is not None and self._state.busy is Busy.SENDING:
            self._show(busy=Busy.CANCELLING)
            self._cancel.cancel()

    def open_in_browser(self) -> None:
        """Show the HTML in the browser, from a file that only this user can read."""
        preview = self._state.preview
        if preview is None:
            return

        def write() -> Path:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="smtp-desk-"))
            file = self._folder / f"{preview.variant}.html"
            write_atomic(file, preview.html.encode())
            if self._closed:  # meanwhile, in the other thread
                self._remove_files()
            return file

        self._reader.run(quietly(write), on_done=self._written, on_error=self._not_written)

    def close(self) -> None:
        """Stop sending and remove the written files, because the window closes."""
        self._closed = True
        super().close()
        self._remove_files()

    def _look(self, variant: str) -> None:
        services, templates = self._services, self._templates
        self._reader.run(
            quietly(lambda: _preview(services, templates, variant)),
            on_done=self._looked,
            on_error=self._not_looked,
        )

    def _looked(self, preview: Preview) -> None:
        if preview.variant == self._state.chosen:
            self._show(preview=preview, trouble="")

    def _not_looked(self, error: Exception) -> None:
        self._show(preview=None, trouble=failure_text(error))

    def _sent(self, notice: Notice) -> None:
        self._show(notice=notice)

    def _failed(self, text: str) -> None:
        self._tell(text, error=text != _CANCELLED, plain=text == _CANCELLED)

    def _written(self, file: Path) -> None:
        if self._closed:
            return
        if not self._view.open_file(file):
            self._tell("No browser could be opened on this computer.", error=True)

    def _not_written(self, error: Exception) -> None:
        self._tell(failure_text(error), error=True)

    def _remove_files(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _show(self, **changes: Any) -> None:  # noqa: ANN401 - fields of the state
        if not self._closed:
            super()._show(**changes)


def _why(error: Exception) -> str:
    if isinstance(error, CancelledError):
        return _CANCELLED
    return outbox_failure_text(error)


def _type(variant: str) -> EmailType:
    email = sample(variant)
    standing = variant.removeprefix(email.kind).removeprefix("_")
    title = kind_name(email.kind)
    return EmailType(variant, f"{title} ({standing})" if standing else title, email.purpose)


def _preview(services: Services, templates: Templates, variant: str) -> Preview:
    email = sample(variant)
    try:
        stored = services.store.load()
    except SettingsFileError:
        return _made(email, templates.render(email), _UNKNOWN, "")
    rendered = templates.render(email, company=stored.preferences.company_name)
    return _made(email, rendered, sender_of(stored), answers_to(stored))


def _made(email: Email, rendered: Rendered, sender: str, answers: str) -> Preview:
    return Preview(
        variant=email.variant,
        sender=sender,
        answers=answers,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        overrides=rendered.overrides,
        problem=rendered.problem,
        values=_values(email.variables()),
    )


def _values(variables: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value))
        for name, value in variables.items()
        if value is not None
    )
