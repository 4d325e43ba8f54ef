"""The words of the Diagnostics page, for people who have never heard of SMTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from smtp_desk.app.diagnostics.report_text import moment, outcome_text, shown
from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.arrived import Belief
from smtp_desk.core.findings.finding import Who
from smtp_desk.core.findings.wording import plain_name
from smtp_desk.core.problems import Field
from smtp_desk.core.stages import Json, Stage, StageStatus
from smtp_desk.ui.integrations.words import cut, duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtp_desk.core.report import CheckReport

BUSY: Final[Mapping[Busy, str]] = {
    Busy.NOTHING: "",
    Busy.TESTING: "Sending a test email with the values in the form…",
    Busy.ASKING: "Checking the From email’s domain in DNS…",
    Busy.CHECKING: "Checking the server with the values in the form, without signing in…",
    Busy.CANCELLING: "Cancelling…",
    Busy.READING: "Reading the report file…",
    Busy.WRITING: "Saving the report…",
    Busy.COPYING: "Copying…",
    Busy.HIDING: "Hiding addresses and usernames…",
    Busy.COMPARING: "Comparing the two reports…",
}
"""What runs for the page."""

_WHO: Final[Mapping[Who, str]] = {
    Who.YOU: "You, or whoever manages these settings.",
    Who.MAIL_ADMINISTRATOR: "The mail server’s administrator.",
    Who.NETWORK_ADMINISTRATOR: "The network administrator, who often also manages the firewall.",
    Who.PROVIDER: "The email provider, through its support or website.",
    Who.PROGRAM: "The developers of this program. Please send them this report.",
}
_WHOEVER: Final = "The person who set up email there."

MEANINGS: Final[Mapping[Stage, str]] = {
    Stage.SETTINGS: "Is everything filled in correctly?",
    Stage.TOKEN: "Does the provider let this account sign in, and issue a token?",
    Stage.RESOLVE: "Which network addresses does the host name have?",
    Stage.CONNECT: "Does the server answer on this port?",
    Stage.GREETING: "Does it introduce itself as a mail server?",
    Stage.EHLO: "SMTP Desk says who it is, and the server says what it supports.",
    Stage.TLS: (
        "The connection is encrypted (TLS), and the server proves its identity with a "
        "certificate. Nothing secret is sent before that."
    ),
    Stage.AUTH: "Does the server accept the username and the password or token?",
    Stage.SENDER: "May this account send from the From email?",
    Stage.RECIPIENT: "Does the server accept email for this recipient?",
    Stage.MESSAGE: "The email itself is sent, and the server confirms that it has it.",
    Stage.DONE: "Goodbye. A failure here doesn’t change the result.",
}
BELIEFS: Final[Mapping[Belief, str]] = {
    Belief.BELIEVED: "Receivers will trust email from {domain}.",
    Belief.DOUBTED: "Some receivers won’t trust email from {domain}.",
    Belief.DISBELIEVED: "Receivers won’t trust email from {domain}.",
    Belief.UNKNOWN: "We can’t tell whether receivers will trust email from {domain}.",
}
"""Whether email will be believed, without the reason."""
STATUSES: Final[Mapping[StageStatus, str]] = {
    StageStatus.STARTED: "didn’t finish",
    StageStatus.PASSED: "passed",
    StageStatus.WARNED: "passed with a warning",
    StageStatus.FAILED: "failed here",
    StageStatus.SKIPPED: "not needed",
}
FIELDS: Final[Mapping[str, str]] = {
    Field.HOST: "SMTP server host",
    Field.PORT: "Port",
    Field.USERNAME: "Username",
    Field.PASSWORD: "Password",
    Field.FROM_NAME: "From name",
    Field.FROM_EMAIL: "From email",
    Field.SECURITY: "Security",
    Field.CA_FILE: "CA certificate file",
    Field.EHLO_NAME: "EHLO name",
    Field.AUTH_METHOD: "Sign-in method",
    Field.RECIPIENT: "Send test email to",
}
_NAMES: Final[Mapping[str, str]] = {
    **FIELDS,
    "account": "Account that signed in",
    "address": "Address used",
    "addresses": "Addresses tried",
    "begins": "Valid from",
    "belief": "Will receivers trust email",
    "belief_reason": "Why",
    "bare_lf": "Line endings don’t follow the standard",
    "cause": "What happened",
    "cipher": "Cipher",
    "client_id": "Client ID",
    "clock": "This computer’s clock",
    "clock_checked": "Clock compared with the sign-in service",
    "clock_wrong": "This computer’s clock is wrong",
    "correlation_id": "Correlation ID",
    "dkim": "DKIM: keys of signatures",
    "dmarc": "DMARC: what to do with forgeries",
    "dmarc_domain": "DMARC record found at",
    "dmarc_policy": "DMARC policy that applies",
    "dmarc_testing": "DMARC policy is being tested",
    "domain_exists": "Exists in DNS",
    "extensions": "What it supports",
    "extensions_before_tls": "What it supports before TLS",
    "enhanced": "Enhanced code",
    "error_code": "Error number",
    "found": "Addresses found",
    "from_domain": "From domain",
    "host": "Host",
    "initial_response": "Signed in with one command",
    "mechanism": "Sign-in method used",
    "mechanisms": "Sign-in methods offered",
    "mode": "How TLS began",
    "mta_sts": "MTA-STS: encryption of its incoming mail",
    "mx": "MX: who receives its mail",
    "mx_dnssec": "MX validated by the DNS server (DNSSEC)",
    "not_checked": "Not checked",
    "not_looked_at": "Not examined",
    "openssl": "OpenSSL",
    "qt": "Qt",
    "reply_code": "Reply code",
    "size": "Size in bytes",
    "server_date": "The sign-in service’s clock",
    "since": "Valid until",
    "spf": "SPF: who may send for it",
    "spf_allows_server": "SPF allows this server",
    "time": "Created at",
    "tls_rpt": "TLS-RPT: reports about its incoming mail",
    "token": "What the token contains",
    "token_fault": "What’s wrong with the token",
    "token_host": "Sign-in service",
    "token_refusal": "Server’s reply about the token",
    "version": "TLS version",
    "wanted_scope": "Permission that sending needs",
    "words": "Server’s reply",
    "authorize_url": "Sign-in page",
    "device_url": "Device code address",
    "flow": "Sign-in flow",
    "scope": "Scopes",
    "tenant": "Tenant",
    "token_url": "Token address",
    "oauth_provider": "Sign-in provider",
    "target": "It redirects to",
    "valid_until": "Token valid until",
}
_VALUES: Final[Mapping[tuple[str, str], str]] = {
    ("belief", "believed"): "Yes",
    ("belief", "doubted"): "Not all of them",
    ("belief", "disbelieved"): "No",
    ("belief", "unknown"): "Unknown",
    ("cause", "message.lost_before_end"): "The server closed the connection.",
    ("cause", "session.cancelled"): "The test was cancelled.",
    ("cause", "session.closed"): "The server closed the connection.",
    ("cause", "session.protocol_error"): "We couldn’t understand the reply.",
    ("cause", "session.timeout"): "No reply came in time.",
    ("mode", "starttls"): "STARTTLS: the connection is encrypted after the greeting",
    ("mode", "tls"): "TLS from the start",
    ("token_fault", "account"): "Another account",
    ("token_fault", "audience"): "Issued for another service",
    ("token_fault", "expired"): "Has expired",
    ("token_fault", "issuer"): "From another sign-in service",
    ("token_fault", "not_yet_valid"): "Not valid yet",
    ("token_fault", "opaque"): "Only the sign-in service can read it",
    ("token_fault", "scope"): "Doesn’t allow sending",
    ("token_fault", "tenant"): "From another tenant",
    ("token_fault", "too_long"): "Too long",
    ("token_fault", "unreadable"): "Damaged",
    ("security", "auto"): "Automatic",
    ("security", "starttls"): "STARTTLS",
    ("security", "tls"): "TLS from the start",
    ("auth_method", "auto"): "Automatic",
    ("auth_method", "plain"): "PLAIN",
    ("auth_method", "login"): "LOGIN",
    ("auth_method", "cram-md5"): "CRAM-MD5",
    ("auth_method", "scram-sha-256"): "SCRAM-SHA-256",
}
PORTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "starttls": ("Works with Security set to STARTTLS", "success", "success"),
    "tls": ("Works with Security set to TLS from the start", "success", "success"),
    "smtp_without_tls": ("A mail server, but without encryption (TLS)", "warning", "warning"),
    "closed": ("Nothing is listening", "failed", "muted"),
    "silent": ("No answer (often a firewall)", "failed", "muted"),
    "other": ("Something else went wrong", "failed", "muted"),
}
"""What a port's answer means, with icon and tone."""

