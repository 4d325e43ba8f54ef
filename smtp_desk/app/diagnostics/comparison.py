"""Two reports compared: what changed from the earlier to the later one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from smtp_desk.app.diagnostics.report_text import (
    Row,
    certificates,
    outcome_text,
    recipient_of,
    shown,
)
from smtp_desk.core.report import CheckReport
from smtp_desk.core.stages import Facts, Json

_MS: Final = " ms"
_SLOWER_MS: Final = 1000
_NEVER_SAME: Final = frozenset({"time", "report_id", "clock", "server_date", "words", "banner"})
_OWN_PART: Final = frozenset(
    {"chain", "addresses", "found", "address", "extensions", "extensions_before_tls", "recipients"}
)
_OF_CERTIFICATE: Final = ("subject", "names", "issuer", "not_before", "not_after", "fingerprint")


class Aspect(StrEnum):
    """The part of a report that changed."""

    OUTCOME = "outcome"
    FINDING = "finding"
    WARNINGS = "warnings"
    STAGES = "stages"
    SETTINGS = "settings"
    ADDRESSES = "addresses"
    EXTENSIONS = "extensions"
    CERTIFICATE = "certificate"
    FACTS = "facts"
    ENVIRONMENT = "environment"


ASPECTS: Final[Mapping[Aspect, str]] = {
    Aspect.OUTCOME: "Outcome",
    Aspect.FINDING: "Cause",
    Aspect.WARNINGS: "Warnings",
    Aspect.STAGES: "Steps",
    Aspect.SETTINGS: "Settings",
    Aspect.ADDRESSES: "Network addresses",
    Aspect.EXTENSIONS: "What the server can do",
    Aspect.CERTIFICATE: "Certificate",
    Aspect.FACTS: "What was found out",
    Aspect.ENVIRONMENT: "Environment",
}
"""Each in words, in the order in which they are told."""
NOTHING: Final = "none"
"""What stands for what only the other report has."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changed.

    Attributes:
        aspect: The part of the report.
        name: The setting, stage or fact; "" if the part has no names.
        before: Its value in the earlier report; "" for none.
        after: Its value in the later one.
    """

    aspect: Aspect
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports in the order of their times, and what changed between them.

    Attributes:
        before: The earlier report.
        after: The later one.
        swapped: Whether the first given report is the later one.
        differences: What changed, the most important first.
    """

    before: CheckReport
    after: CheckReport
    swapped: bool
    differences: tuple[Difference, ...]


def compare_reports(first: CheckReport, second: CheckReport) -> Comparison:
    """Compare two reports; the earlier one is "before", or the first if they have no time."""
    times = _time(first), _time(second)
    swapped = times[0] is not None and times[1] is not None and times[0] > times[1]
    before, after = (second, first) if swapped else (first, second)
    found = (
        Difference(aspect, name, old, new)
        for aspect in Aspect
        for name, old, new in _changed(aspect, before, after)
    )
    return Comparison(before, after, swapped, tuple(found))


def _time(report: CheckReport) -> datetime | None:
    try:
        found = datetime.fromisoformat(shown(report.environment.get("time", "")))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _changed(
    aspect: Aspect, first: CheckReport, second: CheckReport
) -> Iterator[tuple[str, str, str]]:
    before, after = dict(_READERS[aspect](first)), dict(_READERS[aspect](second))
    reached = {str(each.stage) for each in first.stages} & {
        str(each.stage) for each in second.stages
    }
    for name in dict.fromkeys((*before, *after)):
        if aspect is Aspect.FACTS and name.partition(" ")[0] not in reached:
            continue  # that it was not reached is told of the stage
        old, new = before.get(name, ""), after.get(name, "")
        if old != new and not (aspect is Aspect.STAGES and _about_as_long(name, old, new)):
            yield name, old, new


def _about_as_long(name: str, old: str, new: str) -> bool:
    """Whether these are times of a stage between which there is no difference to tell."""
    if not name.endswith(_MS):
        return False
    if not (old and new):
        return True
    return abs(int(old) - int(new)) < _SLOWER_MS


def _outcome(report: CheckReport) -> Iterator[tuple[str, str]]:
    yield "", outcome_text(report)


def _finding(report: CheckReport) -> Iterator[tuple[str, str]]:
    finding = report.finding
    if finding is not None:
        yield "code", finding.code
        yield "summary", finding.summary
        if finding.reply is not None:
            yield "reply", str(finding.reply)


def _warnings(report: CheckReport) -> Iterator[tuple[str, str]]:
    for warning in report.warnings:
        yield warning.code, warning.summary


def _stages(report: CheckReport) -> Iterator[tuple[str, str]]:
    for result in report.stages:
        yield str(result.stage), str(result.status)
        yield f"{result.stage}{_MS}", str(result.ms)


def _settings(report: CheckReport) -> Iterator[tuple[str, str]]:
    yield from _told(report.settings)
    if recipient := recipient_of(report):
        yield "recipient", recipient


def _addresses(report: CheckReport) -> Iterator[tuple[str, str]]:
    for each in _all(report, "addresses"):
        if isinstance(each, Mapping):
            yield shown(each.get("address", "")), shown(each.get("result", "")).replace("_", " ")
    for found in _all(report, "found"):
        yield f"found {shown(found)}", "yes"


def _extensions(report: CheckReport) -> Iterator[tuple[str, str]]:
    for each in dict.fromkeys(map(shown, _all(report, "extensions"))):
        name, _, rest = each.partition(" ")
        yield name, rest or "yes"


def _certificate(report: CheckReport) -> Iterator[tuple[str, str]]:
    for result in report.stages:
        for own in certificates(result.facts)[:1]:
            yield from ((name, shown(own[name])) for name in _OF_CERTIFICATE if own.get(name))


def _facts(report: CheckReport) -> Iterator[tuple[str, str]]:
    for result in report.stages:
        for name, value in _told(result.facts):
            if name not in _OWN_PART:
                yield f"{result.stage} {name}", value


def _environment(report: CheckReport) -> Iterator[tuple[str, str]]:
    yield from _told(report.environment)


def _told(facts: Facts) -> Iterator[tuple[str, str]]:
    for name, value in facts.items():
        if name not in _NEVER_SAME and value not in (None, "", [], {}):
            yield name, shown(value)


def _all(report: CheckReport, name: str) -> Iterator[Json]:
    for result in report.stages:
        found = result.facts.get(name)
        yield from found if isinstance(found, list) else ()


_READERS: Final = {
    Aspect.OUTCOME: _outcome,
    Aspect.FINDING: _finding,
    Aspect.WARNINGS: _warnings,
    Aspect.STAGES: _stages,
    Aspect.SETTINGS: _settings,
    Aspect.ADDRESSES: _addresses,
    Aspect.EXTENSIONS: _extensions,
    Aspect.CERTIFICATE: _certificate,
    Aspect.FACTS: _facts,
    Aspect.ENVIRONMENT: _environment,
}


def comparison_lines(comparison: Comparison) -> Iterator[Row]:
    """Return what changed as labels and texts, "before → after"."""
    for each in comparison.differences:
        label = f"{ASPECTS[each.aspect]}: {each.name}" if each.name else ASPECTS[each.aspect]
        yield label, f"{each.before or NOTHING} → {each.after or NOTHING}"
