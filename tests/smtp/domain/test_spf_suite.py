"""The test suite of RFC 7208 by its authors: see `rfc7208/LICENSE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from smtp_desk.smtp.domain.dns import Questions
from smtp_desk.smtp.domain.facts import InvalidRecordError, UnansweredError
from smtp_desk.smtp.domain.spf import Check, Sending, read_ip, spf_records
from smtp_desk.smtp.domain.spf_record import read_spf
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver
from tests.servers.dns import NameServer
from tests.table import each_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.dns import Zone

SCENARIOS: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "rfc7208" / "cases.json").read_text("ascii")
)
KINDS: Final = ("TXT", "A", "AAAA", "MX", "PTR")


def zone_of(entries: dict[str, list[tuple[str, Any]]]) -> Zone:
    """The suite's records in the words of our name server."""
    return {name: list(_records(rows)) for name, rows in entries.items()}


def _records(rows: list[tuple[str, Any]]) -> Iterator[str]:
    kinds = {kind for kind, _ in rows}
    for kind, value in rows:
        match kind:
            case "TIMEOUT":
                # No answer at all is the same to an evaluation, and takes seconds.
                known = {_kind(*row, kinds=kinds) for row in rows}
                yield from (f"{each} !SERVFAIL" for each in KINDS if each not in known)
            case "SPF" | "TXT" if _kind(kind, value, kinds=kinds) == "TXT":
                yield f"TXT {_text(value)}"
            case "MX":
                yield f"MX {value[0]} {_name(value[1])}"
            case "PTR" | "CNAME":
                yield f"{kind} {_name(value)}"
            case "A" | "AAAA":
                yield f"{kind} {value}"


def _kind(kind: str, value: object, *, kinds: set[str]) -> str:
    """A record of type SPF stands for one of TXT too, where none of that type is given."""
    if kind == "SPF" and "TXT" not in kinds:
        return "TXT"
    return "" if kind == "TXT" and value == "NONE" else kind


def _text(value: str | list[str]) -> str:
    strings = [value] if isinstance(value, str) else value or [""]
    return " ".join(f'"{_escaped(each)}"' for each in strings)


def _escaped(text: str) -> str:
    return "".join(f"\\{octet:03}" for octet in text.encode("latin-1"))


def _name(name: str) -> str:
    return f"{name.rstrip('.')}."


def result(questions: Questions, case: dict[str, Any]) -> str:
    """What a receiver makes of it."""
    sender = case["mailfrom"] or f"postmaster@{case['helo']}"
    domain = sender.rpartition("@")[2].rstrip(".")
    check = Check(questions, Sending(sender, read_ip(case["host"]), case["helo"]))
    try:
        records = spf_records(questions, domain)
        if not records:
            return "none"
        if len(records) > 1:
            return "permerror"
        (found,) = check.evaluate(domain, read_spf(records[0]))
    except InvalidRecordError:
        return "permerror"
    except UnansweredError:
        return "temperror"
    return str(found)


CASES: Final = [
    pytest.param(scenario["zone"], case, id=f"{scenario['description']}: {name}")
    for scenario in SCENARIOS
    for name, case in scenario["tests"].items()
]


@each_row(("zone", "case"), CASES)
def test_every_case_of_the_suite(
    zone: dict[str, list[tuple[str, Any]]], case: dict[str, Any]
) -> None:
    with NameServer(zone_of(zone)) as server:
        resolver = DnsResolver(server.host, server.port)
        questions = Questions(resolver, Cancel(), Deadline.after(20.0))
        assert result(questions, case) in case["result"]
