"""A report file is read back exactly, and whatever is no report is refused with a reason."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias

import hypothesis
import pytest
from hypothesis import strategies as st

from smtp_desk.core.findings.finding import Finding, FindingSeverity, Remedy, Scope, Who
from smtp_desk.core.reply import Reply, visible
from smtp_desk.core.report import (
    MAX_ITEMS,
    MAX_TEXT,
    CheckReport,
    Direction,
    ReportOutcome,
    StageResult,
    TranscriptLine,
)
from smtp_desk.core.report_reader import MAX_BYTES, ReportFormatError, read_report
from smtp_desk.core.stages import Stage, StageStatus
from smtp_desk.core.translation import Text, _, mark
from tests.pseudo import speaking_pseudo, untranslated
from tests.table import each_row

if TYPE_CHECKING:
    from collections.abc import Callable

Document: TypeAlias = dict[str, Any]

REJECTED = Finding(
    code="auth.rejected",
    stage=Stage.AUTH,
    severity=FindingSeverity.ERROR,
    summary="The server refused the username or password.",
    explanation="One of them is wrong.",
    who=Who.YOU,
    scope=Scope.NONE,
    remedies=(Remedy("use_port_465", "Use port 465.", {"port": "465", "security": "tls"}),),
    reply=Reply(535, "5.7.8", ("authentication failed",)),
)
REPORT = CheckReport(
    outcome=ReportOutcome.UNREACHABLE,
    finding=REJECTED,
    stages=(
        StageResult(
            Stage.RESOLVE, StageStatus.PASSED, 3, {"addresses": ["192.0.2.1"], "cached": False}
        ),
        StageResult(Stage.TLS, StageStatus.PASSED, 9, {"mode": "starttls", "version": "TLSv1.3"}),
        StageResult(Stage.AUTH, StageStatus.FAILED, 40, {"offered": {"PLAIN": None}, "load": 0.5}),
    ),
    transcript=(TranscriptLine(12, Direction.SERVER, "535 5.7.8 authentication failed"),),
    settings={"host": "smtp.example.org", "port": 587},
    environment={"python": "3.11.2"},
    mode="starttls",
    id="0123456789abcdef",
)

VISIBLE_TEXT = st.text(max_size=40).map(visible)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | VISIBLE_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(VISIBLE_TEXT, inner, max_size=3),
    max_leaves=6,
)


def octets(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def changed(change: Callable[[Document], object]) -> bytes:
    document = copy.deepcopy(REPORT.to_json())
    change(document)
    return octets(document)


def test_a_report_is_read_back_as_it_was() -> None:
    assert read_report(octets(REPORT.to_json())) == REPORT


WORDED = dataclasses.replace(
    REJECTED,
    summary=mark("{host} refused {problem}.", host="{a}", problem=mark("{x}.", x="all of it")),
    explanation=Text.of(("One of them is wrong.", {}), ("Try {host}.", {"host": "b"})),
)


def finding_of(octets_: bytes) -> Finding:
    finding = read_report(octets_).finding
    assert finding is not None
    return finding


def test_the_sentences_of_a_finding_are_read_back_and_can_be_translated() -> None:
    read = finding_of(octets(dataclasses.replace(REPORT, finding=WORDED).to_json()))
    assert read == WORDED
    assert read.summary == "{a} refused all of it."
    with speaking_pseudo():
        assert not untranslated(_(read.summary))
        assert _(read.explanation) == _(WORDED.explanation)


@each_row(
    "change",
    [
        lambda sentences: sentences.pop("summary"),
        lambda sentences: sentences["summary"][0].pop("facts"),
        lambda sentences: sentences["summary"][0]["facts"].pop("host"),
        lambda sentences: sentences["summary"].append("text"),
        lambda sentences: sentences["summary"].extend(sentences["summary"] * 60),
        lambda sentences: sentences.update(summary="text"),
    ],
)
def test_sentences_that_are_none_are_refused(change: Callable[[Document], object]) -> None:
    document: Document = dataclasses.replace(REPORT, finding=WORDED).to_json()
    change(document["finding"]["sentences"])
    with pytest.raises(ReportFormatError):
        read_report(octets(document))


def test_sentences_that_say_something_else_are_left_out() -> None:
    document: Document = dataclasses.replace(REPORT, finding=WORDED).to_json()
    document["finding"]["sentences"]["summary"][0]["text"] = "{host} accepted {problem}."
    document["finding"]["sentences"]["remedies"] = []
    read = finding_of(octets(document))
    assert read == WORDED
    assert type(read.summary) is str
    assert type(read.explanation) is Text


def test_few_facts_in_many_places_fill_no_memory() -> None:
    document: Document = dataclasses.replace(REPORT, finding=WORDED).to_json()
    document["finding"]["sentences"]["summary"] = [
        {"text": "{a}" * 20_000, "facts": {"a": "x" * MAX_TEXT}}
    ] * 50
    assert type(finding_of(octets(document)).summary) is str


def test_a_report_of_an_older_program_has_no_sentences() -> None:
    document: Document = dataclasses.replace(REPORT, finding=WORDED).to_json()
    del document["finding"]["sentences"]
    read = finding_of(octets(document))
    assert read == WORDED
    assert type(read.summary) is str


def test_a_byte_order_mark_and_unknown_keys_do_no_harm() -> None:
    def add(document: Document) -> None:
        document["later"] = {"version": [1]}

    assert read_report(b"\xef\xbb\xbf" + changed(add)) == REPORT


@hypothesis.given(facts=st.dictionaries(VISIBLE_TEXT, JSON, max_size=4), ms=st.integers(0, 10**9))
def test_any_facts_are_read_back(facts: dict[str, Any], ms: int) -> None:
    stage = StageResult(Stage.TLS, StageStatus.WARNED, ms, facts)
    document = {**REPORT.to_json(), "stages": [{**vars_of(stage)}]}
    assert read_report(octets(document)).stages == (stage,)


def test_what_a_server_makes_larger_than_a_report_may_be_is_cut_and_read_back() -> None:
    much = "x" * (2 * MAX_TEXT)
    many: dict[str, Any] = {
        "extensions": [f"X{number}" for number in range(2 * MAX_ITEMS)],
        "addresses": [{"address": "::1"}] * (2 * MAX_ITEMS),
        "numbered": {str(number): number for number in range(2 * MAX_ITEMS)},
        "words": much,
        "exactly": ["x" * MAX_TEXT] + [""] * (MAX_ITEMS - 1),
    }
    finding = dataclasses.replace(REJECTED, summary=much, reply=Reply(535, None, (much, much)))
    report = dataclasses.replace(
        REPORT,
        finding=finding,
        warnings=(finding,),
        stages=(StageResult(Stage.EHLO, StageStatus.FAILED, 1, many),),
        settings={"host": much},
        environment={"system": much},
    )
    read = read_report(octets(report.to_json()))
    facts: Document = dict(read.stages[0].facts)
    cut = "x" * (MAX_TEXT - 1) + "…"
    assert facts["extensions"][-2:] == ["X998", "… and 1001 more"]
    assert facts["addresses"] == [{"address": "::1"}] * MAX_ITEMS
    assert len(facts["numbered"]) == MAX_ITEMS
    assert facts["words"] == read.settings["host"] == read.environment["system"] == cut
    assert facts["exactly"] == many["exactly"]
    assert read.finding is not None
    assert read.finding.summary == read.warnings[0].summary == cut
    assert read.finding.reply is not None
    assert read.finding.reply.text == cut


def vars_of(stage: StageResult) -> dict[str, Any]:
    return {"stage": stage.stage, "status": stage.status, "ms": stage.ms, "facts": stage.facts}


def test_what_moves_the_cursor_is_made_visible_wherever_it_stands() -> None:
    document: Document = copy.deepcopy(REPORT.to_json())
    evil = "\x1b[2J\u202ebad\r\nForged: line\u2028"
    document["finding"]["summary"] = evil
    document["finding"]["code"] = evil
    document["finding"]["reply"]["text"] = evil
    document["finding"]["remedies"][0]["text"] = evil
    document["finding"]["remedies"][0]["changes"]["host"] = evil
    document["stages"][0]["facts"] = {evil: [{evil: evil}]}
    document["transcript"][0]["text"] = evil
    document["settings"][evil] = evil
    document["environment"]["report_id"] = evil
    report = read_report(octets(document))
    everything = repr((report, report.to_json())).replace("\\\\", "")
    assert not any(character in everything for character in "\x1b\u202e\r\n\u2028")
    assert report.id == visible(evil)


def test_a_certificate_keeps_its_lines() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nAbc+/=\nZ09=\n-----END CERTIFICATE-----\n"

    def add(document: Document) -> None:
        document["stages"][0]["facts"]["ca"] = {"pem": pem, "text": f"{pem}{pem}"}

    stage = read_report(changed(add)).stages[0]
    assert stage.facts["ca"] == {"pem": pem, "text": visible(f"{pem}{pem}")}


def test_a_remedy_of_a_file_never_sets_a_password() -> None:
    def change(document: Document) -> None:
        changes = document["finding"]["remedies"][0]["changes"]
        changes.update(password="x", __class__="y", host="smtp.example.org")

    finding = read_report(changed(change)).finding
    assert finding is not None
    assert set(finding.remedies[0].changes) == {"host", "port", "security"}


@pytest.mark.parametrize(
    ("facts", "mode"),
    [
        ({"mode": "tls", "version": "TLSv1.2"}, "tls"),
        ({"mode": "tls"}, ""),
        ({"mode": "none", "version": "TLSv1.2"}, ""),
        ({"mode": ["tls"], "version": "TLSv1.2"}, ""),
    ],
)
def test_the_mode_is_that_of_a_handshake_that_succeeded(facts: Document, mode: str) -> None:
    report = read_report(changed(lambda document: document["stages"][1].update(facts=facts)))
    assert report.mode == mode


def test_a_report_without_tls_has_no_mode() -> None:
    assert read_report(changed(lambda document: document.update(stages=[]))).mode == ""


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it’s empty"),
    "truncated": (octets(REPORT.to_json())[:-20], "isn’t complete JSON"),
    "huge": (b" " * (MAX_BYTES + 1), "larger than 8 MiB"),
    "binary": (b"\x80\x81\xff", "isn’t UTF-8"),
    "deep": (b"[" * 200_000 + b"]" * 200_000, "nested too deeply"),
    "not an object": (b"[]", "the report should be an object"),
    "infinite": (b'{"schema": Infinity}', "Infinity isn’t a JSON number"),
    "absurd number": (b'{"schema": ' + b"9" * 10_000 + b"}", "number that’s too large"),
    "no schema": (b"{}", "has no “schema”"),
}
CHANGES: dict[str, tuple[Callable[[Document], object], str]] = {
    "other schema": (
        lambda d: d.update(schema="smtp-desk/report/3\n"),
        "its schema is “smtp-desk/report/3\\x0a”, but SMTP Desk reads “smtp-desk/report/2”",
    ),
    "long schema": (lambda d: d.update(schema="x" * 65_537), "up to 65536 characters"),
    "outcome": (lambda d: d.update(outcome="perhaps"), "outcome should be one of: sent, pass"),
    "message": (
        lambda d: d.update(message="Test email sent successfully"),
        "its message doesn’t match its outcome",
    ),
    "passed with a cause": (
        lambda d: d.update(outcome="passed", message=""),
        "also names a problem",
    ),
    "passed, in the first schema": (
        lambda d: d.update(schema="smtp-desk/report/1", outcome="passed", message="", finding=None),
        "doesn’t have this outcome",
    ),
    "sent with a cause": (
        lambda d: d.update(outcome="sent", message="Test email sent successfully"),
        "also names a problem",
    ),
    "missing key": (lambda d: d.pop("transcript"), "the report has no “transcript”"),
    "unknown stage": (
        lambda d: d["stages"][1].update(stage="teleport"),
        "the report > stages > 2 > stage should be one of",
    ),
    "stage as list": (lambda d: d["stages"][1].update(stage=[]), "should be one of"),
    "negative time": (lambda d: d["stages"][0].update(ms=-1), "ms should be a whole number"),
    "true as time": (lambda d: d["stages"][0].update(ms=True), "ms should be a whole number"),
    "half a time": (lambda d: d["transcript"][0].update(at_ms=1.5), "at_ms should be a whole"),
    "too many stages": (
        lambda d: d.update(stages=d["stages"] * 334),
        "stages should be a list of up to 1000",
    ),
    "too many lines": (
        lambda d: d.update(transcript=d["transcript"] * 20_001),
        "transcript should be a list of up to 20000",
    ),
    "too many facts": (
        lambda d: d.update(settings={str(number): 1 for number in range(1001)}),
        "settings should be an object",
    ),
    "nested facts": (
        lambda d: d["stages"][0].update(facts={"a": [[[[[[[[[1]]]]]]]]]}),
        "nested less deeply",
    ),
    "huge fact": (lambda d: d["settings"].update(port=10**16), "a number within bounds"),
    "infinite fact": (lambda d: d["settings"].update(port=1e999), "Infinity isn’t a JSON number"),
    "reply code": (
        lambda d: d["finding"]["reply"].update(code=999),
        "a reply code from 200 to 599",
    ),
    "hostile key": (
        lambda d: d["settings"].update({"\x1b" * 99: "x" * 65_537}),
        "settings > " + "\\x1b" * 20 + " should be text",
    ),
}


@each_row("name", HOSTILE)
def test_what_is_no_report_is_refused(name: str) -> None:
    content, reason = HOSTILE[name]
    with pytest.raises(ReportFormatError, match=re.escape(reason)):
        read_report(content)


@each_row("name", CHANGES)
def test_a_report_with_one_thing_wrong_is_refused_by_name(name: str) -> None:
    change, reason = CHANGES[name]
    with pytest.raises(ReportFormatError, match=re.escape(reason)):
        read_report(changed(change))


def test_an_exponent_beyond_all_measure_is_refused() -> None:
    document = octets(REPORT.to_json()).replace(b'"port": 587', b'"port": 1e999')
    with pytest.raises(ReportFormatError, match="within bounds"):
        read_report(document)


@hypothesis.given(st.binary(max_size=200) | JSON.map(octets))
def test_garbage_is_always_refused_politely(content: bytes) -> None:
    with pytest.raises(ReportFormatError):
        read_report(content)


def test_a_report_of_the_first_schema_is_read() -> None:
    document: Any = json.loads(octets(REPORT.to_json()))
    document["schema"] = "smtp-desk/report/1"
    assert read_report(json.dumps(document).encode()) == read_report(octets(REPORT.to_json()))


def test_a_check_without_sending_of_the_first_schema_passed() -> None:
    document: Any = json.loads(octets(REPORT.to_json()))
    document.update(schema="smtp-desk/report/1", finding=None)
    read = read_report(json.dumps(document).encode())
    assert (read.outcome, read.message) == (ReportOutcome.PASSED, "")


def test_a_check_that_passed_is_read_as_it_was_written() -> None:
    passed = dataclasses.replace(REPORT, outcome=ReportOutcome.PASSED, finding=None)
    document: Any = json.loads(octets(passed.to_json()))
    assert (document["outcome"], document["message"]) == ("passed", "")
    read = read_report(octets(passed.to_json()))
    assert (read.outcome, read.passed, read.sent) == (ReportOutcome.PASSED, True, False)
