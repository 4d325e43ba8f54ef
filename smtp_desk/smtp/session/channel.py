"""A stream that speaks SMTP: commands out, answers in, all of it recorded."""

import contextlib

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.smtp.net.deadline import CancelledError, Deadline
from smtp_desk.smtp.net.stream import ClosedError, ResetError, Stream, StreamError, TimedOutError
from smtp_desk.smtp.session.transcript import Transcript
from smtp_desk.smtp.wire.commands import Command
from smtp_desk.smtp.wire.protocol import Answer, ClientProtocol, ProtocolState
from smtp_desk.smtp.wire.replies import ViolationError


class Channel:
    """One connection with its protocol and its transcript.

    Attributes:
        stream: The connection.
        protocol: The state of the session.
    """

    def __init__(
        self, stream: Stream, protocol: ClientProtocol, transcript: Transcript | None
    ) -> None:
        self.stream = stream
        self.protocol = protocol
        self._broken = False
        self._transcript = transcript

    @property
    def over(self) -> bool:
        """Whether nothing more can be sent: the connection failed, or the server closed it."""
        return self._broken or self.protocol.state is ProtocolState.CLOSED

    def prepare(self, *commands: Command) -> bytes:
        """Return the octets of commands that are sent now, in one flight, and record them.

        Raises:
            CommandError: They aren't allowed in this state.
            ViolationError: The server answered before it was asked.
        """
        octets = self.protocol.send(*commands)
        if self._transcript is not None:
            for command in commands:
                self._transcript.command(command)
        return octets

    def write(self, octets: bytes | memoryview, deadline: Deadline) -> None:
        """Send octets.

        Raises:
            StreamError: They could not be sent; what the server sent can still be read.
            CancelledError: Cancelled.
        """
        try:
            self.stream.write(octets, deadline)
        except (StreamError, CancelledError):
            self._broken = True
            raise

    def say(self, *commands: Command, deadline: Deadline) -> None:
        """Send commands in one flight; raises as `prepare` and `write`.

        A server that closed the connection may have said why: `hear` returns it, or raises.
        """
        with contextlib.suppress(ResetError):
            # A view, since a traceback may show what its frames hold, and this may be a secret.
            self.write(memoryview(self.prepare(*commands)), deadline)

    def hear(self, deadline: Deadline) -> Answer:
        """Return the next answer.

        Raises:
            ViolationError: The server broke the protocol.
            StreamError: No answer came; its type says why.
            CancelledError: Cancelled.
            SmtpFailure: TLS broke.
        """
        while (answer := self.heard()) is None:
            self._receive(deadline)
        return answer

    def heard(self) -> Answer | None:
        """Return the next answer if it has already arrived.

        Raises:
            ViolationError: The server broke the protocol.
        """
        try:
            answer = self.protocol.next_answer()
        except ViolationError as violation:
            if self._transcript is not None:
                self._transcript.evidence(violation.evidence)
            raise
        if answer is not None and self._transcript is not None:
            self._transcript.reply(answer.reply.code, answer.texts)
        return answer

    def ask(self, command: Command, deadline: Deadline) -> Answer:
        """Send a command and return its answer; raises as `say` and `hear`."""
        self.say(command, deadline=deadline)
        return self.hear(deadline)

    def check(self) -> bool:
        """Return whether the server sent something unasked, without waiting.

        Raises:
            StreamError: It closed the connection.
            SmtpFailure: TLS broke.
        """
        if data := self.stream.ready():
            self.protocol.receive(data)
        if not self.protocol.unread and self.stream.ended:
            self._broken = True
            raise ClosedError
        return self.protocol.unread

    def drop(self) -> None:
        """Close the connection at once, leaving the last command without effect."""
        self._broken = True
        self.stream.abort()

    def record_content(self, octets: int) -> None:
        """Record that a message of that many octets is sent; never the message itself."""
        if self._transcript is not None:
            self._transcript.content(octets)

    def _receive(self, deadline: Deadline) -> None:
        try:
            self.protocol.receive(self.stream.read(deadline))
        except (ClosedError, TimedOutError) as end:
            self._broken = True
            self.protocol.receive_end(closed=isinstance(end, ClosedError))
            raise
        except (StreamError, CancelledError, SmtpFailure):
            self._broken = True
            raise
