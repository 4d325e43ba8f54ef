"""Questions to the DNS about one domain: bounded in number and time, each asked once.

This module loads dnspython and checkdmarc, which takes most of a second: import it where
a question is asked.
"""

from collections.abc import Iterable
from typing import Any, Final, NoReturn, TypeAlias

import checkdmarc.utils  # type: ignore[import-untyped]
import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver

# The library's answers are to be fresh: whoever has corrected a record checks it again at
# once, and another DNS server may be asked each time.
checkdmarc.utils.DNS_CACHE.max_age = 0

MOST_QUESTIONS: Final = 200
"""Questions about one domain: no honest set of records needs as many."""

# The library asks for these on the side: a record type given up in 2014 (RFC 7208, 3.1),
# which some firewalls drop in silence, and an alias, which dnspython follows by itself.
_NEVER_ASKED: Final = frozenset({"SPF", "CNAME"})

_NOT_THERE: Final = (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN)

Known: TypeAlias = "dns.resolver.Answer | dns.exception.DNSException"


class UnansweredError(Exception):
    """The DNS did not answer; says why, as the end of a sentence.

    No `DNSException`, on purpose: a library that takes those for "there is no record" lets
    this one through.
    """


class InvalidRecordError(Exception):
    """A record that breaks its rules; says which, as the end of a sentence."""


class Questions:
    """Asks, and remembers what was answered. The library takes it for a resolver.

    Attributes:
        lifetime: Seconds that one question may take; the library reads it.
    """

    lifetime: Final = 5.0

    def __init__(self, resolver: DnsResolver, cancel: Cancel, deadline: Deadline) -> None:
        """Ask `resolver` until the deadline passes or `cancel` fires."""
        self._resolver = resolver
        self._stub: dns.resolver.Resolver | None = None
        self._cancel = cancel
        self._deadline = deadline
        self._known: dict[tuple[str, str], Known] = {}
        self._asked = 0
        self._answered = False
        self._silent = False

    def resolve(self, name: str, kind: str, lifetime: float = lifetime) -> dns.resolver.Answer:
        """Return the records of a kind.

        Args:
            name: Whose.
            kind: Such as "TXT".
            lifetime: Seconds that the question may take, and no longer than the deadline.

        Raises:
            dns.resolver.NoAnswer: The name has none.
            dns.resolver.NXDOMAIN: There is no such name.
            UnansweredError: Nobody can tell.
            CancelledError: Cancelled.
        """
        key = (name.casefold().rstrip("."), kind)
        if key not in self._known:
            self._known[key] = self._ask(name, kind, lifetime)
        known = self._known[key]
        if isinstance(known, dns.exception.DNSException):
            raise known
        return known

    def texts(self, name: str) -> list[bytes]:
        """Return the TXT records of a name, each joined of its strings; perhaps none.

        Raises:
            UnansweredError: Nobody can tell.
            CancelledError: Cancelled.
        """
        return [b"".join(record.strings) for record in self._records(name, "TXT")]

    def addresses(self, name: str) -> list[str]:
        """Return the IP addresses of a name, perhaps none; raises as `texts`."""
        return [record.to_text() for kind in ("AAAA", "A") for record in self._records(name, kind)]

    def mail_exchangers(self, name: str) -> list[str]:
        """Return the MX records of a name, the most preferred first; raises as `texts`."""
        records = self._records(name, "MX")
        ordered = sorted((each.preference, each.exchange.to_text()) for each in records)
        return [f"{preference} {host}" for preference, host in ordered]

    def exists(self, name: str) -> bool:
        """Whether there is such a name, with or without records; raises as `texts`."""
        try:
            self.resolve(name, "MX")
        except dns.resolver.NXDOMAIN:
            return False
        except dns.resolver.NoAnswer:
            return True
        return True

    def _records(self, name: str, kind: str) -> Iterable[Any]:
        try:
            return self.resolve(name, kind)
        except _NOT_THERE:
            return ()

    def _ask(self, name: str, kind: str, lifetime: float) -> Known:
        self._cancel.check()
        if kind in _NEVER_ASKED:
            return dns.resolver.NoAnswer()  # type: ignore[no-untyped-call]
        try:
            asked = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError):
            # What can't be a name, as a record may hold, is a name that is not there.
            return dns.resolver.NXDOMAIN()  # type: ignore[no-untyped-call]
        self._asked += 1
        if self._asked > MOST_QUESTIONS:
            raise UnansweredError("its records ask for too many others")
        seconds = min(lifetime, self._deadline.remaining)
        if self._silent or not seconds:
            raise UnansweredError("no DNS server answered in time")
        try:
            self._stub = self._stub or self._resolver.stub()
            found = self._stub.resolve(asked, kind, lifetime=seconds, search=False)
        except _NOT_THERE as error:
            self._answered = True
            return error
        except (dns.exception.DNSException, OSError) as error:
            self._cancel.check()
            self._give_up(error)
        self._answered = True
        return found

    def _give_up(self, error: Exception) -> NoReturn:
        match error:
            case dns.exception.Timeout():
                # A server that never spoke is not waited for again and again.
                self._silent = not self._answered
                reason = "no DNS server answered in time"
            case dns.resolver.NoNameservers():
                self._answered = True
                reason = "the DNS server reported a fault of its own"
            case dns.resolver.NoResolverConfiguration():
                reason = "no DNS server is known to this computer"
            case _:
                reason = f"the DNS can’t be asked ({type(error).__name__})"
        raise UnansweredError(reason) from error
