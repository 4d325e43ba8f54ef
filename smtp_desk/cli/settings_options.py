"""SETTINGS on the command line: the options of check and configure, and the password."""

import shlex
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from smtp_desk.app.words import failure_text
from smtp_desk.cli.invocation import ExitError, Invocation, say
from smtp_desk.cli.oauth_options import (
    OAUTH_SETTINGS,
    key_file_secret,
    oauth_draft_of,
    oauth_options,
    secret_name,
)
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.reply import visible
from smtp_desk.core.secret import KeyringEntry, Secret
from smtp_desk.core.settings import DEFAULT_PORT, OAUTH, AuthMethod, Security, SettingsDraft
from smtp_desk.core.translation import _, mark
from smtp_desk.smtp.net.resolve import DnsResolver
from smtp_desk.store.credentials import CredentialsUnavailableError
from smtp_desk.store.managed import Managed
from smtp_desk.store.unattended import GivenSecrets

_F = TypeVar("_F", bound=Callable[..., Any])

SETTINGS: Final = (
    "host",
    "port",
    "username",
    "from_name",
    "from_email",
    "security",
    "ca_file",
    "ehlo_name",
    "auth_method",
    "per_hour",
)
"""The options, by the name of the field of `SettingsDraft` that each fills."""

_NO_HOST: Final = mark(
    "--host is missing. If you give any of SETTINGS, all of them must come from the command line."
)
_MOST_PASSWORD_BYTES: Final = 64 * 1024

# Values that break a rule of the form are findings of the test, not usage errors: so the
# texts here are taken as they are, the port included.
_OPTIONS: Final = (
    click.option("--host", default="", metavar="HOST", help=mark("SMTP server host.")),
    click.option(
        "--port", default=DEFAULT_PORT, show_default=True, help=mark("Port."), metavar="PORT"
    ),
    click.option(
        "--username",
        default="",
        metavar="NAME",
        help=mark("Username, often the full email address. Leave it out to skip sign-in."),
    ),
    click.option("--from-name", default="", metavar="NAME", help=mark("From name.")),
    click.option("--from-email", default="", metavar="ADDR", help=mark("From email.")),
    click.option(
        "--security",
        type=click.Choice(list(map(str, Security))),
        default=str(Security.AUTO),
        show_default=True,
        help=mark(
            "How TLS starts. auto: TLS from the start on port 465, otherwise STARTTLS. If a "
            "server stays silent for 3 s, whichever it answers. TLS is always required."
        ),
    ),
    click.option(
        "--ca-file",
        default="",
        metavar="PATH",
        help=mark("Company CA certificates (PEM) to trust in addition to the system’s."),
    ),
    click.option(
        "--ehlo-name",
        default="",
        metavar="NAME",
        help=mark("Name for EHLO.  [default: the address literal of the socket]"),
    ),
    click.option(
        "--auth",
        "auth_method",
        type=click.Choice([*map(str, AuthMethod), OAUTH]),
        default=str(AuthMethod.AUTO),
        show_default=True,
        help=mark(
            "Sign-in method; auto uses the first one the server offers. oauth: a token (OAuth "
            "2.0) instead of a password, for Microsoft 365, Google and others."
        ),
    ),
    click.option(
        "--per-hour",
        default="",
        metavar="N",
        help=mark("Emails per hour at most, for all programs together.  [default: no limit]"),
    ),
    click.option(
        "--password-stdin",
        is_flag=True,
        help=mark("Read the password from standard input, without its final newline."),
    ),
)


