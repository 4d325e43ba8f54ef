"""What ended a session, by the errors of its parts and by what other protocols answer."""

import re
from collections.abc import Mapping
from typing import Final

from smtp_desk.core.errors import Acceptance, SmtpFailure
from smtp_desk.core.reply import Reply, decode_text
from smtp_desk.core.settings import Security
from smtp_desk.core.stages import Facts, Json, Stage
from smtp_desk.smtp.net.deadline import CancelledError
from smtp_desk.smtp.net.stream import StreamError, TimedOutError
from smtp_desk.smtp.wire.auth import ChallengeError
from smtp_desk.smtp.wire.replies import Violation, ViolationError

_CLOSED: Final[Mapping[Stage, str]] = {
    Stage.GREETING: "greeting.closed",
    Stage.TLS: "tls.handshake_closed",
    Stage.AUTH: "auth.closed",
    Stage.MESSAGE: "message.lost_before_end",
}
_TOO_LATE: Final[Mapping[Stage, str]] = {
    Stage.CONNECT: "connect.timeout",
    Stage.GREETING: "greeting.timeout",
    Stage.TLS: "tls.handshake_timeout",
}
"""The stage names the cause, whichever limit ended it: its own or that of the whole session."""
_CUT_IN_A_REPLY: Final = (Stage.GREETING, Stage.TLS, Stage.AUTH)
"""Where half an answer and then the end is a cut as any other, with a code of its own."""


def failure_of(error: BaseException, stage: Stage, *, acceptance: Acceptance) -> SmtpFailure | None:
    """Return the failure that `error` means in `stage`; None for an error in this program.

    Args:
        error: The exception that was raised.
        stage: The stage in which it was raised.
        acceptance: Whether the message may have been accepted. If so, only the server's
            reply can tell, so every other end is `message.unconfirmed`.
    """
    if isinstance(error, SmtpFailure):
        lost = acceptance is Acceptance.UNKNOWN and error.acceptance is not acceptance
        return _unconfirmed(stage, error.code or "", error.facts) if lost else error
    code, facts = _cause(error, stage)
    if not code:
        return None
    facts["stage"] = str(stage)
    if acceptance is Acceptance.UNKNOWN:
        return _unconfirmed(stage, code, facts)
    return SmtpFailure(stage, code, facts=facts, acceptance=acceptance)


def unmasked(failure: SmtpFailure) -> SmtpFailure:
    """Return a TLS failure on a port of another protocol as the failure it really is."""
    answer = failure.facts.get("answer")
    if failure.code != "tls.wrong_mode" or not isinstance(answer, str):
        return failure
    protocol = protocol_of(answer.encode())
    if not protocol:
        return failure
    facts: dict[str, Json] = {"answer": answer, "protocol": protocol}
    return SmtpFailure(failure.stage, "greeting.wrong_protocol", facts=facts)


def reply_facts(reply: Reply) -> dict[str, Json]:
    """Return a reply as the facts of a stage."""
    return {"reply_code": reply.code, "enhanced": reply.enhanced, "words": reply.text}


def _unconfirmed(stage: Stage, cause: str, facts: Facts) -> SmtpFailure:
    return SmtpFailure(
        stage,
        "message.unconfirmed",
        facts={**facts, "cause": cause},
        acceptance=Acceptance.UNKNOWN,
    )


def _cause(error: BaseException, stage: Stage) -> tuple[str, dict[str, Json]]:
    if isinstance(error, CancelledError):
        return "session.cancelled", {}
    if isinstance(error, ViolationError):
        return _violation(error, stage)
    if isinstance(error, TimedOutError):
        return _TOO_LATE.get(stage, "session.timeout"), {}
    if isinstance(error, StreamError):
        return _CLOSED.get(stage, "session.closed"), _words_of(error.__cause__)
    if isinstance(error, ChallengeError):
        return "session.protocol_error", {"violation": "challenge", "detail": str(error)}
    return "", {}


def _words_of(cause: BaseException | None) -> dict[str, Json]:
    return {"error": f"{cause.errno} {cause.strerror}"} if isinstance(cause, OSError) else {}


def _violation(error: ViolationError, stage: Stage) -> tuple[str, dict[str, Json]]:
    facts: dict[str, Json] = {
        "violation": str(error.violation),
        "answer": decode_text(error.evidence),
    }
    if error.violation is Violation.INJECTED_DATA:
        return "tls.injected_data", facts
    if error.violation is Violation.MISSING_LAST_LINE and stage in _CUT_IN_A_REPLY:
        return _CLOSED[stage], facts
    if stage is Stage.GREETING and error.violation in (
        Violation.NOT_A_REPLY,
        Violation.LINE_TOO_LONG,
    ):
        protocol = protocol_of(error.evidence)
        if protocol == TLS:
            return "tls.wrong_mode", {**facts, "working_security": str(Security.TLS)}
        if protocol:
            return "greeting.wrong_protocol", {**facts, "protocol": protocol}
        return "greeting.not_smtp", facts
    return "session.protocol_error", facts


TLS: Final = "TLS"

_FIRST_BYTES: Final[tuple[tuple[re.Pattern[bytes], str], ...]] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), protocol)
    for pattern, protocol in (
        (rb"[\x15\x16]\x03[\x00-\x04]", TLS),
        (rb"SSH-\d", "SSH"),
        (rb"HTTP/|<!DOCTYPE html|<html", "HTTP"),
        (rb"\* (?:OK|PREAUTH|BYE)\b", "IMAP"),
        (rb"\+OK\b", "POP3"),
        (rb'"?IMPLEMENTATION"? ', "ManageSieve"),
        (rb"-ERR ", "POP3 or Redis"),
        (rb".{3}\x00(?:\x0a[58]\.|\xff)", "MySQL"),
        (rb"RFB \d{3}\.", "VNC"),
        (rb"AMQP", "AMQP"),
        (rb"<\?xml|<stream:", "XMPP"),
        (rb":\S+ NOTICE ", "IRC"),
        (rb"\xff[\xfb-\xfe]", "Telnet"),
        # These speak in replies as SMTP does; only the words tell.
        (rb"220[ -](?!.*SMTP).*(?:\bFTP\b|FTPd\b|FileZilla)", "FTP"),
        (rb"220[ -](?!.*SMTP).*\bLMTP\b", "LMTP"),
        (rb"20[01] .*(?:NNTP|InterNetNews|news)", "NNTP"),
    )
)


def protocol_of(first: bytes) -> str:
    """Return the protocol that begins like this, or "" if it isn't known."""
    return next((protocol for pattern, protocol in _FIRST_BYTES if pattern.match(first)), "")
