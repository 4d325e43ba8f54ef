"""`smtp-desk check`: run the test, save nothing."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from smtp_desk.app.proving.proving import ProofRequest
from smtp_desk.app.words import failure_text
from smtp_desk.cli.invocation import ExitError, FileName, Invocation, reading
from smtp_desk.cli.manual import FILES, PASSWORD_ENVIRONMENT, TEST_STATUSES, ManualCommand
from smtp_desk.cli.proof import Shape, by_configuring, by_options, present, proof_options, run_shown
from smtp_desk.cli.settings_options import (
    draft_of,
    read_secret,
    resolver_option,
    settings_given,
    settings_options,
)
from smtp_desk.core.address import AddressError
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.translation import _, mark
from smtp_desk.smtp.check.check import Steps
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.settings_file import SettingsFileError

if TYPE_CHECKING:
    from datetime import date

    from smtp_desk.smtp.domain.facts import Selector

_NO_RECIPIENT: Final = mark("Missing option '--to'. (--no-login and --no-send don't need it.)")


@click.command(
    cls=ManualCommand,
    short_help=mark("Test SETTINGS, or the saved settings."),
    statuses={**TEST_STATUSES, ExitStatus.CONFIG: mark("no SETTINGS given and nothing configured")},
    environment=PASSWORD_ENVIRONMENT,
    files=FILES,
    examples=[
        (mark("Test the saved settings"), "smtp-desk check --to ann@example.org"),
        (
            mark("Test other settings without saving them (asks for the password)"),
            """
            smtp-desk check --host smtp.example.org --username desk@example.org \\
              --from-email desk@example.org --to ann@example.org
            """,
        ),
        (
            mark("Check a server up to TLS, without a password"),
            "smtp-desk check --host smtp.example.org --no-login",
        ),
        (
            mark("Check whether receivers will trust email from the domain"),
            """
            smtp-desk check --host smtp.example.org --from-email desk@example.org \\
              --no-login --domain --dkim-selector mail
            """,
        ),
        (
            mark("In a script"),
            'smtp-desk check --to ann@example.org --json >report.json || echo "status $?"',
        ),
    ],
)
@settings_options
@click.option(
    "--to", "recipient", default="", metavar="ADDR", help=mark("Where the test email goes.")
)
@click.option(
    "--no-login",
    is_flag=True,
    help=mark("Stop after TLS. Needs no password, From or recipient. Never proves the settings."),
)
@click.option(
    "--no-send",
    is_flag=True,
    help=mark(
        "Stop after the sender: sign in and check whether the From address is accepted, but "
        "send nothing. Never proves the settings."
    ),
)
@resolver_option
@click.option(
    "--domain",
    is_flag=True,
    help=mark(
        "Also check in DNS whether receivers will trust email from the From domain (MX, SPF, "
        "DKIM, DMARC and more); problems are warnings. Takes at most 15 seconds more."
    ),
)
@click.option(
    "--dkim-selector",
    "selectors",
    metavar="NAME",
    multiple=True,
    help=mark("With --domain: check the DKIM key for this selector. Can be repeated."),
)
@click.option(
    "--dkim-message",
    "message",
    type=FileName(),
    default=None,
    metavar="FILE",
    help=mark(
        "With --domain: check the DKIM keys that signed this email, which you saved from the inbox."
    ),
)
@proof_options
@click.pass_context
def check(
    context: click.Context,
    /,
    recipient: str,
    *,
    no_login: bool,
    no_send: bool,
    resolver: str | None,
    domain: bool,
    selectors: tuple[str, ...],
    message: Path | None,
    timeout: float,
    as_json: bool,
    file: Path | None,
    password_stdin: bool,
    **settings: str,
) -> ExitStatus:
    """Test an SMTP server with a real email, and name the true cause of a failure.

    The test connects, requires TLS, signs in and sends one email, exactly as system emails
    are sent. It succeeds only if the server accepts that email.

    SETTINGS are the options from --host to --auth. Given any of them, all come from the
    command line, and neither the saved settings nor the keyring are touched. Without them the
    saved settings are tested, with the password from the keyring.

    Ctrl-C stops the test cleanly, with a report; a second Ctrl-C ends the program at once.
    """
    invocation: Invocation = context.obj
    steps = _steps(no_login=no_login, no_send=no_send)
    if steps is Steps.FULL and not recipient:
        raise click.UsageError(_(_NO_RECIPIENT), context)
    today: date | None = None
    if settings_given(context):
        today = invocation.services.now().date()
        draft = draft_of(invocation, settings, Secret(""))
        if steps is not Steps.NO_LOGIN:
            secret = read_secret(invocation, draft, settings, from_stdin=password_stdin)
            draft = replace(draft, secret=secret)
    elif password_stdin:
        raise click.UsageError(_("--password-stdin goes with SETTINGS such as --host."), context)
    else:
        draft = _saved_draft(invocation)
    if domain:
        _require_domain(context, draft.from_email)
    elif selectors or message is not None:
        raise click.UsageError(_("--dkim-selector and --dkim-message go with --domain."), context)
    request = ProofRequest(
        draft=draft,
        recipient=recipient,
        steps=steps,
        total_seconds=timeout,
        resolver=resolver,
        today=today,
        domain=domain,
        selectors=(*_named(context, selectors), *(_signed(message) if message else ())),
    )
    shape = Shape(as_json, file)
    result = run_shown(invocation, request, shape)
    way = by_options if settings_given(context) else by_configuring
    return present(invocation, result.report, shape, way)


def _require_domain(context: click.Context, from_email: str) -> None:
    if not from_email.strip():
        raise click.UsageError(
            _("--domain checks the From email’s domain. Add --from-email."), context
        )
    # Imported here, as below: few tests ask about the domain.
    from smtp_desk.app.proving.domain import domain_of  # noqa: PLC0415

    try:
        domain_of(from_email)
    except AddressError as error:
        raise click.UsageError(
            _(
                "--domain needs a From email with a domain, but {from_email} has none.",
                from_email=from_email,
            ),
            context,
        ) from error


def _named(context: click.Context, selectors: tuple[str, ...]) -> "tuple[Selector, ...]":
    if not selectors:
        return ()
    from smtp_desk.app.proving.dkim_selectors import read_selectors  # noqa: PLC0415 - as above

    try:
        return read_selectors(" ".join(selectors))
    except ValueError as error:
        raise click.UsageError(
            _("{selector} isn’t a DKIM selector.", selector=repr(str(error))), context
        ) from error


def _signed(message: Path) -> "tuple[Selector, ...]":
    """Return the selectors of an email's signatures."""
    from smtp_desk.app.arrived.email_file import load_header  # noqa: PLC0415 - as above
    from smtp_desk.app.proving.dkim_selectors import selectors_of  # noqa: PLC0415 - as above

    try:
        with reading(message):
            return selectors_of(load_header(message, Cancel()))
    except ValueError as error:
        text = _("{file} has no readable DKIM signature.", file=message)
        raise ExitError(text, ExitStatus.DATAERR) from error


def _steps(*, no_login: bool, no_send: bool) -> Steps:
    if no_login:
        return Steps.NO_LOGIN
    return Steps.NO_SEND if no_send else Steps.FULL


def _saved_draft(invocation: Invocation) -> SettingsDraft:
    """Return the saved settings; the password stays in the keyring until the test needs it."""
    from smtp_desk.app.routes.custom import saved_draft  # noqa: PLC0415 - not where they are given

    store = invocation.services.store
    try:
        server = store.load().server
    except SettingsFileError as error:
        raise ExitError(failure_text(error), ExitStatus.CONFIG) from error
    if server is None:
        raise ExitError(
            _(
                "Nothing is configured. Give SETTINGS such as --host, or save some with "
                "“smtp-desk configure”."
            ),
            ExitStatus.CONFIG,
        )
    return saved_draft(server, store.paths)
