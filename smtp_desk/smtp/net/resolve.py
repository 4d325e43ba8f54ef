"""From a host name to its IP addresses, with a deadline and cancelled at once.

The system decides (`getaddrinfo`: hosts file, VPN, mDNS); if it finds nothing, a DNS query
explains why. `--resolver` replaces both with one DNS server.
"""

import ipaddress
import selectors
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeAlias, TypeVar

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.stages import Facts, Stage
from smtp_desk.smtp.net.deadline import Cancel, Deadline

if TYPE_CHECKING:
    import dns.resolver

DNS_PORT: Final = 53
# A DNS query is asked again after this many seconds: UDP loses some.
_TRY_SECONDS: Final = 2.0
# Telling why the system found nothing is not worth more.
_EXPLAIN_SECONDS: Final = 5.0

_FAMILIES: Final = {"AAAA": "IPv6", "A": "IPv4"}
_Answer: TypeAlias = "tuple[str, ...] | Exception"
_Result = TypeVar("_Result")
_AddressInfo: TypeAlias = "tuple[Any, Any, Any, Any, tuple[Any, ...]]"
_GetAddrInfo: TypeAlias = Callable[..., "list[_AddressInfo]"]


class Addresses(tuple[str, ...]):  # noqa: SLOT001 - one attribute, of few values
    """The addresses of a host.

    Attributes:
        failed_family: "IPv6" or "IPv4" if the DNS gave no answer about that family, else "".
    """

    failed_family = ""

    @classmethod
    def found(cls, addresses: Iterable[str], *, failed_family: str) -> Self:
        """Return the addresses, with the family that could not be looked up."""
        found = cls(addresses)
        found.failed_family = failed_family
        return found


class Resolver(Protocol):
    """Finds the addresses of a host."""

    def resolve(self, host: str, cancel: Cancel, deadline: Deadline) -> tuple[str, ...]:
        """Return the IP addresses of `host`, most preferred first, at least one.

        An IP address needs no lookup. A link-local one has its zone after a `%`.

        Raises:
            SmtpFailure: `resolve.not_found`, `resolve.no_address` (fact: has_mx) or
                `resolve.temporary`, also for a passed deadline.
            CancelledError: Cancelled.
        """


class DnsResolver:
    """Asks only one DNS server, or those of the system."""

    def __init__(self, server: str = "", port: int = DNS_PORT) -> None:
        """Choose the DNS server to ask.

        Args:
            server: IP address of the DNS server; "" asks those of the system.
            port: Its port.
        """
        self._server = server
        self._port = port

    @classmethod
    def at(cls, where: str) -> Self:
        """Return the resolver for "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:53".

        Raises:
            ValueError: The text has none of these forms.
        """
        host, colon, port = where.rpartition(":")
        if not colon or (":" in host and not host.endswith("]")):
            host, port = where, str(DNS_PORT)
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        number = int(port)
        if not 0 < number < 1 << 16:
            raise ValueError(where)
        return cls(str(ipaddress.ip_address(bare)), number)

    def resolve(self, host: str, cancel: Cancel, deadline: Deadline) -> tuple[str, ...]:
        """Return the addresses that AAAA and A records name; see `Resolver`."""
        if is_ip(host):
            return (host,)
        return abandonable(self._ask, host, cancel, deadline)

    def _ask(self, host: str, seconds: float) -> tuple[str, ...]:
        # Imported here because it takes 200 ms, which no other session should pay.
        import dns.exception  # noqa: PLC0415
        import dns.resolver  # noqa: PLC0415

        facts: dict[str, str | bool] = {"host": host}
        query = _Query(self.stub(), host, seconds)
        families = query.both_families()
        found = [each for each in families if isinstance(each, tuple)]
        addresses = [address for records in found for address in records]
        if addresses:
            asked = zip(_FAMILIES.values(), families, strict=True)
            failed = (name for name, each in asked if not isinstance(each, tuple))
            return Addresses.found(addresses, failed_family=next(failed, ""))
        errors = [each for each in families if not isinstance(each, tuple)]
        lost = [each for each in errors if not isinstance(each, dns.resolver.NXDOMAIN)]
        if lost:
            facts["reason"] = type(lost[0]).__name__
            raise SmtpFailure(Stage.RESOLVE, "resolve.temporary", facts=facts) from lost[0]
        if errors:
            raise SmtpFailure(Stage.RESOLVE, "resolve.not_found", facts=facts) from errors[0]
        try:
            # "0 ." says that the domain takes no mail (RFC 7505).
            facts["has_mx"] = any(mx != "0 ." for mx in query.records("MX"))
        except dns.exception.DNSException as error:
            facts["reason"] = type(error).__name__
            raise SmtpFailure(Stage.RESOLVE, "resolve.temporary", facts=facts) from error
        raise SmtpFailure(Stage.RESOLVE, "resolve.no_address", facts=facts)

    def stub(self) -> "dns.resolver.Resolver":
        """Return a dnspython resolver that asks the same server, for other types of records."""
        import dns.resolver  # noqa: PLC0415

        resolver = dns.resolver.Resolver(configure=not self._server)
        if self._server:
            resolver.nameservers = [self._server]
            resolver.port = self._port
        resolver.timeout = _TRY_SECONDS
        return resolver


