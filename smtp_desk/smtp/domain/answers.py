"""The questions about one domain, asked in the thread that is left behind on cancel.

Import it there: it loads the library.
"""

import ipaddress
import logging
from collections.abc import Callable, Iterable
from typing import Final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.reply import decode_text, visible
from smtp_desk.smtp.domain.dns import InvalidRecordError, Questions, UnansweredError
from smtp_desk.smtp.domain.facts import DomainFacts, Found, RecordStatus, Server
from smtp_desk.smtp.domain.policies import (
    SpfPolicy,
    dmarc_records,
    find_dmarc,
    parse_spf,
    spf_records,
)
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver, Resolver, SystemResolver

_log: Final = logging.getLogger(__name__)
_MOST_RECORDS: Final = 10
_LONGEST_RECORD: Final = 1000
_LONGEST_REASON: Final = 300
_NULL_MX: Final = "0 ."


class Lookup:
    """What the DNS says of one domain; see `domain.look_up`."""

    def __init__(
        self,
        domain: str,
        server: Server | None,
        where: str | None,
        cancel: Cancel,
        deadline: Deadline,
    ) -> None:
        """Take what `domain.look_up` takes."""
        resolver = DnsResolver() if where is None else DnsResolver.at(where)
        self._domain = domain
        self._server = server
        self._hosts: Resolver = SystemResolver() if where is None else resolver
        self._cancel = cancel
        self._deadline = deadline
        self._questions = Questions(resolver, cancel, deadline)
        self._policy: SpfPolicy | None = None

    def facts(self) -> DomainFacts:
        """Ask it all; raises `CancelledError` only."""
        mx = _guarded(self._mx)
        spf = _guarded(self._spf)
        return DomainFacts(
            domain=self._domain,
            exists=None
            if mx.status is RecordStatus.UNKNOWN
            else self._questions.exists(self._domain),
            mx=mx,
            spf=spf,
            dmarc=_guarded(self._dmarc),
            excludes_server=self._excludes_server(),
        )

    def _mx(self) -> Found:
        records = self._questions.mail_exchangers(self._domain)
        if not records:
            # A domain without MX receives mail at its own address (RFC 5321, 5.1).
            records = self._questions.addresses(self._domain)
        # The null MX says that the domain takes no mail (RFC 7505).
        receives = records not in ([], [_NULL_MX])
        return Found(RecordStatus.GOOD if receives else RecordStatus.MISSING, _shown(records))

    def _spf(self) -> Found:
        records = spf_records(self._questions, self._domain)
        if not records:
            return Found(RecordStatus.MISSING)
        shown = _shown(map(decode_text, records))
        try:
            self._policy = parse_spf(records, self._questions, self._domain)
        except InvalidRecordError as error:
            return Found(RecordStatus.INVALID, shown, _reason(error))
        except UnansweredError as error:
            return Found(RecordStatus.UNKNOWN, shown, _reason(error))
        return Found(RecordStatus.GOOD, shown)

    def _dmarc(self) -> Found:
        try:
            record = find_dmarc(self._questions, self._domain)
        except InvalidRecordError as error:
            shown = _shown(dmarc_records(self._questions, self._domain))
            return Found(RecordStatus.INVALID, shown, _reason(error))
        return Found(RecordStatus.GOOD, _shown([record])) if record else Found(RecordStatus.MISSING)

    def _excludes_server(self) -> bool | None:
        server, policy = self._server, self._policy
        if server is None or policy is None:
            return None
        if not policy.included.isdisjoint(server.spf):
            return False
        try:
            return self._leaves_out(server, policy)
        except (UnansweredError, SmtpFailure):
            return None

    def _leaves_out(self, server: Server, policy: SpfPolicy) -> bool | None:
        addresses = self._hosts.resolve(server.host, self._cancel, self._deadline)
        verdicts = {address: policy.allows(address) for address in addresses}
        if True in verdicts.values():
            return False
        if not policy.knowable or (server.of_provider and not server.spf):
            return None
        if server.spf:
            return True
        # Mail of a server inside a company leaves by an address that is not known here.
        public = [verdicts[address] for address in addresses if _is_public(address)]
        return True if public and not any(verdict is None for verdict in public) else None


def _guarded(look: Callable[[], Found]) -> Found:
    try:
        return look()
    except CancelledError:
        raise
    except UnansweredError as error:
        return Found(RecordStatus.UNKNOWN, reason=_reason(error))
    except Exception as error:  # noqa: BLE001 - see below
        # Strangers write these records; a reader that fails at one is ours to mend.
        _log.exception("the DNS records of a domain could not be read")
        reason = f"SMTP Desk itself failed ({type(error).__name__})"
        return Found(RecordStatus.UNKNOWN, reason=reason)


def _shown(records: Iterable[str]) -> tuple[str, ...]:
    return tuple(visible(record)[:_LONGEST_RECORD] for record in records)[:_MOST_RECORDS]


def _reason(error: Exception) -> str:
    return visible(" ".join(str(error).split()))[:_LONGEST_REASON]


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_global
