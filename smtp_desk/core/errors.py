"""Failures of a session as facts: stage, cause, reply, and whether the message was accepted."""

from enum import StrEnum

from smtp_desk.core.reply import Reply
from smtp_desk.core.stages import Facts, Stage


class Acceptance(StrEnum):
    """Whether the server took the responsibility for the message (RFC 5321, 6.1)."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


class SmtpFailure(Exception):  # noqa: N818 - a failed session is the field's word
    """The session failed before its end.

    Attributes:
        stage: Where it ended.
        code: The finding's code where the cause is known without the server's words,
            for example "connect.refused"; None where `reply` must be matched.
        reply: The server's reply, or None where none came.
        facts: What else is known; the finding's texts and matches draw on it.
        acceptance: Whether the message may have been accepted.
    """

    def __init__(
        self,
        stage: Stage,
        code: str | None = None,
        *,
        reply: Reply | None = None,
        facts: Facts | None = None,
        acceptance: Acceptance = Acceptance.NO,
    ) -> None:
        super().__init__(stage, code, reply)
        self.stage = stage
        self.code = code
        self.reply = reply
        self.facts: Facts = dict(facts or {})
        self.acceptance = acceptance

    def __str__(self) -> str:
        what = self.code or "refused"
        return f"{self.stage}: {what}" + (f" ({self.reply})" if self.reply else "")
