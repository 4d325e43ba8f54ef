"""The grammar of SPF records (RFC 7208, 12), without the DNS."""

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from smtp_desk.smtp.domain.facts import InvalidRecordError

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

VERSION: Final = b"v=spf1"
_MACRO: Final = r"%\{[slodiphv][0-9]*r?[-.+,/_=]*\}|%%|%_|%-"
_ANY_MACRO: Final = _MACRO.replace("slodiphv", "slodiphvcrt")
# Letters, digits and inner hyphens, not all of them digits.
_TOP_LABEL: Final = r"(?![0-9]+\.?$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_DOMAIN_SPEC: Final = re.compile(
    rf"(?:{_MACRO}|[!-$&-~])*?(?:\.{_TOP_LABEL}\.?|{_MACRO})", re.IGNORECASE
)
_MACRO_STRING: Final = re.compile(rf"(?:{_ANY_MACRO}|[!-$&-~])*", re.IGNORECASE)
_NO_PARTS: Final = re.compile(r"%\{[a-z]0+[^0-9]", re.IGNORECASE)
_MODIFIER: Final = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE | re.DOTALL)
_MECHANISM: Final = re.compile(
    r"([-+?~]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?![a-z0-9_.-])(.*)", re.IGNORECASE | re.DOTALL
)
_PREFIXES: Final = re.compile(r"(.*?)(?:/([0-9]+))?(?://([0-9]+))?", re.DOTALL)
_GLUED: Final = re.compile(r".[-~?+]all$", re.IGNORECASE)
_LONGEST_SHOWN: Final = 60
_BITS: Final = {"ip4": 32, "ip6": 128}


class SpfResult(StrEnum):
    """What a record says about a server (RFC 7208, 2.6)."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"


_QUALIFIERS: Final = {
    "": SpfResult.PASS,
    "+": SpfResult.PASS,
    "-": SpfResult.FAIL,
    "~": SpfResult.SOFTFAIL,
    "?": SpfResult.NEUTRAL,
}


@dataclass(frozen=True, slots=True)
class SpfTerm:
    """A mechanism, which matches a server or not.

    Attributes:
        name: In lower case, such as "include".
        result: The result for servers that match.
        target: The domain it refers to, possibly with macros; "" for the record's own domain.
        network: Of `ip4` and `ip6`.
        prefixes: The prefix lengths for IPv4 and IPv6 addresses, of `a` and `mx`.
    """

    name: str
    result: SpfResult
    target: str = ""
    network: IpNetwork | None = None
    prefixes: tuple[int, int] = (32, 128)


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """A record that follows the grammar.

    Attributes:
        terms: Its mechanisms, in order.
        redirect: The domain whose record is used where nothing matches, or "".
    """

    terms: tuple[SpfTerm, ...]
    redirect: str = ""


def is_spf(text: bytes) -> bool:
    """Whether a TXT record is an SPF record, valid or not (RFC 7208, 4.5)."""
    version, space, _ = text.partition(b" ")
    return version.lower() == VERSION and (bool(space) or text == version)


def read_spf(record: bytes) -> SpfRecord:
    """Return what a record says.

    Raises:
        InvalidRecordError: It breaks the grammar, wherever that is (RFC 7208, 4.6).
    """
    if not record.isascii():
        raise InvalidRecordError("it has characters that aren’t ASCII")
    terms: list[SpfTerm] = []
    modifiers: dict[str, str] = {}
    for term in record.decode("ascii")[len(VERSION) :].split(" "):
        if modifier := _MODIFIER.fullmatch(term):
            _add_modifier(modifiers, modifier[1].lower(), modifier[2], term)
        elif term:
            terms.append(_mechanism(term))
    return SpfRecord(tuple(terms), modifiers.get("redirect", ""))


def _add_modifier(modifiers: dict[str, str], name: str, value: str, term: str) -> None:
    if name not in ("redirect", "exp"):
        if not _MACRO_STRING.fullmatch(value):
            raise _invalid(term, "has a macro (%) that doesn’t exist")
        return
    if name in modifiers:
        raise InvalidRecordError(f"it has several “{name}=”, but only one is allowed")
    modifiers[name] = _target(value, term)


def _mechanism(term: str) -> SpfTerm:
    found = _MECHANISM.fullmatch(term)
    if found is None:
        raise _invalid(term, "isn’t a valid SPF term")
    name, result, rest = found[2].lower(), _QUALIFIERS[found[1]], found[3]
    match name:
        case "ip4" | "ip6":
            return SpfTerm(name, result, network=_network(name, rest, term))
        case "a" | "mx":
            return _of_addresses(name, result, rest, term)
        case "all":
            if rest:
                raise _invalid(term, "has something after “all”")
            return SpfTerm(name, result)
        case _:
            if not rest and name == "ptr":
                return SpfTerm(name, result)
            if not rest.startswith(":"):
                raise _invalid(term, "needs a colon and a domain")
            return SpfTerm(name, result, _target(rest[1:], term))


def _of_addresses(name: str, result: SpfResult, rest: str, term: str) -> SpfTerm:
    found = _PREFIXES.fullmatch(rest)
    target, *lengths = found.groups() if found else (rest, None, None)
    if target and not target.startswith(":"):
        raise _invalid(term, "has something other than a domain or prefix length after its name")
    four, six = (
        bits if length is None else _length(length, bits, term)
        for length, bits in zip(lengths, _BITS.values(), strict=True)
    )
    return SpfTerm(name, result, _target(target[1:], term) if target else "", prefixes=(four, six))


def _network(name: str, rest: str, term: str) -> IpNetwork:
    address, slash, length = rest.removeprefix(":").partition("/")
    kind = ipaddress.IPv4Address if name == "ip4" else ipaddress.IPv6Address
    try:
        ip = kind(address if rest.startswith(":") and "%" not in address else "")
    except ValueError:
        if _GLUED.search(term):
            raise _invalid(term, "is missing a space before “all”") from None
        version = name.removeprefix("ip")
        raise _invalid(term, f"doesn’t name a valid IPv{version} address or network") from None
    bits = _length(length, _BITS[name], term) if slash else _BITS[name]
    return ipaddress.ip_network((ip, bits), strict=False)


def _length(text: str, bits: int, term: str) -> int:
    # Leading zeros are octal to some readers, and to none of them welcome.
    if not text.isdecimal() or len(text) > len(str(bits)) or text != str(int(text)):
        raise _invalid(term, f"has a prefix length that isn’t a number from 0 to {bits}")
    if int(text) > bits:
        raise _invalid(term, f"has a prefix length above {bits}")
    return int(text)


def _target(spec: str, term: str) -> str:
    if not spec:
        raise _invalid(term, "is missing a domain")
    if not _DOMAIN_SPEC.fullmatch(spec) or _NO_PARTS.search(spec):
        raise _invalid(term, "doesn’t name a valid domain")
    return spec


def _invalid(term: str, why: str) -> InvalidRecordError:
    shown = term if len(term) <= _LONGEST_SHOWN else f"{term[:_LONGEST_SHOWN]}…"
    return InvalidRecordError(f"“{shown}” {why}")
