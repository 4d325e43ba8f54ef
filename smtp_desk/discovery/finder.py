"""Asks for the server of an address: all questions side by side, each with its answer.

Provider data come first and need no network. Then, all at once: autoconfig and the well-known
place by https, the MX and SRV records, common names that answer with a valid certificate, and,
only where that was allowed, Mozilla's database (draft-ietf-mailmaint-autoconfig).
"""

import threading
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeAlias

from smtp_desk.core.address import Mailbox, parse_mailbox
from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.providers import Providers
from smtp_desk.core.settings import Security
from smtp_desk.discovery.autoconfig import parse_config
from smtp_desk.discovery.candidates import (
    Asked,
    Candidate,
    Discovery,
    NotFoundError,
    SearchResult,
    Source,
    is_outside,
    of_host,
    of_provider,
)
from smtp_desk.discovery.https import Https, result_of
from smtp_desk.discovery.records import mail_exchanger, services
from smtp_desk.discovery.suffixes import base_domain, is_public_suffix
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver, abandonable

TOTAL_SECONDS: Final = 4.0
"""How long all questions may take, and so each of them."""
ISPDB: Final = "https://v1.ispdb.net/"
"""Mozilla's database of mail providers."""

# Once a server is found, what is less sure to find one gets as long as this.
_LESS_SURE_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 0.5
_CONFIG: Final = "/mail/config-v1.1.xml"
_COMMON_NAMES: Final = ("smtp", "mail")
_SRV: Final = {"_submissions": Security.TLS, "_submission": Security.STARTTLS}

_Candidates: TypeAlias = tuple[Candidate, ...]
_Work: TypeAlias = Callable[[], tuple[_Candidates, tuple[str, ...]]]


class NameProbe(Protocol):
    """Finds where a host accepts mail with a valid certificate."""

    def __call__(
        self, host: str, cancel: Cancel, deadline: Deadline
    ) -> Sequence[tuple[int, Security]]:
        """Return the ports that would work and how TLS begins there, the best first.

        Raises:
            SmtpFailure: The host can't be resolved.
            CancelledError: Cancelled.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What is asked.

    Attributes:
        https: Fetches pages.
        dns: Answers for MX and SRV; without it neither these nor common names are asked.
        probe: Tries common names.
    """

    https: Https
    dns: DnsResolver | None
    probe: NameProbe


def find(
    address: str,
    providers: Providers,
    network: Network,
    cancel: Cancel,
    *,
    ispdb: bool = False,
    show: Callable[[Asked], None] = lambda _asked: None,
) -> Discovery:
    """Find the server for an address; blocks for `TOTAL_SECONDS` at most.

    Args:
        address: The address.
        providers: Asked first; if they know its domain, nothing else is.
        network: What to ask then.
        cancel: Ends it within 100 ms.
        ispdb: Whether Mozilla's database may be asked, which then learns the domain.
        show: Called for each question before it is asked, and again with its answer; from
            several threads.

    Raises:
        AddressError: It isn't an address.
        CancelledError: Cancelled.
    """
    mailbox = parse_mailbox(address)
    if known := providers.by_domain(mailbox.ascii_domain):
        asked = Asked(Source.PROVIDER, mailbox.ascii_domain, SearchResult.FOUND)
        show(asked)
        return Discovery.of(address, [(asked, [of_provider(*known, mailbox, Source.PROVIDER)])])
    questions = Cancel(cancel)
    search = _Search(mailbox, providers, network, questions, show)
    until = Deadline(search.deadline.at + _GRACE_SECONDS)
    try:
        abandonable(lambda _host, _seconds: search.run(ispdb=ispdb), address, cancel, until)
    except SmtpFailure:  # it is over: what has not answered yet is told so
        questions.cancel()
    return Discovery.of(address, search.found())


