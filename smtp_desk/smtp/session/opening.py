"""From a host and a port to a connection with a greeting: addresses, TLS or not, the banner.

If no banner comes, TLS is tried on a second connection while the first one waits.
"""

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.core.stages import Json, Stage, StageStatus
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.dial import Dialer
from smtp_desk.smtp.net.resolve import Addresses, Resolver
from smtp_desk.smtp.net.stream import ClosedError, ResetError, Stream, TimedOutError
from smtp_desk.smtp.net.tls import TlsInfo, TlsTicket, client_context
from smtp_desk.smtp.session.channel import Channel
from smtp_desk.smtp.session.failures import protocol_of, reply_facts, unmasked
from smtp_desk.smtp.session.limits import SessionLimits
from smtp_desk.smtp.session.timeline import StageRun, Timeline
from smtp_desk.smtp.wire.protocol import AnswerOutcome

# What tells that nothing was learnt: the server may yet speak plain text on the first one.
_INCONCLUSIVE = ("connect.", "tls.handshake_", "tls.wrong_mode", "tls.injected_data")


Attempt: TypeAlias = Callable[[Cancel], tuple[Stream, TlsInfo]]
"""Connects and shakes hands; the connection ends with the `Cancel` given."""


class SecondTry:
    """A TLS handshake in its own thread; if the server answers, the first connection is woken.

    Attributes:
        failure: Why the handshake failed although the server speaks TLS, or that it speaks a
            protocol other than SMTP.
    """

    def __init__(self, attempt: Attempt, cancel: Cancel, first: Cancel) -> None:
        """Begin.

        Args:
            attempt: The handshake to try.
            cancel: The cancel of the whole session.
            first: The cancel of the waiting connection; fired when the server answers here.
        """
        self.failure: SmtpFailure | None = None
        self._won: tuple[Stream, TlsInfo] | None = None
        self._fault: Exception | None = None
        self._attempt = attempt
        self._cancel = Cancel(cancel)
        self._first = first
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="second connection", daemon=True)
        self._thread.start()

    @property
    def spoke(self) -> bool:
        """Whether the server's answer here is conclusive."""
        return self._won is not None or self.failure is not None

    def wait(self) -> bool:
        """Wait for its end; return whether the server answered."""
        self._thread.join()
        return self.spoke

    def stop(self) -> bool:
        """End it unless the server has answered; return whether it has.

        Raises:
            Exception: An error of this program in the attempt.
        """
        with self._lock:
            if not self.spoke:
                self._cancel.cancel()
        spoke = self.wait()
        if self._fault is not None:
            raise self._fault
        return spoke

    def result(self) -> tuple[Stream, TlsInfo]:
        """Return the connection inside TLS and what was agreed.

        Raises:
            SmtpFailure: There is none: `failure`.
        """
        if self._won is None:
            raise self.failure or SmtpFailure(Stage.TLS, "tls.failed")
        return self._won

    def drop(self) -> None:
        """Close its connection, if it has one."""
        if self._won is not None:
            self._won[0].abort()

    def _run(self) -> None:
        try:
            stream, info = self._attempt(self._cancel)
        except CancelledError:
            return
        except SmtpFailure as failure:
            cause = unmasked(failure)
            if (cause.code or "").startswith(_INCONCLUSIVE):
                return
            with self._lock:
                self.failure = cause
        except Exception as fault:  # noqa: BLE001 - raised again in the thread of the session
            self._fault = fault
        else:
            with self._lock:
                if self._cancel.cancelled:
                    stream.abort()
                    return
                self._won = stream, info
        self._first.cancel()


TLS_PORT: Final = 465
"""The port for TLS from the start (RFC 8314, 3.3)."""

# What ends the whole session; anything else before EHLO may be wrong with one address only.
_OF_THE_SESSION: Final = frozenset({"session.cancelled", "tls.injected_data"})
_REFUSED: Final = "greeting.refused"
_REFUSALS: Final = (4, 5)


