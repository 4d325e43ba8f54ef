"""The exit status of commands that run a test, by finding: a contract with scripts.

Numbers are those of sysexits.h, and 130 for a test that a person cancelled (as after Ctrl-C).
"""

from enum import IntEnum
from typing import Final

from smtp_desk.core.findings.finding import Finding, FindingSeverity


class ExitStatus(IntEnum):
    """What a command tells its caller."""

    OK = 0
    """It worked."""
    USAGE = 64
    """The command line is wrong."""
    DATAERR = 65
    """The settings or the message are wrong, before anything was sent."""
    UNAVAILABLE = 69
    """The server refused, or can't be reached."""
    SOFTWARE = 70
    """Our own fault."""
    CANTCREAT = 73
    """What was to be saved could not be."""
    TEMPFAIL = 75
    """The same may work later."""
    PROTOCOL = 76
    """The server broke the protocol."""
    NOPERM = 77
    """The server refused the login or the sender."""
    CONFIG = 78
    """Nothing is configured."""
    CANCELLED = 130
    """A person ended it."""


_EXACT: Final = {
    "session.cancelled": ExitStatus.CANCELLED,
    "session.internal_error": ExitStatus.SOFTWARE,
    "session.protocol_error": ExitStatus.PROTOCOL,
    "settings.part_missing": ExitStatus.UNAVAILABLE,
} | dict.fromkeys(
    (
        "greeting.busy",
        "tls.temporarily_unavailable",
        "oauth.unreachable",
        "auth.too_many_attempts",
        "auth.password_transition",
        "recipient.greylisted",
        "recipient.throttled",
        "message.concurrency",
        "message.unconfirmed",
        "message.lost_before_end",
        "session.closed",
        "session.timeout",
        "sendmail.unconfirmed",
    ),
    ExitStatus.TEMPFAIL,
)
_BY_CAUSE: Final = {"temporary": ExitStatus.TEMPFAIL}
_BY_STAGE: Final = {
    "settings": ExitStatus.DATAERR,
    "auth": ExitStatus.NOPERM,
    "oauth": ExitStatus.NOPERM,
    "sender": ExitStatus.NOPERM,
}


def exit_status(finding: Finding | None) -> ExitStatus:
    """Return the exit status for how a test ended; a warning did not end it."""
    if finding is None or finding.severity is FindingSeverity.WARNING:
        return ExitStatus.OK
    stage, _, cause = finding.code.partition(".")
    return (
        _EXACT.get(finding.code)
        or _BY_CAUSE.get(cause)
        or _BY_STAGE.get(stage)
        or ExitStatus.UNAVAILABLE
    )
