"""Texts for people, chosen by code; the three outcomes are the same in every language."""

from collections.abc import Mapping
from typing import Final

from smtp_desk.core.gate import Outcome, SaveHint
from smtp_desk.core.problems import Problem
from smtp_desk.core.translation import Text, _, mark

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
    SaveHint.NEEDS_TEST: mark("Send a successful test email first."),
    SaveHint.ALL_SAVED: mark("All changes saved"),
    SaveHint.CHANGED: CHANGED,
}

PROBLEMS: Final[Mapping[str, str]] = {
    "control_character": mark("Contains a line break or another control character. Remove it."),
    "too_long": mark("Enter up to {limit} characters. This has {length}."),
    "choice": mark("Choose one of: {choices}."),
    "idn": mark("International name: {unicode} is sent as {ascii}."),
    "host.empty": mark("Enter the name of the SMTP server, for example smtp.example.com."),
    "host.scheme": mark("Enter only the host name, without “{scheme}”."),
    "host.email": mark("This is an email address. Enter the server’s name, for example {host}."),
    "host.path": mark("Enter only the host name, without a path: {host}"),
    "host.space": mark("A host name can’t contain spaces."),
    "host.port": mark("Enter the port in its own field: host {host}, port {port}."),
    "host.label_empty": mark(
        "Part of the name is missing: there are two dots in a row, or a dot at the start."
    ),
    "host.label_long": mark(
        "Each part between dots can have up to 63 characters. “{label}” has {length}."
    ),
    "host.too_long": mark("A host name can have up to 253 characters. This has {length}."),
    "host.invalid_character": mark("A host name can’t contain “{character}” there."),
    "host.idn": mark("Not a valid international name: {reason}."),
    "host.not_ip": mark("{host} looks like an IP address but isn’t valid."),
    "port.empty": mark("Enter a port. Most servers use 587 or 465."),
    "port.not_number": mark("Enter a port from 1 to 65535."),
    "per_hour.not_number": mark(
        "Enter a number from 1 to 9,999,999, or leave it empty for no limit."
    ),
    "port.range": mark("Enter a port from 1 to 65535."),
    "credentials.no_password": mark("Enter the password for this username, or clear both fields."),
    "credentials.no_username": mark("Enter the username for this password, or clear both fields."),
    "credentials.none": mark(
        "Without a username and password, only a server that recognizes this computer by its "
        "address accepts mail."
    ),
    "password.stored_elsewhere": mark(
        "The stored password belongs to other server settings. Retype it."
    ),
    "password.spaces": mark(
        "Google shows app passwords in four groups. The spaces aren’t part of the password."
    ),
    "email.empty": mark("Enter an email address."),
    "email.no_at": mark("An email address has a name, an @ and a domain: name@example.com"),
    "email.display_name": mark("Enter only the address, without a name or angle brackets."),
    "email.several": mark("Enter only one address."),
    "email.domain": mark("“{domain}” isn’t a valid domain."),
    "email.invalid": mark("Not a valid email address: {reason}"),
    "email.intranet": mark("{domain} can only be reached inside your organization."),
    "oauth.no_username": mark("Enter the account that signs in, usually its email address."),
    "oauth.client_id_empty": mark("Enter the client ID of the application you registered."),
    "oauth.client_id": mark(
        "A client ID can’t contain spaces or special characters. Copy it again."
    ),
    "oauth.tenant_empty": mark("Enter your organization’s tenant ID, or one of its domains."),
    "oauth.tenant": mark(
        "Enter the tenant ID, for example 8d1f0c3e-…, or a domain such as example.onmicrosoft.com."
    ),
    "oauth.tenant_of_app": mark(
        "An application that signs in on its own needs your own tenant’s ID."
    ),
    "oauth.tenant_elsewhere": mark("Only Microsoft has tenants. Clear this field."),
    "oauth.url_empty": mark("Enter this address. You’ll find it in your provider’s documentation."),
    "oauth.url": mark("Enter an address such as https://login.example.com/token."),
    "oauth.url_https": mark("The address must start with https://."),
    "oauth.custom_only": mark(
        "SMTP Desk already knows this for Microsoft and Google. Clear this field."
    ),
    "oauth.scope": mark("Separate scopes with spaces. Copy them again."),
    "oauth.no_secret": mark("Enter the client secret, or choose the file with the key."),
    "oauth.secret_too_long": mark(
        "This is larger than 64 KiB, too large for a secret or key file."
    ),
    "oauth.service_account": mark("This isn’t the JSON key file of a service account."),
    "oauth.client_certificate": mark(
        "The PEM file must contain both the certificate and its private key."
    ),
    "oauth.expires_not_a_day": mark("Enter the day as year-month-day, for example 2027-05-30."),
    "oauth.expires_no_such_day": mark("There’s no such day. Check the month and the day."),
    "oauth.expires_past": mark("This day has passed. Enter the day on which the secret expires."),
    "oauth.expires_far": mark(
        "This is more than ten years away. Check the year, or clear this field."
    ),
    "oauth.expires_alone": mark("Enter the client secret, too, or clear this field."),
    "oauth.expires_of_stored": mark(
        "This is the day of the stored client secret. Enter the day of the new one."
    ),
    "ca_file.missing": mark("This file doesn’t exist."),
    "ca_file.unreadable": mark("The file can’t be read."),
    "ca_file.not_pem": mark("This isn’t a PEM file with certificates."),
    "ca_file.no_certificate": mark("The file contains no certificate."),
    "managed.locked": mark("Your organization sets this to “{value}”."),
    "managed.locked_since": mark(
        "Your organization now sets this to “{value}”. The saved value stays in use until you "
        "change these settings."
    ),
    "ca_file.other_host": mark(
        "This CA is trusted only for {host}. Clear the field, or go back to that host."
    ),
    "ca_file.too_large": mark("The file is larger than 1 MiB, too large for a CA certificate."),
}
"""Text of each problem of `problems.Problem.code`, with its params in braces."""


def problem_text(problem: Problem) -> str:
    """Return what is wrong, as one or two sentences."""
    return _(PROBLEMS[problem.code], **problem.params)


def problem_fact(problem: Problem) -> Text:
    """Return what is wrong as a report contains it: in English, translated where it is read."""
    return Text.of((PROBLEMS[problem.code], problem.params))


def save_hint_text(hint: SaveHint) -> str:
    """Return why Save is disabled; "" for nothing to say."""
    return SAVE_HINTS[hint] if hint is SaveHint.CHANGED else _(SAVE_HINTS[hint])
