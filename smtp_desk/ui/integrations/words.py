"""The words of the Integrations page, chosen from codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from smtp_desk.app.notice import StatusKind
from smtp_desk.core.gate import Outcome
from smtp_desk.core.settings import AuthMethod, Security
from smtp_desk.core.stages import Stage, StageStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtp_desk.core.findings.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWords:
    """What the page says of the server that it configures.

    Attributes:
        name: The `objectName` of the page.
        title: Its title.
        explanation: What it is for.
        card: The title of the card with the status.
        question: What is asked before the configuration is removed.
        consequence: What that means.
    """

    name: str
    title: str
    explanation: str
    card: str
    question: str
    consequence: str


CUSTOM: Final = PageWords(
    name="integrations",
    title="Integrations",
    explanation="Let system emails leave through your own mail server, from your own address.",
    card="Custom SMTP server",
    question="Remove the configuration of the custom SMTP server?",
    consequence="System emails leave through the default email service from then on, or wait in "
    "the outbox where there is none. The settings and the stored password are deleted.",
)
RELAY: Final = PageWords(
    name="relay",
    title="The organisation’s relay",
    explanation="The default email service sends through it what the custom server can’t take. "
    "It has its own address and its own password.",
    card="Relay",
    question="Remove the configuration of the relay?",
    consequence="While it is the default email service, emails wait in the outbox from then on. "
    "The settings and the stored password are deleted.",
)

SWITCH: Final = "Send system emails through your own server"

SECURITY: Final[Mapping[str, str]] = {
    Security.AUTO: "Automatic",
    Security.STARTTLS: "STARTTLS",
    Security.TLS: "TLS from the start",
}
AUTH_METHOD: Final[Mapping[str, str]] = {
    AuthMethod.AUTO: "Automatic",
    AuthMethod.PLAIN: "PLAIN",
    AuthMethod.LOGIN: "LOGIN",
    AuthMethod.CRAM_MD5: "CRAM-MD5",
}
STAGES: Final[Mapping[Stage, str]] = {
    Stage.SETTINGS: "Check the settings",
    Stage.RESOLVE: "Find the server",
    Stage.CONNECT: "Connect",
    Stage.GREETING: "Wait for the greeting",
    Stage.EHLO: "Introduce ourselves",
    Stage.TLS: "Encrypt and verify the server",
    Stage.AUTH: "Sign in",
    Stage.SENDER: "Announce the sender",
    Stage.RECIPIENT: "Announce the recipient",
    Stage.MESSAGE: "Hand over the message",
    Stage.DONE: "Sign off",
}
STATUSES: Final[Mapping[StageStatus, str]] = {
    StageStatus.STARTED: "running",
    StageStatus.PASSED: "passed",
    StageStatus.WARNED: "passed with a warning",
    StageStatus.FAILED: "failed",
    StageStatus.SKIPPED: "skipped",
}
WAITING: Final = "waiting"
STAGE_LOOK: Final[Mapping[StageStatus, tuple[str, str]]] = {
    StageStatus.STARTED: ("running", "accent"),
    StageStatus.PASSED: ("success", "success"),
    StageStatus.WARNED: ("warning", "warning"),
    StageStatus.FAILED: ("failed", "danger"),
    StageStatus.SKIPPED: ("skipped", "muted"),
}
"""Icon and tone of a stage."""

OUTCOME_LOOK: Final[Mapping[Outcome, tuple[str, str]]] = {
    Outcome.SUCCESS: ("success", "success"),
    Outcome.UNREACHABLE: ("danger", "error"),
    Outcome.CHANGED: ("warning", "stale"),
}
"""Tone and icon of an outcome."""

STATUS_LOOK: Final[Mapping[StatusKind, tuple[str, str]]] = {
    StatusKind.NOT_CONFIGURED: ("info", "muted"),
    StatusKind.OFF: ("power", "muted"),
    StatusKind.NOT_PROVEN: ("warning", "warning"),
    StatusKind.ACTIVE: ("success", "success"),
    StatusKind.PASSWORD_UNAVAILABLE: ("key", "danger"),
    StatusKind.UNAVAILABLE: ("warning", "danger"),
    StatusKind.FILE_UNREADABLE: ("error", "danger"),
}
"""Icon and tone of a status."""

_SECOND: Final = 1000


def duration(ms: int) -> str:
    """Return milliseconds as a person reads them."""
    return f"{ms} ms" if ms < _SECOND else f"{ms / _SECOND:.1f} s"


def server_words(finding: Finding) -> str:
    """Return the server's reply, code and all, or "" where none came."""
    reply = finding.reply
    if reply is None:
        return ""
    codes = f"{reply.code} {reply.enhanced}" if reply.enhanced else str(reply.code)
    return f"{codes} " + "\n".join(reply.lines)
