"""Whether the SPF record of a domain is valid, and whether it lets a server send (RFC 7208)."""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from smtp_desk.smtp.domain.dns import FAMILIES, Questions
from smtp_desk.smtp.domain.facts import InvalidRecordError, UnansweredError
from smtp_desk.smtp.domain.spf_record import (
    IpAddress,
    SpfRecord,
    SpfResult,
    SpfTerm,
    is_spf,
    read_spf,
)

_MOST_LOOKUPS: Final = 10
_MOST_VOID: Final = 2
_MOST_NAMES: Final = 10
_LONGEST_NAME: Final = 253
_MOST_DIGITS: Final = 4
_MACROS: Final = re.compile(r"%\{([a-z])([0-9]*)(r?)([-.+,/_=]*)\}|%([%_-])", re.IGNORECASE)
_ESCAPES: Final = {"%": "%", "_": " ", "-": "%20"}
_ANYTHING: Final = frozenset(SpfResult)


@dataclass(frozen=True, slots=True)
class Sending:
    """What a receiver knows of an email when it asks.

    Attributes:
        sender: The envelope sender.
        ip: Of the server that sends; None for any, of which nothing is known.
        helo: What that server calls itself; None where that is not known.
    """

    sender: str
    ip: IpAddress | None = None
    helo: str | None = None


class SpfPolicy:
    """A valid SPF record with all that it includes."""

    def __init__(
        self, record: SpfRecord, domain: str, sender: str, questions: Questions, survey: "Check"
    ) -> None:
        self._record = record
        self._domain = domain
        self._sender = sender
        self._questions = questions
        self.included: Final = frozenset(survey.included)
        """Every domain whose record is part of this one, and whose servers pass by it."""
        self.knowable: Final = survey.knowable
        """Whether the record alone tells who may send, without a look at the server."""

    def allows(self, address: str) -> bool | None:
        """Whether mail from this IP address passes; None where the record does not tell.

        Raises:
            UnansweredError: Something that it names was not answered.
            CancelledError: Cancelled.
        """
        check = Check(self._questions, Sending(self._sender, read_ip(address)))
        try:
            return _passes(check.evaluate(self._domain, self._record))
        except InvalidRecordError:
            return False


