"""The test of a configuration: one session, reported stage by stage, and its report."""

import dataclasses
import hashlib
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from smtp_desk.core.address import parse_mailbox
from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.finding import Finding, FindingSeverity
from smtp_desk.core.oauth import OAuthSettings, oauth_draft
from smtp_desk.core.report import CheckReport, ReportOutcome, fold_stages
from smtp_desk.core.settings import OAUTH, ServerSettings
from smtp_desk.core.stages import Facts, Json, Stage, StageEvent, StageStatus
from smtp_desk.smtp.check.naming import StageFacts, context_of, finding_of
from smtp_desk.smtp.check.ports import PortAnswer, probe_ports
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from smtp_desk.smtp.net.dial import TEST_PATIENCE
from smtp_desk.smtp.net.resolve import DnsResolver, Resolver, SystemResolver
from smtp_desk.smtp.session.envelope import Envelope
from smtp_desk.smtp.session.limits import limits_of_a_test
from smtp_desk.smtp.session.session import Session
from smtp_desk.smtp.session.token_giver import SessionCredential

if TYPE_CHECKING:
    from smtp_desk.core.findings.catalogue import Catalogue

OnEvent: TypeAlias = Callable[[StageEvent], None]
"""Takes each stage event, in the thread of the test."""

SECOND_HANDSHAKE: Final = 10.0
"""Seconds of its own for a second try of a silent handshake, with a small first message."""
_NO_ANSWER_OF_TLS: Final = (
    *("tls.handshake_timeout", "tls.handshake_closed", "tls.injected_data", "tls.wrong_mode"),
    *("tls.not_offered", "tls.refused", "tls.temporarily_unavailable", "session.cancelled", None),
)

_log: Final = logging.getLogger(__name__)