def planned(mailbox: Mailbox, *, ispdb: bool = False, dns: bool = True) -> list[Asked]:
    """Return the questions about an address that the provider data don't know.

    Where a mail server's domain is to be asked is known only once its MX record is.
    """
    domain = mailbox.ascii_domain
    asked = [
        _autoconfig(domain, mailbox),
        Asked(Source.WELL_KNOWN, f"https://{domain}/.well-known/autoconfig{_CONFIG}"),
    ]
    if ispdb:
        asked.append(Asked(Source.ISPDB, ISPDB + domain))
    if dns:
        asked.append(Asked(Source.MX, domain))
        asked += [Asked(Source.SRV, f"{service}._tcp.{domain}") for service in _SRV]
        asked += [Asked(Source.GUESS, f"{name}.{domain}") for name in _COMMON_NAMES]
    return asked


def _autoconfig(domain: str, mailbox: Mailbox) -> Asked:
    query = urllib.parse.urlencode({"emailaddress": mailbox.wire})
    return Asked(Source.AUTOCONFIG, f"https://autoconfig.{domain}{_CONFIG}?{query}")


class _Question:
    """One question.

    Attributes:
        asked: What is asked, and what came of it.
        work: Asks it.
        rank: How sure its answer would be; see `Candidate.rank`.
        candidates: What it has found.
        over: Whether its thread has ended.
    """

    def __init__(self, asked: Asked, work: _Work, rank: int) -> None:
        self.asked = asked
        self.work = work
        self.rank = rank
        self.candidates: _Candidates = ()
        self.over = False


