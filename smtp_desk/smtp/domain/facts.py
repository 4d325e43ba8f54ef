"""What the DNS says of a From domain and of the server that sends for it."""

from dataclasses import dataclass
from enum import StrEnum


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
    """

    status: RecordStatus
    records: tuple[str, ...] = ()
    reason: str = ""


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
class DomainFacts:
    """What the DNS says of a domain.

    Attributes:
        domain: The domain, in ASCII.
        exists: Whether the DNS knows the name; None where nobody can tell.
        mx: Its mail exchangers; its own addresses where it has none (RFC 5321, 5.1).
        spf: Its SPF record.
        dmarc: The DMARC record that applies to it.
        excludes_server: Whether SPF leaves the server out; None where nobody can tell.
    """

    domain: str
    exists: bool | None
    mx: Found
    spf: Found
    dmarc: Found
    excludes_server: bool | None
