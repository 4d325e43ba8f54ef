"""Read the header of a received email: was it believed, which way did it come, what was added.

The receiver wrote these fields; nothing is looked up. Anybody can write such fields, so only
results under the receiver's own name count (RFC 8601, 5 and 7.1): those above its Received fields,
or below them under a name of the same organization.
"""

import email.parser
import email.policy
import email.utils
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from smtp_desk.core.reply import visible
from smtp_desk.core.stages import Json

MAX_BYTES: Final = 1024**2
"""Longest header; what comes behind it in a file is not needed."""
SCHEMA: Final = "smtp-desk/arrived/1"
_MOST_FIELDS: Final = 500
_MOST_SHOWN: Final = 500
_MOST_SIGNATURES: Final = 10
_SAME_OWNER: Final = {"me.com": "icloud.com", "mac.com": "icloud.com", "apple.com": "icloud.com"}
# Microsoft's servers leave their name out.
_UNNAMED: Final = "outlook.com"
_SHORT: Final = 3
_INSIDE: Final = frozenset({"internal", "local", "lan", "localdomain", "corp", "intranet", "home"})
_IP: Final = re.compile(r"[\[\]0-9a-fA-F:.]+")
_RECEIVER: Final = re.compile(r"\breceiver=([^\s;)]+)|\(([\w.-]+):", re.IGNORECASE)
_USUAL: Final = frozenset({"from", "date", "received", "authentication-results", "received-spf"})
_METHODS: Final = ("spf", "dkim", "dmarc")
_OF_A_DOMAIN: Final = ("header.from", "header.d", "header.i", "smtp.mailfrom", "smtp.helo")
_RESULT: Final = re.compile(r"\s*([a-z0-9-]+)\s*(?:/\s*\d+\s*)?=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY: Final = re.compile(r"([a-z]+\.[a-z0-9_-]+)\s*=\s*(\"[^\"]*\"|[^\s;]+)", re.IGNORECASE)
_REASON: Final = re.compile(r"\breason\s*=\s*(\"[^\"]*\"|[^\s;]+)", re.IGNORECASE)
_FROM: Final = re.compile(r"^\s*from\s+(\S+)", re.IGNORECASE)
_BY: Final = re.compile(r"\bby\s+(\S+)", re.IGNORECASE)
_WITH: Final = re.compile(r"\bwith\s+([\w-]+)", re.IGNORECASE)
# "with ESMTPS" (RFC 3848) or what servers write in a comment: "using TLSv1.3", "version=TLS1_2".
_SECURE_WITH: Final = re.compile(r"(?:UTF8)?(?:E?SMTPSA?|LMTPSA?)", re.IGNORECASE)
_TLS: Final = re.compile(r"\b(?:TLS|SSL)[ v]*(\d)[._]?(\d)?", re.IGNORECASE)
_SCORE: Final = re.compile(r"-?\d+(?:\.\d+)?")
_YES: Final = re.compile(r"\byes\b|\btrue\b|spam\b(?!\s*=\s*no)", re.IGNORECASE)
_SCL: Final = re.compile(r"\bSCL:\s*(-?\d+)", re.IGNORECASE)
_SCL_IS_SPAM: Final = 5
_SPAM_FLAGS: Final = ("x-spam-flag", "x-spam-status", "x-spam", "x-spamd-result")
_SPAM_SCORES: Final = ("x-spam-score", "x-rspamd-score")
_MICROSOFT: Final = ("x-forefront-antispam-report", "x-ms-exchange-organization-scl")


class Belief(StrEnum):
    """Whether the receiver believed that the email comes from its From domain."""

    BELIEVED = "believed"
    DOUBTED = "doubted"
    DISBELIEVED = "disbelieved"
    UNKNOWN = "unknown"


class NotAnEmailError(ValueError):
    """The text is neither an email nor the header of one."""


class NothingToldError(ValueError):
    """The text is the header of an email, but no server has written anything into it."""


@dataclass(frozen=True, slots=True)
class AuthResult:
    """One result of an Authentication-Results field.

    Attributes:
        method: "spf", "dkim", "dmarc" or another.
        result: "pass", "fail", "none"…
        domain: The domain that was checked, or "" where the field doesn't say.
        selector: The DKIM selector, or "".
        reason: As the receiver wrote it.
    """

    method: str
    result: str
    domain: str = ""
    selector: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of the email's way, from one server to the next.

    Attributes:
        sent_by: The sending server's name, as it gave it in EHLO.
        taken_by: The name of the server that accepted it.
        protocol: For example "ESMTPSA".
        tls: Whether the connection was encrypted; None where the field doesn't say.
        tls_version: For example "TLS 1.3", or "".
        at: When, in UTC; None where the field doesn't say.
        seconds: Seconds since the hop before; None for the first, or where a time is missing.
    """

    sent_by: str
    taken_by: str
    protocol: str
    tls: bool | None
    tls_version: str
    at: datetime | None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class SpamVerdict:
    """What the receiver's filter wrote.

    Attributes:
        spam: Whether it considered the email spam; None where it gives only a score.
        score: As written, or "".
        field: The name of the header field.
        own: Whether it stands where only a server writes. Some servers write among the message's
            own fields, where the sender could have written it as well.
    """

    spam: bool | None
    score: str
    field: str
    own: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What the header of a received email says.

    Attributes:
        belief: Whether the From domain was believed.
        sender: The From field.
        receiver: The name of the server whose results these are.
        results: The results of the receiver's own check.
        spam: The filter's verdict; None where there is none.
        hops: The steps of the email's way, first to last.
        added: Names of the fields that servers added above the message's own, each once.
        ignored: Other names under which results stand, which don't count; "" for no name.
    """

    belief: Belief
    sender: str
    receiver: str
    results: tuple[AuthResult, ...]
    spam: SpamVerdict | None
    hops: tuple[Hop, ...]
    added: tuple[str, ...]
    ignored: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return the document of schema `smtp-desk/arrived/1`."""
        spam = self.spam
        return {
            "schema": SCHEMA,
            "belief": str(self.belief),
            "from": self.sender,
            "receiver": self.receiver,
            "results": [
                {
                    "method": each.method,
                    "result": each.result,
                    "domain": each.domain,
                    "selector": each.selector,
                    "reason": each.reason,
                }
                for each in self.results
            ],
            "spam": None
            if spam is None
            else {"spam": spam.spam, "score": spam.score, "field": spam.field, "own": spam.own},
            "hops": [
                {
                    "from": hop.sent_by,
                    "by": hop.taken_by,
                    "with": hop.protocol,
                    "tls": hop.tls,
                    "tls_version": hop.tls_version,
                    "at": hop.at.isoformat() if hop.at else None,
                    "seconds": hop.seconds,
                }
                for hop in self.hops
            ],
            "added": list(self.added),
            "ignored": list(self.ignored),
        }


def read_arrival(octets: bytes) -> Arrival:
    """Read a received email, or its header alone, without trusting its content.

    Raises:
        NotAnEmailError: It has no field that every email has.
        NothingToldError: It has no Received and no Authentication-Results field.
    """
    message = email.parser.BytesHeaderParser(policy=email.policy.compat32).parsebytes(octets)
    fields = [(name, _plain(str(value))) for name, value in message.items()[:_MOST_FIELDS]]
    if not _USUAL.intersection(name.lower() for name, _ in fields):
        raise NotAnEmailError
    receiver, results, ignored = _results(fields)
    hops = _hops([value for name, value in fields if name.lower() == "received"])
    if not hops and not results and not ignored:
        raise NothingToldError
    sender = next((value for name, value in fields if name.lower() == "from"), "")
    return Arrival(
        belief=_belief(results),
        sender=sender,
        receiver=receiver,
        results=results,
        spam=_spam(fields),
        hops=hops,
        added=_added([name for name, _ in fields]),
        ignored=ignored,
    )


def read_signatures(octets: bytes) -> tuple[tuple[str, str], ...]:
    """Return selector and domain of every DKIM signature of an email, each pair once."""
    message = email.parser.BytesHeaderParser(policy=email.policy.compat32).parsebytes(octets)
    signatures = message.get_all("DKIM-Signature", [])[:_MOST_SIGNATURES]
    pairs = (signed_by(str(each)) for each in signatures)
    return tuple(dict.fromkeys(pair for pair in pairs if pair is not None))


def signed_by(signature: str) -> tuple[str, str] | None:
    """Return selector and domain of a DKIM-Signature field (RFC 6376, 3.5); None without them."""
    parts = (part.partition("=") for part in "".join(signature.split()).split(";"))
    tags = {name.lower(): value for name, _, value in parts}
    selector, domain = tags.get("s", ""), tags.get("d", "").lower()
    return (selector, domain) if selector and domain else None


def _plain(value: str) -> str:
    text = " ".join(visible(value.replace("\r", " ").replace("\n", " ").replace("\t", " ")).split())
    return text[: 16 * _MOST_SHOWN]


def _short(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _without_comments(text: str) -> str:
    """Return a field without its comments, which may be nested (RFC 5322, 3.2.2)."""
    kept, depth, quoted = [], 0, False
    for letter in text:
        if letter == '"' and not depth:
            quoted = not quoted
        if letter == "(" and not quoted:
            depth += 1
        if not depth:
            kept.append(letter)
        if letter == ")" and depth:
            depth -= 1
    return "".join(kept)


def _results(
    fields: Sequence[tuple[str, str]],
) -> tuple[str, tuple[AuthResult, ...], tuple[str, ...]]:
    """Return the receiver, its results, and the other names under which results stand."""
    receiver: str | None = None
    found, ignored, above = list[AuthResult](), list[str](), list[str]()
    for name, value in fields:
        if name.lower() == "received":
            above.append(_taken_by(value))
        if name.lower() != "authentication-results":
            continue
        server, parts = _named_results(_without_comments(value))
        own = _is_own(server, above) if receiver is None else _related(server, receiver)
        if not own:
            ignored.append(_short(server))
            continue
        receiver = server if receiver is None else receiver
        found += [result for part in parts if (result := _result(part)) is not None]
    if not found:
        found = list(_received_spf(fields))
    return _short(receiver or ""), tuple(found), tuple(dict.fromkeys(ignored))


def _named_results(value: str) -> tuple[str, list[str]]:
    """Return whose results these are, and the results; the name is "" where none is given."""
    first, *parts = value.split(";")
    if _RESULT.match(first):
        return "", [first, *parts]
    return (first.split() or [""])[0].lower().rstrip("."), parts


def _received_spf(fields: Sequence[tuple[str, str]]) -> Iterator[AuthResult]:
    """Return what a receiver that writes no more tells of SPF (RFC 7208, 9.1)."""
    above = list[str]()
    for name, value in fields:
        if name.lower() == "received":
            above.append(_taken_by(value))
        if name.lower() == "received-spf" and value:
            told = _RECEIVER.search(value)
            if not above or (told is not None and _is_own((told[1] or told[2]).lower(), above)):
                yield AuthResult("spf", value.split(maxsplit=1)[0].lower())
            return


def _taken_by(received: str) -> str:
    return _first(_BY, _without_comments(received)).lower().rstrip(".")


def _is_own(server: str, above: Sequence[str]) -> bool:
    """Whether this is a name of the organization that received the email last.

    What stands above all Received fields was written by it. Below them its name is that of the
    first that has one on the internet: those further down the sender can have written as well.
    Where none has such a name, nothing speaks against it.
    """
    for name in above:
        inside = name.rpartition(".")[2] in _INSIDE or _IP.fullmatch(name) is not None
        if "." in name and not inside:
            return _related(server, name)
    return True


def _related(one: str, other: str) -> bool:
    """Whether two names are of one organization, as far as names tell."""
    return one == other or _organization(one) == _organization(other)


def _organization(name: str) -> str:
    if not name:
        return _UNNAMED
    labels = name.split(".")
    # example.co.uk, but example.io
    second = len(labels) > 2 and len(labels[-1]) < _SHORT and len(labels[-2]) <= _SHORT  # noqa: PLR2004
    domain = ".".join(labels[-3 if second else -2 :])
    return _SAME_OWNER.get(domain, domain)


def _result(part: str) -> AuthResult | None:
    found = _RESULT.match(part)
    if found is None or (found[2].lower() == "none" and found[1].lower() not in _METHODS):
        return None
    told = {name.lower(): value.strip('"') for name, value in _PROPERTY.findall(part)}
    domain = next((told[name] for name in _OF_A_DOMAIN if name in told), "")
    reason = _REASON.search(part)
    return AuthResult(
        method=found[1].lower(),
        result=found[2].lower(),
        domain=_short(domain.rpartition("@")[2]),
        selector=_short(told.get("header.s", "")),
        reason=_short(reason[1].strip('"')) if reason else "",
    )


def _belief(results: Sequence[AuthResult]) -> Belief:
    """Return what the results come to: DMARC decides where it was looked at (RFC 9989)."""
    by_method = {method: [r.result for r in results if r.method == method] for method in _METHODS}
    dmarc = set(by_method["dmarc"])
    if dmarc & {"pass", "bestguesspass"}:
        return Belief.BELIEVED
    if "fail" in dmarc:
        return Belief.DISBELIEVED
    others = {*by_method["spf"], *by_method["dkim"]}
    if "pass" in others:
        return Belief.DOUBTED
    return Belief.DISBELIEVED if others - {"none", "neutral"} else Belief.UNKNOWN


def _hops(received: Sequence[str]) -> tuple[Hop, ...]:
    hops, before = list[Hop](), None
    for value in reversed(received):
        hop = _hop(value, before)
        before = hop.at or before
        hops.append(hop)
    return tuple(hops)


def _hop(value: str, before: datetime | None) -> Hop:
    way, _, date = value.rpartition(";")
    way = way or value
    words = _without_comments(way)
    at = _moment(date)
    protocol = _first(_WITH, words)
    version = _TLS.search(way)
    told = bool(protocol) or version is not None
    secure = version is not None or _SECURE_WITH.fullmatch(protocol) is not None
    return Hop(
        sent_by=_first(_FROM, words),
        taken_by=_first(_BY, words),
        protocol=protocol,
        tls=secure if told else None,
        tls_version=f"TLS {version[1]}.{version[2] or 0}" if version else "",
        at=at,
        seconds=(at - before).total_seconds() if at and before else None,
    )


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return _short(found[1].rstrip(";")) if found else ""


def _moment(date: str) -> datetime | None:
    try:
        at = email.utils.parsedate_to_datetime(date.strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _spam(fields: Sequence[tuple[str, str]]) -> SpamVerdict | None:
    """Return the first verdict where servers write, else the first among the message's own."""
    last = max((at for at, (name, _) in enumerate(fields) if name.lower() == "received"), default=0)
    found = ((at, _verdict(*field)) for at, field in enumerate(fields))
    told = [(at, verdict) for at, verdict in found if verdict is not None]
    for at, verdict in told:
        if at <= last:
            return verdict
    return next((replace(verdict, own=False) for _, verdict in told), None)


def _verdict(name: str, value: str) -> SpamVerdict | None:
    field = name.lower()
    if field in _SPAM_FLAGS:
        spam = bool(_YES.search(value)) and not value.lower().startswith(("no", "default: false"))
        score = _SCORE.search(value)
        return SpamVerdict(spam, score[0] if score else "", name)
    if field in _MICROSOFT:
        level = _SCL.search(value) or _SCORE.fullmatch(value)
        if level is not None:
            score_text = level[level.lastindex or 0]
            return SpamVerdict(float(score_text) >= _SCL_IS_SPAM, score_text, name)
    if field in _SPAM_SCORES and (score := _SCORE.search(value)):
        return SpamVerdict(None, score[0], name)
    return None


def _added(names: Sequence[str]) -> tuple[str, ...]:
    """Return what stands before the message's own fields: each server puts its own on top."""
    last = max((at for at, name in enumerate(names) if name.lower() == "received"), default=-1)
    return tuple(_distinct(_short(visible(name)) for name in names[: last + 1]))


def _distinct(names: Iterator[str]) -> Iterator[str]:
    seen = set[str]()
    for name in names:
        if name.lower() not in seen:
            seen.add(name.lower())
            yield name