ChannelOf: TypeAlias = Callable[..., Channel]
"""Makes the channel of a stream; keyword `tls_from_start`."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the parts of one session share.

    Attributes:
        settings: The server.
        limits: How long each part may take.
        deadline: The deadline of the whole session.
        cancel: Ends the session.
        resolver: Finds the addresses.
        patience: Seconds to wait for addresses that lost the race, to learn about every one.
        small_hello: See `client_context`.
        ticket: Resumes TLS of an earlier session.
    """

    settings: ServerSettings
    limits: SessionLimits
    deadline: Deadline
    cancel: Cancel
    resolver: Resolver
    patience: float = 0.0
    small_hello: bool = False
    ticket: TlsTicket | None = None

    @property
    def tls(self) -> ssl.SSLContext:
        """The TLS context."""
        return client_context(self.settings.ca_pem, small_hello=self.small_hello)

    def within(self, seconds: float) -> Deadline:
        """Return the deadline of one part."""
        return self.deadline.within(seconds)


def shake_hands(stream: Stream, wiring: Wiring, mode: Security, run: StageRun) -> None:
    """Begin TLS, and add what was agreed to the facts of the stage.

    Raises:
        SmtpFailure: It failed; nothing was sent outside TLS.
        CancelledError: Cancelled.
    """
    run.facts["mode"] = str(mode)
    limit = wiring.within(wiring.limits.tls)
    info = stream.start_tls(wiring.tls, wiring.settings.host, mode, limit, wiring.ticket)
    _tell(info, run)


def _tell(info: TlsInfo, run: StageRun) -> None:
    if info.resumed:  # the certificate is that of the first one, which has told of it
        run.facts.update(version=info.version, cipher=info.cipher, resumed=True)
        return
    # Imported here: it loads cryptography, which nothing needs without TLS.
    from smtp_desk.smtp.net.certificates import tls_facts  # noqa: PLC0415

    facts = tls_facts(info, datetime.now(UTC))
    if facts.keys() & {"expires_soon", "form_problems"}:
        run.status = StageStatus.WARNED
    run.facts.update(facts)


