"""Signing in again for the saved settings, withdrawing the sign-in, its client secret's end."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from smtp_desk.app.routes.outage import end_rest
from smtp_desk.app.routes.route_status import paused_since, server_of
from smtp_desk.app.services import Services
from smtp_desk.app.words import keyring_fact
from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.findings.oauth_errors import oauth_context
from smtp_desk.core.oauth import (
    INTERACTIVE,
    OAuthSettings,
    is_pem,
    oauth_draft,
    parse_oauth,
    takes_client_secret,
    validate_oauth,
)
from smtp_desk.core.secret import KeyringEntry, Secret
from smtp_desk.core.stages import Json, Stage, StageEvent, StageStatus
from smtp_desk.core.validation import InvalidDraftError
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from smtp_desk.store.credentials import CredentialsUnavailableError
from smtp_desk.store.save_protocol import SaveError
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.stored import StoredServer

if TYPE_CHECKING:
    from smtp_desk.oauth.account import Account
    from smtp_desk.oauth.client import Grant, TokenClient
    from smtp_desk.oauth.source import SavedVault

_REVOKES_WITHIN: Final = 5.0

_log: Final = logging.getLogger(__name__)


class NobodySignsInError(Exception):
    """There is no sign-in by a person to repeat; the message says why."""


class NoClientSecretError(Exception):
    """There is no client secret that could expire."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The result of a sign-in.

    Attributes:
        finding: Why it failed; None if it succeeded and is kept.
        account: The account that signed in, if it is known.
        paused: Whether sending is paused, so that nothing is sent now.
    """

    finding: Finding | None
    account: str = ""
    paused: bool = False


def sign_in_again(
    services: Services,
    emit: Callable[[StageEvent | Prompt], None],
    cancel: Cancel,
    *,
    default: bool = False,
) -> SignedIn:
    """Let a person sign in again for the saved settings; blocks until it is done.

    The proof stays valid: only the account that it was made with is accepted. The route's pause
    ends.

    Args:
        services: The services to save with.
        emit: Called for each step, and for what the person has to do.
        cancel: Ends it within milliseconds.
        default: For the relay of the default email service instead of the custom server.

    Raises:
        NobodySignsInError: The saved settings have no such sign-in.
        SettingsFileError: The settings can't be read.
    """
    route = DEFAULT if default else CUSTOM
    server = server_of(services.store.load(), route)
    oauth = server.settings.oauth if server else None
    if server is None or oauth is None:
        raise NobodySignsInError("The saved server doesn’t sign in with OAuth 2.0.")
    if oauth.flow not in INTERACTIVE:
        raise NobodySignsInError("The application signs in on its own, so there’s nothing to do.")
    emit(StageEvent(Stage.TOKEN, StageStatus.STARTED))
    try:
        account = _signed_in(services, server, oauth, emit, cancel)
    except SmtpFailure as failure:
        emit(StageEvent(Stage.TOKEN, StageStatus.FAILED, facts=failure.facts))
        known = {**oauth_context(oauth), "username": server.settings.username}
        return SignedIn(services.catalogue.find(failure, known))
    emit(StageEvent(Stage.TOKEN, StageStatus.PASSED, facts={"account": account.name}))
    end_rest(services, route)
    return SignedIn(None, account.name, paused=paused_since(services) is not None)


def save_expiry(services: Services, day: str, *, default: bool = False) -> None:
    """Save on which day the client secret of the saved server expires; the proof stays valid.

    Args:
        services: The services to save with.
        day: The day as typed; empty for none.
        default: For the relay of the default email service instead of the custom server.

    Raises:
        NoClientSecretError: The saved server has none.
        InvalidDraftError: It is no day, or none on which a secret could expire.
        SettingsFileError: The settings can't be read.
        SaveError: It can't be saved.
    """
    server = server_of(services.store.load(), DEFAULT if default else CUSTOM)
    oauth = server.settings.oauth if server else None
    if server is None or oauth is None or not _has_client_secret(services, server, oauth):
        raise NoClientSecretError
    draft = replace(oauth_draft(oauth), client_secret_expires=day)
    problems = tuple(validate_oauth(draft, None, services.now().date()))
    if problems:
        raise InvalidDraftError(problems)
    services.store.save_expiry(parse_oauth(draft).client_secret_expires, default=default)


def _has_client_secret(services: Services, server: StoredServer, oauth: OAuthSettings) -> bool:
    if not takes_client_secret(oauth.provider, oauth.flow):
        return False
    try:
        entry = services.store.entry(server)
    except CredentialsUnavailableError:
        return True  # as far as can be told
    return entry is None or (bool(entry.secret) and not is_pem(entry.secret))


def _signed_in(
    services: Services,
    server: StoredServer,
    oauth: OAuthSettings,
    emit: Callable[[StageEvent | Prompt], None],
    cancel: Cancel,
) -> "Account":
    # Imported here, and below: a password does without all of it.
    from smtp_desk.oauth.account import account_of  # noqa: PLC0415
    from smtp_desk.oauth.source import SavedVault  # noqa: PLC0415

    vault = SavedVault(services.store, server)
    client = _client(services, server, oauth, vault.read().secret)
    try:
        grant = client.sign_in(emit, cancel)
        account = account_of(grant)
        known, now = (oauth.issuer, oauth.subject), (account.issuer, account.subject)
        if all(known) and all(now) and known != now:
            facts: dict[str, Json] = {"account": account.name, "reason": "other_account"}
            raise SmtpFailure(Stage.TOKEN, "oauth.account_mismatch", facts=facts)
        with vault.exclusively(cancel):
            _keep(vault, grant)
    except CancelledError:
        raise SmtpFailure(Stage.TOKEN, "session.cancelled") from None
    return account


def _keep(vault: "SavedVault", grant: "Grant") -> None:
    try:
        vault.keep(grant)
    except SaveError as error:
        cause = error.cause
        if isinstance(cause, CredentialsUnavailableError):
            problem = keyring_fact(cause.reason, cause.detail)
            facts: dict[str, Json] = {"reason": str(cause.reason), "problem": problem}
        else:
            facts = {"reason": "failed", "problem": str(error)}
        raise SmtpFailure(Stage.TOKEN, "settings.secret_unavailable", facts=facts) from error


def _client(
    services: Services, server: StoredServer, oauth: OAuthSettings, secret: Secret
) -> "TokenClient":
    from smtp_desk.oauth.client import TokenClient  # noqa: PLC0415 - as above

    link = services.link_to(oauth)
    return TokenClient(settings=oauth, secret=secret, username=server.settings.username, link=link)


def to_withdraw(services: Services, *, default: bool) -> Callable[[], bool] | None:
    """Return a function that withdraws a saved sign-in at its service; None if there is none.

    It is prepared now, to be called when nothing is saved any more; it returns whether the service
    withdrew it.
    """
    try:
        server = server_of(services.store.load(), DEFAULT if default else CUSTOM)
        oauth = server.settings.oauth if server else None
        if server is None or oauth is None or oauth.flow not in INTERACTIVE:
            return None
        entry = services.store.entry(server)
    except (CredentialsUnavailableError, SettingsFileError):
        return None
    if entry is None or not entry.refresh_token:
        return None
    link = replace(services.link_to(oauth), seconds=_REVOKES_WITHIN)
    client = replace(_client(services, server, oauth, entry.secret), link=link)
    return lambda: _withdrawn(client, entry)


def _withdrawn(client: "TokenClient", entry: KeyringEntry) -> bool:
    try:
        return client.revoke(entry.refresh_token, Cancel())
    except SmtpFailure as failure:
        _log.info("the sign-in could not be withdrawn: %s", failure)
        return False
