"""What the DNS says of a From domain and of the server that sends for it."""

from dataclasses import dataclass
from enum import StrEnum


class UnansweredError(Exception):
    """The DNS did not answer; says why, as the end of a sentence."""


class InvalidRecordError(Exception):
    """A record that breaks its rules; says which, as the end of a sentence."""


class RecordStatus(StrEnum):
    """What came of looking for a record."""

    GOOD = "good"
    MISSING = "missing"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """What the DNS said of one kind of record.

    Attributes:
        status: What came of it.
        records: The records themselves, safe to show, bounded in number and length.
        reason: Why it is invalid, or why it is unknown; the end of a sentence.
        notes: What is not at its best in a good one, each the end of a sentence.
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
        domain: Where it stands: at the domain itself, or above it.
        policy: What receivers are asked to do with mail that fails: none, quarantine or reject.
        testing: Whether they are asked to do one step less (`t=y`).
        dkim_strict: Whether a DKIM signature must be of the very domain (`adkim=s`).
    """

    record: str
    domain: str
    policy: str
    testing: bool = False
    dkim_strict: bool = False


@dataclass(frozen=True, slots=True)
class Selector:
    """Where the key of a DKIM signature stands.

    Attributes:
        name: The selector, as `s=` of a signature has it.
        domain: Who signs, as `d=` of a signature has it; "" for the From domain or, where that
            has no such key, its organizational domain.
    """

    name: str
    domain: str = ""


@dataclass(frozen=True, slots=True)
class DkimKey:
    """What the DNS said of the key of a selector.

    Attributes:
        selector: The selector.
        domain: Whose key was looked for.
        found: What came of it.
        aligned: Whether DMARC counts a signature by it for the From domain.
    """

    selector: str
    domain: str
    found: Found
    aligned: bool = True


@dataclass(frozen=True, slots=True)
class Server:
    """The server that is to send for the domain.

    Attributes:
        host: Its name or IP address.
        spf: The domains whose SPF records stand for the servers of its provider, of which
            one is included where all is well; empty where they are not known.
        of_provider: Whether it belongs to a provider whose mail may leave from addresses
            other than its own.
    """

    host: str
    spf: tuple[str, ...] = ()
    of_provider: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainQuestion:
    """What to ask the DNS.

    Attributes:
        domain: Of the From address, in ASCII.
        local_part: Of the From address; a macro of SPF may stand for it.
        server: Whose place in the SPF record is of interest, if any.
        selectors: Whose DKIM keys are of interest.
        resolver: `HOST:PORT` of a DNS server to ask instead of those of the system.
    """

    domain: str
    local_part: str = "postmaster"
    server: Server | None = None
    selectors: tuple[Selector, ...] = ()
    resolver: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFacts:
    """What the DNS says of a domain.

    Attributes:
        domain: The domain, in ASCII.
        exists: Whether the DNS knows the name; None where nobody can tell.
        bogus: Whether the resolver answers nothing because its DNSSEC signatures are wrong.
        mx: Its mail exchangers; its own addresses where it has none (RFC 5321, 5.1).
        mx_validated: Whether the resolver says that it has checked the signatures of the MX
            records; None where there are none.
        spf: Its SPF record.
        excludes_server: Whether SPF leaves the server out; None where nobody can tell.
        dkim: The keys of the selectors that were asked about.
        dmarc: The DMARC record that applies to it.
        policy: What that record says, where it is good.
        mta_sts: Its MTA-STS record.
        tls_rpt: Where it wants reports of failed encryption.
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
