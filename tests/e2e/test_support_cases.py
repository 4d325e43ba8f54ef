"""Ten cases of support: a report file, no access. What its first screen must say, as a checklist.

The cause; who can fix it; a remedy; the server's own words; and no term that is not explained
(`tests/core/findings/test_findings.py` holds that for every text of the catalogue). A screen is
24 lines of 80 characters.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import pytest
from rich.console import Console

from smtp_desk.app.diagnostics.report_text import WHO
from smtp_desk.cli.report import print_report
from smtp_desk.core.report_reader import read_report
from tests.e2e.causes import GREETING, ScriptedReply
from tests.servers.script import CREDENTIALS, END_OF_DATA
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.causes import Checking
    from tests.servers.certs import Certificates

_SCREEN: Final = (24, 80)
_CASES: Final = {
    "blocked address at the greeting": (
        ScriptedReply(GREETING, "554 mail.example.test IP address is block listed"),
        "greeting.refused",
        ("doesn’t accept connections from this network address", "block list", "allow"),
    ),
    "license not accepted": (
        ScriptedReply(CREDENTIALS, "535 5.7.8 Error: authentication failed: Please accept EULA"),
        "auth.web_login_required",
        ("browser",),
    ),
    "quota of the account": (
        ScriptedReply(CREDENTIALS, "535 Quota of emails exceeded"),
        "auth.account_locked",
        ("used up",),
    ),
    "From differs from the login": (
        ScriptedReply("MAIL", "554 Domain used for Authentication is different than the sender's"),
        "sender.not_owned",
        ("isn’t allowed to send as desk@example.test",),
    ),
    "sending limit": (
        ScriptedReply("RCPT", "450 4.7.1 Sender address rejected: sorry, max 2 requests per hour."),
        "sender.quota",
        ("limit", "Wait"),
    ),
    "account on hold": (
        ScriptedReply(END_OF_DATA, "550 Sending from this domain is paused"),
        "sender.account_restricted",
        ("has paused sending", "turn it back on"),
    ),
    "no records of the domain": (
        ScriptedReply(END_OF_DATA, "554 5.7.1 End-of-data rejected: SPF Incorrect"),
        "message.unauthenticated",
        ("example.test", "SPF"),
    ),
    "form of the email": (
        ScriptedReply(END_OF_DATA, "521 5.5.2 Error reading DATA: invalid line ending"),
        "message.malformed",
        ("format",),
    ),
    "relaying": (
        ScriptedReply("RCPT", "554 Refused. Sending to remote addresses (relaying) is not allowed"),
        "recipient.relay_denied",
        ("relay", "Ask the mail administrator"),
    ),
    "unknown words": (
        ScriptedReply(END_OF_DATA, "554 5.0.0 Bxrfl 4711, gnarf"),
        "message.refused",
        ("Bxrfl 4711, gnarf", "Show the server’s reply"),
    ),
}


@pytest.fixture(params=_CASES, ids=str)
def case(
    request: pytest.FixtureRequest, check: Checking, certs: Certificates, tmp_path: Path
) -> tuple[Path, str, tuple[str, ...]]:
    """A customer's report, made by the real engine."""
    reply, code, words = _CASES[request.param]
    file = tmp_path / "customer.smtpdesk"
    with ScriptedServer(reply.script(certs)) as server:
        check(server, "--report", str(file))
    return file, code, words


def _screen(text: str) -> str:
    """Return what stands above the fold, as one word: lines may break anywhere."""
    lines, width = _SCREEN
    rows = [line[at : at + width] for line in text.splitlines() for at in _starts(line)]
    return _word("".join(rows[:lines]))


def _word(text: str) -> str:
    return "".join(text.split())


def _starts(line: str) -> range:
    return range(0, max(len(line), 1), _SCREEN[1])


def _on_terminal(file: Path) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=_SCREEN[1], color_system=None)
    print_report(console, read_report(file.read_bytes()))
    return output.getvalue()


def test_the_first_screen_tells_cause_person_and_next_step(
    case: tuple[Path, str, tuple[str, ...]], check: Checking
) -> None:
    file, code, words = case
    desk = check.desk
    finding = read_report(file.read_bytes()).finding
    assert finding is not None
    assert finding.code == code
    markdown = desk("report", str(file), "--markdown").out
    for screen in map(_screen, (desk("report", str(file)).out, _on_terminal(file), markdown)):
        for text in (finding.summary, WHO[finding.who], finding.remedies[0].text, *words):
            assert _word(text) in screen
