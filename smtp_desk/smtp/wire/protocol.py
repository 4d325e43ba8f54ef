"""The client's side of SMTP as a state machine without I/O: bytes in, answers out.

The two tables of this file decide which command may be sent when, and what a reply does to the
session. AUTH and MAIL have no row outside TLS, and AUTH has none after a first one, so neither can
be sent, not even because of an error elsewhere.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum, auto
from typing import Final, TypeAlias

from smtp_desk.core.reply import Reply
from smtp_desk.smtp.wire.commands import Command, CommandError, Verb
from smtp_desk.smtp.wire.replies import (
    Extensions,
    RawReply,
    ReplyReader,
    Violation,
    ViolationError,
)

SERVICE_NOT_AVAILABLE: Final = 421
"""The one reply that a server may send at any time, before it closes (RFC 5321, 3.8)."""

Scrub: TypeAlias = Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
"""Hides secrets in the lines of a reply."""


class ProtocolState(IntEnum):
    """The state of the session, with commands in flight counted as accepted."""

    BANNER = auto()  # connected in plain text, the banner is due
    CLEAR = auto()  # plain text: EHLO is due
    OFFERED = auto()  # plain text, extensions known: STARTTLS or nothing
    HANDSHAKE = auto()  # TLS begins: not one byte of SMTP may come
    SECURE_BANNER = auto()  # TLS from the start, the banner is due
    SECURE = auto()  # inside TLS: EHLO is due
    READY = auto()  # may sign in, or begin a transaction
    SIGNING_IN = auto()  # an AUTH exchange runs
    IDLE = auto()  # may begin a transaction; signing in is over
    SENDER = auto()  # MAIL was given
    RECIPIENTS = auto()  # RCPT was given
    STALE = auto()  # the transaction failed: RSET before the next
    CONTENT = auto()  # the server takes the message
    SENT = auto()  # the final dot is out
    SPENT = auto()  # nothing more but QUIT
    CLOSED = auto()  # the server said 421, or broke the protocol


class AnswerOutcome(IntEnum):
    """What a reply means for its command."""

    DONE = auto()
    GO_ON = auto()  # the server waits for more: 334, 354
    REFUSED = auto()


_SENDS: Final[Mapping[tuple[ProtocolState, Verb], ProtocolState]] = {
    (ProtocolState.CLEAR, Verb.EHLO): ProtocolState.CLEAR,
    (ProtocolState.OFFERED, Verb.STARTTLS): ProtocolState.OFFERED,
    (ProtocolState.SECURE, Verb.EHLO): ProtocolState.SECURE,
    (ProtocolState.READY, Verb.AUTH): ProtocolState.SIGNING_IN,
    (ProtocolState.SIGNING_IN, Verb.RESPONSE): ProtocolState.SIGNING_IN,
    (ProtocolState.READY, Verb.MAIL): ProtocolState.SENDER,
    (ProtocolState.IDLE, Verb.MAIL): ProtocolState.SENDER,
    (ProtocolState.SENDER, Verb.RCPT): ProtocolState.RECIPIENTS,
    (ProtocolState.RECIPIENTS, Verb.RCPT): ProtocolState.RECIPIENTS,
    (ProtocolState.RECIPIENTS, Verb.DATA): ProtocolState.RECIPIENTS,
    (ProtocolState.CONTENT, Verb.END): ProtocolState.SENT,
    (ProtocolState.READY, Verb.RSET): ProtocolState.READY,
    (ProtocolState.IDLE, Verb.RSET): ProtocolState.IDLE,
    (ProtocolState.SENDER, Verb.RSET): ProtocolState.IDLE,
    (ProtocolState.RECIPIENTS, Verb.RSET): ProtocolState.IDLE,
    (ProtocolState.STALE, Verb.RSET): ProtocolState.IDLE,
    (ProtocolState.CLEAR, Verb.QUIT): ProtocolState.SPENT,
    (ProtocolState.OFFERED, Verb.QUIT): ProtocolState.SPENT,
    (ProtocolState.SECURE, Verb.QUIT): ProtocolState.SPENT,
    (ProtocolState.READY, Verb.QUIT): ProtocolState.SPENT,
    (ProtocolState.IDLE, Verb.QUIT): ProtocolState.SPENT,
    (ProtocolState.SENDER, Verb.QUIT): ProtocolState.SPENT,
    (ProtocolState.RECIPIENTS, Verb.QUIT): ProtocolState.SPENT,
    (ProtocolState.STALE, Verb.QUIT): ProtocolState.SPENT,
    (ProtocolState.SENT, Verb.MAIL): ProtocolState.SENDER,
    (ProtocolState.SENT, Verb.QUIT): ProtocolState.SPENT,
    (ProtocolState.SPENT, Verb.QUIT): ProtocolState.SPENT,
}

_ANSWERS: Final[Mapping[tuple[ProtocolState, Verb | None, AnswerOutcome], ProtocolState]] = {
    (ProtocolState.BANNER, Verb.GREETING, AnswerOutcome.DONE): ProtocolState.CLEAR,
    (ProtocolState.BANNER, Verb.GREETING, AnswerOutcome.REFUSED): ProtocolState.SPENT,
    (ProtocolState.SECURE_BANNER, Verb.GREETING, AnswerOutcome.DONE): ProtocolState.SECURE,
    (ProtocolState.SECURE_BANNER, Verb.GREETING, AnswerOutcome.REFUSED): ProtocolState.SPENT,
    (ProtocolState.CLEAR, Verb.EHLO, AnswerOutcome.DONE): ProtocolState.OFFERED,
    (ProtocolState.CLEAR, Verb.EHLO, AnswerOutcome.REFUSED): ProtocolState.SPENT,
    (ProtocolState.SECURE, Verb.EHLO, AnswerOutcome.DONE): ProtocolState.READY,
    (ProtocolState.SECURE, Verb.EHLO, AnswerOutcome.REFUSED): ProtocolState.SPENT,
    (ProtocolState.OFFERED, Verb.STARTTLS, AnswerOutcome.DONE): ProtocolState.HANDSHAKE,
    (ProtocolState.OFFERED, Verb.STARTTLS, AnswerOutcome.REFUSED): ProtocolState.SPENT,
    (ProtocolState.SIGNING_IN, Verb.AUTH, AnswerOutcome.DONE): ProtocolState.IDLE,
    (ProtocolState.SIGNING_IN, Verb.AUTH, AnswerOutcome.REFUSED): ProtocolState.SPENT,
    (ProtocolState.SIGNING_IN, Verb.RESPONSE, AnswerOutcome.DONE): ProtocolState.IDLE,
    (ProtocolState.SIGNING_IN, Verb.RESPONSE, AnswerOutcome.REFUSED): ProtocolState.SPENT,
    (ProtocolState.SENDER, Verb.MAIL, AnswerOutcome.REFUSED): ProtocolState.STALE,
    (ProtocolState.RECIPIENTS, Verb.MAIL, AnswerOutcome.REFUSED): ProtocolState.STALE,
    (ProtocolState.RECIPIENTS, Verb.DATA, AnswerOutcome.GO_ON): ProtocolState.CONTENT,
    (ProtocolState.STALE, Verb.DATA, AnswerOutcome.GO_ON): ProtocolState.CONTENT,
    (ProtocolState.RECIPIENTS, Verb.DATA, AnswerOutcome.DONE): ProtocolState.STALE,
    (ProtocolState.RECIPIENTS, Verb.DATA, AnswerOutcome.REFUSED): ProtocolState.STALE,
    (ProtocolState.SENT, Verb.END, AnswerOutcome.DONE): ProtocolState.IDLE,
    (ProtocolState.SENT, Verb.END, AnswerOutcome.REFUSED): ProtocolState.IDLE,
    (ProtocolState.IDLE, Verb.RSET, AnswerOutcome.REFUSED): ProtocolState.SPENT,
    (ProtocolState.SENDER, Verb.RSET, AnswerOutcome.REFUSED): ProtocolState.SPENT,
    (ProtocolState.RECIPIENTS, Verb.RSET, AnswerOutcome.REFUSED): ProtocolState.SPENT,
}

# Where RFC 5321, 3207 and 4954 name one code, only that one leads on; else the first digit does.
_ONLY: Final[Mapping[Verb, int]] = {Verb.GREETING: 220, Verb.EHLO: 250, Verb.STARTTLS: 220}
_GO_ON: Final[Mapping[Verb, int]] = {Verb.AUTH: 334, Verb.RESPONSE: 334, Verb.DATA: 354}

# RFC 2920 section 3.1: these may stand anywhere in a group, what follows them may end one, and the
# end of a message may be its first.
_ANYWHERE: Final = frozenset({Verb.MAIL, Verb.RCPT, Verb.RSET})
_FIRST: Final = _ANYWHERE | {Verb.END}
_LAST: Final = _ANYWHERE | {Verb.DATA, Verb.QUIT}


class Answer:
    """A reply and what it answers.

    Attributes:
        verb: The command it answers; None for a 421 that answers none.
        outcome: What it means for the command.
        texts: The octets of its lines as received, for challenges; hidden from `repr`.
    """

    __slots__ = ("_code", "_reply", "_scrub", "outcome", "texts", "verb")

    def __init__(
        self, verb: Verb | None, outcome: AnswerOutcome, raw: RawReply, scrub: Scrub
    ) -> None:
        self.verb = verb
        self.outcome = outcome
        self.texts = raw.texts
        self._code = raw.code
        self._scrub = scrub
        self._reply: Reply | None = None

    @property
    def reply(self) -> Reply:
        """The reply, secrets hidden; built when asked for, since most aren't read by anybody."""
        if self._reply is None:
            self._reply = Reply.from_lines(self._code, self._scrub(self.texts))
        return self._reply


