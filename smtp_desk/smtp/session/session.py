"""One session with one server: opened, used for messages, closed.

Test and sender both use it, so that the sender does exactly what was proven.
"""

import contextlib
import math
import ssl
import time
from dataclasses import replace
from typing import Final

from smtp_desk.core.address import address_literal
from smtp_desk.core.errors import Acceptance, SmtpFailure
from smtp_desk.core.findings.token_claims import token_facts
from smtp_desk.core.reply import visible
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.core.stages import Json, Stage, StageStatus
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.redaction import Redactor
from smtp_desk.smtp.net.resolve import Resolver, SystemResolver
from smtp_desk.smtp.net.stream import Stream, StreamError
from smtp_desk.smtp.net.tls import TlsTicket, client_context
from smtp_desk.smtp.session.auth_exchange import AuthExchange
from smtp_desk.smtp.session.channel import Channel
from smtp_desk.smtp.session.envelope import Delivery, Envelope
from smtp_desk.smtp.session.failures import failure_of, reply_facts
from smtp_desk.smtp.session.limits import SENDER_LIMITS, SessionLimits
from smtp_desk.smtp.session.opening import Opening, Wiring, shake_hands
from smtp_desk.smtp.session.timeline import Observe, StageRun, Timeline
from smtp_desk.smtp.session.token_giver import SessionCredential, TokenGiver
from smtp_desk.smtp.session.transaction import (
    UNFINISHED,
    BeforeDot,
    Following,
    Transaction,
    mail_command,
)
from smtp_desk.smtp.session.transcript import Transcript
from smtp_desk.smtp.wire import auth, commands
from smtp_desk.smtp.wire.auth import MechanismError, Token
from smtp_desk.smtp.wire.commands import Command, CommandError
from smtp_desk.smtp.wire.protocol import Answer, AnswerOutcome, ClientProtocol, ProtocolState
from smtp_desk.smtp.wire.replies import Extensions, ViolationError

_PERMANENT: Final = 5
_TOKEN_REJECTED: Final = "auth.token_rejected"  # noqa: S105 - a code
_BETWEEN_MESSAGES: Final = (ProtocolState.READY, ProtocolState.IDLE, *UNFINISHED)


