"""The Diagnostics page without its widgets: run again, open, save and copy a report."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol, TypeVar

from smtp_desk.app.diagnostics.report_file import load_report, save_report
from smtp_desk.app.diagnostics.report_markdown import report_markdown
from smtp_desk.app.integrations.state import IntegrationsState
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy, PagePresenter, PageState, quietly
from smtp_desk.app.proving.dkim_selectors import read_selectors
from smtp_desk.app.proving.domain import (
    DomainCheck,
    DomainRequest,
    check_domain,
    from_problems,
    with_domain,
)
from smtp_desk.app.proving.proving import ProofRequest, ProofResult, prove
from smtp_desk.app.runner import Emit, Job, Runner
from smtp_desk.app.services import Services
from smtp_desk.app.words import failure_text
from smtp_desk.core.findings.finding import Remedy
from smtp_desk.core.problems import Problem, errors_among
from smtp_desk.core.reply import visible
from smtp_desk.core.report import CheckReport, StageResult, fold_stages
from smtp_desk.core.report_reader import ReportFormatError
from smtp_desk.core.stages import StageEvent
from smtp_desk.smtp.check.check import Steps
from smtp_desk.smtp.net.deadline import Cancel, CancelledError

R = TypeVar("R")

FROM_TEST: Final = "The newest test email, with the values that the form had then"
FROM_CHECK: Final = "The newest check without signing in, with the values that the form had then"
FROM_COMMAND: Final = "Opened from the command line"
_CANCELLED: Final = "The test was cancelled."
_DOMAIN_CANCELLED: Final = "Cancelled. Nothing was found out about the From domain."
_NO_DOMAIN: Final = "The DNS was not asked: the form on Integrations names no From domain."
_NO_SELECTOR: Final = "The DNS was not asked: “{selector}” isn’t a DKIM selector."
_INCOMPLETE: Final = "Nothing was sent: the form on Integrations is not complete."


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisState(PageState):
    """Everything that the Diagnostics page shows.

    Attributes:
        report: The report to show, or None where there is none yet.
        source: Where it comes from, in words.
        own: Whether it was made here: only then its remedies fit the form.
        form_host: The host in the form: a CA is trusted for this one only.
        stages: The live list of the test that runs.
        waits_for: What runs on Integrations, which keeps Run again from running, or NOTHING.
        problems: What the form lacks for the test that was asked for.
        domain: What the DNS said of the From domain in the form, or None.
        domain_is_news: Whether that came of the last action.
    """

    report: CheckReport | None = None
    source: str = ""
    own: bool = False
    form_host: str = ""
    stages: tuple[StageResult, ...] = ()
    waits_for: Busy = Busy.NOTHING
    problems: tuple[Problem, ...] = ()
    domain: DomainCheck | None = None
    domain_is_news: bool = False

    @property
    def running(self) -> bool:
        """Whether something runs that Cancel would end."""
        return self.busy in (Busy.TESTING, Busy.ASKING, Busy.CHECKING, Busy.CANCELLING)


class DiagnosisView(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def render(self, state: DiagnosisState) -> None:
        """Show this."""

    def focus_verdict(self) -> None:
        """A new report is shown: move the focus to what it comes to."""

    def focus_domain(self) -> None:
        """The DNS has answered: move the focus to what it said."""

    def copy_text(self, text: str) -> None:
        """Put a text on the clipboard."""

    def open_integrations(self) -> None:
        """Show the page with the form."""


class Tester(Protocol):
    """What the presenter needs of the Integrations page: its form, and its test."""

    def request(self, steps: Steps = ...) -> ProofRequest:
        """Return a test of what stands in the form at this moment."""
        ...

    def send_test(self) -> None:
        """Test the values in the form."""

    def cancel_test(self) -> None:
        """End the running test."""

    def apply(self, remedy: Remedy, report: CheckReport | None = ...) -> None:
        """Make the changes of a remedy of this report in the form."""


class DiagnosisPresenter(PagePresenter[DiagnosisState]):
    """Decides what the Diagnostics page shows.

    A test with sign-in is the Integrations page's own: what it proves can be saved there,
    and what it refutes can't. A check without sign-in proves nothing and stays here.
    """

    def __init__(
        self, services: Services, runner: Runner, view: DiagnosisView, tester: Tester
    ) -> None:
        super().__init__(runner, view.render, DiagnosisState())
        self._services = services
        self._view = view
        self._tester = tester
        self._newest: CheckReport | None = None
        self._form_errors: tuple[Problem, ...] = ()
        self._events: list[StageEvent] = []

    def follow(self, state: IntegrationsState) -> None:
        """Take what the Integrations page shows: its test, and the report of its newest test."""
        self._form_errors = errors_among(state.problems)
        if state.host != self._state.form_host:
            self._show(form_host=state.host)
        if self._cancel is None:
            self._follow_test(state)
        report = state.report
        if report is not None and report is not self._newest:
            if report.cancelled:
                self._tell(_CANCELLED, plain=True)
            else:
                self._take(report, FROM_TEST, own=True)
            self._newest = report

    def show_newest(self) -> None:
        """Go back to the newest test of the form."""
        if self._newest is not None:
            self._take(self._newest, FROM_TEST, own=True)

    def show_report(self, report: CheckReport) -> None:
        """Show a report that was read from a file before the window was there."""
        self._take(report, FROM_COMMAND, own=False)

    def run(self, *, login: bool) -> None:
        """Test the values in the form, or say what is missing there.

        Args:
            login: Send a test email; otherwise go up to TLS only, which needs no
                credentials, From or recipient.
        """
        if not self._idle or self._state.waits_for:
            return
        request = self._tester.request(Steps.FULL if login else Steps.NO_LOGIN)
        if request.problems:
            self._refuse(request.problems)
            return
        self._show(problems=(), notice=None, stages=())
        if login:
            self._tester.send_test()
            if self._idle:
                self._refuse(self._form_errors)
            return
        services = self._services
        self._events = []

        def job(emit: Emit, cancel: Cancel) -> ProofResult:
            return prove(services, request, emit, cancel)

        self._run(Busy.CHECKING, job, self._checked, on_event=self._stage_event)

    def check_domain(self, selectors: str = "") -> None:
        """Ask the DNS about the From domain in the form, or say that there is none.

        `selectors` are those of DKIM, as a person typed or pasted them.
        """
        if not self._idle or self._state.waits_for:
            return
        draft = self._tester.request().draft
        problems = from_problems(draft)
        if problems:
            self._refuse(problems, _NO_DOMAIN)
            return
        try:
            asked = DomainRequest.of(draft, read_selectors(selectors))
        except ValueError as error:
            self._refuse((), _NO_SELECTOR.format(selector=visible(str(error))))
            return
        services = self._services

        def job(_emit: Emit, cancel: Cancel) -> DomainCheck | None:
            with contextlib.suppress(CancelledError):
                return check_domain(services, asked, cancel)
            return None

        self._run(Busy.ASKING, job, self._domain_checked)

    def cancel(self) -> None:
        """End what runs; answers at once."""
        own = (Busy.CHECKING, Busy.ASKING)
        if self._state.busy in own and self._cancel is not None:
            self._cancel.cancel()
            self._show(busy=Busy.CANCELLING)
        elif self._state.busy is Busy.TESTING:
            self._tester.cancel_test()

    def apply(self, remedy: Remedy) -> None:
        """Make the changes of a remedy in the form, and go there."""
        self._tester.apply(remedy, self._state.report)
        self._view.open_integrations()

    def open(self, path: Path) -> None:
        """Show the report in a file; what is no report is named, and the former one stays."""
        if self._idle:
            name = path.name
            self._run(
                Busy.READING,
                quietly(lambda: load_report(path)),
                lambda report: self._take(report, f"Report file {name}", own=False),
                failed=lambda error: _reading_failed(name, error),
            )

    def save(self, path: Path) -> None:
        """Write the report that is shown into a file, with what the DNS said of its domain."""
        report, name = self._whole_report(), path.name
        if report is not None and self._idle:
            self._run(
                Busy.WRITING,
                quietly(lambda: save_report(path, report)),
                lambda _nothing: self._tell(f"Saved as {name}. It holds no password."),
                failed=lambda error: _writing_failed(name, error),
            )

    def copy(self) -> None:
        """Put the report that is shown on the clipboard, as Markdown."""
        report = self._whole_report()
        if report is not None and self._idle:
            self._run(
                Busy.COPYING,
                quietly(lambda: report_markdown(report)),
                self._copied,
            )

    def _follow_test(self, state: IntegrationsState) -> None:
        changes: dict[str, object] = {
            "busy": state.busy if state.testing else Busy.NOTHING,
            "stages": state.stages if state.testing else (),
            "waits_for": Busy.NOTHING if state.testing else state.busy,
        }
        if any(getattr(self._state, name) != value for name, value in changes.items()):
            self._show(**changes)

    def _whole_report(self) -> CheckReport | None:
        report, check = self._state.report, self._state.domain
        if report is None or check is None or not check.belongs_to(report):
            return report
        return with_domain(report, check)

    def _refuse(self, problems: tuple[Problem, ...], text: str = _INCOMPLETE) -> None:
        self._show(problems=problems, notice=Notice(text, error=True))

    def _run(
        self,
        busy: Busy,
        job: Job[R],
        done: Callable[[R], None],
        *,
        failed: Callable[[Exception], str] = failure_text,
        on_event: Emit | None = None,
    ) -> None:
        self._state = replace(self._state, notice=None, problems=(), domain_is_news=False)
        super()._run(busy, job, done, failed=failed, on_event=on_event)

    def _end_job(self) -> None:
        super()._end_job()
        self._state = replace(self._state, stages=())

    def _stage_event(self, event: StageEvent) -> None:
        self._events.append(event)
        self._show(stages=fold_stages(self._events))

    def _checked(self, result: ProofResult) -> None:
        if result.report.cancelled:
            self._tell(_CANCELLED, plain=True)
        else:
            self._take(result.report, FROM_CHECK, own=True)

    def _domain_checked(self, check: DomainCheck | None) -> None:
        if check is None:
            self._tell(_DOMAIN_CANCELLED, plain=True)
        else:
            self._show(domain=check, domain_is_news=True)
            self._view.focus_domain()

    def _copied(self, text: str) -> None:
        self._view.copy_text(text)
        self._tell("Copied as Markdown. It holds no password.")

    def _take(self, report: CheckReport, source: str, *, own: bool) -> None:
        self._show(
            report=report,
            source=source,
            own=own,
            stages=(),
            problems=(),
            notice=None,
            domain=self._state.domain if own else None,
            domain_is_news=False,
        )
        self._view.focus_verdict()


def _reading_failed(name: str, error: Exception) -> str:
    if isinstance(error, ReportFormatError):
        return f"{name} isn’t a report: {error}."
    if isinstance(error, OSError):
        return f"{name} can’t be read: {error.strerror}."
    return failure_text(error)


def _writing_failed(name: str, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{name} can’t be written: {error.strerror}."
    return failure_text(error)
