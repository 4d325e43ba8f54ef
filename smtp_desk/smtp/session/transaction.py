"""One mail transaction: MAIL, RCPT, DATA, the message and its dot (RFC 5321, 3.3)."""

import contextlib
from collections.abc import Callable
from itertools import zip_longest
from typing import Final, TypeAlias

from smtp_desk.core.errors import Acceptance, SmtpFailure
from smtp_desk.core.stages import Facts, Json, Stage, StageStatus
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.stream import StreamError
from smtp_desk.smtp.session.channel import Channel
from smtp_desk.smtp.session.envelope import Delivery, Envelope, RecipientResult, Status
from smtp_desk.smtp.session.failures import reply_facts
from smtp_desk.smtp.session.limits import SessionLimits
from smtp_desk.smtp.session.timeline import StageRun, Timeline
from smtp_desk.smtp.wire import codec, commands
from smtp_desk.smtp.wire.commands import Command, CommandError, Verb
from smtp_desk.smtp.wire.protocol import Answer, AnswerOutcome, ProtocolState
from smtp_desk.smtp.wire.replies import Extensions, Violation, ViolationError

BeforeDot: TypeAlias = Callable[[], None]
"""Called right before the final dot goes out; if it raises, the dot does not."""

Following: TypeAlias = Callable[[], tuple[Envelope, bytes] | None]
"""Asked right before the final dot which message comes next on this connection; None for none."""

UNFINISHED: Final = (ProtocolState.STALE, ProtocolState.RECIPIENTS)
"""After a transaction that failed: RSET ends it before the next one begins."""

_AFTER_DOT: Final[Facts] = {"phase": "dot"}
_END: Final = Command(Verb.END, b"")
# Seconds to read what a server said before it hung up: it is here already.
_LAST_WORDS: Final = 1.0
# How many recipients the facts of a stage name.
_MOST_SHOWN: Final = 20


def mail_command(envelope: Envelope, content: bytes, extensions: Extensions) -> Command:
    """Return MAIL with every parameter that the server offers and the message needs.

    Raises:
        SmtpFailure: `sender.internationalized` or `message.too_large`: the server has already
            said that it can't accept this message, so it isn't asked.
        CommandError: The address can't stand in a command; a fault on this side.
    """
    smtputf8 = envelope.needs_smtputf8
    if smtputf8 and "SMTPUTF8" not in extensions:
        facts: dict[str, Json] = {"sender": envelope.sender}
        raise SmtpFailure(Stage.SENDER, "sender.internationalized", facts=facts)
    size = codec.wire_size(content)
    limit = extensions.max_size
    if limit is not None and size > limit:
        facts = {"size": size, "limit": limit}
        raise SmtpFailure(Stage.SENDER, "message.too_large", facts=facts)
    return commands.mail(
        envelope.sender,
        size=size if "SIZE" in extensions else None,
        eight_bit="8BITMIME" in extensions and not content.isascii(),
        smtputf8=smtputf8,
    )


