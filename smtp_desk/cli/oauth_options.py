"""`--auth oauth` on the command line: its options, its secret, and what a person has to do."""

import os
import threading
import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from smtp_desk.cli.invocation import ExitError, Output, reading, say, show_command
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.oauth import (
    INTERACTIVE,
    MAX_SECRET,
    OAuthDraft,
    OAuthFlow,
    OAuthProvider,
    takes_client_secret,
)
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import OAUTH, SettingsDraft
from smtp_desk.core.system import this_system
from smtp_desk.core.translation import _, mark, plural
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.store.files import read_regular

_F = TypeVar("_F", bound=Callable[..., Any])

_FIELDS: Final[Mapping[str, str]] = {
    "oauth_provider": "provider",
    "oauth_flow": "flow",
    "client_id": "client_id",
    "tenant": "tenant",
    "oauth_authorize_url": "authorize_url",
    "oauth_token_url": "token_url",
    "oauth_device_url": "device_url",
    "oauth_scope": "scope",
    "oauth_ca_file": "ca_file",
    "client_secret_expires": "client_secret_expires",
}
"""The field of `OAuthDraft` that each option fills."""
KEY_FILES: Final = ("client_certificate", "service_account")
"""The options that name a file with the secret."""
OAUTH_SETTINGS: Final = (*_FIELDS, *KEY_FILES)
"""The options, by name."""

_SECRET_OPTIONS: Final = (
    click.option(
        "--client-certificate",
        default="",
        metavar="PEM",
        help=mark(
            "With the flow app: the file with the certificate and its private key, instead of "
            "a client secret."
        ),
    ),
    click.option(
        "--service-account",
        default="",
        metavar="JSON",
        help=mark("With the flow service-account: its key file."),
    ),
    click.option(
        "--client-secret-expires",
        default="",
        metavar="DATE",
        help=mark(
            "The day on which the client secret expires, such as 2027-05-30, to be warned 30 days "
            "before. To change only this, use “smtp-desk sign-in”."
        ),
    ),
)
_OPTIONS: Final = (
    click.option(
        "--oauth-provider",
        type=click.Choice(list(map(str, OAuthProvider))),
        default=None,
        help=mark("With --auth oauth: the provider."),
    ),
    click.option(
        "--oauth-flow",
        type=click.Choice(list(map(str, OAuthFlow))),
        default=str(OAuthFlow.BROWSER),
        show_default=True,
        help=mark(
            "How to get a token: a person signs in once, here (browser) or on another device, or "
            "the application signs in on its own."
        ),
    ),
    click.option(
        "--client-id",
        default="",
        metavar="ID",
        help=mark(
            "Client ID of the application you registered; “smtp-desk sign-in --guide” shows how."
        ),
    ),
    click.option(
        "--tenant", default="", metavar="T", help=mark("Microsoft: your tenant’s ID or domain.")
    ),
    *_SECRET_OPTIONS,
    click.option(
        "--oauth-authorize-url",
        default="",
        metavar="URL",
        help=mark("Custom: authorization address, where people sign in."),
    ),
    click.option(
        "--oauth-token-url", default="", metavar="URL", help=mark("Custom: token address.")
    ),
    click.option(
        "--oauth-device-url",
        default="",
        metavar="URL",
        help=mark("Custom: device authorization address."),
    ),
    click.option(
        "--oauth-scope", default="", metavar="SCOPES", help=mark("Custom: the scopes to request.")
    ),
    click.option(
        "--oauth-ca-file",
        default="",
        metavar="PATH",
        help=mark("Custom: company CA certificates (PEM) to trust for these addresses."),
    ),
)


def oauth_options(command: _F) -> _F:
    """Give a command the options of `--auth oauth`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def secret_options(command: _F) -> _F:
    """Give a command the options that say where the secret is, and when it expires."""
    for option in reversed(_SECRET_OPTIONS):
        command = option(command)
    return command


def oauth_draft_of(values: Mapping[str, str]) -> OAuthDraft:
    """Return the draft of the options' values, as typed; empty without `--auth oauth`.

    Raises:
        click.UsageError: They are used without `--auth oauth`, or a day without a client secret.
    """
    if values["auth_method"] == OAUTH:
        draft = OAuthDraft(**{field: values[name] or "" for name, field in _FIELDS.items()})
        refuse_expiry(draft, values)
        return draft
    given = [name for name in OAUTH_SETTINGS if name != "oauth_flow" and values[name]]
    if given:
        raise click.UsageError(
            _("--{option} goes with --auth oauth.", option=given[0].replace("_", "-"))
        )
    return OAuthDraft()


def refuse_expiry(draft: OAuthDraft, values: Mapping[str, str]) -> None:
    """Go on unless a day is given on which no client secret can expire.

    Raises:
        click.UsageError: It is.
    """
    by_key_file = any(values[name] for name in KEY_FILES)
    takes_secret = takes_client_secret(draft.provider, draft.flow) and not by_key_file
    if values["client_secret_expires"] and not takes_secret:
        raise click.UsageError(_("--client-secret-expires goes with a client secret."))


def key_file_secret(values: Mapping[str, str]) -> Secret | None:
    """Return the content of the file with the secret; None if no file is named.

    Raises:
        click.UsageError: Two are named.
        ExitError: It can't be read.
    """
    files = [values[name] for name in KEY_FILES if values.get(name)]
    if not files:
        return None
    if len(files) > 1:
        raise click.UsageError(_("Give --client-certificate or --service-account, not both."))
    with reading(files[0]):
        octets = read_regular(Path(files[0]), MAX_SECRET + 1)
    try:
        return Secret(octets.decode())
    except UnicodeDecodeError:
        text = _("{file} isn’t a PEM or JSON file.", file=files[0])
        raise ExitError(text, ExitStatus.DATAERR) from None


def secret_name(draft: SettingsDraft) -> str:
    """Return the name of a draft's secret for its prompt; "" to ask for none."""
    if draft.auth_method != OAUTH:
        return _("Password")
    provider, flow = draft.oauth.provider, draft.oauth.flow
    if not takes_client_secret(provider, flow):
        return ""
    if flow in INTERACTIVE:
        return _("Client secret (press Enter if you have none)")
    return _("Client secret")


def show_prompt(console: Output, prompt: Prompt, *, opening: bool) -> None:
    """Print what the person has to do, and open the page if there is a browser."""
    minutes = max(round(prompt.seconds / 60), 1)
    if prompt.user_code:
        text = plural(
            "Within {count} minute, open this page on any device and enter the code there:",
            "Within {count} minutes, open this page on any device and enter the code there:",
            minutes,
        )
        say(console, text)
        show_command(console, prompt.url)
        show_command(console, prompt.user_code)
        say(
            console,
            _("Many organizations block device codes. You can use the flow browser instead."),
        )
        return
    text = plural(
        "Sign in on this page within {count} minute:",
        "Sign in on this page within {count} minutes:",
        minutes,
    )
    say(console, text)
    show_command(console, prompt.url)
    if opening and _has_browser():
        page = (prompt.url,)
        threading.Thread(target=webbrowser.open, args=page, name="browser", daemon=True).start()


def _has_browser() -> bool:
    """Whether a window can open: browsers of a terminal would take it over."""
    if this_system().always_has_display:
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
