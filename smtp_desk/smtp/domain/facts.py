"""What the DNS says about a From domain and the server that sends for it."""

from dataclasses import dataclass
from enum import StrEnum


class UnansweredError(Exception):
    """The DNS did not answer; the message says why, as the end of a sentence."""


class InvalidRecordError(Exception):
    """A record breaks its rules; the message says which, as the end of a sentence."""


class RecordStatus(StrEnum):
    """The result of looking for a record."""

    GOOD = "good"
    MISSING = "missing"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """What the DNS said about one kind of record.

    Attributes:
        status: The result.
        records: The records themselves, safe to show, limited in number and length.
        reason: Why it is invalid or unknown, as the end of a sentence.
        notes: What could be better about a valid one, each as the end of a sentence.
    """

    status: RecordStatus
    records: tuple[str, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DmarcPolicy:
    """A valid DMARC record as it applies to a domain.

    Attributes:
        record: The record.
        domain: Where it was found: at the domain itself, or at a parent domain.
        policy: What receivers are asked to do with mail that fails: none, quarantine or reject.
        testing: Whether they are asked to be one step milder (`t=y`).
        dkim_strict: Whether a DKIM signature must be by exactly this domain (`adkim=s`).
    """

    record: str
    domain: str
    policy: str
    testing: bool = False
    dkim_strict: bool = False


@dataclass(frozen=True, slots=True)
class Selector:
    """Where to find the key of a DKIM signature.

    Attributes:
        name: The selector, `s=` of the signature.
        domain: The signing domain, `d=` of the signature; "" for the From domain or, where that
            has no such key, its organizational domain.
    """

    name: str
    domain: str = ""


@dataclass(frozen=True, slots=True)
class DkimKey:
    """What the DNS said about a selector's key.

    Attributes:
        selector: The selector.
        domain: The domain whose key was looked up.
        found: The result.
        aligned: Whether DMARC accepts its signatures for the From domain.
    """

    selector: str
    domain: str
    found: Found
    aligned: bool = True


@dataclass(frozen=True, slots=True)
class Server:
    """The server that is meant to send for the domain.

    Attributes:
        host: Its name or IP address.
        spf: The domains whose SPF records cover its provider's servers; the From domain's
            record should include one of them. Empty where they aren't known.
        of_provider: Whether it belongs to a provider that may send from IP addresses other
            than its own.
    """

    host: str
    spf: tuple[str, ...] = ()
    of_provider: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainQuestion:
    """What to ask the DNS.

    Attributes:
        domain: The domain of the From address, in ASCII.
        local_part: The local part of the From address; SPF macros may use it.
        server: The server to look for in the SPF record, if any.
        selectors: The selectors whose DKIM keys to look up.
        resolver: `HOST:PORT` of a DNS server to ask instead of those of the system.
    """

    domain: str
    local_part: str = "postmaster"
    server: Server | None = None
    selectors: tuple[Selector, ...] = ()
    resolver: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFacts:
    """What the DNS says about a domain.

    Attributes:
        domain: The domain, in ASCII.
        exists: Whether the DNS knows the name; None where it didn't answer.
        bogus: Whether the resolver answers nothing because its DNSSEC signatures are wrong.
        mx: Its mail exchangers; its own addresses where it has none (RFC 5321, 5.1).
        mx_validated: Whether the resolver says that it checked the signatures of the MX
            records; None where there are none.
        spf: Its SPF record.
        excludes_server: Whether SPF excludes the server; None where that can't be known.
        dkim: The keys of the selectors in the question.
        dmarc: The DMARC record that applies to it.
        policy: What that record says, if it is valid.
        mta_sts: Its MTA-STS record.
        tls_rpt: Its TLS-RPT record: where reports of failed encryption go.
    """

    domain: str
    exists: bool | None
    bogus: bool = False
    mx: Found
    mx_validated: bool | None = None
    spf: Found
    excludes_server: bool | None
    dkim: tuple[DkimKey, ...] = ()
    dmarc: Found
    policy: DmarcPolicy | None = None
    mta_sts: Found
    tls_rpt: Found