def _resolver(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    if value is not None:
        try:
            DnsResolver.at(value)
        except ValueError as error:
            raise click.BadParameter(
                _("{value} isn’t an IP address with a port.", value=repr(value))
            ) from error
    return value


resolver_option: Final = click.option(
    "--resolver",
    metavar="HOST:PORT",
    callback=_resolver,
    help=mark("Ask this DNS server (an IP address) instead of the system."),
)
"""Gives a command a DNS server of its own."""


def settings_options(command: _F) -> _F:
    """Give a command the options of SETTINGS, in the order of the form."""
    command = oauth_options(command)
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_given(context: click.Context) -> bool:
    """Whether the command line has any of SETTINGS: then all of them come from there."""
    return any(
        context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        for name in (*SETTINGS, *OAUTH_SETTINGS)
    )


def options_of(changes: Mapping[str, str]) -> str:
    """Return the options that make the changes of a remedy, as typed in a shell.

    A value may come from a server: "" if one isn't plain text.
    """
    if not changes.keys() <= set(SETTINGS) or not all(map(str.isprintable, changes.values())):
        return ""
    names = {name: f"--{name.replace('_', '-')}" for name in SETTINGS} | {"auth_method": "--auth"}
    return " ".join(
        f"{names[name]} {shlex.quote(value)}"
        if value
        else _("without {option}", option=names[name])
        for name, value in changes.items()
    )


def draft_of(
    invocation: Invocation,
    values: Mapping[str, str],
    secret: Secret,
    *,
    managed: Managed | None = None,
) -> SettingsDraft:
    """Return the form's draft of the options' values, as typed; report a missing host.

    Args:
        invocation: Where to report it.
        values: The values by option.
        secret: The secret that was given.
        managed: What the organization manages, which fills in options not given.
    """
    fields: dict[str, Any] = {name: values[name] for name in SETTINGS}
    draft = SettingsDraft(**fields, secret=secret, oauth=oauth_draft_of(values))
    if managed is not None:
        draft = managed.fill(draft)
    if not draft.host.strip():
        say(invocation.err, _(_NO_HOST))
    return draft


def refuse_against_locks(managed: Managed, draft: SettingsDraft) -> None:
    """Go on only if the draft keeps what the organization has locked.

    Raises:
        ExitError: It doesn't; the message says what is managed, and who to ask.
    """
    if options := against_locks(managed, draft):
        text = _(
            "Your organization manages these settings: {options}. Nothing was done.",
            options=options,
        )
        if managed.contact:
            text = f"{text} {_('Ask {contact}.', contact=visible(managed.contact))}"
        raise ExitError(text, ExitStatus.DATAERR)


def against_locks(managed: Managed, draft: SettingsDraft) -> str:
    """Return the options that would keep what is locked; "" if the draft keeps it."""
    return options_of({str(name): managed.values[name] for name in managed.against_locks(draft)})


def read_secret(
    invocation: Invocation,
    draft: SettingsDraft,
    values: Mapping[str, str],
    *,
    from_stdin: bool,
    default: bool = False,
) -> Secret:
    """Return the password from where it was given; empty if there is none.

    That is standard input, a key file (OAuth 2.0), or what the machine supplies for the server
    (`default`: for the relay of the default email service), or, with a username and somebody
    there to answer, a prompt.

    Raises:
        click.UsageError: Standard input is no UTF-8, or it is given twice.
        click.Abort: The prompt was not answered.
        ExitError: The key file, or the systemd credential, can't be read.
    """
    from_file = key_file_secret(values)
    if from_file is not None:
        if from_stdin:
            raise click.UsageError(_("--password-stdin: the key file already contains the secret."))
        return from_file
    if from_stdin:
        return _read_stdin()
    try:
        given = GivenSecrets.read(invocation.environ).of(default=default)
    except CredentialsUnavailableError as error:
        raise ExitError(failure_text(error), ExitStatus.DATAERR) from error
    if given is not None:
        entry = KeyringEntry.parse(given)  # what `configure --system` gives holds more
        return entry.secret if entry else given
    name = secret_name(draft)
    if name and draft.username.strip() and invocation.attended:
        return Secret(click.prompt(name, hide_input=True, default="", show_default=False))
    return Secret("")


def _read_stdin() -> Secret:
    """Read the password; one that is too long is left so, for the form's rules to name."""
    octets = sys.stdin.buffer.read(_MOST_PASSWORD_BYTES) if sys.stdin is not None else b""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise click.UsageError(_("--password-stdin: standard input isn’t UTF-8.")) from error
    return Secret(text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text)
