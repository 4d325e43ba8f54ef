"""`smtp-desk find`: servers proposed for an address, and where each was found."""

import json
import shlex
from collections.abc import Iterator
from typing import Final

import click

from smtp_desk.app.diagnostics.report_text import Row
from smtp_desk.app.proposals.proposals import FindRequest, as_json, find_proposals
from smtp_desk.app.proposals.words import (
    OAUTH_PROVIDERS,
    SECURITY,
    SOURCES,
    limits_text,
    result_text,
    sign_in_text,
    sureness,
    warning,
)
from smtp_desk.cli.invocation import (
    ExitError,
    Invocation,
    in_background,
    print_rows,
    say,
    show_command,
    write_octets,
)
from smtp_desk.cli.manual import ManualCommand
from smtp_desk.cli.settings_options import resolver_option
from smtp_desk.core.address import AddressError
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.findings.providers import SignIn
from smtp_desk.core.oauth import OAuthProvider
from smtp_desk.core.problems import Field, Problem
from smtp_desk.core.reply import visible
from smtp_desk.core.texts import problem_text
from smtp_desk.core.translation import _, mark
from smtp_desk.discovery.candidates import Asked, Candidate, Discovery
from smtp_desk.smtp.net.deadline import CancelledError
from smtp_desk.store.company_ca import read_ca_file

_OR_WITH: Final = {
    SignIn.PASSWORD: mark("Or with a password:"),
    SignIn.APP_PASSWORD: mark("Or with an app password:"),
    SignIn.API_KEY: mark("Or with an API key:"),
}


@click.command(
    cls=ManualCommand,
    short_help=mark("Find the server for an address."),
    statuses={
        ExitStatus.OK: mark("at least one server was found"),
        ExitStatus.USAGE: mark("the command line is wrong"),
        ExitStatus.DATAERR: mark("ADDRESS isn’t an email address, or the CA file can’t be read"),
        ExitStatus.UNAVAILABLE: mark("nothing was found"),
        ExitStatus.CANCELLED: mark("cancelled by Ctrl-C or SIGTERM"),
    },
    examples=[
        (mark("See which server an address needs"), "smtp-desk find desk@example.org"),
        (mark("For a script"), "smtp-desk find desk@example.org --json"),
    ],
)
@click.argument("address")
@click.option(
    "--ispdb",
    is_flag=True,
    help=mark("Also ask Mozilla’s provider database, which then learns the domain."),
)
@resolver_option
@click.option(
    "--ca-file",
    default="",
    metavar="PATH",
    help=mark("Company CA certificates (PEM) to trust in addition to the system's."),
)
@click.option(
    "--json",
    "as_document",
    is_flag=True,
    help=mark("Print only JSON on standard output."),
)
@click.pass_obj
def find(
    invocation: Invocation,
    address: str,
    *,
    ispdb: bool,
    resolver: str | None,
    ca_file: str,
    as_document: bool,
) -> ExitStatus:
    """Find the server that sends mail for ADDRESS, and say where it was found.

    Known providers come first and need no network. Otherwise the domain’s published mail
    configuration (by https only), its MX and SRV records and common server names are asked, all
    at once, for at most 5 seconds. Nothing is changed, nobody signs in, and no password is
    needed.
    """
    request = FindRequest(
        address=address, ispdb=ispdb, resolver=resolver, ca_pem=_certificates(ca_file)
    )
    console = invocation.err if as_document else invocation.out

    def show(asked: Asked) -> None:
        if asked.result is None:
            text = _(
                "Asking: {source}, {target}", source=_(SOURCES[asked.source]), target=asked.target
            )
            say(console, text, "dim")

    try:
        found = in_background(
            lambda emit, cancel: find_proposals(invocation.services, request, cancel, show=emit),
            show,
        )
    except AddressError as error:
        problem = problem_text(Problem(Field.FROM_EMAIL, error.code, error.params))
        raise ExitError(f"{visible(address)}: {problem}", ExitStatus.DATAERR) from error
    except CancelledError as error:
        raise ExitError(_("Cancelled."), ExitStatus.CANCELLED) from error
    if as_document:
        write_octets(f"{json.dumps(as_json(found), ensure_ascii=False, indent=2)}\n".encode())
    else:
        _print(invocation, found, ispdb=ispdb)
    return ExitStatus.OK if found.candidates else ExitStatus.UNAVAILABLE


def _certificates(path: str) -> str:
    if not path:
        return ""
    ca = read_ca_file(path)
    if ca.problem:
        text = problem_text(Problem(Field.CA_FILE, ca.problem, {"path": path}))
        raise ExitError(text, ExitStatus.DATAERR)
    return ca.pem


def _print(invocation: Invocation, found: Discovery, *, ispdb: bool) -> None:
    out = invocation.out
    for asked in found.asked:
        source = _(SOURCES[asked.source])
        say(out, f"{source}, {visible(asked.target)}: {visible(result_text(asked))}")
    if not found.candidates:
        say(out, _("No server found. Ask your mail administrator, or check the provider’s help."))
        if not ispdb:
            say(
                out,
                _("Add --ispdb to ask Mozilla’s provider database too. It then learns the domain."),
            )
        return
    for number, candidate in enumerate(found.candidates, 1):
        say(out, "")
        print_rows(out, _rows(number, candidate))
        if text := warning(candidate):
            say(out, text, "yellow")
    say(out, "")
    for label, command in _commands(found.candidates[0], found.address):
        say(out, label)
        show_command(out, command)


def _rows(number: int, candidate: Candidate) -> list[Row]:
    rows = [
        (_("Proposal"), f"{number}, {sureness(candidate)}"),
        (_("SMTP server host"), candidate.host),
        (_("Port"), str(candidate.port)),
        (_("Security"), _(SECURITY[candidate.security])),
    ]
    if candidate.username:
        rows.append((_("Username"), visible(candidate.username)))
    rows.append((_("Sign-in"), sign_in_text(candidate)))
    if text := limits_text(candidate):
        rows.append((_("Sending limits"), text))
    return rows


def _commands(candidate: Candidate, address: str) -> Iterator[tuple[str, str]]:
    """Yield how to prove and save a candidate, by each way to sign in that the program has."""
    options = ["--host", candidate.host, "--port", str(candidate.port)]
    options += ["--security", str(candidate.security)]
    if candidate.username.isprintable() and candidate.username:
        options += ["--username", candidate.username]
    options += ["--from-email", address, "--to", address]
    command = f"smtp-desk configure {shlex.join(options)}"
    provider = candidate.oauth_provider
    if not provider:
        yield _("Prove and save the first one:"), command
        return
    by_token = ["--auth", "oauth", "--oauth-provider", provider, "--client-id", "CLIENT_ID"]
    if provider == OAuthProvider.MICROSOFT:
        by_token += ["--tenant", "TENANT"]
    label = _(
        "To prove and save the first one with {name}’s sign-in, register the application as "
        "“smtp-desk sign-in --guide {provider}” says, then:",
        name=OAUTH_PROVIDERS[provider],
        provider=provider,
    )
    yield label, " ".join((command, *by_token))
    if other := next((_OR_WITH[way] for way in candidate.sign_in if way in _OR_WITH), ""):
        yield _(other), command
