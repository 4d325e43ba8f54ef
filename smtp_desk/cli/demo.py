"""`smtp-desk demo`: the whole story against the sandbox, with the window's own logic."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from smtp_desk.app.integrations.presenter import IntegrationsPresenter
from smtp_desk.app.integrations.state import IntegrationsState
from smtp_desk.app.routes.words import status_text
from smtp_desk.app.runner import Emit, Job
from smtp_desk.app.services import Services
from smtp_desk.cli.invocation import ExitError, Invocation, Output, Pipe, print_rows, say
from smtp_desk.cli.manual import ManualCommand
from smtp_desk.cli.render import StagePrinter, finding_rows
from smtp_desk.cli.sandbox import print_mail, running_sandbox
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.gate import Outcome
from smtp_desk.core.problems import Field
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.stages import StageEvent
from smtp_desk.core.texts import OUTCOMES, save_hint_text
from smtp_desk.core.translation import _, mark
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.stored import ServerState

if TYPE_CHECKING:
    from smtp_desk.sandbox.server import Sandbox

_T = TypeVar("_T")

_RECIPIENT: Final = "ann@example.org"
_STYLES: Final = {
    Outcome.SUCCESS: "bold green",
    Outcome.UNREACHABLE: "bold red",
    Outcome.CHANGED: "bold yellow",
}


@click.command(
    cls=ManualCommand,
    short_help=mark("Walk through the whole workflow with the built-in mail server."),
    statuses={
        ExitStatus.OK: mark("the demo ran to its end"),
        ExitStatus.USAGE: mark("the command line is wrong"),
        ExitStatus.UNAVAILABLE: mark(
            "no local port or temporary file, or the sandbox isn’t installed"
        ),
        ExitStatus.SOFTWARE: mark("the demo didn't work as expected"),
    },
    examples=[(mark("See what SMTP Desk does in a few seconds"), "smtp-desk demo")],
)
@click.pass_obj
def demo(invocation: Invocation) -> ExitStatus:
    """Show in the terminal what the window does: test, fix, save, switch on, remove.

    It uses the built-in mail server, a temporary home and passwords in memory only: your
    settings, your keyring and the network aren’t touched.
    """
    with running_sandbox() as (sandbox, ca_file):
        _Story(invocation.out, sandbox, ca_file).tell()
    return ExitStatus.OK


class _Foreground:
    """Runs jobs one after another when told to, in this thread, and shows their stages."""

    def __init__(self, console: Output) -> None:
        self._console = console
        self._jobs: deque[Callable[[Emit], None]] = deque()

    def run(
        self,
        job: Job[_T],
        *,
        on_done: Callable[[_T], None],
        on_error: Callable[[Exception], None],
        on_event: Emit | None = None,
    ) -> Cancel:
        cancel = Cancel()

        def work(show: Emit) -> None:
            def emit(event: StageEvent) -> None:
                show(event)
                if on_event is not None:
                    on_event(event)

            try:
                result = job(emit, cancel)
            except Exception as error:  # noqa: BLE001 - the caller decides what an error means
                on_error(error)
            else:
                on_done(result)

        self._jobs.append(work)
        return cancel

    def work_off(self) -> None:
        while self._jobs:
            with StagePrinter(self._console) as stages:
                self._jobs.popleft()(stages.show)


class _Screen:
    """Keeps what the window would show."""

    draft = SettingsDraft()
    recipient = ""
    state: IntegrationsState

    def show_draft(self, draft: SettingsDraft, recipient: str) -> None:
        self.draft = draft
        self.recipient = recipient

    def render(self, state: IntegrationsState) -> None:
        self.state = state

    def focus_field(self, field: Field) -> None:
        """There is no focus to move."""

    def focus_outcome(self) -> None:
        """There is no focus to move."""


class _Story:
    def __init__(self, console: Output, sandbox: "Sandbox", ca_file: Path) -> None:
        self._console = console
        self._sandbox = sandbox
        self._ca_file = ca_file
        self._screen = _Screen()
        self._runner = _Foreground(console)
        self._presenter = IntegrationsPresenter(
            Services.sandbox(ca_file.parent), self._runner, self._screen
        )

    def tell(self) -> None:
        say(self._console, "SMTP Desk — Sandbox", "bold")
        say(
            self._console,
            _(
                "Everything happens on this computer, in a temporary folder that’s deleted at the "
                "end."
            ),
        )
        self._empty_form()
        self._wrong_password()
        self._right_password()
        self._save_and_switch_on()
        self._inbox()
        self._remove()

    def _empty_form(self) -> None:
        self._chapter(_("Settings > Integrations: an empty form"))
        self._do(self._presenter.start)
        self._show_status(ServerState.NOT_CONFIGURED)
        self._show_form()
        self._show_save(enabled=False)

    def _wrong_password(self) -> None:
        self._chapter(_("Send test email, with a wrong password"))
        sandbox = self._sandbox
        self._type(Field.HOST, "localhost")
        self._type(Field.PORT, str(sandbox.starttls_port))
        self._type(Field.USERNAME, sandbox.username)
        self._type(Field.PASSWORD, f"not {sandbox.password.reveal()}")
        self._type(Field.FROM_NAME, "Example Ltd")
        self._type(Field.FROM_EMAIL, sandbox.username)
        self._type(Field.CA_FILE, str(self._ca_file))
        self._type(Field.RECIPIENT, _RECIPIENT)
        self._show_form()
        self._do(self._presenter.send_test)
        self._show_outcome(Outcome.UNREACHABLE)
        finding = self._screen.state.finding
        self._insist(finding is not None and finding.code == "auth.rejected", _("a wrong password"))
        if finding is not None:
            print_rows(self._console, finding_rows(finding))
        self._show_save(enabled=False)

    def _right_password(self) -> None:
        self._chapter(_("The password is corrected"))
        self._type(Field.PASSWORD, self._sandbox.password.reveal())
        self._show_outcome(Outcome.CHANGED)
        self._chapter(_("Send test email, again"))
        self._do(self._presenter.send_test)
        self._show_outcome(Outcome.SUCCESS)
        self._show_save(enabled=True)

    def _save_and_switch_on(self) -> None:
        self._chapter(_("Save, and switch on"))
        self._do(self._presenter.save)
        self._show_notice()
        self._show_save(enabled=False)
        self._do(lambda: self._presenter.switch(True))
        self._show_status(ServerState.ACTIVE)

    def _inbox(self) -> None:
        self._chapter(_("What the recipient got"))
        mails = self._sandbox.inbox.mails()
        self._insist(len(mails) == 1, _("one email"))
        for mail in mails:
            print_mail(self._console, mail)

    def _remove(self) -> None:
        self._chapter(_("Remove configuration"))
        self._do(self._presenter.remove)
        self._show_notice()
        self._show_status(ServerState.NOT_CONFIGURED)

    def _chapter(self, title: str) -> None:
        say(self._console, "")
        if isinstance(self._console, Pipe):
            say(self._console, f"== {title}")
        else:
            from smtp_desk.cli.terminal import print_heading  # noqa: PLC0415 - on one only

            print_heading(self._console, title)

    def _type(self, field: Field, text: str) -> None:
        draft = self._screen.draft
        if field is Field.PASSWORD:
            self._screen.draft = replace(draft, secret=Secret(text))
        elif field is not Field.RECIPIENT:
            typed: dict[str, Any] = {str(field): text}
            self._screen.draft = replace(draft, **typed)
        self._do(lambda: self._presenter.edit(field, text))

    def _do(self, action: Callable[[], None]) -> None:
        action()
        self._runner.work_off()

    def _show_form(self) -> None:
        draft = self._screen.draft
        print_rows(
            self._console,
            [
                (_("SMTP server host"), draft.host),
                (_("Port"), draft.port),
                (_("Username"), draft.username),
                (_("Password"), "••••••••" if draft.secret else ""),
                (_("From name"), draft.from_name),
                (_("From email"), draft.from_email),
            ],
        )

    def _show_status(self, kind: ServerState) -> None:
        status = self._screen.state.status
        say(self._console, status_text(status))
        self._insist(status.kind is kind, kind)

    def _show_outcome(self, outcome: Outcome) -> None:
        shown = self._screen.state.outcome
        if shown is not None:
            say(self._console, OUTCOMES[shown], _STYLES[shown])
        self._insist(shown is outcome, OUTCOMES[outcome])

    def _show_save(self, *, enabled: bool) -> None:
        state = self._screen.state
        hint = f"[{_('Save is disabled')}] {save_hint_text(state.save_hint)}"
        say(self._console, f"[{_('Save')}]" if state.may_save else hint)
        self._insist(
            state.may_save is enabled, _("Save enabled") if enabled else _("Save disabled")
        )

    def _show_notice(self) -> None:
        notice = self._screen.state.notice
        self._insist(notice is not None and not notice.error, _("success"))
        if notice is not None:
            say(self._console, notice.text)

    def _insist(self, holds: bool, expected: str) -> None:  # noqa: FBT001 - a condition
        if not holds:
            notice = self._screen.state.notice
            text = _("The demo expected: {expected}.", expected=expected)
            text = text if notice is None else f"{text} {notice.text}"
            raise ExitError(text, ExitStatus.SOFTWARE)
