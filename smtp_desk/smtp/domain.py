"""What the DNS says of the From domain: MX, SPF and DMARC; on request only, and never a failure.

Nothing but the DNS is asked. A record that the DNS did not tell of is never called missing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.smtp.cancel import Cancel
from smtp_desk.smtp.deadline import Deadline
from smtp_desk.smtp.resolve import abandonable

GRACE_SECONDS: Final = 3.0
"""How much longer than its deadline a look-up may take, to load the library and to read."""


class Standing(StrEnum):
    """What came of looking for a record."""

    GOOD = "good"
    MISSING = "missing"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """What the DNS said of one kind of record.

    Attributes:
        standing: What came of it.
        records: The records themselves, safe to show, bounded in number and length.
        reason: Why it is invalid, or why it is unknown; the end of a sentence.
    """

    standing: Standing
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


def look_up(
    domain: str, server: Server | None, where: str | None, cancel: Cancel, deadline: Deadline
) -> DomainFacts:
    """Ask the DNS about the domain of a From address; blocks until it has answered.

    Args:
        domain: In ASCII.
        server: Whose place in the SPF record is of interest, if any.
        where: `HOST:PORT` of a DNS server to ask instead of those of the system.
        cancel: Ends it within 100 ms.
        deadline: What was not answered by then is unknown; it ends `GRACE_SECONDS` later at
            the latest.

    Raises:
        CancelledError: Cancelled.
    """

    def work(_: str, __: float) -> DomainFacts:
        # Imported in this thread because it takes most of a second.
        from smtp_desk.smtp.domain_lookup import Lookup  # noqa: PLC0415

        return Lookup(domain, server, where, cancel, deadline).facts()

    patience = Deadline(deadline.at + GRACE_SECONDS, deadline.clock)
    try:
        return abandonable(work, domain, cancel, patience)
    except SmtpFailure:
        late = Found(Standing.UNKNOWN, reason="no DNS server answered in time")
        return DomainFacts(
            domain=domain, exists=None, mx=late, spf=late, dmarc=late, excludes_server=None
        )
