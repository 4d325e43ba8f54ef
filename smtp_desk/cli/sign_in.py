"""`smtp-desk sign-in`: sign in again for the saved settings, or read how to register for it."""

from typing import Final

import click

from smtp_desk.app.integrations.words import signed_in
from smtp_desk.app.routes.sign_in import NobodySignsInError, sign_in_again
from smtp_desk.app.words import failure_text
from smtp_desk.cli.invocation import (
    ExitError,
    Invocation,
    in_background,
    print_rows,
    say,
)
from smtp_desk.cli.manual import FILES, ManualCommand, Meanings
from smtp_desk.cli.oauth_options import show_prompt
from smtp_desk.cli.render import StagePrinter, finding_rows
from smtp_desk.core.exit_status import ExitStatus, exit_status
from smtp_desk.core.oauth import OAuthProvider
from smtp_desk.core.stages import StageEvent
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.store.resources import read_guide
from smtp_desk.store.settings_file import SettingsFileError

_STATUSES: Final[Meanings] = {
    ExitStatus.OK: "signed in, and the sign-in was saved",
    ExitStatus.USAGE: "the command line is wrong",
    ExitStatus.DATAERR: "the keyring can’t store it (settings.*)",
    ExitStatus.UNAVAILABLE: "another failure",
    ExitStatus.TEMPFAIL: "the sign-in service can’t be reached (oauth.unreachable)",
    ExitStatus.NOPERM: "the sign-in was refused or wasn't finished (oauth.*, auth.*)",
    ExitStatus.CONFIG: "no OAuth 2.0 sign-in is saved, or the settings file can’t be read",
    ExitStatus.CANCELLED: "cancelled by Ctrl-C or SIGTERM (session.cancelled)",
}


@click.command(
    "sign-in",
    cls=ManualCommand,
    short_help="Sign in again for the saved settings (OAuth 2.0).",
    statuses=_STATUSES,
    files=FILES,
    examples=[
        ("Sign in again when the sign-in has expired", "smtp-desk sign-in"),
        (
            "Read how to register an application with Microsoft",
            "smtp-desk sign-in --guide microsoft",
        ),
    ],
)
@click.option(
    "--default",
    is_flag=True,
    help="Sign in for the default service's relay instead of the custom server.",
)
@click.option(
    "--guide",
    type=click.Choice(list(map(str, OAuthProvider))),
    default=None,
    help=(
        "Show, step by step, how to register an application with this provider, and do nothing "
        "else."
    ),
)
@click.pass_obj
def sign_in(invocation: Invocation, *, default: bool, guide: str | None) -> ExitStatus:
    """Sign in again as the account that is saved, by browser or device code.

    The settings stay as they are, and proven. System emails are then sent through the server
    again. The sign-in goes into the operating system’s keyring, never into a file.

    Ctrl-C ends it at any moment; nothing changes then.
    """
    if guide is not None:
        click.echo(read_guide(OAuthProvider(guide)), nl=False)
        return ExitStatus.OK
    printer = StagePrinter(invocation.out)

    def show(event: StageEvent | Prompt) -> None:
        if isinstance(event, Prompt):
            show_prompt(invocation.out, event, opening=invocation.attended)
        else:
            printer.show(event)

    services = invocation.services
    try:
        with printer:
            done = in_background(
                lambda emit, cancel: sign_in_again(services, emit, cancel, default=default), show
            )
    except NobodySignsInError as error:
        raise ExitError(str(error), ExitStatus.CONFIG) from error
    except SettingsFileError as error:
        raise ExitError(failure_text(error), ExitStatus.CONFIG) from error
    if done.finding is None:
        say(invocation.out, signed_in(done), "bold green")
    else:
        say(invocation.out, "Not signed in. Nothing changed.", "bold red")
        print_rows(invocation.out, finding_rows(done.finding))
    return exit_status(done.finding)