class _Search:
    """The questions about one address, each in a thread of its own.

    Attributes:
        deadline: When the last of them ends.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        providers: Providers,
        network: Network,
        cancel: Cancel,
        show: Callable[[Asked], None],
    ) -> None:
        self.deadline = Deadline.after(TOTAL_SECONDS)
        self._mailbox = mailbox
        self._providers = providers
        self._network = network
        self._cancel = cancel
        self._show = show
        self._known = self._without_network()
        self._questions: list[_Question] = []
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._faults: list[Exception] = []

    def run(self, *, ispdb: bool) -> None:
        """Ask everything, and return when all that matters is answered.

        Every wait of a question ends by the deadline or by `cancel`.
        """
        self._show(self._known)
        if self._known.result is not SearchResult.NOTHING:
            return
        for asked in planned(self._mailbox, ispdb=ispdb, dns=self._network.dns is not None):
            self._ask(asked, self._work(asked, ispdb=ispdb), asked.source.rank)
        self._wait()
        # A question may ask others: those stand in the list before it ends.
        for thread in self._threads:
            thread.join()
        for fault in self._faults:
            raise fault

    def found(self) -> list[tuple[Asked, _Candidates]]:
        """Return each question with what it has found by now."""
        late = SearchResult.NO_ANSWER
        asked = [
            (each.asked if each.asked.result else replace(each.asked, result=late), each.candidates)
            for each in tuple(self._questions)
        ]
        return [(self._known, ()), *asked]

    def _wait(self) -> None:
        """Wait until all is answered; what is less sure than a server found, not for long."""
        patience: Deadline | None = None
        with self._changed:
            while waited := [each for each in self._questions if not each.over]:
                found = [each.rank for asked in self._questions for each in asked.candidates]
                if patience is None and found and all(each.rank > min(found) for each in waited):
                    patience = self.deadline.within(_LESS_SURE_SECONDS)
                if not self._changed.wait((patience or self.deadline).remaining):
                    break
        if patience is not None:
            self._cancel.cancel()

    def _without_network(self) -> Asked:
        domain = self._mailbox.ascii_domain
        result = SearchResult.NOTHING
        if domain.startswith("["):
            result = SearchResult.IP_LITERAL
        elif is_public_suffix(domain):
            result = SearchResult.PUBLIC_SUFFIX
        return Asked(Source.PROVIDER, domain, result)

    def _work(self, asked: Asked, *, ispdb: bool) -> _Work:
        match asked.source:
            case Source.MX:
                return lambda: (self._by_mx(asked.target, ispdb=ispdb), ())
            case Source.SRV:
                return lambda: (self._by_service(asked.target), ())
            case Source.GUESS:
                return lambda: (self._by_name(asked.target), ())
            case _:
                return lambda: self._by_page(asked)

    def _by_page(
        self, asked: Asked, *, only_dns: bool = False
    ) -> tuple[_Candidates, tuple[str, ...]]:
        page = self._network.https.get(asked.target, self._cancel, self.deadline)
        try:
            servers = parse_config(
                page.octets, self._mailbox, asked.source, self._providers, only_dns=only_dns
            )
        except NotFoundError as error:
            error.redirects = page.redirects
            raise
        return tuple(servers), page.redirects

    def _by_mx(self, domain: str, *, ispdb: bool) -> _Candidates:
        host = mail_exchanger(self._dns, domain, self._cancel, self.deadline)
        if known := self._providers.by_mx(host):
            provider, server = known
            outside = is_outside(server.host, self._mailbox)
            return (of_provider(provider, server, self._mailbox, Source.MX, only_dns=outside),)
        for above in dict.fromkeys((host.partition(".")[2], base_domain(host))):
            if above and above != domain and not is_public_suffix(above):
                self._ask_by_dns(_autoconfig(above, self._mailbox))
                if ispdb:
                    self._ask_by_dns(Asked(Source.ISPDB, ISPDB + above))
        raise NotFoundError(SearchResult.OTHER_PROVIDER, host)

    def _ask_by_dns(self, asked: Asked) -> None:
        self._ask(asked, lambda: self._by_page(asked, only_dns=True), Source.MX.rank)

    def _by_service(self, name: str) -> _Candidates:
        security = _SRV[name.partition(".")[0]]
        return tuple(
            self._of_host(each.host, each.port, security, Source.SRV)
            for each in services(self._dns, name, self._cancel, self.deadline)
        )

    def _by_name(self, host: str) -> _Candidates:
        try:
            ports = self._network.probe(host, self._cancel, self.deadline)
        except SmtpFailure as failure:
            raise NotFoundError(result_of(failure)) from failure
        return tuple(
            self._of_host(host, port, security, Source.GUESS) for port, security in ports[:1]
        )

    @property
    def _dns(self) -> DnsResolver:
        if self._network.dns is None:
            raise NotFoundError(SearchResult.NOTHING)
        return self._network.dns

    def _of_host(self, host: str, port: int, security: Security, source: Source) -> Candidate:
        return of_host(
            host,
            port,
            security,
            mailbox=self._mailbox,
            source=source,
            providers=self._providers,
        )

    def _ask(self, asked: Asked, work: _Work, rank: int) -> None:
        question = _Question(asked, work, rank)
        thread = threading.Thread(
            target=self._answer, args=(question,), name=f"find {asked.target}", daemon=True
        )
        self._questions.append(question)
        self._threads.append(thread)
        self._show(question.asked)
        thread.start()

    def _answer(self, question: _Question) -> None:
        try:
            self._work_on(question)
        finally:
            with self._changed:
                question.over = True
                self._changed.notify_all()

    def _work_on(self, question: _Question) -> None:
        asked = question.asked
        try:
            candidates, led_to = question.work()
        except NotFoundError as error:
            result, detail, led_to = error.result, error.detail, error.redirects
            asked = replace(asked, result=result, detail=detail, redirects=led_to)
        except CancelledError:
            return
        except Exception as fault:  # noqa: BLE001 - raised again where all are waited for
            self._faults.append(fault)
            return
        else:
            question.candidates = candidates
            result = SearchResult.FOUND if candidates else SearchResult.NOTHING
            asked = replace(asked, result=result, redirects=led_to)
        question.asked = asked
        self._show(asked)
