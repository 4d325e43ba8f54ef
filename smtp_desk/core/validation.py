"""All rules of the form, and the only way from a draft to settings."""

import re
from collections.abc import Iterator
from datetime import date

from smtp_desk.core.address import (
    AddressError,
    Host,
    has_control,
    parse_ehlo_name,
    parse_host,
    parse_mailbox,
)
from smtp_desk.core.oauth import parse_oauth, validate_oauth
from smtp_desk.core.problems import Field, Problem, Severity, errors_among
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import (
    OAUTH,
    AuthMethod,
    CaFile,
    Security,
    ServerSettings,
    SettingsDraft,
    Snapshot,
)

MAX_CREDENTIAL = 255
"""Longest username and password, in code points."""
MAX_FROM_NAME = 255
"""Longest From name, in code points."""
MAX_PORT = 65535

_PER_HOUR = re.compile(r"[1-9][0-9]{0,6}")
_GOOGLE_HOST = re.compile(r"(?:^|\.)(?:gmail|google|googlemail)\.com$")
_GROUPED_APP_PASSWORD = re.compile(r"\s*[a-z]{4}(?:\s[a-z]{4}){3}\s*")


class InvalidDraftError(ValueError):
    """The draft breaks a rule.

    Attributes:
        problems: Every problem of the draft, notices included.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(", ".join(f"{problem.field}: {problem.code}" for problem in problems))
        self.problems = problems


def validate(
    draft: SettingsDraft,
    ca: CaFile | None = None,
    *,
    login: bool = True,
    oauth_ca: CaFile | None = None,
    today: date | None = None,
) -> tuple[Problem, ...]:
    """Return all problems of the form, in the order of its fields.

    Args:
        draft: The form.
        ca: What was read from `draft.ca_file`, or None while it has not been read.
        login: False for a check that ends after TLS and needs no credentials and no From address.
        oauth_ca: The same for `draft.oauth.ca_file`.
        today: As for `validate_oauth`.
    """
    return tuple(_problems(draft, ca, oauth_ca, login=login, today=today))


def parse(
    draft: SettingsDraft,
    ca: CaFile | None = None,
    *,
    login: bool = True,
    oauth_ca: CaFile | None = None,
    today: date | None = None,
) -> Snapshot:
    """Make settings of a draft.

    Args:
        draft: The form.
        ca: What was read from `draft.ca_file`; needed only where that is not empty.
        login: As for `validate`; without it an invalid From address counts as empty.
        oauth_ca: What was read from `draft.oauth.ca_file`; needed only where that is not empty.
        today: As for `validate_oauth`.

    Raises:
        InvalidDraftError: With every problem at once.
    """
    problems = validate(draft, ca, login=login, oauth_ca=oauth_ca, today=today)
    if errors_among(problems):
        raise InvalidDraftError(problems)
    by_token = draft.auth_method == OAUTH
    settings = ServerSettings(
        host=parse_host(draft.host).ascii,
        port=int(draft.port),
        username=draft.username.strip(),
        from_name=draft.from_name.strip(),
        from_email=_address(draft.from_email),
        security=Security(draft.security),
        ca_pem=_pem(draft.ca_file, ca),
        ehlo_name=parse_ehlo_name(draft.ehlo_name) if draft.ehlo_name.strip() else "",
        per_hour=int(draft.per_hour.strip() or 0),
        auth_method=AuthMethod.AUTO if by_token else AuthMethod(draft.auth_method),
        oauth=parse_oauth(draft.oauth, _pem(draft.oauth.ca_file, oauth_ca), _typed(draft))
        if by_token and login
        else None,
    )
    return Snapshot(settings, draft.secret)


def validate_recipient(text: str) -> tuple[Problem, ...]:
    """Find the problems of the one address that a test email goes to."""
    return tuple(_mailbox(Field.RECIPIENT, text))


def app_password_without_spaces(host: str, secret: Secret) -> Secret | None:
    """Return the password without its spaces where they are most likely cosmetic.

    Google shows app passwords as four groups of four letters. For a Google host the program
    offers to remove the spaces, and never does so without asking.
    """
    typed = secret.reveal()
    if not _GOOGLE_HOST.search(host.strip().lower()) or not _GROUPED_APP_PASSWORD.fullmatch(typed):
        return None
    return Secret("".join(typed.split()))


def _typed(draft: SettingsDraft) -> Secret | None:
    return draft.secret if isinstance(draft.secret, Secret) else None


def _problems(
    draft: SettingsDraft,
    ca: CaFile | None,
    oauth_ca: CaFile | None,
    *,
    login: bool,
    today: date | None,
) -> Iterator[Problem]:
    by_token = draft.auth_method == OAUTH
    yield from _host(draft.host)
    yield from _port(draft.port)
    if login:
        yield from _token_credentials(draft) if by_token else _credentials(draft)
        yield from _text(Field.FROM_NAME, draft.from_name, MAX_FROM_NAME)
        yield from _mailbox(Field.FROM_EMAIL, draft.from_email)
    yield from _choice(Field.SECURITY, draft.security, Security)
    yield from _ca_file(Field.CA_FILE, draft.ca_file, ca)
    yield from _ehlo_name(draft.ehlo_name)
    yield from _per_hour(draft.per_hour)
    if not by_token:
        yield from _choice(Field.AUTH_METHOD, draft.auth_method, AuthMethod)
    elif login:
        yield from validate_oauth(draft.oauth, _typed(draft), today)
        yield from _ca_file(Field.OAUTH_CA_FILE, draft.oauth.ca_file, oauth_ca)


def _host(text: str) -> Iterator[Problem]:
    try:
        host = parse_host(text)
    except AddressError as error:
        yield Problem(Field.HOST, error.code, error.params)
    else:
        yield from _idn_notice(host)


def _idn_notice(host: Host) -> Iterator[Problem]:
    if host.is_idn:
        spellings = {"unicode": host.unicode, "ascii": host.ascii}
        yield Problem(Field.HOST, "idn", spellings, Severity.NOTICE)


def _port(text: str) -> Iterator[Problem]:
    digits = text.strip()
    if not digits:
        yield Problem(Field.PORT, "port.empty")
    elif not (digits.isascii() and digits.isdigit()):
        yield Problem(Field.PORT, "port.not_number")
    # A number of a hundred digits is judged by its length: int() refuses absurd ones.
    elif len(digits.lstrip("0")) > len(str(MAX_PORT)) or not 1 <= int(digits) <= MAX_PORT:
        yield Problem(Field.PORT, "port.range")


def _credentials(draft: SettingsDraft) -> Iterator[Problem]:
    yield from _text(Field.USERNAME, draft.username, MAX_CREDENTIAL)
    typed = draft.secret
    if isinstance(typed, Secret):
        yield from _text(Field.PASSWORD, typed.reveal(), MAX_CREDENTIAL, strip=False)
    if draft.username.strip() and not typed:
        yield Problem(Field.PASSWORD, "credentials.no_password")
    elif typed and not draft.username.strip():
        yield Problem(Field.USERNAME, "credentials.no_username")
    elif not typed:
        yield Problem(Field.USERNAME, "credentials.none", severity=Severity.NOTICE)
    elif isinstance(typed, Secret) and app_password_without_spaces(draft.host, typed):
        yield Problem(Field.PASSWORD, "password.spaces", severity=Severity.NOTICE)


def _token_credentials(draft: SettingsDraft) -> Iterator[Problem]:
    """Yield the problems of credentials for a token, which always belongs to an account."""
    yield from _text(Field.USERNAME, draft.username, MAX_CREDENTIAL)
    if not draft.username.strip():
        yield Problem(Field.USERNAME, "oauth.no_username")


def _text(field: Field, text: str, limit: int, *, strip: bool = True) -> Iterator[Problem]:
    value = text.strip() if strip else text
    if has_control(text):
        yield Problem(field, "control_character")
    if len(value) > limit:
        yield Problem(field, "too_long", {"limit": str(limit), "length": str(len(value))})


def _mailbox(field: Field, text: str) -> Iterator[Problem]:
    try:
        mailbox = parse_mailbox(text)
    except AddressError as error:
        yield Problem(field, error.code, error.params)
        return
    if mailbox.domain != mailbox.ascii_domain:
        spellings = {"unicode": mailbox.domain, "ascii": mailbox.ascii_domain}
        yield Problem(field, "idn", spellings, Severity.NOTICE)
    if mailbox.is_intranet:
        yield Problem(field, "email.intranet", {"domain": mailbox.domain}, Severity.NOTICE)


def _address(text: str) -> str:
    """Return the address in `text`, or "" for none: where one is needed, `_mailbox` told."""
    try:
        return parse_mailbox(text).address
    except AddressError:
        return ""


def _choice(field: Field, text: str, choices: type[Security | AuthMethod]) -> Iterator[Problem]:
    if text not in list(choices):
        yield Problem(field, "choice", {"choices": ", ".join(choices)})


def _ca_file(field: Field, text: str, ca: CaFile | None) -> Iterator[Problem]:
    path = text.strip()
    if not path:
        return
    if has_control(path):
        yield Problem(field, "control_character")
    elif ca is not None and ca.problem:
        yield Problem(field, ca.problem, {"path": path})


def _pem(path: str, ca: CaFile | None) -> str:
    return ca.pem if ca is not None and path.strip() else ""


def _ehlo_name(text: str) -> Iterator[Problem]:
    if not text.strip():
        return
    try:
        parse_ehlo_name(text)
    except AddressError as error:
        yield Problem(Field.EHLO_NAME, error.code, error.params)


def _per_hour(text: str) -> Iterator[Problem]:
    if text.strip() and not _PER_HOUR.fullmatch(text.strip()):
        yield Problem(Field.PER_HOUR, "per_hour.not_number")
