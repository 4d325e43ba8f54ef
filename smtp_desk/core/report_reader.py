"""Reading a report from its file, which may come from anybody."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NoReturn, TypeVar

from smtp_desk.core.findings.finding import Finding, FindingSeverity, Remedy, Scope, Who
from smtp_desk.core.problems import OAUTH_FIELDS, Field
from smtp_desk.core.reply import Reply, visible
from smtp_desk.core.report import (
    MAX_ITEMS,
    MAX_TEXT,
    SCHEMA,
    CheckReport,
    Direction,
    ReportOutcome,
    StageResult,
    TranscriptLine,
)
from smtp_desk.core.settings import Security
from smtp_desk.core.stages import Json, Stage, StageStatus
from smtp_desk.core.translation import Text, names_in

MAX_BYTES: Final = 8 * 1024 * 1024
"""Longest report file; read one byte more and pass it on, to have a longer one refused."""

_MAX_TRANSCRIPT: Final = 20_000
_MAX_NUMBER: Final = 10**15
_MAX_DEPTH: Final = 8
_MAX_SENTENCES: Final = 50
_MAX_SHOWN: Final = 80
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_REPLY_CODES: Final = range(200, 600)
# The one text with line breaks: nothing in it but letters that do no harm.
_PEM: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]+\n)+-----END CERTIFICATE-----\n"
)
_CHANGEABLE: Final = frozenset(Field) - {Field.PASSWORD} - OAUTH_FIELDS

_FIRST_SCHEMA: Final = "smtp-desk/report/1"
_NEWER: Final = re.compile(r"smtp-desk/report/[1-9][0-9]{0,5}")
_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)


class ReportFormatError(ValueError):
    """The file isn't a report; the message says why and is safe to show."""


class NewerReportError(ReportFormatError):
    """The report's schema is newer than this program; the message names both."""


def read_report(octets: bytes) -> CheckReport:
    """Read a report from the content of its file, without trusting any of it.

    Every text is made `visible`, every size has a bound, unknown keys are ignored. What a
    report doesn't contain (the scope of a finding, whether it raises an alarm) stays empty.

    Raises:
        NewerReportError: Its schema is newer.
        ReportFormatError: It isn't a report of schema `smtp-desk/report/2` or 1.
    """
    if len(octets) > MAX_BYTES:
        raise ReportFormatError(f"it’s larger than {MAX_BYTES // 1024**2} MiB")
    start = octets.removeprefix(_UTF8_MARK).lstrip()
    if not start:
        raise ReportFormatError("it’s empty")
    if start.startswith(b"<"):
        raise ReportFormatError("it’s a web page or XML")
    return _report(_Node("the report", _parse(octets)))


