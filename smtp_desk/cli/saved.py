"""`smtp-desk show`, `enable`, `disable` and `remove`: what is saved, and the switch."""

from collections.abc import Callable
from typing import Final

import click

from smtp_desk.app.diagnostics.report_text import Row
from smtp_desk.app.routes.custom import Saved, load_saved, remove_saved, switch_saved
from smtp_desk.app.routes.outage import try_again
from smtp_desk.app.routes.words import NOT_WITHDRAWN, WITHDRAWN, status_text
from smtp_desk.app.words import failure_text
from smtp_desk.cli.invocation import ExitError, Invocation, print_rows, say, system_option
from smtp_desk.cli.manual import FILES, ManualCommand, Meanings
from smtp_desk.cli.sending import NOTHING
from smtp_desk.cli.settings_options import against_locks
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.findings.providers import Providers
from smtp_desk.core.reply import visible
from smtp_desk.core.secret import StoredSecret
from smtp_desk.core.settings import OAUTH
from smtp_desk.core.translation import _, mark, pgettext
from smtp_desk.store.credentials import CredentialStore
from smtp_desk.store.managed import Managed
from smtp_desk.store.save_protocol import SaveError
from smtp_desk.store.stored import NotProvenError, ServerState
from smtp_desk.store.unattended import UnattendedCredentials

_STATUSES: Final[Meanings] = {
    ExitStatus.OK: mark("done"),
    ExitStatus.USAGE: mark("the command line is wrong"),
    ExitStatus.CONFIG: mark("nothing is configured, or the settings file can’t be read"),
}
_CHANGES: Final[Meanings] = {
    **_STATUSES,
    ExitStatus.CANTCREAT: mark("it couldn't be saved; nothing changed"),
}


# Translators: instead of a username, a password, a name or a file.
_NONE: Final = mark("none")


@click.command(
    cls=ManualCommand,
    short_help=mark("Show the saved settings, without the password."),
    statuses=_STATUSES,
    files=FILES,
    examples=[(mark("See what is saved, and whether it is in use"), "smtp-desk show")],
)
@system_option
@click.pass_obj
def show(invocation: Invocation) -> ExitStatus:
    """Show the saved settings and whether system emails use them. Never shows the password."""
    saved = _load(invocation)
    services = invocation.services
    rows = _rows(saved, services.credentials) + _of_provider(saved, services.providers)
    print_rows(invocation.out, rows + _managed_otherwise(saved, services.managed))
    return ExitStatus.OK


@click.command(
    cls=ManualCommand,
    short_help=mark("Send system emails through the saved server."),
    statuses={**_CHANGES, ExitStatus.DATAERR: mark("the saved settings aren't proven")},
    files=FILES,
    examples=[(mark("Turn the switch on"), "smtp-desk enable")],
)
@system_option
@click.pass_obj
def enable(invocation: Invocation) -> ExitStatus:
    """Send system emails through the saved server from now on.

    This needs settings that a test email has proven and that haven’t changed since.

    A server that is unavailable after a failure or a refused sign-in is tried again at once: one
    session up to the sign-in, no email.
    """
    return _change(invocation, lambda: _switch_on(invocation))


@click.command(
    cls=ManualCommand,
    short_help=mark("Stop sending system emails through the saved server."),
    statuses=_CHANGES,
    files=FILES,
    examples=[(mark("Turn the switch off"), "smtp-desk disable")],
)
@system_option
@click.pass_obj
def disable(invocation: Invocation) -> ExitStatus:
    """Stop sending system emails through the saved server; its settings stay.

    The default email service sends them, or they wait in the outbox if that can't be used.
    """
    return _change(invocation, lambda: switch_saved(invocation.services, on=False))


@click.command(
    cls=ManualCommand,
    short_help=mark("Delete the saved server and its password."),
    statuses=_CHANGES,
    files=FILES,
    examples=[(mark("Go back to the default email service"), "smtp-desk remove")],
)
@system_option
@click.pass_obj
def remove(invocation: Invocation) -> ExitStatus:
    """Forget the saved server and its password, without a confirmation prompt.

    The default email service then sends system emails, or they wait in the outbox if that can't
    be used. An OAuth 2.0 sign-in is also revoked at the provider, if the provider offers that.
    """
    removed: list[Saved] = []

    def forget() -> Saved:
        removed.append(remove_saved(invocation.services))
        return removed[0]

    status = _change(invocation, forget)
    if (withdrawn := removed[0].withdrawn) is not None:
        say(invocation.out, _(WITHDRAWN if withdrawn else NOT_WITHDRAWN))
    return status


