"""The questions about one domain, asked in the thread that is abandoned on cancel.

Import it in that thread: it loads dnspython.
"""

import ipaddress
import logging
from collections.abc import Callable, Iterable
from typing import Final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.reply import decode_text, visible
from smtp_desk.smtp.domain.dkim import dkim_name, read_key
from smtp_desk.smtp.domain.dmarc import dmarc_texts, find_dmarc, organization
from smtp_desk.smtp.domain.dns import Questions
from smtp_desk.smtp.domain.facts import (
    DkimKey,
    DmarcPolicy,
    DomainFacts,
    DomainQuestion,
    Found,
    InvalidRecordError,
    RecordStatus,
    Selector,
    Server,
    UnansweredError,
)
from smtp_desk.smtp.domain.receiving import mta_sts, tls_reporting
from smtp_desk.smtp.domain.spf import SpfPolicy, parse_spf, spf_records
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver, Resolver, SystemResolver

_log: Final = logging.getLogger(__name__)
_MOST_RECORDS: Final = 10
_LONGEST_RECORD: Final = 1000
_LONGEST_REASON: Final = 300
_NULL_MX: Final = "0 ."


class Lookup:
    """What the DNS says about one domain; see `domain.look_up`."""

    def __init__(self, question: DomainQuestion, cancel: Cancel, deadline: Deadline) -> None:
        """Take what `domain.look_up` takes."""
        where = question.resolver
        resolver = DnsResolver() if where is None else DnsResolver.at(where)
        self._question = question
        self._domain = question.domain
        self._hosts: Resolver = SystemResolver() if where is None else resolver
        self._cancel = cancel
        self._deadline = deadline
        self._questions = Questions(resolver, cancel, deadline)
        self._spf_policy: SpfPolicy | None = None
        self._policy: DmarcPolicy | None = None

    def facts(self) -> DomainFacts:
        """Ask all questions; raises only `CancelledError`."""
        mx = _guarded(self._mx)
        spf = _guarded(self._spf)
        unknown = mx.status is RecordStatus.UNKNOWN
        return DomainFacts(
            domain=self._domain,
            exists=None if unknown else self._questions.exists(self._domain),
            bogus=unknown and self._questions.is_bogus(self._domain, "MX"),
            mx=mx,
            mx_validated=None if unknown else self._questions.is_validated(self._domain, "MX"),
            spf=spf,
            excludes_server=self._excludes_server(),
            dmarc=_guarded(self._dmarc),
            policy=self._policy,
            dkim=tuple(self._key(selector) for selector in self._question.selectors),
            mta_sts=_guarded(lambda: _of_texts(*mta_sts(self._questions, self._domain))),
            tls_rpt=_guarded(lambda: _of_texts(*tls_reporting(self._questions, self._domain))),
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
        local_part = self._question.local_part
        try:
            self._spf_policy = parse_spf(records, self._questions, self._domain, local_part)
        except InvalidRecordError as error:
            return Found(RecordStatus.INVALID, shown, _reason(error))
        except UnansweredError as error:
            return Found(RecordStatus.UNKNOWN, shown, _reason(error))
        return Found(RecordStatus.GOOD, shown)

    def _dmarc(self) -> Found:
        try:
            self._policy = find_dmarc(self._questions, self._domain)
        except InvalidRecordError as error:
            shown = _shown(dmarc_texts(self._questions, self._domain))
            return Found(RecordStatus.INVALID, shown, _reason(error))
        if self._policy is None:
            return Found(RecordStatus.MISSING)
        return Found(RecordStatus.GOOD, _shown([self._policy.record]))

    def _key(self, selector: Selector) -> DkimKey:
        domain = selector.domain or self._domain
        found = _guarded(lambda: self._key_at(selector.name, domain))
        try:
            if found.status is RecordStatus.MISSING and not selector.domain:
                above = organization(self._questions, domain)
                elsewhere = _guarded(lambda: self._key_at(selector.name, above))
                if elsewhere.status is not RecordStatus.MISSING:
                    domain, found = above, elsewhere
            return DkimKey(selector.name, domain, found, self._is_aligned(domain))
        except UnansweredError as error:
            unknown = Found(RecordStatus.UNKNOWN, found.records, _reason(error))
            return DkimKey(selector.name, domain, unknown)

    def _key_at(self, selector: str, domain: str) -> Found:
        records = self._questions.texts(dkim_name(selector, domain))
        if not records:
            return Found(RecordStatus.MISSING)
        shown = _shown(map(decode_text, records))
        try:
            return Found(RecordStatus.GOOD, shown, notes=read_key(records))
        except InvalidRecordError as error:
            return Found(RecordStatus.INVALID, shown, _reason(error))

    def _is_aligned(self, domain: str) -> bool:
        if domain == self._domain:
            return True
        if self._policy is not None and self._policy.dkim_strict:
            return False
        return organization(self._questions, domain) == organization(self._questions, self._domain)

    def _excludes_server(self) -> bool | None:
        server, policy = self._question.server, self._spf_policy
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
        # Strangers write these records; a reader that fails at one is ours to fix.
        _log.exception("the DNS records of a domain could not be read")
        reason = f"SMTP Desk ran into an internal error ({type(error).__name__})"
        return Found(RecordStatus.UNKNOWN, reason=reason)


def _of_texts(records: list[bytes], fault: str) -> Found:
    shown = _shown(map(decode_text, records))
    if fault:
        return Found(RecordStatus.INVALID, shown, fault)
    return Found(RecordStatus.GOOD if records else RecordStatus.MISSING, shown)


def _shown(records: Iterable[str]) -> tuple[str, ...]:
    return tuple(visible(record)[:_LONGEST_RECORD] for record in records)[:_MOST_RECORDS]


def _reason(error: Exception) -> str:
    return visible(" ".join(str(error).split()))[:_LONGEST_REASON]


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_global