class ClientProtocol:
    """One session. Feed it what is received, send what it returns, ask it for answers.

    Attributes:
        state: The state of the session.
        extensions: What the last EHLO offered; nothing from before TLS survives its begin.
    """

    def __init__(self, *, tls_from_start: bool = False, scrub: Scrub = lambda texts: texts) -> None:
        """Create a session that waits for the banner.

        Args:
            tls_from_start: TLS was agreed before the first byte of SMTP.
            scrub: Hides secrets in replies.
        """
        self.state = ProtocolState.SECURE_BANNER if tls_from_start else ProtocolState.BANNER
        self.extensions = Extensions()
        self._scrub = scrub
        self._reader = ReplyReader()
        self._pending: deque[Verb] = deque([Verb.GREETING])

    @property
    def pending(self) -> int:
        """The number of replies still due."""
        return len(self._pending)

    @property
    def bare_lf(self) -> bool:
        """Whether the server ended a line without CR (see `ReplyReader`)."""
        return self._reader.bare_lf

    def send(self, *commands: Command) -> bytes:
        """Return the octets of commands that may be sent now, in one flight.

        Raises:
            CommandError: They aren't allowed in this state; an error of this program.
            ViolationError: The server answered before it was asked.
        """
        if self._pending or len(commands) > 1:
            self._refuse_outside_group(commands)
        if not self._pending:
            self._refuse_early_reply()
        for command in commands:
            following = _SENDS.get((self.state, command.verb))
            if following is None:
                raise CommandError(f"{command.verb} has no place in state {self.state.name}")
            self.state = following
            self._pending.append(command.verb)
        return b"".join([command.line for command in commands])

    @property
    def unread(self) -> bool:
        """Whether part of a reply came that has not been asked for yet."""
        return not self._reader.between_replies

    def expect_refusal(self) -> None:
        """Read the next reply as the answer to a message whose end was not sent.

        The server did not wait for the end; the connection can't be used after that.
        """
        self.state = ProtocolState.SENT
        self._pending.append(Verb.END)

    def receive(self, data: bytes) -> None:
        """Take bytes from the server."""
        self._reader.feed(data)

    def receive_end(self, *, closed: bool = True) -> None:
        """Note that nothing more will come; all answers before have been asked for.

        Args:
            closed: The server closed the connection properly. If it just went silent, an
                incomplete reply isn't a violation.

        Raises:
            ViolationError: It ended in the middle of a reply, or with something that isn't one.
        """
        violation = self._reader.judge_rest()
        if violation is not None and (closed or violation is Violation.NOT_A_REPLY):
            self._fail(violation)
        self.state = ProtocolState.CLOSED

    def next_answer(self) -> Answer | None:
        """Return the next answer, or None if more bytes are needed.

        Raises:
            ViolationError: The server broke the protocol: the session is over.
        """
        try:
            raw = self._reader.next_reply()
        except ViolationError:
            self.state = ProtocolState.CLOSED
            raise
        if raw is None:
            return None
        closing = raw.code == SERVICE_NOT_AVAILABLE
        if not self._pending and not closing:
            self._fail(Violation.UNEXPECTED_REPLY, b"%d %b" % (raw.code, raw.texts[0]))
        verb = self._pending.popleft() if self._pending else None
        outcome = _outcome(verb, raw.code)
        self.state = (
            ProtocolState.CLOSED
            if closing
            else _ANSWERS.get((self.state, verb, outcome), self.state)
        )
        if verb is Verb.EHLO and outcome is AnswerOutcome.DONE:
            self.extensions = Extensions.from_lines(raw.texts)
        return Answer(verb, outcome, raw, self._scrub)

    def begin_tls(self) -> None:
        """Forget everything learned in plain text, before the handshake (RFC 3207, 4.2).

        Raises:
            ViolationError: The server sent more than the reply to STARTTLS: somebody who can
                add plain text there may want it to be read as if it were protected.
        """
        if self.state is not ProtocolState.HANDSHAKE:
            raise CommandError(f"TLS has no place in state {self.state.name}")
        if not self._reader.between_replies:
            self._fail(Violation.INJECTED_DATA)
        self.extensions = Extensions()
        self._reader = ReplyReader()
        self.state = ProtocolState.SECURE

    def _refuse_outside_group(self, commands: Iterable[Command]) -> None:
        verbs = [*self._pending, *[command.verb for command in commands]]
        in_group = verbs[0] in _FIRST and _ANYWHERE.issuperset(verbs[1:-1]) and verbs[-1] in _LAST
        if "PIPELINING" not in self.extensions or not in_group:
            raise CommandError(f"{verbs[-1]} must wait for the reply before it")

    def _refuse_early_reply(self) -> None:
        # A 421 may come unasked; it is read as the answer to what is sent now, as it
        # would be had it come a moment later.
        if not b"421".startswith(self._reader.head):
            self._fail(Violation.UNEXPECTED_REPLY)

    def _fail(self, violation: Violation, evidence: bytes = b"") -> None:
        self.state = ProtocolState.CLOSED
        raise ViolationError(violation, evidence or self._reader.rest)


def _outcome(verb: Verb | None, code: int) -> AnswerOutcome:
    if verb is None:
        return AnswerOutcome.REFUSED
    if code == _ONLY.get(verb, code) and code // 100 == 2:  # noqa: PLR2004 - the class of the reply
        return AnswerOutcome.DONE
    return AnswerOutcome.GO_ON if code == _GO_ON.get(verb) else AnswerOutcome.REFUSED
