"""Texts for people, chosen from codes. English; faces translate them by their code."""

from collections.abc import Mapping
from typing import Final

from smtp_desk.core.gate import Outcome, SaveHint
from smtp_desk.core.problems import Problem

SUCCESS: Final = "Test email sent successfully"
UNREACHABLE: Final = "Could not reach the SMTP server. Verify the host and port."
CHANGED: Final = "Settings changed since the last test. Re-test to enable saving."

OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.SUCCESS: SUCCESS,
    Outcome.UNREACHABLE: UNREACHABLE,
    Outcome.CHANGED: CHANGED,
}
SAVE_HINTS: Final[Mapping[SaveHint, str]] = {
    SaveHint.NONE: "",
    SaveHint.NEEDS_TEST: "Send a successful test email first.",
    SaveHint.ALL_SAVED: "All changes saved",
    SaveHint.CHANGED: CHANGED,
}

PROBLEMS: Final[Mapping[str, str]] = {
    "control_character": "Contains a line break or another control character. Remove it.",
    "too_long": "At most {limit} characters; this has {length}.",
    "choice": "Choose one of: {choices}.",
    "idn": "International name: {unicode} is written {ascii} on the wire.",
    "host.empty": "Enter the name of the SMTP server, for example smtp.example.com.",
    "host.scheme": "Enter the host name alone, without “{scheme}”.",
    "host.email": "This is an email address. Enter the name of the server, perhaps {host}.",
    "host.path": "Enter the host name alone, without a path: {host}",
    "host.space": "A host name contains no spaces.",
    "host.port": "Enter the port in its own field: host {host}, port {port}.",
    "host.label_empty": "Two dots in a row, or a dot at the start: a part of the name is missing.",
    "host.label_long": "Each part between dots has at most 63 characters; “{label}” has {length}.",
    "host.too_long": "A host name has at most 253 characters; this has {length}.",
    "host.invalid_character": "“{character}” can’t stand there in a host name.",
    "host.idn": "Not a valid international name: {reason}.",
    "host.not_ip": "{host} looks like an IP address but is none.",
    "port.empty": "Enter a port: 587 or 465 for most servers.",
    "port.not_number": "A port is a number from 1 to 65535.",
    "per_hour.not_number": "Enter a number from 1 to 9,999,999, or leave it empty for no limit.",
    "port.range": "Enter a port from 1 to 65535.",
    "credentials.no_password": "Enter the password for this username, or clear both fields.",
    "credentials.no_username": "Enter the username that goes with the password, or empty both.",
    "credentials.none": "Without username and password only a server that knows this machine "
    "by its address accepts mail.",
    "password.stored_elsewhere": "The stored password belongs to other server settings. "
    "Type it again.",
    "password.spaces": "Google shows app passwords in four groups; the spaces are not part of it.",
    "email.empty": "Enter an email address.",
    "email.no_at": "An email address has a name, an @ and a domain: name@example.com",
    "email.display_name": "Enter the address alone, without a name or angle brackets.",
    "email.several": "Enter one address only.",
    "email.domain": "“{domain}” is no valid domain.",
    "email.invalid": "Not a valid email address: {reason}",
    "email.intranet": "{domain} can be reached only inside your organization.",
    "oauth.no_username": "Enter the account that signs in, usually its email address.",
    "oauth.client_id_empty": "Enter the client ID of the application you registered.",
    "oauth.client_id": "A client ID has no spaces or special characters. Copy it again.",
    "oauth.tenant_empty": "Enter your organization’s tenant ID, or one of its domains.",
    "oauth.tenant": "Enter the tenant ID, for example 8d1f0c3e-…, or a domain such as "
    "example.onmicrosoft.com.",
    "oauth.tenant_of_app": "An application that signs in by itself needs your own tenant’s ID.",
    "oauth.tenant_elsewhere": "Only Microsoft has tenants. Clear this field.",
    "oauth.url_empty": "Enter this address; your provider’s documentation has it.",
    "oauth.url": "This isn’t an address such as https://login.example.com/token.",
    "oauth.url_https": "The address must start with https://.",
    "oauth.custom_only": "SMTP Desk knows this for Microsoft and Google. Clear this field.",
    "oauth.scope": "Scopes are words with spaces between them. Copy them again.",
    "oauth.no_secret": "Enter the client secret, or choose the file with the key.",
    "oauth.secret_too_long": "This is larger than 64 KiB: not a secret or a key file.",
    "oauth.service_account": "This isn’t the JSON key file of a service account.",
    "oauth.client_certificate": "The PEM file must hold both the certificate and its private key.",
    "ca_file.missing": "There is no such file.",
    "ca_file.unreadable": "The file can’t be read.",
    "ca_file.not_pem": "This is no PEM file with certificates.",
    "ca_file.no_certificate": "The file holds no certificate.",
    "managed.locked": "Your organization sets this to “{value}”.",
    "managed.locked_since": "Your organization now sets this to “{value}”. The saved value stays "
    "in service until you change these settings.",
    "ca_file.other_host": "This CA was trusted for {host} only. Empty the field, or go back to "
    "that host.",
    "ca_file.too_large": "The file is larger than 1 MiB: too large for a CA certificate.",
}
"""Text of each problem of `problems.Problem.code`, with its params in braces."""


def problem_text(problem: Problem) -> str:
    """Return what is wrong, as one or two sentences in English."""
    return PROBLEMS[problem.code].format_map(problem.params)
