"""One AUTH exchange over a channel (RFC 4954, 4)."""

import contextlib
from typing import TYPE_CHECKING

from smtp_desk.core.reply import decode_text
from smtp_desk.core.secret import Secret
from smtp_desk.smtp.net.deadline import Deadline
from smtp_desk.smtp.net.redaction import Redactor
from smtp_desk.smtp.session.channel import Channel
from smtp_desk.smtp.wire import commands
from smtp_desk.smtp.wire.auth import (
    ChallengeError,
    Exchange,
    Mechanism,
    decode_challenge,
    encode_response,
)
from smtp_desk.smtp.wire.protocol import Answer, AnswerOutcome

if TYPE_CHECKING:
    from smtp_desk.core.stages import Json

_CANCEL = b"*"


class AuthExchange:
    """The one attempt of a session to sign in.

    Attributes:
        facts: Whether the initial response was sent with AUTH, and how a token was refused.
    """

    def __init__(
        self, channel: Channel, mechanism: Mechanism, redactor: Redactor, limit: float
    ) -> None:
        """Prepare.

        Args:
            channel: A connection inside TLS, after EHLO.
            mechanism: From `auth.choose`.
            redactor: Learns what is sent, so that echoes of it are hidden.
            limit: Seconds for each reply.
        """
        self.facts: dict[str, Json] = {"mechanism": mechanism.name}
        self._channel = channel
        self._mechanism = mechanism
        self._redactor = redactor
        self._limit = limit
        self._held: list[bytes] = []
        self._cancelled = False

    def run(self, username: str, secret: Secret, deadline: Deadline) -> Answer:
        """Sign in; return the answer that ended the exchange.

        No frame that an exception passes through keeps what is sent: tracebacks may show variables.

        Raises:
            ChallengeError: The server broke the rules of the mechanism, or did not prove itself.
            CommandError: The credential is too long to send.
        """
        exchange = self._mechanism.start(username, secret)
        answer = self._channel.ask(self._opening(next(exchange)), deadline.within(self._limit))
        while answer.outcome is AnswerOutcome.GO_ON:
            if self._cancelled:
                # It could go on so for ever.
                raise ChallengeError("the server asks on though the exchange was cancelled")
            response = self._response(exchange, answer.texts[0])
            answer = self._channel.ask(response, deadline.within(self._limit))
        if answer.outcome is AnswerOutcome.DONE and self._mechanism.mutual:
            with contextlib.suppress(StopIteration):
                exchange.send(b"")
        return answer

    def _opening(self, first: bytes) -> commands.Command:
        name = self._mechanism.name
        if not self._mechanism.client_first:
            return commands.auth(name)
        opening = commands.auth(name, self._encoded(first))
        rides = len(opening.line) <= commands.MAX_AUTH_LINE
        self.facts["initial_response"] = rides
        if rides:
            return opening
        # Too long for a command line: it must wait for the empty challenge.
        self._held.append(first)
        return commands.auth(name)

    def _response(self, exchange: Exchange, challenge: bytes) -> commands.Command:
        if self._held:
            return commands.auth_response(self._encoded(self._held.pop()))
        self._note_refusal(challenge)
        try:
            return commands.auth_response(self._encoded(exchange.send(challenge)))
        except StopIteration:
            # Nothing is left to say: the server has to answer to the cancel with a 501.
            self._cancelled = True
            return commands.auth_response(_CANCEL)

    def _encoded(self, response: bytes) -> bytes:
        encoded = encode_response(response)
        self._redactor.add(encoded)
        self._redactor.add(self._mechanism.proof(response))
        return encoded

    def _note_refusal(self, challenge: bytes) -> None:
        """Keep what is said of a token in a challenge: the only place where the cause stands."""
        if self._mechanism.bearer:
            with contextlib.suppress(ChallengeError):
                words = decode_text(decode_challenge(challenge))
                self.facts["token_refusal"] = self._redactor.text(words)
