"""What the DNS says about an address's domain: who receives its mail, and who sends it."""

from dataclasses import dataclass
from typing import Any, Final

from smtp_desk.core.address import AddressError, parse_host
from smtp_desk.core.errors import SmtpFailure
from smtp_desk.discovery.candidates import NotFoundError, SearchResult
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver, abandonable

MOST_RECORDS: Final = 4
"""How many servers of one service are looked at."""


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """One server of an SRV record.

    Attributes:
        host: Its name.
        port: Its port.
    """

    host: str
    port: int


def mail_exchanger(resolver: DnsResolver, domain: str, cancel: Cancel, deadline: Deadline) -> str:
    """Return the most preferred host that receives the mail of a domain.

    Raises:
        NotFoundError: There is none, or the DNS doesn't answer.
        CancelledError: Cancelled.
    """
    records = _ask(resolver, domain, "MX", cancel, deadline)
    best = min(records, key=lambda each: (each.preference, each.exchange.to_text()))
    if _is_root(best.exchange):
        raise NotFoundError(SearchResult.TAKES_NO_MAIL)
    return _name(best.exchange)


def services(
    resolver: DnsResolver, name: str, cancel: Cancel, deadline: Deadline
) -> tuple[ServiceRecord, ...]:
    """Return the servers of a service, the most preferred first, at least one (RFC 2782).

    Raises:
        NotFoundError: There is none, it is explicitly not offered, or the DNS doesn't answer.
        CancelledError: Cancelled.
    """
    records = _ask(resolver, name, "SRV", cancel, deadline)
    if any(_is_root(each.target) for each in records):
        raise NotFoundError(SearchResult.NO_SERVICE)
    usable = sorted(
        (each for each in records if each.port), key=lambda each: (each.priority, -each.weight)
    )
    if not usable:
        raise NotFoundError(SearchResult.BAD_RECORD, "port 0")
    return tuple(ServiceRecord(_name(each.target), each.port) for each in usable[:MOST_RECORDS])


def _ask(
    resolver: DnsResolver, name: str, kind: str, cancel: Cancel, deadline: Deadline
) -> list[Any]:
    """Return the records of a kind, at least one."""

    def work(asked: str, seconds: float) -> list[Any]:
        # Imported here because it takes 200 ms: provider data do without it.
        import dns.exception  # noqa: PLC0415
        import dns.resolver  # noqa: PLC0415

        try:
            answer = resolver.stub().resolve(
                asked, kind, search=False, raise_on_no_answer=False, lifetime=seconds
            )
        except dns.resolver.NXDOMAIN:
            return []
        except dns.exception.Timeout as error:
            raise NotFoundError(SearchResult.NO_ANSWER) from error
        except (dns.exception.DNSException, OSError) as error:
            raise NotFoundError(SearchResult.DNS_FAILED) from error
        return list(answer.rrset or ())

    try:
        records = abandonable(work, name, cancel, deadline)
    except SmtpFailure as failure:
        raise NotFoundError(SearchResult.NO_ANSWER) from failure
    if not records:
        raise NotFoundError(SearchResult.NOTHING)
    return records


def _is_root(name: Any) -> bool:  # noqa: ANN401 - a name of dnspython, which is loaded late
    return str(name.to_text()) == "."


def _name(name: Any) -> str:  # noqa: ANN401 - as above
    text = str(name.to_text(omit_final_dot=True))
    try:
        host = parse_host(text)
    except AddressError as error:
        raise NotFoundError(SearchResult.BAD_RECORD, text[:100]) from error
    if host.is_ip:
        raise NotFoundError(SearchResult.BAD_RECORD, host.ascii)
    return host.ascii
