"""Causes told apart: `python -m tests.bench.bench_causes`, two Markdown tables on standard output.

For each cause a server is started that produces it, and every installed tool is asked to send
one email there (Debian: swaks, libnet-ssleay-perl, curl, msmtp, openssl). The rule, the same for
all: a tool names the cause if anything that it prints matches the regular expression that stands
with the cause below; these take the words of every tool that has words for it, and the words of
the server wherever the tool shows them. What does not match: a symptom that other causes share
("timed out", "certificate verify failed", "wrong version number").
"""

import contextlib
import dataclasses
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

from tests.bench.mail_tools import TOOLS, Target, Told, Tool
from tests.servers.certs import Certificates, Identity
from tests.servers.ports import black_hole
from tests.servers.script import (
    CREDENTIALS,
    END_OF_DATA,
    IMAP,
    Action,
    Close,
    DropLargeHello,
    Raw,
    Reply,
    Script,
    Silence,
)
from tests.servers.scripted import ScriptedServer

_HOST: Final = "127.0.0.1"
_PASSWORD: Final = "correct horse"
_MOST_WORDS: Final = 110
_YES, _NO, _NEVER = "✓", "✗", "–"

Play: TypeAlias = Callable[[Certificates], Script]


@dataclasses.dataclass(frozen=True)
class Cause:
    """One cause.

    Attributes:
        title: for the table.
        named: what a line must match that names it, whatever its case.
        play: the server; None is a port that never answers.
        mode: how the tools are told to speak.
        before_login: whether it shows without signing in.
    """

    title: str
    named: str
    play: Play | None
    mode: str = "starttls"
    before_login: bool = True


def _holds(identity: Callable[[Certificates], Identity]) -> Play:
    return lambda certs: Script(tls=identity(certs).tls)


def _says(moment: str, line: str, *more: Action) -> Play:
    users = {"desk": _PASSWORD}
    action = (Reply(line), *more) if line else more
    return lambda certs: Script(tls=certs.good.tls, users=users, on={moment: action})


