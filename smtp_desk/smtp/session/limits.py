"""How long each part of a session may take (RFC 5321, 4.5.3.2)."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """Seconds.

    Attributes:
        total: The whole session; None for no limit of its own.
        connect: Until TCP is connected, all addresses together.
        greeting: Until the banner.
        tls: The TLS handshake.
        command: From a command to its reply.
        idle: The same for the first command on a connection that was idle, whose server may
            have gone without notice.
        data_block: To write one block of the message.
        end: From the final dot to its reply.
        quit: From QUIT to its reply, on which nothing depends.
        patience: Silence before TLS is tried on a second connection.
    """

    total: float | None
    connect: float
    greeting: float = 30
    tls: float = 30
    command: float = 60
    idle: float = 10
    data_block: float = 180
    end: float = 600
    quit: float = 5
    patience: float = 3


def limits_of_a_test(total: float = 60) -> SessionLimits:
    """Return the limits of a test: `total` seconds in all."""
    return SessionLimits(total=total, connect=15, tls=15)


SENDER_LIMITS: Final = SessionLimits(total=None, connect=10, patience=30)
"""The limits of the sender, whose sessions last as long as they are of use.

Its mode is known from the test, so a slow banner is waited for on one connection.
"""
