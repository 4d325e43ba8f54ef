"""`smtp-desk sign-in`: sign in again for the saved settings, or read how to register for it."""

from typing import Final

import click

from smtp_desk.app.integrations.words import signed_in
from smtp_desk.app.routes.sign_in import (
    NobodySignsInError,
    NoClientSecretError,
    save_expiry,
    sign_in_again,
)
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
from smtp_desk.core.texts import problem_text
from smtp_desk.core.translation import _, mark, told
from smtp_desk.core.validation import InvalidDraftError
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.store.resources import read_guide
from smtp_desk.store.save_protocol import SaveError
from smtp_desk.store.settings_file import SettingsFileError

_SAVED: Final = mark("Saved. You’ll be warned 30 days before the client secret expires.")
_FORGOTTEN: Final = mark("Saved. Nobody will be warned before the client secret expires.")
_STATUSES: Final[Meanings] = {
    ExitStatus.OK: mark("signed in, and the sign-in was saved"),
    ExitStatus.USAGE: mark("the command line is wrong"),
    ExitStatus.DATAERR: mark("the keyring can’t store it (settings.*), or DATE is wrong"),
    ExitStatus.UNAVAILABLE: mark("another failure"),
    ExitStatus.CANTCREAT: mark("DATE couldn’t be saved"),
    ExitStatus.TEMPFAIL: mark("the sign-in service can’t be reached (oauth.unreachable)"),
    ExitStatus.NOPERM: mark("the sign-in was refused or wasn't finished (oauth.*, auth.*)"),
    ExitStatus.CONFIG: mark(
        "no OAuth 2.0 sign-in (or no client secret) is saved, or the settings file can’t be read"
    ),
    ExitStatus.CANCELLED: mark("cancelled by Ctrl-C or SIGTERM (session.cancelled)"),
}


@click.command(
    "sign-in",
    cls=ManualCommand,
    short_help=mark("Sign in again for the saved settings (OAuth 2.0)."),
    statuses=_STATUSES,
    files=FILES,
    examples=[
        (mark("Sign in again when the sign-in has expired"), "smtp-desk sign-in"),
        (
            mark("Read how to register an application with Microsoft"),
            "smtp-desk sign-in --guide microsoft",
        ),
        (
            mark("Note when a client secret expires, to be warned before"),
            "smtp-desk sign-in --client-secret-expires 2027-05-30",
        ),
    ],
)
@click.option(
    "--default",
    is_flag=True,
    help=mark("Sign in for the default service's relay instead of the custom server."),
)
@click.option(
    "--guide",
    type=click.Choice(list(map(str, OAuthProvider))),
    default=None,
    help=mark(
        "Show, step by step, how to register an application with this provider, and do nothing "
        "else."
    ),
)
@click.option(
    "--client-secret-expires",
    "day",
    default=None,
    metavar="DATE",
    help=mark(
        "Save the day on which the client secret expires, such as 2027-05-30, and do nothing "
        "else. You’re warned 30 days before. An empty DATE forgets it."
    ),
)
@click.pass_obj
def sign_in(
    invocation: Invocation, *, default: bool, guide: str | None, day: str | None
) -> ExitStatus:
    """Sign in again as the account that is saved, by browser or device code.

    The settings stay as they are, and proven. System emails are then sent through the server
    again. The sign-in goes into the operating system’s keyring, never into a file.

    Ctrl-C ends it at any moment; nothing changes then.
    """
    if guide is not None:
        click.echo(read_guide(OAuthProvider(guide)), nl=False)
        return ExitStatus.OK
    if day is not None:
        return _save_expiry(invocation, day, default=default)
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
        raise ExitError(told(error), ExitStatus.CONFIG) from error
    except SettingsFileError as error:
        raise ExitError(failure_text(error), ExitStatus.CONFIG) from error
    if done.finding is None:
        say(invocation.out, signed_in(done), "bold green")
    else:
        say(invocation.out, _("Not signed in. Nothing changed."), "bold red")
        print_rows(invocation.out, finding_rows(done.finding))
    return exit_status(done.finding)


def _save_expiry(invocation: Invocation, day: str, *, default: bool) -> ExitStatus:
    try:
        save_expiry(invocation.services, day, default=default)
    except NoClientSecretError as error:
        text = _("The saved server doesn’t sign in with a client secret.")
        raise ExitError(text, ExitStatus.CONFIG) from error
    except InvalidDraftError as error:
        text = " ".join(problem_text(each) for each in error.problems)
        raise ExitError(f"{_('Not saved.')} {text}", ExitStatus.DATAERR) from error
    except SettingsFileError as error:
        raise ExitError(failure_text(error), ExitStatus.CONFIG) from error
    except SaveError as error:
        raise ExitError(failure_text(error), ExitStatus.CANTCREAT) from error
    say(invocation.out, _(_SAVED if day.strip() else _FORGOTTEN))
    return ExitStatus.OK