class Transaction:
    """One message being sent over one connection.

    Attributes:
        acceptance: NO until right before the final dot is written, then UNKNOWN until the
            reply to it is read.
    """

    def __init__(
        self,
        channel: Channel,
        envelope: Envelope,
        content: bytes,
        *,
        limits: SessionLimits,
        deadline: Deadline,
        cancel: Cancel,
        idle: bool = False,
    ) -> None:
        """Prepare; nothing is sent.

        Raises:
            CommandError: There is no recipient, or an address that can't stand in a
                command: a fault on this side.
        """
        if not envelope.recipients:
            raise CommandError("a message needs a recipient")
        self.acceptance = Acceptance.NO
        self._channel = channel
        self._envelope = envelope
        self._content = content
        self._limits = limits
        self._deadline = deadline
        self._cancel = cancel
        self._first_reply = min(limits.idle, limits.command) if idle else limits.command
        self._pipelining = "PIPELINING" in channel.protocol.extensions
        self._begun = False
        self._results: list[RecipientResult | None] = []
        smtputf8 = envelope.needs_smtputf8
        self._rcpts = [commands.rcpt(each, smtputf8=smtputf8) for each in envelope.recipients]

    def is_of(self, envelope: Envelope, content: bytes) -> bool:
        """Whether this is the transaction of this message."""
        return content is self._content and envelope == self._envelope

    def behind_the_dot(self) -> tuple[Command, ...]:
        """Return its commands, to be sent after the dot of the message before, which begins it.

        None where the server wouldn't accept them there (RFC 2920, 3.1), or wouldn't accept this
        message: what is wrong with it is reported in its own turn.
        """
        if not self._pipelining:
            return ()
        try:
            mail = mail_command(self._envelope, self._content, self._channel.protocol.extensions)
        except (SmtpFailure, CommandError):
            return ()
        self._begun = True
        return (mail, *self._rcpts, commands.DATA)

    def run(
        self,
        timeline: Timeline,
        before_dot: BeforeDot | None,
        behind: Callable[[], tuple[Command, ...]],
    ) -> Delivery:
        """Run the transaction and return the result for each recipient.

        Args:
            timeline: Gets the three stages.
            before_dot: See `BeforeDot`.
            behind: Returns what is sent after the dot, in one flight with it, where PIPELINING
                is offered (RFC 2920, 3.1 and 5): QUIT, or the begin of the next transaction.

        Raises:
            SmtpFailure: What ended it for all recipients not refused before: `delivery`
                turns it into results.
            Exception: What `before_dot` raised, or an error of this program.
        """
        with timeline.stage(Stage.SENDER) as run:
            self._begin(run)
        with timeline.stage(Stage.RECIPIENT) as run:
            self._name_recipients(run)
        with timeline.stage(Stage.MESSAGE) as run:
            return self.delivery(accepted=self._send_message(run, before_dot, behind))

    def delivery(
        self, *, accepted: Answer | None = None, failure: SmtpFailure | None = None
    ) -> Delivery:
        """Return the result for each recipient: that of the message, unless it was refused before.

        Args:
            accepted: The reply that accepted the message.
            failure: What ended it instead.
        """
        reply = accepted.reply if accepted is not None else None
        results = [
            refused
            or (
                RecipientResult(recipient, Status.ACCEPTED, reply)
                if failure is None
                else RecipientResult.failed(recipient, failure)
            )
            for recipient, refused in zip_longest(self._envelope.recipients, self._results)
        ]
        return Delivery(tuple(results))

    def _begin(self, run: StageRun) -> None:
        if not self._begun:
            self._say_beginning()
        mail = self._channel.heard() or self._channel.hear(self._within_first())
        _tell(run, mail)
        if mail.outcome is not AnswerOutcome.DONE:
            self._end_refused_flight()
            raise SmtpFailure(Stage.SENDER, reply=mail.reply)

    def _say_beginning(self) -> None:
        """Say MAIL, with PIPELINING all up to DATA; end what was left over first."""
        protocol = self._channel.protocol
        mail = mail_command(self._envelope, self._content, protocol.extensions)
        reset = [commands.RSET] if protocol.state in UNFINISHED else []
        if self._pipelining:
            flight = (*reset, mail, *self._rcpts, commands.DATA)
            self._channel.say(*flight, deadline=self._within_command())
            for _ in reset:
                self._check_reset(self._channel.hear(self._within_first()))
            return
        for command in reset:
            self._check_reset(self._channel.ask(command, self._within_first()))
        self._channel.say(mail, deadline=self._within_first())

    def _check_reset(self, answer: Answer) -> None:
        """Go on only where the transaction before this was taken back."""
        if answer.outcome is not AnswerOutcome.DONE:
            self._channel.drop()
            raise SmtpFailure(Stage.SENDER, reply=answer.reply)

    def _name_recipients(self, run: StageRun) -> None:
        told: list[Json] = []
        run.facts["recipients"] = told
        for recipient, rcpt in zip(self._envelope.recipients, self._rcpts, strict=True):
            answer = self._hear() if self._pipelining else self._ask(rcpt)
            if run.watched and len(told) < _MOST_SHOWN:
                told.append({"recipient": recipient, **reply_facts(answer.reply)})
            self._results.append(_refusal(recipient, answer))
            if self._channel.protocol.state is ProtocolState.CLOSED:
                raise SmtpFailure(Stage.RECIPIENT, reply=answer.reply)
        refused = [result for result in self._results if result is not None]
        if refused:
            run.status = StageStatus.WARNED
        if len(refused) == len(self._results):
            self._end_refused_flight()
            raise SmtpFailure(Stage.RECIPIENT, reply=refused[0].reply)

    def _send_message(
        self,
        run: StageRun,
        before_dot: BeforeDot | None,
        behind: Callable[[], tuple[Command, ...]],
    ) -> Answer:
        data = self._hear() if self._pipelining else self._ask(commands.DATA)
        if data.outcome is not AnswerOutcome.GO_ON:
            raise SmtpFailure(Stage.MESSAGE, reply=data.reply, facts={"phase": "data"})
        run.facts["size"] = len(self._content)
        self._channel.record_content(len(self._content))
        tail = self._write_all_but_the_end()
        if before_dot is not None:
            self._check_that_it_listens()
            before_dot()
        self._cancel.check()
        self._check_that_it_listens()
        answer = self._end(tail, behind() if self._pipelining else ())
        _tell(run, answer)
        if answer.outcome is AnswerOutcome.DONE:
            self.acceptance = Acceptance.YES
            return answer
        if answer.reply.intermediate:
            # No reply that the final dot can have: what the server made of it is not known.
            raise SmtpFailure(
                Stage.MESSAGE,
                "message.unconfirmed",
                reply=answer.reply,
                acceptance=self.acceptance,
            )
        self.acceptance = Acceptance.NO
        raise SmtpFailure(Stage.MESSAGE, reply=answer.reply, facts=_AFTER_DOT)

    def _write_all_but_the_end(self) -> bytes:
        """Write the content; return its last block, which holds the dot."""
        blocks = codec.blocks(self._content)
        block = next(blocks)
        for following in blocks:
            try:
                self._channel.write(block, self._deadline.within(self._limits.data_block))
            except StreamError:
                self._tell_early_refusal()
                raise
            block = following
        return block

    def _end(self, tail: bytes, behind: tuple[Command, ...]) -> Answer:
        octets = self._channel.prepare(_END, *behind)
        # From here on only a reply can tell whether the message was accepted.
        self.acceptance = Acceptance.UNKNOWN
        try:
            self._channel.write(tail + octets, self._deadline.within(self._limits.data_block))
        except StreamError as error:
            with contextlib.suppress(StreamError, ViolationError):
                return self._channel.hear(self._deadline.within(_LAST_WORDS))
            raise error from error.__cause__
        return self._channel.hear(self._deadline.within(self._limits.end))

    def _check_that_it_listens(self) -> None:
        """Write no dot to a server that hung up or spoke in the message: it did not accept it.

        An unread reply would be taken for the one to the dot.
        """
        try:
            unread = self._channel.check()
        except StreamError:
            self._tell_early_refusal()
            raise
        if unread:
            self._tell_early_refusal()
            raise ViolationError(Violation.UNEXPECTED_REPLY)

    def _tell_early_refusal(self) -> None:
        """Raise the refusal that came before the dot, if one did; the connection is over."""
        try:
            with contextlib.suppress(StreamError, ViolationError):
                self._channel.protocol.expect_refusal()
                answer = self._channel.hear(self._deadline.within(_LAST_WORDS))
                if answer.outcome is AnswerOutcome.REFUSED:
                    raise SmtpFailure(Stage.MESSAGE, reply=answer.reply, facts=_AFTER_DOT)
        finally:
            self._channel.drop()

    def _end_refused_flight(self) -> None:
        """Read what is due to the rest of a flight whose beginning was refused."""
        protocol = self._channel.protocol
        wanted = False
        # The refusal is what happened; what goes wrong after it changes nothing.
        with contextlib.suppress(StreamError, ViolationError):
            while protocol.pending and protocol.state is not ProtocolState.CLOSED:
                wanted |= self._hear().outcome is AnswerOutcome.DONE
            if protocol.state is ProtocolState.CONTENT and wanted:
                # It refused MAIL and took a recipient all the same: a dot would have it
                # deliver an empty message.
                self._channel.drop()
            elif protocol.state is ProtocolState.CONTENT:
                # RFC 2920 section 3.1: a server that wants a message for nobody gets a dot.
                self._ask(Command(Verb.END, codec.END))

    def _ask(self, command: Command) -> Answer:
        return self._channel.ask(command, self._within_command())

    def _hear(self) -> Answer:
        # Most replies of a flight come with the first: no limit to reckon.
        return self._channel.heard() or self._channel.hear(self._within_command())

    def _within_first(self) -> Deadline:
        return self._deadline.within(self._first_reply)

    def _within_command(self) -> Deadline:
        return self._deadline.within(self._limits.command)


def _tell(run: StageRun, answer: Answer) -> None:
    if run.watched:
        run.facts.update(reply_facts(answer.reply))


def _refusal(recipient: str, answer: Answer) -> RecipientResult | None:
    """Return the result of a recipient that was refused; None while it may be accepted."""
    if answer.outcome is AnswerOutcome.DONE:
        return None
    facts: dict[str, Json] = {"recipient": recipient}
    failure = SmtpFailure(Stage.RECIPIENT, reply=answer.reply, facts=facts)
    return RecipientResult.failed(recipient, failure)
