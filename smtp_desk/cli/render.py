"""A test shown to a person: its stages as they come, the outcome word for word, the true cause."""

from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from smtp_desk.app.diagnostics.report_text import (
    WHO,
    Row,
    belief_text,
    chain_rows,
    domain_rows,
    key_facts,
    outcome_text,
    stage_line,
)
from smtp_desk.cli.invocation import Output, Pipe, print_rows, say
from smtp_desk.core.findings.finding import TRUST_CA, Finding, Remedy
from smtp_desk.core.report import CheckReport, fold_stages
from smtp_desk.core.stages import Stage, StageEvent, StageStatus
from smtp_desk.core.translation import _, mark

if TYPE_CHECKING:
    from rich.live import Live

Way: TypeAlias = Callable[[Remedy], str]
"""Tells how the changes of a remedy are made by whoever reads it; "" where there is no way."""

_CHOOSE_CA_FILE: Final = "choose_ca_file"
_COMPARE_CA: Final = mark(
    "Get this company CA’s certificate as a PEM file from the mail administrator, compare "
    "its SHA-256 fingerprint with them by phone, then give the file with --ca-file FILE."
)


def no_way(_remedy: Remedy) -> str:
    """Return nothing: for a report from elsewhere, or if a form has the fields."""
    return ""


def outcome_style(report: CheckReport) -> str:
    """Return the style of the outcome on a terminal."""
    if report.sent:
        return "bold green"
    return "bold red" if report.finding is not None and not report.cancelled else "bold"


def print_verdict(console: Output, report: CheckReport, way: Way = no_way) -> None:
    """Print the outcome and what explains it."""
    say(console, outcome_text(report), outcome_style(report))
    if report.finding is not None and not report.cancelled:
        print_rows(console, finding_rows(report.finding, way))
        print_rows(console, _chain_of_failure(report))
    if belief := belief_text(report):
        say(console, belief, "bold")
        print_rows(console, domain_rows(report))
    for warning in report.warnings:
        say(console, _("warning: {summary}", summary=_(warning.summary)), "yellow")
        print_rows(console, finding_rows(warning, way)[1:])
    if report.id:
        print_rows(console, [(_("report ID"), report.id)])


def finding_rows(finding: Finding, way: Way = no_way) -> list[Row]:
    """Return what a person needs to know about a finding, the cause first."""
    rows = [
        (_("cause"), _(finding.summary)),
        (_("code"), finding.code),
        (_("who can fix this"), _(WHO[finding.who])),
    ]
    if finding.reply is not None:
        rows.append((_("server said"), str(finding.reply)))
    if finding.explanation:
        rows.append((_("meaning"), _(finding.explanation)))
    rows.extend((_("remedy"), _said_here(remedy, way)) for remedy in finding.remedies)
    return rows


def _said_here(remedy: Remedy, way: Way) -> str:
    """Return a remedy as it is done here, where the window has a button or a field for it."""
    if remedy.id == TRUST_CA:
        return _(_COMPARE_CA)
    if remedy.id == _CHOOSE_CA_FILE:
        return f"{_(remedy.text)} {_('Here: --ca-file FILE.')}"
    here = way(remedy)
    return f"{_(remedy.text)} {_('Here: {way}', way=here)}" if here else _(remedy.text)


def _chain_of_failure(report: CheckReport) -> Iterator[Row]:
    """Return the chain where TLS failed: there it is what explains the failure."""
    if report.finding is not None and report.finding.stage is Stage.TLS:
        for result in report.stages:
            if result.stage is Stage.TLS:
                yield from chain_rows(result.facts)


class StagePrinter:
    """Shows events as they come; a context manager, because a live list must be closed."""

    def __init__(self, console: Output) -> None:
        self._console = console
        self._events: list[StageEvent] = []
        self._live: Live | None = None
        if not isinstance(console, Pipe):
            from smtp_desk.cli.terminal import live_list, stage_table  # noqa: PLC0415 - on one only

            self._live = live_list(console)
            self._table = partial(stage_table, console)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, event: StageEvent) -> None:
        """Take an event."""
        if self._live is not None:
            self._events.append(event)
            self._live.update(self._table(fold_stages(self._events)))
        elif event.status is not StageStatus.STARTED:
            (result,) = fold_stages([event])
            # What was tried after the failure of a stage is no second failure.
            afterwards = event.facts.keys() == {"other_ports"}
            say(self._console, key_facts(result) if afterwards else stage_line(result))
