"""The transcript of a session: what both sides sent, with secrets hidden before it is kept."""

import time
from typing import Final

from smtp_desk.core.reply import decode_text
from smtp_desk.core.report import Direction, TranscriptLine
from smtp_desk.smtp.net.deadline import Clock
from smtp_desk.smtp.net.redaction import HIDDEN, Redactor
from smtp_desk.smtp.wire.commands import Command, Verb

MAX_LINES: Final = 1000
"""Lines that a transcript keeps."""

MAX_TEXT: Final = 1000
"""Characters of a line that a transcript keeps."""

_CUT: Final = "…"
_CONTINUES: Final = 334
_AUTH_WORDS: Final = 2


class Transcript:
    """Records a session line by line, in limited memory, and never a secret or a message.

    AUTH exchanges are hidden completely. Echoes of a secret are hidden by the redactor. Of the
    message only the size is kept.
    """

    def __init__(self, redactor: Redactor, clock: Clock = time.monotonic) -> None:
        """Begin now.

        Args:
            redactor: Knows the secrets.
            clock: Tells the time.
        """
        self._redactor = redactor
        self._clock = clock
        self._began = clock()
        self._lines: list[TranscriptLine] = []

    @property
    def lines(self) -> tuple[TranscriptLine, ...]:
        """The lines so far."""
        return tuple(self._lines)

    def command(self, command: Command) -> None:
        """Record a command that is being sent."""
        words = command.line.rstrip(b"\r\n")
        if command.verb is Verb.RESPONSE:
            self.note(Direction.CLIENT, HIDDEN)
        elif command.verb is Verb.AUTH:
            shown = words.split(b" ")
            hidden = f" {HIDDEN}" if len(shown) > _AUTH_WORDS else ""
            self.note(Direction.CLIENT, decode_text(b" ".join(shown[:_AUTH_WORDS])) + hidden)
        elif words:
            self.note(Direction.CLIENT, self._redactor.text(decode_text(words)))

    def content(self, octets: int) -> None:
        """Record that a message of that many octets is being sent."""
        self.note(Direction.CLIENT, f"‹message: {octets} bytes›")

    def reply(self, code: int, texts: tuple[bytes, ...]) -> None:
        """Record a reply, lines as they came, without codes."""
        if code == _CONTINUES:
            self.note(Direction.SERVER, f"{code} {HIDDEN}" if any(texts) else str(code))
            return
        shown = self._redactor.lines(texts)
        for at, text in enumerate(shown, 1):
            separator = " " if at == len(shown) else "-"
            self.note(Direction.SERVER, f"{code}{separator}{decode_text(text)}")

    def evidence(self, octets: bytes) -> None:
        """Record bytes that aren't a reply."""
        for text in self._redactor.lines(tuple(octets.splitlines())):
            self.note(Direction.SERVER, decode_text(text))

    def note(self, direction: Direction, text: str) -> None:
        """Record one line as it is."""
        if len(self._lines) > MAX_LINES:
            return
        if len(self._lines) == MAX_LINES:
            text = _CUT
        elif len(text) > MAX_TEXT:
            text = text[:MAX_TEXT] + _CUT
        at_ms = round((self._clock() - self._began) * 1000)
        self._lines.append(TranscriptLine(at_ms, direction, text.rstrip()))
