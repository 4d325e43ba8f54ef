"""`smtp-desk version`: which version this is, and with `--check` whether there is a newer one."""

import json

import click

from smtp_desk import __version__
from smtp_desk.app.installation import this_installation
from smtp_desk.app.updates import UpdatesError, find_updates
from smtp_desk.app.words import failure_text
from smtp_desk.cli.invocation import ExitError, Invocation, in_background, say, write_octets
from smtp_desk.cli.manual import FILES, ManualCommand
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.translation import _, mark, told
from smtp_desk.smtp.net.deadline import CancelledError
from smtp_desk.store.settings_file import SettingsFileError


@click.command(
    cls=ManualCommand,
    short_help=mark("Show the version, or check for a newer one."),
    statuses={
        ExitStatus.OK: mark("done, whether or not there is a newer version"),
        ExitStatus.USAGE: mark("the command line is wrong"),
        ExitStatus.UNAVAILABLE: mark("the list of versions isn’t set or can’t be read"),
        ExitStatus.CONFIG: mark("the settings file can’t be read"),
        ExitStatus.CANCELLED: mark("cancelled by Ctrl-C or SIGTERM"),
    },
    files=FILES,
    examples=[
        (mark("See whether there is a newer version"), "smtp-desk version --check"),
        (mark("For a script"), "smtp-desk version --check --json"),
    ],
)
@click.option(
    "--check", is_flag=True, help=mark("Check whether a newer version has been published.")
)
@click.option(
    "--json",
    "as_document",
    is_flag=True,
    help=mark("Print only JSON on standard output; with --check."),
)
@click.pass_obj
def version(invocation: Invocation, *, check: bool, as_document: bool) -> ExitStatus:
    """Show which version this is.

    With --check, one https request asks the package index in your settings for the list of
    published versions, and the answer says how to update this copy. Nothing about you or this
    computer is sent. SMTP Desk never checks on its own. The index is set by
    updates = "https://…/simple/smtp-desk/" in the section [preferences] of settings.toml.
    """
    if not check:
        if as_document:
            raise click.UsageError(_("--json needs --check."))
        say(invocation.out, f"SMTP Desk {__version__}")
        return ExitStatus.OK
    try:
        found = in_background(
            lambda _emit, cancel: find_updates(invocation.services, cancel), lambda _event: None
        )
    except UpdatesError as error:
        raise ExitError(told(error), ExitStatus.UNAVAILABLE) from error
    except SettingsFileError as error:
        raise ExitError(failure_text(error), ExitStatus.CONFIG) from error
    except CancelledError as error:
        raise ExitError(_("Cancelled."), ExitStatus.CANCELLED) from error
    installation = this_installation()
    if as_document:
        document = json.dumps(found.as_json(installation), ensure_ascii=False, indent=2)
        write_octets(f"{document}\n".encode())
        return ExitStatus.OK
    for line in found.lines(installation):
        say(invocation.out, line)
    return ExitStatus.OK