def read_ip(address: str) -> IpAddress:
    """Return an address without its zone; IPv4 in the clothes of IPv6 is IPv4 (RFC 7208, 5)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


def spf_records(questions: Questions, domain: str) -> list[bytes]:
    """Return the SPF records of a domain (RFC 7208, 4.5): one where all is well.

    Raises:
        UnansweredError: The DNS did not answer.
        CancelledError: Cancelled.
    """
    return [text for text in questions.texts(domain) if is_spf(text)]


def parse_spf(
    records: Sequence[bytes], questions: Questions, domain: str, local_part: str = "postmaster"
) -> SpfPolicy:
    """Return what the one of `records` says, with all that it includes.

    Args:
        records: Those that `spf_records` returns, at least one.
        questions: Asks for what it refers to.
        domain: Whose record it is.
        local_part: Of the envelope sender at this domain, which macros may stand for.

    Raises:
        InvalidRecordError: It is not valid, or there are several.
        UnansweredError: The DNS did not answer.
        CancelledError: Cancelled.
    """
    if len(records) > 1:
        raise InvalidRecordError(
            f"the domain has {len(records)} SPF records, but only one is allowed"
        )
    sender = f"{local_part}@{domain}"
    survey = Check(questions, Sending(sender))
    record = read_spf(records[0])
    survey.evaluate(domain, record)
    return SpfPolicy(record, domain, sender, questions, survey)


@dataclass(frozen=True, slots=True)
class _Path:
    """How an evaluation got to a record.

    Attributes:
        domains: The domains whose records led there, the record's own last.
        passing: Whether the servers that the record passes also pass in the end.
    """

    domains: tuple[str, ...]
    passing: bool = True

    @property
    def domain(self) -> str:
        """The domain whose record it is."""
        return self.domains[-1]


class Check:
    """One evaluation of a record and of what it refers to, with its limits (RFC 7208, 4.6.4).

    Where something about the server isn't known, a mechanism may match or not, so an evaluation can
    have several results. Without an IP address it covers every result a receiver could get.

    Attributes:
        included: The domains whose records were included so that their servers pass.
        knowable: Whether the terms depend on nothing but the server's IP address.
    """

    def __init__(self, questions: Questions, sending: Sending) -> None:
        self.included: Final[set[str]] = set()
        self.knowable = True
        self._questions = questions
        self._sending = sending
        self._families = _families(sending.ip)
        self._lookups = 0
        self._void = 0

    def evaluate(self, domain: str, record: SpfRecord) -> frozenset[SpfResult]:
        """Return the possible results of a domain's record: one result where everything is known.

        Raises:
            InvalidRecordError: Receivers would end with a permanent error.
            UnansweredError: They would end with a temporary one.
            CancelledError: Cancelled.
        """
        return self._results(record, _Path((domain.casefold(),)))

    def _results(self, record: SpfRecord, path: _Path) -> frozenset[SpfResult]:
        possible: set[SpfResult] = set()
        for term in record.terms:
            matches = self._matches(term, path)
            if matches is not False:
                possible.add(term.result)
            if matches:
                return frozenset(possible)
        if not record.redirect:
            return frozenset({*possible, SpfResult.NEUTRAL})
        self._count()
        target = self._expanded(record.redirect, path.domain)
        if target is None:
            return _ANYTHING
        return self._of(target, path) | possible

    def _matches(self, term: SpfTerm, path: _Path) -> bool | None:
        """Whether a server is meant; None where that can't be told."""
        if term.name == "all":
            return True
        if term.network is not None:
            return None if self._sending.ip is None else self._sending.ip in term.network
        self._count()
        target = self._expanded(term.target, path.domain) if term.target else path.domain
        return None if target is None else self._matches_at(target, term, path)

    def _matches_at(self, target: str, term: SpfTerm, path: _Path) -> bool | None:
        match term.name:
            case "include":
                passing = path.passing and term.result is SpfResult.PASS
                return _passes(self._of(target, replace(path, passing=passing)))
            case "a":
                addresses = self._questions.addresses(target, self._families)
                self._count_void(found=bool(addresses))
                return self._is_among(addresses, term.prefixes)
            case "mx":
                return self._is_among(list(self._of_exchangers(target)), term.prefixes)
            case "exists":
                found = bool(self._questions.addresses(target, ("A",)))
                self._count_void(found=found)
                return found
            case _:
                return self._has_name(target)

    def _of(self, target: str, path: _Path) -> frozenset[SpfResult]:
        """Evaluate the record of another domain."""
        name = target.casefold().rstrip(".")
        domains = (*path.domains, name)
        if name in path.domains:
            raise InvalidRecordError(f"it refers back to itself: {' → '.join(domains)}")
        records = spf_records(self._questions, target)
        if not records:
            raise InvalidRecordError(f"it refers to {target}, which has no SPF record")
        if len(records) > 1:
            raise InvalidRecordError(f"it refers to {target}, which has several SPF records")
        try:
            record = read_spf(records[0])
        except InvalidRecordError as error:
            raise InvalidRecordError(
                f"in the record of {target}, which it refers to, {error}"
            ) from error
        if path.passing:
            self.included.add(name)
        return self._results(record, replace(path, domains=domains))

    def _is_among(self, addresses: Sequence[str], prefixes: tuple[int, int]) -> bool | None:
        """Whether the server's address begins as one of these does."""
        ip = self._sending.ip
        if ip is None:
            return None
        bits = prefixes[0] if isinstance(ip, ipaddress.IPv4Address) else prefixes[1]
        return any(ip in ipaddress.ip_network((each, bits), strict=False) for each in addresses)

    def _of_exchangers(self, target: str) -> Iterator[str]:
        hosts = [text.partition(" ")[2] for text in self._questions.mail_exchangers(target)]
        self._count_void(found=bool(hosts))
        if len(hosts) > _MOST_NAMES:
            raise InvalidRecordError(f"{target} has more than 10 MX records, where receivers stop")
        for host in hosts:
            if host != ".":
                yield from self._questions.addresses(host, self._families)

    def _has_name(self, target: str) -> bool | None:
        if self._sending.ip is None:
            self.knowable = False
            return None
        name = target.casefold().rstrip(".")
        return any(f".{each.casefold()}".endswith(f".{name}") for each in self._names())

    def _names(self) -> Iterator[str]:
        """Yield the names that the server's address has and that have its address (5.5)."""
        ip = self._sending.ip
        if ip is None:
            return
        try:
            claimed = self._questions.names_of(ip)[:_MOST_NAMES]
        except UnansweredError:
            return
        for name in claimed:
            try:
                addresses = self._questions.addresses(name, self._families)
            except UnansweredError:
                continue
            if ip in map(ipaddress.ip_address, addresses):
                yield name

    def _count(self) -> None:
        self._lookups += 1
        if self._lookups > _MOST_LOOKUPS:
            raise InvalidRecordError("it needs more than 10 DNS lookups, where receivers stop")

    def _count_void(self, *, found: bool) -> None:
        self._void += not found
        if self._void > _MOST_VOID:
            raise InvalidRecordError(
                "more than two names in it have no records, where receivers stop"
            )

    def _expanded(self, spec: str, domain: str) -> str | None:
        """Return a domain with its macros replaced (RFC 7208, 7); None where one isn't known."""
        expanded, end = "", 0
        for macro in _MACROS.finditer(spec):
            letter, count, reverse, delimiters, escape = macro.groups()
            value = _ESCAPES[escape] if escape else self._value(letter.lower(), domain)
            if value is None:
                self.knowable = False
                return None
            if letter:
                value = _transformed(value, count, delimiters or ".", bool(reverse))
                value = quote(value, safe="-._~") if letter.isupper() else value
            expanded += spec[end : macro.start()] + value
            end = macro.end()
        expanded += spec[end:]
        name = expanded.removesuffix(".")
        # Too long a name loses labels on its left (RFC 7208, 7.3).
        return name[-_LONGEST_NAME - 1 :].partition(".")[2] if len(name) > _LONGEST_NAME else name

    def _value(self, letter: str, domain: str) -> str | None:
        local_part, _, sender_domain = self._sending.sender.rpartition("@")
        local_part = local_part or "postmaster"
        known = {"l": local_part, "o": sender_domain, "s": f"{local_part}@{sender_domain}"}
        known["d"] = domain
        ip = self._sending.ip
        if letter in known or ip is None:
            return known.get(letter)
        four = isinstance(ip, ipaddress.IPv4Address)
        match letter:
            case "h":
                return self._sending.helo
            case "v":
                return "in-addr" if four else "ip6"
            case "p":
                return self._validated_name(domain)
            case _:
                return str(ip) if four else ".".join(ip.exploded.replace(":", ""))

    def _validated_name(self, domain: str) -> str:
        """Return the name that counts: the domain itself before one below it before others."""

        def distance(name: str) -> int:
            folded = name.casefold()
            return 0 if folded == domain else 1 if folded.endswith(f".{domain}") else 2

        return min(self._names(), key=distance, default="unknown")


def _passes(possible: frozenset[SpfResult]) -> bool | None:
    if possible == {SpfResult.PASS}:
        return True
    return None if SpfResult.PASS in possible else False


def _families(ip: IpAddress | None) -> tuple[str, ...]:
    if ip is None:
        return FAMILIES
    return ("A",) if isinstance(ip, ipaddress.IPv4Address) else ("AAAA",)


def _transformed(value: str, count: str, delimiters: str, reverse: bool) -> str:  # noqa: FBT001
    parts = re.split(f"[{re.escape(delimiters)}]", value)
    if reverse:
        parts.reverse()
    # More digits than there can be parts: all of them.
    most = int(count.lstrip("0")[:_MOST_DIGITS] or 0)
    return ".".join(parts[-most:])
