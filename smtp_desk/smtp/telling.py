"""What a failure's facts are called in the texts of the catalogue."""

from collections.abc import Callable, Mapping
from typing import Final

from smtp_desk.core.stages import Facts, Json
from smtp_desk.core.subject_name import plain_name

_NAMES: Final[Mapping[str, str]] = {
    "suggestion": "suggested_name",
    "certificate": "expired_subject",
    "since": "not_after",
    "begins": "not_before",
    "clock": "now",
    "mode": "working_security",
    "detail": "reason",
    "violation": "reason",
    "error": "reason",
    "dead_addresses": "failed_addresses",
}


def for_texts(facts: Facts) -> dict[str, Json]:
    """Return `facts` with those the texts name otherwise added, in the form in which they read.

    Addresses become "192.0.2.1 (refused)"; moments become dates; names in certificates
    "Example CA (Example Ltd)"; `ca` says that the issuer is a CA.
    """
    told = dict(facts)
    for name, shown in _NAMES.items():
        if name in facts and not told.get(shown):
            told[shown] = _plain(facts[name])
    addresses = facts.get("addresses")
    if isinstance(addresses, list):
        told["addresses"] = [_address(each) for each in addresses]
    soon = facts.get("expires_soon")
    if isinstance(soon, dict):
        told.update(soon)
    for name, reads in _READS.items():
        if isinstance(text := told.get(name), str):
            told[name] = reads(text)
    if isinstance(clock := facts.get("clock"), str):
        told["now"] = f"{clock.replace('T', ' ')[:16]} UTC"
    # OpenSSL's reason is the same for every certificate it refuses; these are the words for it.
    if words := facts.get("verify_message"):
        told["reason"] = words
    problems = facts.get("form_problems")
    if isinstance(problems, list) and problems:
        told["reason"] = ", ".join(map(_problem, problems))
    told["issuer_is_ca"] = "ca" in facts
    return told


def _day(moment: str) -> str:
    return moment.partition("T")[0]


def _plain(value: Json) -> Json:
    return value.replace("_", " ") if isinstance(value, str) and value.isidentifier() else value


def _problem(each: Json) -> str:
    if not isinstance(each, dict):
        return str(each)
    return f"{_plain(each.get('problem'))} ({each.get('certificate')})"


def _address(each: Json) -> Json:
    if not isinstance(each, dict):
        return each
    return f"{each.get('address')} ({each.get('result')})"


_READS: Final[Mapping[str, Callable[[str], str]]] = {
    "not_after": _day,
    "not_before": _day,
    "expired_too": _day,
    "issuer": plain_name,
    "expired_subject": plain_name,
}
