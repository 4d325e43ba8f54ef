"""The words of the Integrations page, chosen from codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from smtp_desk.app.integrations.ca_offer import DIGITS, Typed
from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.routes.words import relay_text, status_text
from smtp_desk.core.gate import Outcome
from smtp_desk.core.oauth import OAuthFlow, OAuthProvider
from smtp_desk.core.settings import AuthMethod, Security
from smtp_desk.core.stages import Stage, StageStatus
from smtp_desk.store.stored import ServerState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smtp_desk.app.integrations.state import IntegrationsState
    from smtp_desk.app.routes.route_status import RouteStatus
    from smtp_desk.core.findings.finding import Finding
    from smtp_desk.core.findings.providers import Provider


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
        status: Says how the server stands.
    """

    name: str
    title: str
    explanation: str
    card: str
    question: str
    consequence: str
    status: Callable[[RouteStatus], str]


CUSTOM: Final = PageWords(
    name="integrations",
    title="Integrations",
    explanation="Send system emails through your own mail server, from your own address.",
    card="Custom SMTP server",
    question="Remove the configuration of the custom SMTP server?",
    consequence="System emails will be sent by the default email service, or wait in the outbox "
    "if that isn’t set up. The settings and the stored password are deleted.",
    status=status_text,
)
RELAY: Final = PageWords(
    name="relay",
    title="Your organization’s relay",
    explanation=(
        "The default email service uses it to send what the custom server can’t. It has its own "
        "address and password."
    ),
    card="Relay",
    question="Remove the configuration of the relay?",
    consequence=(
        "If it’s the default email service, emails will wait in the outbox. The settings and the "
        "stored password are deleted."
    ),
    status=relay_text,
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
    AuthMethod.SCRAM_SHA_256: "SCRAM-SHA-256",
}
CREDENTIALS: Final[Mapping[str, str]] = {
    "": "Password",
    OAuthProvider.MICROSOFT: "Sign in with Microsoft",
    OAuthProvider.GOOGLE: "Sign in with Google",
    OAuthProvider.CUSTOM: "Other OAuth 2.0",
}
FLOWS: Final[Mapping[str, str]] = {
    OAuthFlow.BROWSER: "A person signs in with the browser",
    OAuthFlow.APP: "The application signs in on its own",
    OAuthFlow.SERVICE_ACCOUNT: "A service account acts for the mailbox",
    OAuthFlow.DEVICE: "A person signs in with a code on another device",
}
FLOW_HINTS: Final[Mapping[str, str]] = {
    OAuthFlow.BROWSER: "Once, when you send the test email. The sign-in is kept in the keyring.",
    OAuthFlow.APP: "For unattended platforms: with a client secret or a certificate.",
    OAuthFlow.SERVICE_ACCOUNT: "For Google Workspace: with the JSON key file of the account.",
    OAuthFlow.DEVICE: "Many organizations block this. Use it only if nothing else works.",
}
GUIDE: Final = "How to register the application"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretWords:
    """How a secret is spoken of.

    Attributes:
        label: Its label.
        show: What reveals it.
        no: What empties a stored one; "" where the sign-in needs it.
        stored: What takes the stored one again.
        never: Why a stored one can't be revealed.
    """

    label: str
    show: str
    no: str = ""
    stored: str
    never: str


