"""The words of the Integrations page, chosen from codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from smtp_desk.app.state import StatusKind
from smtp_desk.core.gate import Outcome
from smtp_desk.core.settings import AuthMethod, Security
from smtp_desk.core.stages import Stage, StageStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtp_desk.core.findings import Finding

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