class Session:
    """One connection to one server, for one thread at a time; never opened twice.

    Attributes:
        mode: How TLS begins; if the settings leave it open, it is known once `open` has passed
            the greeting.
        credential: What it signs in with; None until it has been obtained.
        transcript: What was said, secrets hidden; None if it isn't kept.
        redactor: Knows the secrets of this session.
    """

    def __init__(
        self,
        settings: ServerSettings,
        credential: SessionCredential | None,
        *,
        limits: SessionLimits = SENDER_LIMITS,
        cancel: Cancel | None = None,
        observe: Observe | None = None,
        resolver: Resolver | None = None,
        keep_transcript: bool = False,
        address_patience: float = 0.0,
        redactor: Redactor | None = None,
        small_hello: bool = False,
        ticket: TlsTicket | None = None,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            settings: The server. Its From email isn't used: the envelope names the sender.
            credential: Password or token, or the source of one; None for a server that
                recognizes us by our IP address.
            limits: How long each part may take; the total counts from now, or from when a token
                was obtained.
            cancel: Ends whatever the session waits for.
            observe: Called for every stage.
            resolver: Finds the addresses; by default the system.
            keep_transcript: Whether `transcript` is kept.
            address_patience: Seconds to wait for addresses that lost the race.
            redactor: Knows the credential, shared with other sessions; by default a new one.
            small_hello: Begin TLS with a small first message, to find out whether it helps.
            ticket: Resumes TLS of an earlier session with the same server, and is kept for later.
        """
        self._giver = None if isinstance(credential, Secret | Token | None) else credential
        self.credential = credential if isinstance(credential, Secret | Token) else None
        self.redactor = redactor or Redactor(auth.secret_of(self.credential).reveal())
        self.transcript = Transcript(self.redactor) if keep_transcript else None
        self._settings = settings
        self._limits = limits
        self._cancel = cancel or Cancel()
        self._deadline = _end_of(limits)
        self._timeline = Timeline(observe, self._translate)
        self._wiring = Wiring(
            settings,
            limits,
            self._deadline,
            self._cancel,
            resolver or SystemResolver(),
            address_patience,
            small_hello,
            ticket,
        )
        self._opening = Opening(self._wiring, self._timeline, self._channel_of)
        self._channel: Channel | None = None
        self._transaction: Transaction | None = None
        self._following: Transaction | None = None

    @property
    def mode(self) -> Security:
        """TLS from the start, or STARTTLS."""
        return self._opening.mode

    @property
    def extensions(self) -> Extensions:
        """What the server offers inside TLS."""
        return self._opened.protocol.extensions

    @property
    def usable(self) -> bool:
        """Whether another message can be sent on this connection."""
        channel = self._channel
        if channel is None or channel.over:
            return False
        between = not channel.protocol.pending and channel.protocol.state in _BETWEEN_MESSAGES
        return between or self.begun

    @property
    def begun(self) -> bool:
        """Whether the next message was begun: it must be sent next, or the connection ends."""
        return self._following is not None

    @property
    def leaving(self) -> bool:
        """Whether QUIT was sent with the last message: only `quit` is left to call."""
        channel = self._channel
        return (
            channel is not None
            and not channel.over
            and channel.protocol.state is ProtocolState.SPENT
        )

    def open(self, through: Stage = Stage.AUTH) -> None:
        """Connect, and go through the stages up to `through`: TLS, or AUTH as well.

        Raises:
            SmtpFailure: What ended it; the connection is closed.
        """
        self._check_settings(signing_in=through is Stage.AUTH)
        if through is Stage.AUTH and self._giver is not None:
            self._take_token(self._giver)
        try:
            self._channel = self._opening.run()
            if self.mode is Security.STARTTLS:
                self._introduce("extensions_before_tls")
                self._start_tls()
            self._introduce("extensions")
            self._channel.stream.keep_ticket()
            if through is Stage.AUTH:
                self._sign_in()
        except SmtpFailure as failure:
            self._leave(failure)
            raise
        except BaseException:
            self.abort()
            raise

    def send(
        self,
        envelope: Envelope,
        content: bytes,
        *,
        before_dot: BeforeDot | None = None,
        following: Following | None = None,
        last: bool = False,
        idle: bool = False,
    ) -> Delivery:
        """Send one message and return the result for each recipient.

        Failures of the server or the network aren't raised: they are in the results. Check
        `usable` before the next message.

        Args:
            envelope: Sender and recipients.
            content: The message; its line ends are converted to CRLF.
            before_dot: Called right before the final dot is written. If it raises, the
                connection is dropped without the dot, and the exception is raised here.
            following: Names the next message, whose commands are sent with this one where
                PIPELINING is offered; if the session is `usable` after that, send it next.
            last: No other message follows: QUIT may be sent with this one. Call `quit`.
            idle: The connection was idle, and there are others: give up sooner on a server
                that doesn't answer.

        Raises:
            CommandError: The envelope can't be written as commands, or it isn't the message
                that `following` named; nothing was sent.
        """
        transaction = self._following or self._transaction_of(envelope, content, idle=idle)
        if not transaction.is_of(envelope, content):
            raise CommandError("another message was begun")
        self._transaction, self._following = transaction, None

        def behind() -> tuple[Command, ...]:
            return (commands.QUIT,) if last else self._begin_next(following)

        try:
            return transaction.run(self._timeline, before_dot, behind)
        except SmtpFailure as failure:
            return transaction.delivery(failure=failure)
        except CommandError:
            raise
        except BaseException:
            self.abort()
            raise
        finally:
            self._transaction = None
            if not self.usable and not self.leaving:
                self.abort()

    def try_sender(self, envelope: Envelope, content: bytes) -> None:
        """Offer the server the sender only (MAIL), then take it back (RSET).

        Raises:
            SmtpFailure: The sender was refused, or the session ended.
        """
        with self._timeline.stage(Stage.SENDER) as run:
            answer = self._ask(mail_command(envelope, content, self.extensions))
            run.facts.update(reply_facts(answer.reply))
            if answer.outcome is not AnswerOutcome.DONE:
                raise SmtpFailure(Stage.SENDER, reply=answer.reply)
            self._ask(commands.RSET)

    def quit(self) -> None:
        """Send QUIT and close. Errors here change nothing and aren't raised."""
        channel = self._channel
        if channel is None or channel.over or self.begun:
            self.abort()  # a transaction that was begun can't be taken back behind DATA
            return
        with self._timeline.stage(Stage.DONE) as run:
            self._say_goodbye(channel, run)
        channel.stream.close()
        self._channel = None

    def abort(self) -> None:
        """Close at once, without QUIT."""
        if self._channel is not None:
            self._channel.stream.abort()
            self._channel = self._following = None

    def unwatch(self) -> None:
        """Stop reporting stages: what nobody reads costs nothing."""
        self._timeline.unwatch()

    @property
    def _opened(self) -> Channel:
        if self._channel is None:
            raise CommandError("the session is not open")
        return self._channel

    def _transaction_of(self, envelope: Envelope, content: bytes, *, idle: bool) -> Transaction:
        return Transaction(
            self._opened,
            envelope,
            content,
            limits=self._limits,
            deadline=self._deadline,
            cancel=self._cancel,
            idle=idle,
        )

    def _begin_next(self, following: Following | None) -> tuple[Command, ...]:
        """Return the commands that begin the message that comes next, as far as they may ride."""
        named = following() if following is not None else None
        if named is None:
            return ()
        try:
            transaction = self._transaction_of(*named, idle=True)
        except CommandError:
            return ()  # told in its own turn
        riding = transaction.behind_the_dot()
        self._following = transaction if riding else None
        return riding

    def _check_settings(self, *, signing_in: bool) -> None:
        settings, credential = self._settings, self.credential
        with self._timeline.stage(Stage.SETTINGS):
            try:
                client_context(settings.ca_pem)
            except (ssl.SSLError, TypeError, ValueError) as error:
                raise SmtpFailure(Stage.SETTINGS, "settings.ca_file_unreadable") from error
            if not signing_in or self._giver is not None:
                return
            secret = auth.secret_of(credential)
            if settings.oauth is not None and not isinstance(credential, Token):
                # A client secret is none of the mail server's.
                raise SmtpFailure(
                    Stage.SETTINGS, "settings.credentials_incomplete", facts={"field": "password"}
                )
            if bool(settings.username) != bool(secret):
                field: dict[str, Json] = {"field": "password" if settings.username else "username"}
                raise SmtpFailure(Stage.SETTINGS, "settings.credentials_incomplete", facts=field)

    def _take_token(self, giver: TokenGiver) -> None:
        with self._timeline.stage(Stage.TOKEN) as run:
            access = giver.token(self._cancel)
            run.facts.update(giver.facts)
        self.redactor.learn(access.reveal())
        self.credential = Token(access, giver.clock_ahead)
        # What the provider took, or a person, is no time of the server.
        self._deadline = _end_of(self._limits)
        self._wiring = replace(self._wiring, deadline=self._deadline)
        self._opening = Opening(self._wiring, self._timeline, self._channel_of)

    def _channel_of(self, stream: Stream, *, tls_from_start: bool) -> Channel:
        protocol = ClientProtocol(tls_from_start=tls_from_start, scrub=self.redactor.lines)
        return Channel(stream, protocol, self.transcript)

    def _introduce(self, fact: str) -> None:
        channel = self._opened
        with self._timeline.stage(Stage.EHLO) as run:
            name = self._settings.ehlo_name or address_literal(channel.stream.local_address)
            run.facts["ehlo_name"] = name
            answer = self._ask(commands.ehlo(name))
            if answer.outcome is not AnswerOutcome.DONE:
                raise SmtpFailure(Stage.EHLO, reply=answer.reply)
            run.facts["server_name"] = answer.reply.lines[0]
            offered: list[Json] = [line for line in answer.reply.lines[1:] if line]
            run.facts[fact] = offered

    def _start_tls(self) -> None:
        channel = self._opened
        with self._timeline.stage(Stage.TLS) as run:
            if "STARTTLS" not in channel.protocol.extensions:
                words: list[Json] = [visible(word) for word in channel.protocol.extensions.words]
                raise SmtpFailure(Stage.TLS, "tls.not_offered", facts={"extensions": words})
            answer = self._ask(commands.STARTTLS)
            if answer.outcome is not AnswerOutcome.DONE:
                raise SmtpFailure(Stage.TLS, reply=answer.reply)
            channel.protocol.begin_tls()
            try:
                shake_hands(channel.stream, self._wiring, Security.STARTTLS, run)
            except SmtpFailure:
                # Nothing more can be said, however the server worded it.
                channel.drop()
                raise

    def _sign_in(self) -> None:
        credential, username = self.credential, self._settings.username
        if credential is None or not username:
            self._timeline.skip(Stage.AUTH, "no credentials")
            return
        with self._timeline.stage(Stage.AUTH) as run:
            mechanisms = self.extensions.mechanisms
            run.facts["mechanisms"] = [visible(name) for name in mechanisms]
            try:
                mechanism = auth.choose(self._settings.auth_method, mechanisms, credential)
            except MechanismError as error:
                raise SmtpFailure(Stage.AUTH, error.code, facts=run.facts) from error
            exchange = AuthExchange(self._opened, mechanism, self.redactor, self._limits.command)
            run.facts.update(mechanism=mechanism.name)
            try:
                answer = exchange.run(username, auth.secret_of(credential), self._deadline)
            except CommandError as error:
                if not isinstance(credential, Token):
                    raise
                run.facts.update(token_fault="too_long")  # noqa: S106 - a name
                raise SmtpFailure(Stage.AUTH, _TOKEN_REJECTED, facts=run.facts) from error
            run.facts.update(exchange.facts, **reply_facts(answer.reply))
            if answer.outcome is not AnswerOutcome.DONE:
                if isinstance(credential, Token):
                    run.facts.update(self._claims_of(credential))
                if self._giver is not None and answer.reply.code // 100 == _PERMANENT:
                    self._giver.refuse(auth.secret_of(credential))
                raise SmtpFailure(Stage.AUTH, reply=answer.reply, facts=run.facts)

    def _claims_of(self, token: Token) -> dict[str, Json]:
        """Return what a refused token says of itself: the server's reply is always the same."""
        return token_facts(token.access, self._settings, time.time(), token.clock_ahead)

    def _leave(self, failure: SmtpFailure) -> None:
        """Close after a failure; a server that said why gets a QUIT, not waited for."""
        channel = self._channel
        if channel is not None and failure.reply is not None and not channel.over:
            with contextlib.suppress(CommandError, ViolationError, StreamError, CancelledError):
                channel.say(commands.QUIT, deadline=self._wiring.within(self._limits.quit))
            channel.stream.close()
        self.abort()

    def _ask(self, command: Command) -> Answer:
        return self._opened.ask(command, self._wiring.within(self._limits.command))

    def _say_goodbye(self, channel: Channel, run: StageRun) -> None:
        limit = self._wiring.within(self._limits.quit)
        try:
            # Behind the last message QUIT is on its way already.
            riding = channel.protocol.pending
            answer = channel.hear(limit) if riding else channel.ask(commands.QUIT, limit)
        except (CommandError, ViolationError, StreamError, CancelledError, SmtpFailure) as error:
            run.status = StageStatus.WARNED
            run.facts["error"] = type(error).__name__
        else:
            run.facts.update(reply_facts(answer.reply))

    def _translate(self, error: BaseException, stage: Stage) -> SmtpFailure | None:
        transaction = self._transaction
        acceptance = transaction.acceptance if transaction is not None else Acceptance.NO
        return failure_of(error, stage, acceptance=acceptance)


def _end_of(limits: SessionLimits) -> Deadline:
    return Deadline.after(math.inf if limits.total is None else limits.total)
