"""Texts for people, in English, chosen by code."""

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
    "too_long": "Enter up to {limit} characters. This has {length}.",
    "choice": "Choose one of: {choices}.",
    "idn": "International name: {unicode} is sent as {ascii}.",
    "host.empty": "Enter the name of the SMTP server, for example smtp.example.com.",
    "host.scheme": "Enter only the host name, without “{scheme}”.",
    "host.email": "This is an email address. Enter the server’s name, for example {host}.",
    "host.path": "Enter only the host name, without a path: {host}",
    "host.space": "A host name can’t contain spaces.",
    "host.port": "Enter the port in its own field: host {host}, port {port}.",
    "host.label_empty": (
        "Part of the name is missing: there are two dots in a row, or a dot at the start."
    ),
    "host.label_long": (
        "Each part between dots can have up to 63 characters. “{label}” has {length}."
    ),
    "host.too_long": "A host name can have up to 253 characters. This has {length}.",
    "host.invalid_character": "A host name can’t contain “{character}” there.",
    "host.idn": "Not a valid international name: {reason}.",
    "host.not_ip": "{host} looks like an IP address but isn’t valid.",
    "port.empty": "Enter a port. Most servers use 587 or 465.",
    "port.not_number": "Enter a port from 1 to 65535.",
    "per_hour.not_number": "Enter a number from 1 to 9,999,999, or leave it empty for no limit.",
    "port.range": "Enter a port from 1 to 65535.",
    "credentials.no_password": "Enter the password for this username, or clear both fields.",
    "credentials.no_username": "Enter the username for this password, or clear both fields.",
    "credentials.none": (
        "Without a username and password, only a server that recognizes this computer by its "
        "address accepts mail."
    ),
    "password.stored_elsewhere": "The stored password belongs to other server settings. Retype it.",
    "password.spaces": (
        "Google shows app passwords in four groups. The spaces aren’t part of the password."
    ),
    "email.empty": "Enter an email address.",
    "email.no_at": "An email address has a name, an @ and a domain: name@example.com",
    "email.display_name": "Enter only the address, without a name or angle brackets.",
    "email.several": "Enter only one address.",
    "email.domain": "“{domain}” isn’t a valid domain.",
    "email.invalid": "Not a valid email address: {reason}",
    "email.intranet": "{domain} can only be reached inside your organization.",
    "oauth.no_username": "Enter the account that signs in, usually its email address.",
    "oauth.client_id_empty": "Enter the client ID of the application you registered.",
    "oauth.client_id": "A client ID can’t contain spaces or special characters. Copy it again.",
    "oauth.tenant_empty": "Enter your organization’s tenant ID, or one of its domains.",
    "oauth.tenant": "Enter the tenant ID, for example 8d1f0c3e-…, or a domain such as "
    "example.onmicrosoft.com.",
    "oauth.tenant_of_app": "An application that signs in on its own needs your own tenant’s ID.",
    "oauth.tenant_elsewhere": "Only Microsoft has tenants. Clear this field.",
    "oauth.url_empty": "Enter this address. You’ll find it in your provider’s documentation.",
    "oauth.url": "Enter an address such as https://login.example.com/token.",
    "oauth.url_https": "The address must start with https://.",
    "oauth.custom_only": "SMTP Desk already knows this for Microsoft and Google. Clear this field.",
    "oauth.scope": "Separate scopes with spaces. Copy them again.",
    "oauth.no_secret": "Enter the client secret, or choose the file with the key.",
    "oauth.secret_too_long": "This is larger than 64 KiB, too large for a secret or key file.",
    "oauth.service_account": "This isn’t the JSON key file of a service account.",
    "oauth.client_certificate": (
        "The PEM file must contain both the certificate and its private key."
    ),
    "ca_file.missing": "This file doesn’t exist.",
    "ca_file.unreadable": "The file can’t be read.",
    "ca_file.not_pem": "This isn’t a PEM file with certificates.",
    "ca_file.no_certificate": "The file contains no certificate.",
    "managed.locked": "Your organization sets this to “{value}”.",
    "managed.locked_since": (
        "Your organization now sets this to “{value}”. The saved value stays in use until you "
        "change these settings."
    ),
    "ca_file.other_host": (
        "This CA is trusted only for {host}. Clear the field, or go back to that host."
    ),
    "ca_file.too_large": "The file is larger than 1 MiB, too large for a CA certificate.",
}
"""Text of each problem of `problems.Problem.code`, with its params in braces."""


def problem_text(problem: Problem) -> str:
    """Return what is wrong, as one or two sentences in English."""
    return PROBLEMS[problem.code].format_map(problem.params)
