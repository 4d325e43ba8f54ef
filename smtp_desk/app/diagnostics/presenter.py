"""The Diagnostics page without its widgets: run again, open, save and copy a report."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from smtp_desk.app.diagnostics.comparison import Comparison, compare_reports
from smtp_desk.app.diagnostics.report_file import (
    from_file,
    load_report,
    save_report,
    unreadable_text,
    write_for_others,
)
from smtp_desk.app.diagnostics.report_html import report_html
from smtp_desk.app.diagnostics.report_markdown import report_markdown
from smtp_desk.app.diagnostics.support_message import COPIED, Audience, message_text
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
from smtp_desk.core.hiding import without_addresses
from smtp_desk.core.problems import Problem, errors_among
from smtp_desk.core.reply import visible
from smtp_desk.core.report import CheckReport, StageResult, fold_stages
from smtp_desk.core.stages import StageEvent
from smtp_desk.smtp.check.check import Steps
from smtp_desk.smtp.net.deadline import Cancel, CancelledError

R = TypeVar("R")

FROM_TEST: Final = "The latest test email, with the values the form had then"
FROM_CHECK: Final = "The latest check without signing in, with the values the form had then"
FROM_COMMAND: Final = "Opened from the command line"
_CANCELLED: Final = "The test was cancelled."
_DOMAIN_CANCELLED: Final = "Cancelled. The From domain wasn’t checked."
_NO_DOMAIN: Final = "DNS wasn’t queried: the form on Integrations has no From domain."
_NO_SELECTOR: Final = "DNS wasn’t queried: “{selector}” isn’t a DKIM selector."
_HOLDS: Final = "It contains no password."
_HOLDS_NOBODY: Final = "Addresses and usernames are hidden."
_INCOMPLETE: Final = "Nothing was sent: the form on Integrations isn’t complete."


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisState(PageState):
    """Everything that the Diagnostics page shows.

    Attributes:
        report: The report to show, or None if there is none yet.
        source: Where it comes from, in words.
        own: Whether it was created here: only then do its remedies fit the form.
        form_host: The host in the form: a CA is trusted only for this one.
        stages: The live list of the running test.
        waits_for: What runs on Integrations and prevents Run again, or NOTHING.
        problems: What the form lacks for the requested test.
        domain: What the DNS said about the From domain in the form, or None.
        domain_is_news: Whether that is the result of the last action.
        hiding: Whether addresses and usernames are hidden, here and in everything passed on.
        hidden: The report without them, once it is ready.
        other: The report that it is compared with, or None.
        other_source: Where that comes from, in words.
        comparison: What changed between the two, without addresses if they are hidden.
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
    hiding: bool = False
    hidden: CheckReport | None = None
    other: CheckReport | None = None
    other_source: str = ""
    comparison: Comparison | None = None

    @property
    def shown(self) -> CheckReport | None:
        """The report as it may be shown; None while its addresses are being hidden."""
        return self.hidden if self.hiding else self.report

    @property
    def applies(self) -> bool:
        """Whether the remedies shown can be applied to the form."""
        return self.own and not self.hiding

    @property
    def running(self) -> bool:
        """Whether something runs that Cancel would end."""
        return self.busy in (Busy.TESTING, Busy.ASKING, Busy.CHECKING, Busy.CANCELLING)