class Opening:
    """Opens one connection.

    Attributes:
        mode: How TLS begins: as set, or as found out.
    """

    def __init__(self, wiring: Wiring, timeline: Timeline, channel_of: ChannelOf) -> None:
        security = wiring.settings.security
        self._automatic = security is Security.AUTO
        if self._automatic:
            on_tls_port = wiring.settings.port == TLS_PORT
            security = Security.TLS if on_tls_port else Security.STARTTLS
        self.mode = self._usual_mode = security
        self._wiring = wiring
        self._timeline = timeline
        self._channel_of = channel_of
        self._first = Cancel(wiring.cancel)

    def run(self) -> Channel:
        """Return the connection after its banner, inside TLS if that is the mode.

        Raises:
            SmtpFailure: What ended it; with several addresses, the failure of the first that
                answered.
        """
        dialer = self._dialer(self._resolve())
        first: SmtpFailure | None = None
        while True:
            try:
                stream = self._connect(dialer)
            except SmtpFailure as failure:
                raise first or failure from failure
            try:
                return self._greet(stream)
            except SmtpFailure as failure:
                stream.abort()
                cause = failure.code or _REFUSED
                if cause in _OF_THE_SESSION:
                    raise
                first = first or failure
                if not dialer.has_more:
                    raise first from failure
                dialer.yield_address(cause)
                self._begin_anew(dialer)
            except BaseException:
                stream.abort()
                raise

    def _begin_anew(self, dialer: Dialer) -> None:
        """Forget what the second connection to the address at hand found out, and woke."""
        self.mode = self._usual_mode
        dialer.cancel = self._first = Cancel(self._wiring.cancel)

    def _resolve(self) -> tuple[str, ...]:
        wiring = self._wiring
        with self._timeline.stage(Stage.RESOLVE) as run:
            run.facts["host"] = wiring.settings.host
            limit = wiring.within(wiring.limits.connect)
            found = wiring.resolver.resolve(wiring.settings.host, wiring.cancel, limit)
            run.facts["found"] = list(found)
            if isinstance(found, Addresses) and found.failed_family:
                run.facts["failed_family"] = found.failed_family
                run.status = StageStatus.WARNED
            return found

    def _dialer(self, addresses: tuple[str, ...]) -> Dialer:
        wiring = self._wiring
        return Dialer(addresses, wiring.settings.port, self._first, patience=wiring.patience)

    def _connect(self, dialer: Dialer) -> Stream:
        with self._timeline.stage(Stage.CONNECT) as run:
            stream = dialer.connect(self._wiring.within(self._wiring.limits.connect))
            run.facts.update(dialer.facts())
            run.facts.update(
                port=self._wiring.settings.port,
                address=stream.peer_address,
                local_address=stream.local_address,
            )
            if "dead_addresses" in run.facts:
                run.status = StageStatus.WARNED
            return stream

    def _greet(self, stream: Stream) -> Channel:
        if self.mode is not Security.TLS:
            with self._timeline.stage(Stage.GREETING) as run:
                return self._hear_in_plain_text(stream, run)
        with self._timeline.stage(Stage.TLS) as run:
            try:
                shake_hands(stream, self._wiring, Security.TLS, run)
            except SmtpFailure as failure:
                raise unmasked(failure) from failure
        with self._timeline.stage(Stage.GREETING) as run:
            limit = self._wiring.within(self._wiring.limits.greeting)
            return self._hear_banner(self._channel_of(stream, tls_from_start=True), limit, run)

    def _hear_in_plain_text(self, stream: Stream, run: StageRun) -> Channel:
        """Hear the banner; after some silence try TLS beside it: the first to speak wins."""
        channel = self._channel_of(stream, tls_from_start=False)
        limit = self._wiring.within(self._wiring.limits.greeting)
        try:
            channel.protocol.receive(stream.read(limit.within(self._wiring.limits.patience)))
        except TimedOutError:
            if limit.passed:
                raise
        else:
            return self._hear_banner(channel, limit, run)
        second = SecondTry(
            lambda cancel: self._connect_with_tls(stream.peer_address, cancel),
            self._wiring.cancel,
            self._first,
        )
        try:
            self._wait_for_either(channel, second, limit)
        finally:
            second_spoke = second.stop()
        if not second_spoke:
            return self._hear_banner(channel, limit, run)
        stream.abort()
        try:
            return self._take_second(second, run)
        except BaseException:
            second.drop()
            raise

    def _connect_with_tls(self, address: str, cancel: Cancel) -> tuple[Stream, TlsInfo]:
        wiring = self._wiring
        settings, limits = wiring.settings, wiring.limits
        dialer = Dialer((address,), settings.port, cancel)
        stream = dialer.connect(wiring.within(limits.connect))
        try:
            limit = wiring.within(limits.tls)
            return stream, stream.start_tls(wiring.tls, settings.host, Security.TLS, limit)
        except BaseException:
            stream.abort()
            raise

    def _wait_for_either(self, channel: Channel, second: SecondTry, limit: Deadline) -> None:
        try:
            channel.protocol.receive(channel.stream.read(limit))
        except CancelledError:
            self._wiring.cancel.check()
        except (ClosedError, ResetError):
            if not second.wait():
                raise

    def _take_second(self, second: SecondTry, run: StageRun) -> Channel:
        """Go on with the second connection, or tell what it found out."""
        if second.failure is not None and second.failure.code == "greeting.wrong_protocol":
            raise second.failure
        if not self._automatic:
            facts: dict[str, Json] = {"working_security": str(Security.TLS)}
            raise SmtpFailure(Stage.GREETING, "tls.wrong_mode", facts=facts)
        self.mode = Security.TLS
        with self._timeline.stage(Stage.TLS) as tls:
            tls.facts["mode"] = str(Security.TLS)
            stream, info = second.result()
            _tell(info, tls)
        limit = self._wiring.within(self._wiring.limits.greeting)
        return self._hear_banner(self._channel_of(stream, tls_from_start=True), limit, run)

    def _hear_banner(self, channel: Channel, limit: Deadline, run: StageRun) -> Channel:
        answer = channel.hear(limit)
        reply = answer.reply
        run.facts.update(reply_facts(reply), banner=reply.text, bare_lf=channel.protocol.bare_lf)
        protocol = protocol_of(f"{reply.code} {reply.text}".encode())
        if protocol:
            facts: dict[str, Json] = {"protocol": protocol}
            raise SmtpFailure(Stage.GREETING, "greeting.wrong_protocol", reply=reply, facts=facts)
        if answer.outcome is not AnswerOutcome.DONE:
            # Only 4xx and 5xx are answers that a mail server may greet with.
            code = None if reply.code // 100 in _REFUSALS else "greeting.not_smtp"
            raise SmtpFailure(Stage.GREETING, code, reply=reply)
        return channel