_SUBJECTS: Final = frozenset({"certificate", "issuer", "subject"})
_MOMENTS: Final = frozenset({"begins", "clock", "server_date", "since", "time"})
_CHECKED: Final = (
    "The server answers, the connection is encrypted and its certificate is trusted. Only a "
    "test email can show whether it accepts the password and the From email."
)
_ACCEPTED: Final = "The server accepted the email. If it doesn’t arrive, check the spam folder."


def verdict(report: CheckReport) -> str:
    """Return the result of a report in one sentence."""
    if report.finding is not None and not report.cancelled:
        return report.finding.summary
    return outcome_text(report)


def explanation(report: CheckReport) -> str:
    """Return what the verdict means."""
    if report.finding is not None:
        return report.finding.explanation
    if report.sent:
        return _ACCEPTED
    last = {result.stage for result in report.stages if result.status is StageStatus.PASSED}
    return _CHECKED if Stage.TLS in last and Stage.AUTH not in last else ""


def who(who: Who, *, own: bool) -> str:
    """Return who can fix it; in another person's report, "you" means that person."""
    return _WHO[who] if own or who is not Who.YOU else _WHOEVER


def tone(report: CheckReport) -> str:
    """Return the tone of the verdict."""
    if report.cancelled:
        return "plain"
    return "danger" if report.finding is not None else "success"


def label(name: str) -> str:
    """Return the name of a fact or setting as a person reads it."""
    return _NAMES.get(name) or cut(name.replace("_", " ").strip().capitalize(), 80)


def value(name: str, found: Json) -> str:
    """Return a fact as a person reads it; a very long one is shortened."""
    if name == "addresses" and isinstance(found, list):
        return cut("\n".join(_attempt(each) for each in found))
    text = shown(found)
    if name in _MOMENTS:
        return cut(moment(text), 80)
    if name in _SUBJECTS:
        return cut(plain_name(text))
    return _VALUES.get((name, text)) or cut(text)


def _attempt(found: Json) -> str:
    if not isinstance(found, dict):
        return shown(found)
    told = f"{shown(found.get('address', ''))}: {shown(found.get('result', '')).replace('_', ' ')}"
    if isinstance(ms := found.get("ms"), int) and ms:
        told += f" after {duration(ms)}"
    return f"{told} ({shown(found['reason'])})" if found.get("reason") else told
