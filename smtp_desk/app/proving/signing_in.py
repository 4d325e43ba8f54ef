"""The sign-in by OAuth 2.0 of a test: a saved one, an earlier test's, or a person's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from smtp_desk.app.services import Services
from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.finding import FindingSeverity
from smtp_desk.core.findings.oauth_errors import oauth_context
from smtp_desk.core.oauth import INTERACTIVE, OAuthSettings
from smtp_desk.core.report import CheckReport
from smtp_desk.core.secret import KeyringEntry, Secret
from smtp_desk.core.settings import Snapshot
from smtp_desk.core.stages import Stage
from smtp_desk.oauth.prompt import Ask
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.credentials import CredentialsUnavailableError, UnavailableReason
from smtp_desk.store.save_protocol import SaveError, SaveReason, SaveStep
from smtp_desk.store.stored import StoredServer

if TYPE_CHECKING:
    from smtp_desk.oauth.source import TokenSource, Vault


@dataclass(frozen=True, slots=True)
class TokenSignIn:
    """A sign-in that a test used, saved or not.

    Attributes:
        settings: How its tokens are obtained.
        username: The account.
        vault: Where its secrets are kept.
        source: Returns its tokens.
        server: The saved server that it belongs to, or None.
    """

    settings: OAuthSettings
    username: str
    vault: "Vault"
    source: "TokenSource"
    server: StoredServer | None

    def is_for(self, values: Snapshot) -> bool:
        """Whether a test of these values may use it again because nothing relevant has changed."""
        if self.server is not None or not isinstance(values.secret, Secret):
            return False
        known = (self.settings, self.username, self.vault.read().secret)
        return known == (values.settings.oauth, values.settings.username, values.secret)

    def named(self, values: Snapshot) -> Snapshot:
        """Return the values with the account that signed in, if it is known."""
        oauth, account = values.settings.oauth, self.source.account
        if oauth is None:
            return values
        saved = self.server.settings.oauth if self.server is not None else None
        issuer, subject = (saved.issuer, saved.subject) if saved else ("", "")
        told = replace(oauth, issuer=account.issuer or issuer, subject=account.subject or subject)
        return replace(values, settings=replace(values.settings, oauth=told))


def sign_in_for(
    services: Services,
    values: Snapshot,
    server: StoredServer | None,
    ask: Ask | None,
    earlier: TokenSignIn | None,
) -> TokenSignIn | None:
    """Return how a test of these values signs in; None if it uses a password.

    Args:
        services: They contain what is saved.
        values: What is tested.
        server: The server whose stored secret the values use, or None.
        ask: Shows a person what to do; None if nobody is there.
        earlier: The sign-in of an earlier test of this session.
    """
    oauth = values.settings.oauth
    if oauth is None:
        return None
    # Imported here: a password does without all of it.
    from smtp_desk.oauth.source import OwnVault, SavedVault, TokenSource  # noqa: PLC0415

    if earlier is not None and earlier.is_for(values):
        return earlier
    vault: Vault
    if server is not None:
        vault, ask = SavedVault(services.store, server), None
    else:
        secret = values.secret if isinstance(values.secret, Secret) else Secret("")
        vault = OwnVault(KeyringEntry(secret))
    username = values.settings.username
    source = TokenSource(oauth, username, vault, services.link_to(oauth), ask=ask)
    return TokenSignIn(oauth, username, vault, source, server)


def with_account(services: Services, report: CheckReport, sign_in: TokenSignIn) -> CheckReport:
    """Return the report with a warning if an account other than the username signed in.

    That is normal for a shared mailbox: the mail server decides.
    """
    name, username = sign_in.source.account.name, sign_in.username
    interactive = sign_in.settings.flow in INTERACTIVE
    if not interactive or not name or name.casefold() == username.casefold() or report.finding:
        return report
    facts = {**oauth_context(sign_in.settings), "account": name, "username": username}
    finding = services.catalogue.warning("oauth.account_mismatch", Stage.TOKEN, facts)
    warning = replace(finding, severity=FindingSeverity.WARNING)
    return replace(report, warnings=(*report.warnings, warning))


@contextmanager
def unchanged(sign_in: TokenSignIn) -> Iterator[KeyringEntry]:
    """Yield the stored secrets of a sign-in, which nobody renews meanwhile.

    Raises:
        SaveError: They can't be read.
    """
    try:
        with sign_in.vault.exclusively(Cancel()):
            yield sign_in.vault.read()
    except SmtpFailure as failure:
        reason = failure.facts.get("reason")
        known = reason if reason in list(UnavailableReason) else UnavailableReason.FAILED
        cause = CredentialsUnavailableError(UnavailableReason(str(known)))
        raise SaveError(SaveStep.SECRET, SaveReason.KEYRING, cause) from failure
