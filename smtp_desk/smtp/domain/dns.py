"""Questions to the DNS about one domain: limited in number and time, each asked once.

This module loads dnspython, which takes a while: import it only where a question is asked.
"""

import ipaddress
from collections.abc import Collection, Iterable
from typing import Any, Final, NoReturn, TypeAlias

import dns.exception
import dns.flags
import dns.name
import dns.resolver
import dns.reversename

from smtp_desk.smtp.domain.facts import UnansweredError
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver

MOST_QUESTIONS: Final = 200
"""Questions about one domain: no honest set of records needs as many."""

SECONDS_EACH: Final = 5.0
"""How long one question may take, and no longer than the deadline."""

FAMILIES: Final = ("AAAA", "A")

_NOT_THERE: Final = (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN)

Known: TypeAlias = "dns.resolver.Answer | dns.exception.DNSException | UnansweredError"


class Questions:
    """Asks the DNS, and remembers the answers."""

    def __init__(self, resolver: DnsResolver, cancel: Cancel, deadline: Deadline) -> None:
        """Ask `resolver` until the deadline passes or `cancel` fires."""
        self._resolver = resolver
        self._cancel = cancel
        self._deadline = deadline
        self._stub: dns.resolver.Resolver | None = None
        self._known: dict[tuple[str, str], Known] = {}
        self._asked = 0
        self._answered = False
        self._silent = False

    def resolve(self, name: str, kind: str) -> dns.resolver.Answer:
        """Return the records of one type.

        Args:
            name: The name to look up.
            kind: The type, such as "TXT".

        Raises:
            dns.resolver.NoAnswer: The name has none.
            dns.resolver.NXDOMAIN: There is no such name.
            UnansweredError: The DNS did not answer.
            CancelledError: Cancelled.
        """
        key = (name.casefold().rstrip("."), kind)
        if key not in self._known:
            try:
                self._known[key] = self._ask(name, kind)
            except UnansweredError as error:
                self._known[key] = error
        known = self._known[key]
        if isinstance(known, Exception):
            raise known
        return known

    def texts(self, name: str) -> list[bytes]:
        """Return the TXT records of a name, possibly none, the strings of each joined.

        Raises:
            UnansweredError: The DNS did not answer.
            CancelledError: Cancelled.
        """
        return [b"".join(record.strings) for record in self._records(name, "TXT")]

    def addresses(self, name: str, kinds: Collection[str] = FAMILIES) -> list[str]:
        """Return the IP addresses of a name, possibly none; raises as `texts`."""
        return [record.to_text() for kind in kinds for record in self._records(name, kind)]

    def mail_exchangers(self, name: str) -> list[str]:
        """Return the MX records of a name, the most preferred first; raises as `texts`."""
        records = self._records(name, "MX")
        ordered = sorted((each.preference, each.exchange.to_text()) for each in records)
        return [f"{preference} {host}" for preference, host in ordered]

    def names_of(self, ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[str]:
        """Return the names that an address claims (PTR), possibly none; raises as `texts`."""
        name = dns.reversename.from_address(str(ip)).to_text()
        return [record.target.to_text(omit_final_dot=True) for record in self._records(name, "PTR")]

    def exists(self, name: str) -> bool:
        """Whether there is such a name, with or without records; raises as `texts`."""
        try:
            self.resolve(name, "MX")
        except dns.resolver.NXDOMAIN:
            return False
        except dns.resolver.NoAnswer:
            return True
        return True

    def is_validated(self, name: str, kind: str) -> bool | None:
        """Whether the resolver says that it checked the signatures of records (RFC 4035, 3.2.3).

        None where there are no records; raises as `texts`.
        """
        try:
            return bool(self.resolve(name, kind).response.flags & dns.flags.AD)
        except _NOT_THERE:
            return None

    def is_bogus(self, name: str, kind: str) -> bool:
        """Whether the resolver fails because DNSSEC signatures are wrong.

        They are if it answers when told to check nothing (RFC 4035, 3.2.2), and still fails
        otherwise.
        """
        try:
            self._ask(name, kind, dns.flags.RD | dns.flags.CD)
        except UnansweredError:
            return False
        try:
            self._ask(name, kind)
        except UnansweredError as error:
            return isinstance(error.__cause__, dns.resolver.NoNameservers)
        return False

    def _records(self, name: str, kind: str) -> Iterable[Any]:
        try:
            return self.resolve(name, kind)
        except _NOT_THERE:
            return ()

    # AD in a question: the answer may say whether it was validated (RFC 6840, 5.7).
    def _ask(self, name: str, kind: str, flags: int = dns.flags.RD | dns.flags.AD) -> Known:
        self._cancel.check()
        try:
            asked = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError):
            asked = dns.name.root
        if asked == dns.name.root:
            # What can't be a name, as a record may hold, is a name that is not there.
            return dns.resolver.NXDOMAIN()  # type: ignore[no-untyped-call]
        self._asked += 1
        if self._asked > MOST_QUESTIONS:
            raise UnansweredError("its records refer to too many others")
        seconds = min(SECONDS_EACH, self._deadline.remaining)
        if self._silent or not seconds:
            raise UnansweredError("no DNS server answered in time")
        try:
            self._stub = self._stub or self._resolver.stub()
            self._stub.flags = flags
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
                reason = "the DNS server reported a problem of its own"
            case dns.resolver.NoResolverConfiguration():
                reason = "this computer has no DNS server"
            case _:
                reason = f"the DNS query failed ({type(error).__name__})"
        raise UnansweredError(reason) from error