_CLIENT_SECRET: Final = SecretWords(
    label="Client secret",
    show="Show client secret",
    stored="Use stored client secret",
    never="The stored client secret is never shown again",
)
_CHOSEN_SECRET: Final = replace(
    _CLIENT_SECRET, label="Client secret, if there is one", no="Use no client secret"
)
SECRETS: Final[Mapping[str, SecretWords]] = {
    "": SecretWords(
        label="Pass&word",
        show="Show password",
        no="Use no password",
        stored="Use stored password",
        never="The stored password is never shown again",
    ),
    OAuthFlow.BROWSER: _CHOSEN_SECRET,
    OAuthFlow.DEVICE: _CHOSEN_SECRET,
    OAuthFlow.APP: _CLIENT_SECRET,
    OAuthFlow.SERVICE_ACCOUNT: SecretWords(
        label="Key file",
        show="Show key file",
        stored="Use stored key file",
        never="The stored key file is never shown again",
    ),
}
_PASSWORDS_END: Final = (
    "Microsoft 365 refuses passwords for sending by default from the end of December 2026."
)
STAGES: Final[Mapping[Stage, str]] = {
    Stage.SETTINGS: "Check the settings",
    Stage.TOKEN: "Sign in to the provider",
    Stage.RESOLVE: "Find the server",
    Stage.CONNECT: "Connect",
    Stage.GREETING: "Wait for the greeting",
    Stage.EHLO: "Say hello (EHLO)",
    Stage.TLS: "Encrypt and verify the server",
    Stage.AUTH: "Sign in",
    Stage.SENDER: "Sender accepted",
    Stage.RECIPIENT: "Recipient accepted",
    Stage.MESSAGE: "Send the message",
    Stage.DONE: "Close the connection",
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

STATUS_LOOK: Final[Mapping[ServerState, tuple[str, str]]] = {
    ServerState.NOT_CONFIGURED: ("info", "muted"),
    ServerState.OFF: ("power", "muted"),
    ServerState.UNPROVEN: ("warning", "warning"),
    ServerState.ACTIVE: ("success", "success"),
    ServerState.SECRET_UNAVAILABLE: ("key", "danger"),
    ServerState.UNREADABLE: ("error", "danger"),
}
"""Icon and tone of a status."""
OUT_LOOK: Final = ("warning", "danger")
"""Icon and tone of a server that is out."""

BUSY: Final[Mapping[Busy, str]] = {
    Busy.NOTHING: "",
    Busy.LOADING: "Reading the saved settings…",
    Busy.TESTING: "Testing the values in the form…",
    Busy.SIGNING_IN: "Waiting for the sign-in…",
    Busy.CANCELLING: "Cancelling…",
    Busy.SAVING: "Saving…",
    Busy.REMOVING: "Removing…",
    Busy.SWITCHING: "Switching…",
    Busy.TRYING: "Trying the server…",
}
"""What runs in the background."""

TYPED: Final[Mapping[Typed, str]] = {
    Typed.UNFINISHED: f"Type the last {DIGITS} digits that the mail administrator gives you.",
    Typed.NOT_HEX: "A fingerprint has only the digits 0 to 9 and the letters A to F.",
    Typed.WRONG: "These digits don’t match. Read them again with the administrator. If they still "
    "differ, someone between you and the server may be showing you a certificate of their own: "
    "don’t trust it, and tell your network administrator.",
    Typed.RIGHT: "The digits match.",
}
SEND_TIP: Final = "Sends a real email with the values in the form (Ctrl+T)"
SAVE_TIP: Final = "Saves the tested settings (Ctrl+S)"
CANCEL_TIP: Final = "Cancels the test (Esc)"
LAST_TEST: Final = "Last test"
LAST_TEST_DETAIL: Final = "The form has changed since. This stays here until the next test."
OUTDATED: Final = "The saved settings were changed outside this window. Your changes are kept here."
OVERWRITE: Final = "Replace the saved settings?"
OVERWRITTEN: Final = (
    "They were changed outside this window after you opened it. If you save, yours replace them."
)
DISCARD: Final = "Discard your changes?"
DISCARDED: Final = "What you typed will be lost, and the form will show what’s saved."
NOTHING_CHANGED: Final = "Nothing was changed."
NOTHING_CONFIGURED: Final = "Nothing is configured yet."


def credential_hint(state: IntegrationsState) -> str:
    """Return what is good to know before a credential is chosen."""
    at_microsoft = state.provider is not None and state.provider.id == "microsoft"
    return _PASSWORDS_END if at_microsoft and not state.oauth.provider else ""


def per_hour_hint(provider: Provider | None) -> str:
    """Return what helps to choose how many emails per hour may be sent."""
    allowed = "As your provider allows."
    if provider is not None and provider.limits.text:
        allowed = f"{provider.name} allows {provider.limits.text}."
    return f"{allowed} Leave empty for no limit."


def use_host(host: str, port: str) -> str:
    """Return the offer to take host and port out of what was pasted."""
    return f"Use host {host} and port {port}" if port else f"Use host {host}"


def discard_reason(state: IntegrationsState) -> str:
    """Return why Discard changes is disabled, or ""."""
    return "" if state.changed else NOTHING_CHANGED


def remove_reason(state: IntegrationsState) -> str:
    """Return why Remove configuration is disabled, or ""."""
    return "" if state.status.server is not None else NOTHING_CONFIGURED


_SECOND: Final = 1000
_LONGEST: Final = 2200
"""Room for the longest link that a server may name, and the words before it."""


def duration(ms: int) -> str:
    """Return milliseconds as a person reads them."""
    return f"{ms} ms" if ms < _SECOND else f"{ms / _SECOND:.1f} s"


def cut(text: str, longest: int = _LONGEST) -> str:
    """Return `text`, its end replaced by a dot-dot-dot where it is too long to be read."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def server_words(finding: Finding) -> str:
    """Return the server's reply, code and all, or "" where none came."""
    reply = finding.reply
    if reply is None:
        return ""
    codes = f"{reply.code} {reply.enhanced}" if reply.enhanced else str(reply.code)
    return f"{codes} " + "\n".join(reply.lines)