def _parse(octets: bytes) -> Json:
    try:
        document: Json = json.loads(
            octets.decode("utf-8-sig"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_unambiguous,
        )
    except UnicodeDecodeError as error:
        raise ReportFormatError("it isn’t UTF-8 text") from error
    except RecursionError as error:
        raise ReportFormatError("it’s nested too deeply") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        if error.msg == "Extra data":
            raise ReportFormatError(f"something else follows the report ({where})") from error
        raise ReportFormatError(f"it isn’t complete JSON ({where})") from error
    except ReportFormatError:
        raise
    except ValueError as error:  # a number too long to convert
        raise ReportFormatError("it contains a number that’s too large") from error
    return document


def _unambiguous(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Refuse a name that is there twice: programs would read different reports."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ReportFormatError(f"it contains “{visible(twice)[:_MAX_SHOWN]}” twice in one place")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ReportFormatError(f"{name} isn’t a JSON number")


@dataclass(frozen=True, slots=True)
class _Node:
    """A value of the document and where it stands, so that each error can name the place."""

    place: str
    value: Json

    def refuse(self, expected: str) -> NoReturn:
        raise ReportFormatError(f"{self.place} should be {expected}")

    def entries(self) -> Mapping[str, Json]:
        if not isinstance(self.value, dict) or len(self.value) > MAX_ITEMS:
            self.refuse("an object")
        return self.value

    def get(self, key: str) -> "_Node":
        entries = self.entries()
        if key not in entries:
            raise ReportFormatError(f"{self.place} has no “{key}”")
        return _Node(f"{self.place} > {visible(key)[:_MAX_SHOWN]}", entries[key])

    def maybe(self, key: str) -> "_Node | None":
        return self.get(key) if key in self.entries() else None

    def items(self, read: "Callable[[_Node], _T]", limit: int = MAX_ITEMS) -> tuple[_T, ...]:
        if not isinstance(self.value, list):
            self.refuse("a list")
        if len(self.value) > limit:
            self.refuse(f"a list of up to {limit} entries")
        return tuple(
            read(_Node(f"{self.place} > {number}", value))
            for number, value in enumerate(self.value, start=1)
        )

    def optional(self, read: "Callable[[_Node], _T]") -> _T | None:
        return None if self.value is None else read(self)

    def text(self) -> str:
        if not isinstance(self.value, str) or len(self.value) > MAX_TEXT:
            self.refuse(f"text of up to {MAX_TEXT} characters")
        return self.value if _PEM.fullmatch(self.value) else visible(self.value)

    def natural(self) -> int:
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_NUMBER:
            self.refuse("a whole number, 0 or more")
        return value

    def choice(self, choices: type[_E]) -> _E:
        if self.value not in list(choices):
            self.refuse(f"one of: {', '.join(choices)}")
        return choices(self.value)

    def facts(self) -> dict[str, Json]:
        return {visible(key): _fact(self.get(key)) for key in self.entries()}


def _fact(node: _Node, depth: int = 1) -> Json:
    if depth > _MAX_DEPTH:
        node.refuse("nested less deeply")
    value = node.value
    if isinstance(value, str):
        return node.text()
    if isinstance(value, list):
        return list(node.items(lambda item: _fact(item, depth + 1)))
    if isinstance(value, dict):
        return {visible(key): _fact(node.get(key), depth + 1) for key in node.entries()}
    if value is not None and not abs(value) <= _MAX_NUMBER:  # nor is infinity
        node.refuse("a number within bounds")
    return value


def _report(node: _Node) -> CheckReport:
    schema = node.get("schema").text()
    if schema not in (SCHEMA, _FIRST_SCHEMA):
        both = f"its schema is “{schema[:_MAX_SHOWN]}”, but SMTP Desk reads “{SCHEMA}”"
        raise (NewerReportError if _NEWER.fullmatch(schema) else ReportFormatError)(both)
    environment = node.get("environment").facts()
    stages = node.get("stages").items(_stage)
    report = CheckReport(
        outcome=node.get("outcome").choice(ReportOutcome),
        finding=node.get("finding").optional(_finding),
        warnings=node.get("warnings").items(_finding),
        stages=stages,
        transcript=node.get("transcript").items(_transcript_line, _MAX_TRANSCRIPT),
        settings=node.get("settings").facts(),
        environment={key: value for key, value in environment.items() if key != "report_id"},
        mode=_mode(stages),
        id=str(environment.get("report_id", "")),
    )
    if node.get("message").text() != report.message:
        raise ReportFormatError("its message doesn’t match its outcome")
    if report.outcome is not ReportOutcome.UNREACHABLE and report.finding is not None:
        raise ReportFormatError("it says that nothing was wrong, but also names a problem")
    if report.passed and schema == _FIRST_SCHEMA:
        raise ReportFormatError("its schema doesn’t have this outcome")
    if report.outcome is ReportOutcome.UNREACHABLE and report.finding is None:
        # So the first schema told a check that was not to send and found nothing wrong.
        return replace(report, outcome=ReportOutcome.PASSED)
    return report


def _mode(stages: tuple[StageResult, ...]) -> str:
    """Return the TLS mode of the handshake that succeeded, "" where none did."""
    for result in stages:
        if result.stage is Stage.TLS and result.facts.get("version"):
            mode = result.facts.get("mode")
            return mode if mode in (Security.STARTTLS, Security.TLS) else ""
    return ""


def _stage(node: _Node) -> StageResult:
    return StageResult(
        node.get("stage").choice(Stage),
        node.get("status").choice(StageStatus),
        node.get("ms").natural(),
        node.get("facts").facts(),
    )


def _transcript_line(node: _Node) -> TranscriptLine:
    return TranscriptLine(
        node.get("at_ms").natural(),
        node.get("direction").choice(Direction),
        node.get("text").text(),
    )


def _worded(english: _Node, sentences: _Node | None) -> str:
    """Return a text with the sentences that it is made of, so that it can be translated.

    Those of which it doesn't consist are left out.
    """
    text = english.text()
    made = _text(sentences, len(text)) if sentences else text
    return made if made == text else text


def _text(node: _Node, longest: int, depth: int = 1) -> Text:
    if depth > _MAX_DEPTH:
        node.refuse("nested less deeply")
    return Text.of(*node.items(lambda each: _sentence(each, longest, depth), _MAX_SENTENCES))


def _sentence(node: _Node, longest: int, depth: int) -> tuple[str, dict[str, str]]:
    english, facts = node.get("text").text(), node.get("facts")
    known = {name: _said(facts.get(name), longest, depth) for name in names_in(english)}
    # A few facts that are put in many times would fill all memory.
    if sum(len(fact) * english.count(f"{{{name}}}") for name, fact in known.items()) > longest:
        return "", {}
    return english, known


def _said(node: _Node, longest: int, depth: int) -> str:
    return _text(node, longest, depth + 1) if isinstance(node.value, list) else node.text()


def _finding(node: _Node) -> Finding:
    # Reports of older programs have none.
    sentences = node.maybe("sentences")
    of_remedies = sentences.get("remedies").items(lambda each: each) if sentences else ()
    remedies = node.get("remedies").items(lambda each: each)
    return Finding(
        code=node.get("code").text(),
        stage=node.get("stage").choice(Stage),
        severity=node.get("severity").choice(FindingSeverity),
        summary=_worded(node.get("summary"), sentences and sentences.get("summary")),
        explanation=_worded(node.get("explanation"), sentences and sentences.get("explanation")),
        who=node.get("who").choice(Who),
        scope=Scope.NONE,
        remedies=tuple(map(_remedy, remedies, (*of_remedies, *[None] * len(remedies)))),
        reply=node.get("reply").optional(_reply),
    )


def _remedy(node: _Node, sentences: _Node | None) -> Remedy:
    changes = node.get("changes")
    return Remedy(
        node.get("id").text(),
        _worded(node.get("text"), sentences),
        {field: changes.get(field).text() for field in changes.entries() if field in _CHANGEABLE},
    )


def _reply(node: _Node) -> Reply:
    code = node.get("code").natural()
    if code not in _REPLY_CODES:
        node.get("code").refuse("a reply code from 200 to 599")
    enhanced = node.get("enhanced").optional(_Node.text)
    return Reply(code, enhanced, (node.get("text").text(),))