CAUSES: Final = (
    Cause(
        "nothing answers on the port",
        r"connect\w*[^\n]*tim(ed|e) ?out|no answer|(doesn.t|does not|did not) answer",
        None,
    ),
    Cause("the port is for IMAP", r"IMAP", lambda _: IMAP),
    Cause("connected, but no greeting", r"greeting|banner", lambda _: Script(greeting=Silence())),
    Cause(
        "STARTTLS on a port with TLS from the start",
        r"(TLS|SSL|encrypted) from the start|implicit (TLS|SSL)|without STARTTLS",
        lambda certs: Script(tls=certs.good.tls, implicit_tls=True),
    ),
    Cause(
        "TLS from the start on a STARTTLS port",
        r"not encrypted from the start|plain ?text|(use|needs|wants) STARTTLS",
        lambda certs: Script(tls=certs.good.tls),
        mode="tls",
    ),
    Cause(
        "no STARTTLS offered",
        r"(not|n't)[^\n]*STARTTLS|STARTTLS[^\n]*not|offers no encryption",
        lambda _: Script(),
    ),
    Cause(
        "certificate: self-signed",
        r"self[- ]signed certificate(?! in)|signed by the server itself",
        _holds(lambda certs: certs.self_signed),
    ),
    Cause(
        "certificate: company CA unknown here",
        r"self[- ]signed certificate in|issuer is unknown|does not trust|local issuer",
        _holds(lambda certs: certs.unknown_issuer),
    ),
    Cause(
        "certificate: a virus scanner's",
        r"Avast",
        _holds(lambda certs: certs.intercepted),
    ),
    Cause(
        "certificate: intermediate not sent",
        r"whole certificate chain|incomplete|unable to verify the first|missing",
        _holds(lambda certs: certs.chain_incomplete),
    ),
    Cause(
        "certificate: for another name",
        r"mismatch|does not match|name matches|not valid for|for other\.example",
        _holds(lambda certs: certs.wrong_host),
    ),
    Cause("certificate: expired", r"expired", _holds(lambda certs: certs.expired)),
    Cause(
        "wrong password",
        r"authentication failed|login denied|refused the username or the password",
        _says(CREDENTIALS, "535 5.7.8 Error: authentication failed"),
        before_login=False,
    ),
    Cause(
        "app password required",
        r"app(lication-specific)? password",
        _says(
            CREDENTIALS,
            "534 5.7.9 Application-specific password required. For more information, go to "
            "https://support.google.com/mail/?p=InvalidSecondFactor",
        ),
        before_login=False,
    ),
    Cause(
        "From address not owned by the login",
        r"not owned|may not send|from address[^\n]*not accepted",
        _says(
            "MAIL",
            "553 5.7.1 <desk@example.test>: Sender address rejected: not owned by user desk",
        ),
        before_login=False,
    ),
    Cause(
        "relaying denied",
        r"relay|won.t relay email to",
        _says("RCPT", "554 5.7.1 <ann@example.test>: Relay access denied"),
        before_login=False,
    ),
    Cause(
        "greylisted",
        r"greylist|accepts the mail at a second try",
        _says("RCPT", "450 4.7.1 <ann@example.test>: Recipient address rejected: Greylisted"),
        before_login=False,
    ),
    Cause(
        "a firewall drops the large first message of TLS",
        r"ClientHello|first message of the encryption|hello[^\n]*large",
        _says("STARTTLS", "220 go", DropLargeHello()),
    ),
    Cause(
        "the server hangs up in the middle of its greeting",
        r"closes the connection[^\n]*before it says anything|greeting[^\n]*(closed|cut|incomplete)",
        lambda _: Script(greeting=(Raw(b"220 mail.exam"), Close())),
    ),
    Cause(
        "password expired",
        r"password[^\n]*(has )?expired",
        _says(CREDENTIALS, "535 5.7.8 Your password has expired, please renew it"),
        before_login=False,
    ),
    Cause(
        "account not activated by the provider yet",
        r"not (yet )?activated|may not send yet",
        _says("RCPT", "502 5.7.0 Your SMTP account is not yet activated. Please contact us"),
        before_login=False,
    ),
    Cause(
        "sending account refused, in words about a mailbox",
        r"refused the sender|From (address|email)[^\n]*refused",
        _says(END_OF_DATA, "550 Request failed; Mailbox unavailable"),
        before_login=False,
    ),
    Cause(
        "cut after the final dot: sent or not?",
        r"(may|might|can|could)[^\n]*(arrive|sent|accepted|delivered)|unconfirmed|uncertain",
        _says(END_OF_DATA, "", Close()),
        before_login=False,
    ),
)


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one tool told of one cause; None where it does not get that far."""

    told: Told | None
    words: str
    named: bool

    def __str__(self) -> str:
        if self.told is None:
            return _NEVER
        return f"{_YES if self.named else _NO} {self.told.seconds:.1f}"


@contextlib.contextmanager
def _server(cause: Cause, certs: Certificates) -> Iterator[int]:
    if cause.play is None:
        with black_hole(_HOST) as port:
            yield port
    else:
        with ScriptedServer(cause.play(certs), host=_HOST) as server:
            yield server.port


def ask(tool: Tool, cause: Cause, certs: Certificates, folder: Path) -> Answer:
    """Let one tool meet one cause, on a server of its own."""
    if not (cause.before_login or tool.signs_in):
        return Answer(None, "", named=False)
    with _server(cause, certs) as port:
        ca_file = certs.root.chain_file
        told = tool.ask(Target(_HOST, port, cause.mode, _PASSWORD, ca_file, folder))
    words = tool.essence_of(told)
    naming = [
        line for line in told.output.splitlines() if re.search(cause.named, line, re.IGNORECASE)
    ]
    if naming and words not in " ".join(naming):
        words = naming[-1]
    return Answer(told, _short(words.replace(str(port), "PORT")), named=bool(naming))


def _short(words: str) -> str:
    words = " ".join(words.lstrip("<>*~ ").split()).replace("|", "¦")
    if len(words) > _MOST_WORDS:
        words = f"{words[: _MOST_WORDS - 1]}…"
    return f"`{words}`" if words else "nothing"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _print_tables(
    titles: list[str], tools: list[Tool], rows: list[tuple[Cause, list[Answer]]]
) -> None:
    write = sys.stdout.write
    write(_row(["cause", *titles]))
    write(_row(["---", *("---:" for _ in tools)]))
    for cause, answers in rows:
        write(_row([cause.title, *map(str, answers)]))
    counts = [sum(answers[at].named for _, answers in rows) for at in range(len(tools))]
    write(_row(["**causes named**", *(f"**{count}/{len(rows)}**" for count in counts)]))
    write("\n")
    write(_row(["cause", "what each prints"]))
    write(_row(["---", "---"]))
    for cause, answers in rows:
        lines = [
            f"{_YES if answer.named else _NO} {tool.name}: {answer.words}"
            for tool, answer in zip(tools, answers, strict=True)
            if answer.told is not None
        ]
        write(_row([cause.title, "<br>".join(lines)]))


def main() -> None:
    """Let every tool meet every cause, and print what came of it."""
    tools = [tool for tool in TOOLS if tool.installed]
    for tool in TOOLS:
        if not tool.installed:
            sys.stderr.write(f"skipped, not installed: {tool.name}\n")
    titles = [tool.title() for tool in tools]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certs = Certificates(folder)
        rows = [(cause, [ask(tool, cause, certs, folder) for tool in tools]) for cause in CAUSES]
    _print_tables(titles, tools, rows)


if __name__ == "__main__":
    main()
