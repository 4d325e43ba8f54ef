"""SPF (RFC 7208): whether the record of a domain is valid, and whether it names a server.

DMARC (RFC 7489, 9989): the record that applies to a domain, and whether it is valid.

Both are judged by checkdmarc, of which only parsers are used, over a resolver of ours: it
asks the DNS and nothing else. It takes most of a second to load: import this module where a
question is asked.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import checkdmarc.dmarc  # type: ignore[import-untyped]
import checkdmarc.spf  # type: ignore[import-untyped]
import dns.resolver

from smtp_desk.core.reply import decode_text
from smtp_desk.smtp.domain.dns import InvalidRecordError, Questions

_SPF: Final = b"v=spf1"
_MOST_LOOKUPS: Final = 10
_TOO_MANY: Final = "it needs more than 10 DNS lookups, where receivers stop"
_UNKNOWABLE: Final = frozenset({"exists", "ptr"})

Term: TypeAlias = dict[str, Any]
"""A mechanism as the library tells it."""
Parsed: TypeAlias = dict[str, Any]
"""A record as the library tells it: its terms, and what it redirects to."""
_Ip: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"


def _unasked(*_question: object, **_options: object) -> list[str]:
    """Stand in for the text behind `exp=`, which is for receivers and says nothing of who may send.

    The library would ask the system's resolver for it, whatever resolver it was given.
    """
    return [""]


checkdmarc.spf.get_txt_records = _unasked


class _TooManyLookupsError(Exception):
    """More records are included than may be, whatever else stands in them."""


class _Bounded:
    """Lets no more records be fetched than RFC 7208, 4.6.4 allows, however deep they nest."""

    lifetime: Final = Questions.lifetime

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._names: set[str] = set()

    def resolve(self, name: str, kind: str, lifetime: float) -> dns.resolver.Answer:
        """Ask, or raise `_TooManyLookupsError`."""
        if kind == "TXT":
            self._names.add(name)
            if len(self._names) > _MOST_LOOKUPS:
                raise _TooManyLookupsError
        return self._questions.resolve(name, kind, lifetime)


class SpfPolicy:
    """A valid SPF record with all that it includes."""

    def __init__(self, record: str, parsed: Parsed, questions: Questions) -> None:
        self._record = record
        self._parsed = parsed
        self._questions = questions

    @property
    def included(self) -> frozenset[str]:
        """Every domain whose record is part of this one."""
        return frozenset(_domains(self._parsed))

    @property
    def knowable(self) -> bool:
        """Whether the record alone tells who may send: no macros, `exists` or `ptr` in it."""
        return not any(
            term["mechanism"] in _UNKNOWABLE or "%" in term["value"]
            for term in _terms(self._parsed)
        )

    def allows(self, address: str) -> bool | None:
        """Whether mail from this IP address passes; None where the record does not tell.

        Raises:
            UnansweredError: An address that it takes was not answered.
        """
        ip = ipaddress.ip_address(address.partition("%")[0])
        return self._allows(self._parsed, self._record, ip)

    def _allows(self, parsed: Parsed | None, record: str | None, ip: _Ip) -> bool | None:
        if parsed is None:
            return None
        redirect = parsed["redirect"]
        verdict: bool | None = parsed["all"] == "pass"
        if redirect is not None:
            verdict = self._allows(redirect["parsed"], redirect["record"], ip)
        # The first term that matches decides (RFC 7208, 4.6.2): so from the last one back.
        for term in reversed(parsed["mechanisms"]):
            match self._matches(term, record or "", ip), term["action"] == "pass":
                case True, passes:
                    verdict = passes
                case None, passes if passes != verdict:
                    verdict = None
        return verdict

    def _matches(self, term: Term, record: str, ip: _Ip) -> bool | None:
        if term["mechanism"] in _UNKNOWABLE or "%" in term["value"]:
            return None
        match term["mechanism"]:
            case "ip4" | "ip6":
                return _within(ip, [term["value"]])
            case "a":
                return _within(ip, term.get("addresses", ()))
            case "mx":
                hosts = (host["hostname"] for host in term.get("hosts", ()))
                found = [each for host in hosts for each in self._questions.addresses(host)]
                # How many addresses around it a term takes in, the library does not tell.
                return _within(ip, found) or (None if _has_wide_mx(record) else False)
            case _:
                return self._allows(term["parsed"], term["record"], ip)


def spf_records(questions: Questions, domain: str) -> list[bytes]:
    """Return the SPF records of a domain (RFC 7208, 4.5): one where all is well.

    Raises:
        UnansweredError: The DNS did not answer.
        CancelledError: Cancelled.
    """
    return [text for text in questions.texts(domain) if _is_spf(text.lower())]


def parse_spf(records: Sequence[bytes], questions: Questions, domain: str) -> SpfPolicy:
    """Return what the one of `records` says, with all that it includes.

    Raises:
        InvalidRecordError: It is not valid, or there are several.
        UnansweredError: The DNS did not answer.
        CancelledError: Cancelled.
    """
    if len(records) > 1:
        raise InvalidRecordError(f"the domain has {len(records)} SPF records, one is allowed")
    if not records[0].isascii():
        raise InvalidRecordError("it holds characters that are not ASCII")
    # The library knows the version in lower case only (RFC 7208, 12: in any).
    record = (_SPF + records[0][len(_SPF) :]).decode("ascii")
    try:
        results = checkdmarc.spf.parse_spf_record(record, domain, resolver=_Bounded(questions))
    except (checkdmarc.spf.SPFTooManyDNSLookups, _TooManyLookupsError) as error:
        raise InvalidRecordError(_TOO_MANY) from error
    except checkdmarc.spf.SPFError as error:
        raise InvalidRecordError(_reason(error)) from error
    return SpfPolicy(results["record"], results["parsed"], questions)


def _is_spf(text: bytes) -> bool:
    return text == _SPF or text.startswith(_SPF + b" ")


def _reason(error: checkdmarc.spf.SPFError) -> str:
    match error:
        case checkdmarc.spf.SPFTooManyVoidDNSLookups():
            return "more than two names in it have no records, where receivers stop"
        case checkdmarc.spf.SPFRecordNotFound():
            return f"it refers to {error.domain}, which has no SPF record"
        case checkdmarc.spf.MultipleSPFRTXTRecords():
            return "a domain that it includes has several SPF records"
        case _:
            return str(error)


def _within(ip: _Ip, networks: Sequence[str]) -> bool:
    return any(ip in ipaddress.ip_network(network, strict=False) for network in networks)


def _has_wide_mx(record: str) -> bool:
    terms = (term.lstrip("+-~?").casefold() for term in record.split())
    return any(term.startswith(("mx/", "mx:")) and "/" in term for term in terms)


def _terms(parsed: Parsed | None) -> Iterator[Term]:
    """Yield every term of a record and of those it includes; a redirect as a term."""
    if parsed is None:
        return
    for term in parsed["mechanisms"]:
        yield term
        yield from _terms(term.get("parsed"))
    redirect = parsed["redirect"]
    if redirect is not None:
        macro = "%" if redirect["parsed"] is None else ""
        yield {"mechanism": "redirect", "value": redirect["domain"] + macro}
        yield from _terms(redirect["parsed"])


def _domains(parsed: Parsed | None) -> Iterator[str]:
    for term in _terms(parsed):
        if term["mechanism"] in ("include", "redirect"):
            yield term["value"].casefold().rstrip(".")


_DMARC: Final = b"v=dmarc1"


class _Nobody:
    """Answers that there is nothing: where reports go is not looked into."""

    lifetime = 1.0

    def resolve(self, *_: object, **__: object) -> dns.resolver.Answer:
        """Find nothing."""
        raise dns.resolver.NoAnswer


def dmarc_records(questions: Questions, domain: str) -> list[str]:
    """Return the DMARC records at the domain itself, as far as they look like such.

    Raises:
        UnansweredError: The DNS did not answer.
        CancelledError: Cancelled.
    """
    texts = questions.texts(f"_dmarc.{domain}")
    return [decode_text(text) for text in texts if text.lstrip().lower().startswith(_DMARC)]


def find_dmarc(questions: Questions, domain: str) -> str:
    """Return the valid record that applies to the domain, its own or of a domain above it.

    Returns:
        The record; "" where there is none.

    Raises:
        InvalidRecordError: It is not valid, or there are several.
        UnansweredError: The DNS did not answer.
        CancelledError: Cancelled.
    """
    own = dmarc_records(questions, domain)
    if len(own) > 1:
        raise InvalidRecordError(f"the domain has {len(own)} DMARC records, one is allowed")
    if own and not own[0].isascii():
        raise InvalidRecordError("it holds characters that are not ASCII")
    try:
        found = checkdmarc.dmarc.query_dmarc_record(
            domain, resolver=questions, ignore_unrelated_records=True
        )
        checkdmarc.dmarc.parse_dmarc_record(
            found["record"], found["location"], resolver=_Nobody(), ignore_unrelated_records=True
        )
    except checkdmarc.dmarc.DMARCRecordNotFound as error:
        if own:
            raise InvalidRecordError("“v=DMARC1” is to be followed by a semicolon") from error
        above = domain.partition(".")[2]
        if "." in above and not questions.exists(domain):
            # The library looks no further where there is no such domain; receivers do.
            return find_dmarc(questions, above)
        return ""
    except checkdmarc.dmarc.DMARCError as error:
        raise InvalidRecordError(str(error).removeprefix("Error: ")) from error
    return str(found["record"])