class SystemResolver:
    """Asks the system; a DNS query only explains its failures."""

    def __init__(
        self,
        getaddrinfo: _GetAddrInfo = socket.getaddrinfo,
        explain: Resolver | None = None,
    ) -> None:
        """Choose the two parts, for tests.

        Args:
            getaddrinfo: The system's lookup.
            explain: Asked why the system found nothing; by default the system's DNS servers.
        """
        self._getaddrinfo = getaddrinfo
        self._explain = explain or DnsResolver()

    def resolve(self, host: str, cancel: Cancel, deadline: Deadline) -> tuple[str, ...]:
        """Return the addresses in the system's order of preference; see `Resolver`."""
        if is_ip(host):
            return (host,)
        try:
            return abandonable(self._ask, host, cancel, deadline)
        except OSError as error:
            facts = {"host": host, "reason": str(error.strerror or error)}
            raise self._explained(facts, cancel, deadline) from error

    def _ask(self, host: str, _: float) -> tuple[str, ...]:
        found = self._getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return tuple(dict.fromkeys(_addresses(found)))

    def _explained(self, facts: dict[str, str], cancel: Cancel, deadline: Deadline) -> SmtpFailure:
        within = deadline.within(_EXPLAIN_SECONDS)
        try:
            known = self._explain.resolve(facts["host"], cancel, within)
        except SmtpFailure as why:
            return SmtpFailure(Stage.RESOLVE, why.code, facts={**why.facts, **facts})
        # DNS knows it and the system still finds nothing: its own resolver is out of order.
        return SmtpFailure(
            Stage.RESOLVE, "resolve.temporary", facts={**facts, "in_dns": list(known)}
        )


def is_ip(host: str) -> bool:
    """Whether `host` is an IP address, with or without a zone."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class _Query:
    """The queries about one name."""

    def __init__(self, resolver: "dns.resolver.Resolver", host: str, seconds: float) -> None:
        self._resolver = resolver
        self._host = host
        self._deadline = Deadline.after(seconds)

    def both_families(self) -> "list[_Answer]":
        """Return the AAAA and A records, or for each what went wrong: one must not end the other.

        Both queries run side by side. Once one has returned addresses, the other gets only
        until its query would be repeated.
        """
        asked = [self._begin(kind) for kind in _FAMILIES]
        futures.wait(asked, self._deadline.remaining, futures.FIRST_COMPLETED)
        known = any(
            each.done() and isinstance(each.result(), tuple) and each.result() for each in asked
        )
        patience = self._deadline.within(_TRY_SECONDS) if known else self._deadline
        futures.wait(asked, patience.remaining)
        return [each.result() if each.done() else TimeoutError() for each in asked]

    def _begin(self, kind: str) -> "Future[_Answer]":
        future: Future[_Answer] = Future()

        def ask() -> None:
            try:
                future.set_result(self.records(kind))
            except Exception as error:  # noqa: BLE001 - the caller decides what an error means
                future.set_result(error)

        threading.Thread(target=ask, name=f"resolve {kind}", daemon=True).start()
        return future

    def records(self, kind: str) -> tuple[str, ...]:
        """Return the records of one type, possibly none."""
        answer = self._resolver.resolve(
            self._host,
            kind,
            search=True,
            raise_on_no_answer=False,
            lifetime=self._deadline.remaining,
        )
        return tuple(record.to_text() for record in answer.rrset or ())


def abandonable(
    work: Callable[[str, float], _Result], host: str, cancel: Cancel, deadline: Deadline
) -> _Result:
    """Return what `work` returns; it can't be interrupted, so a daemon thread runs it.

    The thread is abandoned when the deadline passes or `cancel` fires.

    Args:
        work: Called with `host` and the seconds left.
        host: The name to look up.
        cancel: Ends the waiting at once.
        deadline: Ends it as well.

    Raises:
        SmtpFailure: `resolve.temporary`: the deadline passed.
        CancelledError: Cancelled.
    """
    cancel.check()
    future: Future[_Result] = Future()
    reader, writer = socket.socketpair()

    def run() -> None:
        with writer:
            try:
                future.set_result(work(host, deadline.remaining))
            except Exception as error:  # noqa: BLE001 - the caller decides what an error means
                future.set_exception(error)

    with reader, selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        selector.register(cancel, selectors.EVENT_READ)
        threading.Thread(target=run, name=f"resolve {host}", daemon=True).start()
        while not (future.done() or deadline.passed):
            selector.select(deadline.remaining)
            cancel.check()
    if not future.done():
        facts: Facts = {"host": host, "reason": "no answer in time"}
        raise SmtpFailure(Stage.RESOLVE, "resolve.temporary", facts=facts)
    return future.result()


def _addresses(found: "list[_AddressInfo]") -> Iterator[str]:
    for *_, place in found:
        zone = place[3] if len(place) > 3 else 0  # noqa: PLR2004 - the scope of an IPv6 place
        yield f"{place[0]}%{zone}" if zone and "%" not in place[0] else place[0]