class DiagnosisView(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def render(self, state: DiagnosisState) -> None:
        """Show this."""

    def focus_verdict(self) -> None:
        """A new report is shown: move the focus to its outcome."""

    def focus_domain(self) -> None:
        """The DNS has answered: move the focus to what it said."""

    def copy_text(self, text: str) -> None:
        """Put a text on the clipboard."""

    def open_integrations(self) -> None:
        """Show the page with the form."""


class Tester(Protocol):
    """What the presenter needs from the Integrations page: its form, and its test."""

    def request(self, steps: Steps = ...) -> ProofRequest:
        """Return a request to test the form's current values."""
        ...

    def send_test(self) -> None:
        """Test the values in the form."""

    def cancel_test(self) -> None:
        """End the running test."""

    def apply(self, remedy: Remedy, report: CheckReport | None = ...) -> None:
        """Make the changes of a remedy of this report in the form."""


class DiagnosisPresenter(PagePresenter[DiagnosisState]):
    """Decides what the Diagnostics page shows.

    A test with sign-in belongs to the Integrations page: what it proves can be saved there, and
    what it refutes can't. A check without sign-in proves nothing and stays here.
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
        self._later: list[Callable[[], None]] = []

    def follow(self, state: IntegrationsState) -> None:
        """Take over what the Integrations page shows: its test, and its latest report."""
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
        """Go back to the latest test of the form."""
        if self._newest is not None:
            self._take(self._newest, FROM_TEST, own=True)

    def show_report(self, report: CheckReport, source: str = FROM_COMMAND) -> None:
        """Show a report that was read before the window opened."""
        self._take(report, source, own=False)

    def show_trouble(self, text: str) -> None:
        """Show why a file can't be opened, and keep the current report."""
        self._when_idle(lambda: self._tell(text, error=True))

    def run(self, *, login: bool) -> None:
        """Test the values in the form, or show what is missing there.

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
        """Ask the DNS about the From domain in the form, or show that there is none.

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
        """Cancel what runs; returns at once."""
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
        """Show the report in a file, once nothing else runs.

        If it isn't a report, say so and keep the current one.
        """
        source = from_file(path.name)
        self._read(path, lambda report: self._take(report, source, own=False))

    def open_two(self, first: Path, second: Path) -> None:
        """Show the report in the first file, compared with that in the second."""
        source = from_file(first.name)

        def take(report: CheckReport) -> None:
            self._take(report, source, own=False)
            self.compare(second)

        self._read(first, take)

    def compare(self, path: Path) -> None:
        """Show what changed between the current report and the one in a file."""
        source = from_file(path.name)
        self._read(path, lambda other: self._arrange(other=other, other_source=source))

    def end_comparison(self) -> None:
        """Show the report alone again."""
        self._show(other=None, other_source="", comparison=None)

    def hide_addresses(self, *, hide: bool) -> None:
        """Hide addresses and usernames in everything shown and passed on, or stop hiding them."""
        if hide is not self._state.hiding:
            self._arrange(hiding=hide)

    def save(self, path: Path, *, html: bool = False) -> None:
        """Write the current report to a file, with what the DNS said about its domain."""
        report, name = self._whole_report(), path.name
        if report is None or not self._idle:
            return

        def work() -> None:
            found = self._passed_on(report)
            if html:
                write_for_others(path, report_html(found).encode("utf-8", "backslashreplace"))
            else:
                save_report(path, found)

        self._run(
            Busy.WRITING,
            quietly(work),
            lambda _nothing: self._tell(f"Saved as {name}. {self._holds()}"),
            failed=lambda error: _writing_failed(name, error),
        )

    def copy(self, audience: Audience | None = None) -> None:
        """Put the report on the clipboard as Markdown, or the message about it to somebody."""
        report = self._whole_report()
        if report is None or not self._idle:
            return

        def work() -> str:
            found = self._passed_on(report)
            return report_markdown(found) if audience is None else message_text(found, audience)

        def done(text: str) -> None:
            self._view.copy_text(text)
            self._tell(f"{COPIED[audience]} {self._holds()}")

        self._run(Busy.COPYING, quietly(work), done)

    def _follow_test(self, state: IntegrationsState) -> None:
        changes: dict[str, object] = {
            "busy": state.busy if state.testing else Busy.NOTHING,
            "stages": state.stages if state.testing else (),
            "waits_for": Busy.NOTHING if state.testing else state.busy,
        }
        if any(getattr(self._state, name) != value for name, value in changes.items()):
            self._show(**changes)

    def _show(self, **changes: Any) -> None:  # noqa: ANN401 - fields of the state
        super()._show(**changes)
        if self._idle and self._later:
            self._later.pop(0)()

    def _when_idle(self, act: Callable[[], None]) -> None:
        """Do it now, or as soon as nothing runs: what was dropped on the window is not lost."""
        if self._idle:
            act()
        else:
            self._later.append(act)

    def _read(self, path: Path, done: Callable[[CheckReport], None]) -> None:
        name = path.name
        self._when_idle(
            lambda: self._run(
                Busy.READING,
                quietly(lambda: load_report(path)),
                done,
                failed=lambda error: unreadable_text(name, error) or failure_text(error),
            )
        )

    def _arrange(self, **changes: Any) -> None:  # noqa: ANN401 - fields of the state
        """Make what is shown of the state with these changes, once nothing else runs."""
        self._when_idle(lambda: self._arrange_now(changes))

    def _arrange_now(self, changes: dict[str, Any]) -> None:
        wanted = replace(self._state, **changes)
        report, other, hiding = wanted.report, wanted.other, wanted.hiding
        if report is None or not (hiding or other):
            self._show(**changes, hidden=None, comparison=None)
            return

        def work() -> tuple[CheckReport | None, Comparison | None]:
            reports = (report,) if other is None else (report, other)
            shown = without_addresses(*reports) if hiding else reports
            compared = compare_reports(*shown) if len(shown) > 1 else None
            return (shown[0] if hiding else None), compared

        def done(made: tuple[CheckReport | None, Comparison | None]) -> None:
            self._show(**changes, hidden=made[0], comparison=made[1])
            if "hiding" not in changes:
                self._view.focus_verdict()

        busy = Busy.HIDING if hiding else Busy.COMPARING
        self._run(busy, quietly(work), done)

    def _passed_on(self, report: CheckReport) -> CheckReport:
        return without_addresses(report)[0] if self._state.hiding else report

    def _holds(self) -> str:
        return _HOLDS_NOBODY if self._state.hiding else _HOLDS

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
            hidden=None,
            other=None,
            other_source="",
            comparison=None,
        )
        self._view.focus_verdict()
        if self._state.hiding:
            self._arrange()


def _writing_failed(name: str, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{name} can’t be written: {error.strerror}."
    return failure_text(error)
