"""Faults that the sandbox can be started with, so that a person can learn to tell causes apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from smtp_desk.core.translation import mark
from smtp_desk.sandbox.recipients import GREYLISTED, MAILBOX_FULL, NO_SUCH_MAILBOX


class At(Enum):
    """Where in a conversation the sandbox answers with the fault's reply."""

    GREETING = auto()
    STARTTLS = auto()
    AUTH = auto()
    MAIL = auto()
    RCPT = auto()
    MESSAGE = auto()


class ShownCertificate(Enum):
    """The certificate that the sandbox presents."""

    GOOD = auto()
    EXPIRED = auto()
    NOT_YET_VALID = auto()
    OTHER_NAME = auto()
    OTHER_ISSUER = auto()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a server.

    Attributes:
        name: Its name on the command line.
        what_happens: A description for the person who chooses it.
        code: The finding that names it.
        replies: The replies to send instead, and where; "" closes the connection.
        hidden: The extension that EHLO does not offer; "" for none.
        certificate: What is shown for a certificate.
    """

    name: str
    what_happens: str
    code: str
    replies: Mapping[At, str] | None = None
    hidden: str = ""
    certificate: ShownCertificate = ShownCertificate.GOOD

    def reply(self, at: At) -> str | None:
        """Return the reply to send there instead; None if nothing is wrong."""
        return (self.replies or {}).get(at)


NO_FAULT: Final = Fault("none", mark("Nothing is wrong"), "")

_ALL: Final = (
    Fault(
        "busy",
        mark("The server has too many connections"),
        "greeting.busy",
        {At.GREETING: "421 4.3.2 Too many connections, try again later"},
    ),
    Fault(
        "blocked-address",
        mark("Your IP address is on a block list"),
        "greeting.refused",
        {At.GREETING: "554 5.7.1 Your IP address 192.0.2.17 is on our block list"},
    ),
    Fault(
        "hangs-up",
        mark("The server closes the connection immediately"),
        "greeting.closed",
        {At.GREETING: ""},
    ),
    Fault(
        "no-starttls", mark("The server offers no encryption"), "tls.not_offered", hidden="STARTTLS"
    ),
    Fault(
        "tls-refused",
        mark("The server has a problem with its encryption"),
        "tls.temporarily_unavailable",
        {At.STARTTLS: "454 4.7.0 TLS not available due to temporary reason"},
    ),
    Fault(
        "expired-certificate",
        mark("The certificate has expired"),
        "tls.expired",
        certificate=ShownCertificate.EXPIRED,
    ),
    Fault(
        "early-certificate",
        mark("The certificate isn’t valid yet"),
        "tls.not_yet_valid",
        certificate=ShownCertificate.NOT_YET_VALID,
    ),
    Fault(
        "other-name",
        mark("The certificate is for another name"),
        "tls.name_mismatch",
        certificate=ShownCertificate.OTHER_NAME,
    ),
    Fault(
        "other-issuer",
        mark("The certificate is from an authority that nobody trusts"),
        "tls.unknown_issuer",
        certificate=ShownCertificate.OTHER_ISSUER,
    ),
    Fault("no-sign-in", mark("The server offers no sign-in"), "auth.not_offered", hidden="AUTH"),
    Fault(
        "wrong-password",
        mark("The server refuses the password"),
        "auth.rejected",
        {At.AUTH: "535 5.7.8 Error: authentication failed: wrong username or password"},
    ),
    Fault(
        "app-password",
        mark("The server requires an app password"),
        "auth.app_password_required",
        {At.AUTH: "534 5.7.9 Application-specific password required"},
    ),
    Fault(
        "too-many-sign-ins",
        mark("There were too many failed sign-ins"),
        "auth.too_many_attempts",
        {At.AUTH: "454 4.7.0 Too many login attempts, please try again later"},
    ),
    Fault(
        "sender-not-owned",
        mark("The account isn’t allowed to send from this address"),
        "sender.not_owned",
        {At.MAIL: "553 5.7.1 Sender address rejected: not owned by the account that signed in"},
    ),
    Fault(
        "quota",
        mark("The account has reached its daily sending limit"),
        "sender.quota",
        {At.MAIL: "450 4.7.1 Daily sending quota exceeded for this account"},
    ),
    Fault(
        "relay-denied",
        mark("The server won’t relay email to other domains"),
        "recipient.relay_denied",
        {At.RCPT: "554 5.7.1 Relay access denied"},
    ),
    Fault(
        "unknown-recipient",
        mark("The recipient doesn’t exist"),
        "recipient.unknown",
        {At.RCPT: NO_SUCH_MAILBOX},
    ),
    Fault(
        "greylisting",
        mark("The server asks for a second attempt later (greylisting)"),
        "recipient.greylisted",
        {At.RCPT: GREYLISTED},
    ),
    Fault(
        "mailbox-full",
        mark("The recipient’s mailbox is full"),
        "recipient.mailbox_full",
        {At.RCPT: MAILBOX_FULL},
    ),
    Fault(
        "spam",
        mark("The email is refused as spam"),
        "message.spam",
        {At.MESSAGE: "554 5.7.1 Message rejected as spam"},
    ),
    Fault(
        "unauthenticated",
        mark("The From domain doesn’t allow this server to send for it"),
        "message.unauthenticated",
        {At.MESSAGE: "550 5.7.26 Unauthenticated email is not accepted due to the DMARC policy"},
    ),
    Fault(
        "too-large",
        mark("The email is too large"),
        "message.too_large",
        {At.MESSAGE: "552 5.3.4 Message size exceeds fixed limit"},
    ),
)
FAULTS: Final[Mapping[str, Fault]] = {fault.name: fault for fault in _ALL}
"""All of them by name, in the order in which a session meets them."""