def _switch_on(invocation: Invocation) -> Saved:
    """Turn the switch on, and try a server again that is in an outage; tell both."""
    services = invocation.services
    saved = switch_saved(services, on=True)
    say(invocation.out, _("The switch is on."))
    if not saved.status.out:
        return saved
    say(invocation.out, try_again(services).text)
    return load_saved(services)


def _load(invocation: Invocation) -> Saved:
    saved = load_saved(invocation.services)
    if saved.status.kind is ServerState.UNREADABLE:
        raise ExitError(status_text(saved.status), ExitStatus.CONFIG)
    if saved.status.server is None:
        raise ExitError(_(NOTHING), ExitStatus.CONFIG)
    return saved


def _change(invocation: Invocation, change: Callable[[], Saved]) -> ExitStatus:
    _load(invocation)
    try:
        saved = change()
    except NotProvenError as error:
        text = f"{_('Not turned on.')} {failure_text(error)}"
        raise ExitError(text, ExitStatus.DATAERR) from error
    except SaveError as error:
        raise ExitError(failure_text(error), ExitStatus.CANTCREAT) from error
    say(invocation.out, status_text(saved.status))
    return ExitStatus.OK


def _sign_in_rows(saved: Saved) -> list[Row]:
    draft, oauth = saved.draft, saved.draft.oauth
    if draft.auth_method != OAUTH:
        return [(_("Sign-in method"), draft.auth_method)]
    rows = [
        (_("Sign-in method"), f"OAuth 2.0, {oauth.provider}, {oauth.flow}"),
        (_("Client ID"), oauth.client_id),
        (_("Tenant"), oauth.tenant),
        (_("Sign-in page"), oauth.authorize_url),
        (_("Token address"), oauth.token_url),
        (_("Device code address"), oauth.device_url),
        (_("Scopes"), oauth.scope),
        (_("CA certificate file of the sign-in"), oauth.ca_file),
        (_("Client secret expires"), oauth.client_secret_expires),
    ]
    return [(label, visible(value)) for label, value in rows if value]


def _where_secret(saved: Saved, credentials: CredentialStore) -> str:
    if not isinstance(saved.draft.secret, StoredSecret):
        return _(_NONE)
    if saved.status.kind is ServerState.SECRET_UNAVAILABLE:
        return _("not available")
    if isinstance(credentials, UnattendedCredentials):
        return _("in the keyring, or else the one passed to this command")
    return _("in the keyring")


def _managed_otherwise(saved: Saved, managed: Managed) -> list[Row]:
    """Mark saved settings that the organization has locked otherwise since; they stay in use."""
    options = against_locks(managed, saved.draft)
    if not options:
        return []
    if not managed.contact:
        text = _("your organization sets these differently: {options}.", options=options)
    else:
        text = _(
            "your organization sets these differently: {options}. Ask {contact}.",
            options=options,
            contact=visible(managed.contact),
        )
    return [(_("Managed"), text)]


def _of_provider(saved: Saved, providers: Providers) -> list[Row]:
    """Say how much the provider lets one account send, where it is known."""
    provider = providers.by_host(saved.draft.host)
    if provider is None or not provider.limits.text:
        return []
    return [
        (
            _("{provider} allows", provider=provider.name),
            f"{_(provider.limits.text)} ({provider.limits.pages[0]})",
        )
    ]


def _rows(saved: Saved, credentials: CredentialStore) -> list[Row]:
    draft = saved.draft
    by_token = draft.auth_method == OAUTH
    return [
        (_("Status"), status_text(saved.status)),
        (
            _("Switch"),
            pgettext("a switch", "on") if saved.status.on else pgettext("a switch", "off"),
        ),
        (_("Proven"), _("yes") if saved.proven else _("no")),
        (_("SMTP server host"), draft.host),
        (_("Port"), draft.port),
        (_("Username"), draft.username or _(_NONE)),
        (_("Sign-in") if by_token else _("Password"), _where_secret(saved, credentials)),
        (_("From name"), draft.from_name or _(_NONE)),
        (_("From email"), draft.from_email),
        (_("Security"), draft.security),
        (_("CA certificate file"), draft.ca_file or _(_NONE)),
        (_("EHLO name"), draft.ehlo_name or _("automatic")),
        *_sign_in_rows(saved),
        (_("Emails per hour at most"), draft.per_hour or _("no limit")),
        *([(_("Warning"), saved.ends)] if saved.ends else []),
    ]