class Steps(StrEnum):
    """How far a test goes; only FULL proves anything."""

    FULL = "full"
    NO_SEND = "no_send"
    NO_LOGIN = "no_login"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What to test.

    Attributes:
        settings: The server, and with `from_email` the sender.
        secret: Password or token, or the source of one; None for a server without sign-in.
            NO_LOGIN never uses it.
        recipient: Where the test email goes; FULL only.
        content: The test email; FULL only.
        steps: How far to go.
        probe_ports: Whether other ports are tried if this one fails before signing in.
        resolver: `HOST:PORT` of a DNS server to ask instead of the system, or a resolver.
        total_seconds: Limit of the whole test.
        known: Further facts for the finding's texts.
    """

    settings: ServerSettings
    secret: SessionCredential | None = None
    recipient: str = ""
    content: bytes = b""
    steps: Steps = Steps.FULL
    probe_ports: bool = True
    resolver: Resolver | str | None = None
    total_seconds: float = 60.0
    known: Facts = dataclasses.field(default_factory=dict)


def run_check(
    request: CheckRequest,
    *,
    catalogue: "Callable[[], Catalogue]",
    on_event: OnEvent,
    cancel: Cancel,
    environment: Mapping[str, Json],
    report_id: str = "",
) -> CheckReport:
    """Run one test and return its report; blocks until it ends.

    Whatever a server, the network or this program does wrong isn't raised: it becomes the finding.

    The test sends as the sender does, with the values given, and never falls back or queues.
    The outcome is SENT only after a 2xx that follows the final dot.

    Args:
        request: What to test.
        catalogue: Returns the catalogue of findings; called only when there is a cause to name.
        on_event: Called for every stage as it begins and ends.
        cancel: Ends the test within 100 ms.
        environment: Versions, for the report.
        report_id: Written to the report and to the log.
    """
    return _Check(request, catalogue, on_event, cancel).report(environment, report_id)


class _Check:
    """One test."""

    def __init__(
        self,
        request: CheckRequest,
        catalogue: "Callable[[], Catalogue]",
        on_event: OnEvent,
        cancel: Cancel,
    ) -> None:
        self._request = request
        self._catalogue = catalogue
        self._on_event = on_event
        self._cancel = cancel
        self._events: list[StageEvent] = []
        self._heard = StageFacts()
        self._probed = False
        self._working: PortAnswer | None = None
        self._session = Session(
            request.settings,
            None if request.steps is Steps.NO_LOGIN else request.secret,
            limits=limits_of_a_test(request.total_seconds),
            cancel=cancel,
            observe=self._observe,
            resolver=_resolver(request.resolver),
            keep_transcript=True,
            address_patience=TEST_PATIENCE,
        )

    def report(self, environment: Mapping[str, Json], report_id: str) -> CheckReport:
        """Run it and return the report."""
        failure = self._failure(report_id)
        context, redactor = self._context(), self._session.redactor
        finding = None
        if failure is not None:
            finding = finding_of(failure, context, self._catalogue(), redactor)
        transcript = self._session.transcript
        return CheckReport(
            outcome=self._outcome(failure),
            finding=finding,
            warnings=self._warnings(context),
            stages=fold_stages(self._events),
            transcript=transcript.lines if transcript is not None else (),
            settings=_shown(self._request),
            environment=environment,
            mode=str(self._session.mode) if self._heard.facts(Stage.TLS).get("version") else "",
            id=report_id,
        )

    def _outcome(self, failure: SmtpFailure | None) -> ReportOutcome:
        if failure is not None:
            return ReportOutcome.UNREACHABLE
        full = self._request.steps is Steps.FULL
        return ReportOutcome.SENT if full else ReportOutcome.PASSED

    def _failure(self, report_id: str) -> SmtpFailure | None:
        try:
            self._run()
        except SmtpFailure as failure:
            told = self._try_a_small_hello(failure)
            self._try_other_ports(told)
            return told
        except Exception as error:  # noqa: BLE001 - the caller decides what an error means
            # Ours, and never to be shown as the server's.
            _log.exception("report %s: internal error", report_id)
            stage = self._events[-1].stage if self._events else Stage.SETTINGS
            frame = traceback.extract_tb(error.__traceback__)[-1]
            facts: dict[str, Json] = {"type": type(error).__name__, "where": frame.name}
            return SmtpFailure(stage, "session.internal_error", facts=facts)
        return None

    def _run(self) -> None:
        no_login = self._request.steps is Steps.NO_LOGIN
        self._session.open(through=Stage.TLS if no_login else Stage.AUTH)
        try:
            if not no_login:
                self._hand_over()
        finally:
            self._session.quit()

    def _hand_over(self) -> None:
        request, session = self._request, self._session
        sender = parse_mailbox(request.settings.from_email).wire
        if request.steps is Steps.NO_SEND:
            session.try_sender(Envelope(sender, ()), request.content)
            return
        envelope = Envelope(sender, (parse_mailbox(request.recipient).wire,))
        failure = session.send(envelope, request.content, last=True).failure
        if failure is not None:
            raise failure

    def _try_a_small_hello(self, failure: SmtpFailure) -> SmtpFailure:
        """Try a silent handshake again with a small first message: large ones may be dropped."""
        silent = failure.facts.get("silent")
        if failure.code != "tls.handshake_timeout" or not silent:
            return failure
        request = self._request
        second = Session(
            dataclasses.replace(request.settings, security=self._session.mode),
            None,
            limits=limits_of_a_test(SECOND_HANDSHAKE),
            cancel=self._cancel,
            resolver=_resolver(request.resolver),
            small_hello=True,
        )
        try:
            second.open(through=Stage.TLS)
        except SmtpFailure as again:
            # Any answer of TLS shows that the small one passed.
            if again.stage is not Stage.TLS or again.code in _NO_ANSWER_OF_TLS:
                return failure
        else:
            second.quit()
        return SmtpFailure(Stage.TLS, "tls.large_hello_dropped", facts=failure.facts)

    def _try_other_ports(self, failure: SmtpFailure) -> None:
        """Find out which port would work instead of this one, and report it."""
        found = self._heard.facts(Stage.RESOLVE).get("found")
        if not self._request.probe_ports or not _worth_probing(failure) or not found:
            return
        addresses = [str(address) for address in found] if isinstance(found, list) else []
        try:
            answers = probe_ports(self._request.settings, addresses, self._cancel)
        except CancelledError:
            # What failed is known; the person does not want to know more.
            return
        self._probed = True
        facts: dict[str, Json] = {"other_ports": [answer.facts() for answer in answers]}
        self._observe(StageEvent(failure.stage, StageStatus.FAILED, 0.0, facts))
        self._working = next((each for each in answers if each.security is not None), None)

    def _observe(self, event: StageEvent) -> None:
        facts = {name: self._session.redactor.json(value) for name, value in event.facts.items()}
        told = dataclasses.replace(event, facts=facts)
        self._events.append(told)
        self._heard(told)
        self._on_event(told)

    def _context(self) -> dict[str, Json]:
        """Return what is known beside a failure; no secret."""
        request = self._request
        working: dict[str, Json] = {}
        if self._working is not None:
            security = str(self._working.security)
            working = {"working_port": self._working.port, "working_security": security}
        working["ports_probed"] = self._probed
        session, heard = self._session, self._heard
        known = context_of(
            request.settings, session.credential, session.mode, heard, session.redactor
        )
        recipient, seconds = request.recipient, request.total_seconds
        return {
            **request.known,
            **working,
            **known,
            "recipient": recipient,
            "own_message": True,
            "seconds": f"{seconds:g}",
        }

    def _warnings(self, context: Facts) -> tuple[Finding, ...]:
        heard = self._heard
        connect = {**context, **heard.facts(Stage.RESOLVE), **heard.facts(Stage.CONNECT)}
        tls = {**context, **self._heard.facts(Stage.TLS)}
        warnings = []
        # It says that another address works: one got as far as EHLO.
        if connect.keys() & {"dead_addresses", "failed_family"} and heard.facts(Stage.EHLO):
            code = "connect.one_family_only"
            warnings.append(self._catalogue().warning(code, Stage.CONNECT, connect))
        if "expires_soon" in tls:
            warnings.append(self._catalogue().warning("tls.expires_soon", Stage.TLS, tls))
        if "form_problems" in tls:
            # Refused by clients that insist on the strict form, not by this one.
            finding = self._catalogue().warning("tls.malformed_certificate", Stage.TLS, tls)
            warnings.append(dataclasses.replace(finding, severity=FindingSeverity.WARNING))
        return tuple(warnings)


def _worth_probing(failure: SmtpFailure) -> bool:
    """Whether another port may do better; the mode that works here is the better advice."""
    if failure.stage not in (Stage.CONNECT, Stage.GREETING, Stage.TLS):
        return False
    return failure.code != "session.cancelled" and "working_security" not in failure.facts


def _resolver(wanted: Resolver | str | None) -> Resolver:
    if isinstance(wanted, str):
        return DnsResolver.at(wanted)
    return wanted or SystemResolver()


def _shown(request: CheckRequest) -> dict[str, Json]:
    """Return what was tested as a report tells it: all settings, none of the secret, for whom."""
    settings = request.settings
    ca = settings.ca_pem
    return {
        "host": settings.host,
        "port": settings.port,
        "security": str(settings.security),
        "username": settings.username,
        "from_name": settings.from_name,
        "from_email": settings.from_email,
        "ca_file": f"sha256:{hashlib.sha256(ca.encode()).hexdigest()}" if ca else "",
        "ehlo_name": settings.ehlo_name,
        "auth_method": OAUTH if settings.oauth else str(settings.auth_method),
        **(_shown_oauth(settings.oauth) if settings.oauth else {}),
        **({"recipient": request.recipient} if request.steps is Steps.FULL else {}),
    }


def _shown_oauth(oauth: OAuthSettings) -> dict[str, Json]:
    """Return how tokens are got; what the program knows itself of a provider is in none."""
    draft = oauth_draft(oauth)
    shown: dict[str, Json] = {
        "oauth_provider": draft.provider,
        "flow": draft.flow,
        "client_id": draft.client_id,
        "tenant": draft.tenant,
        "authorize_url": draft.authorize_url,
        "token_url": draft.token_url,
        "device_url": draft.device_url,
        "scope": draft.scope,
    }
    return {name: value for name, value in shown.items() if value}
