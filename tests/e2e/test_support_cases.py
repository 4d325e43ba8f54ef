"""Ten cases of support, from the report file to the message that is sent. The checklist:

1. The first screen tells the cause; who can fix it; a remedy; the server's own words; and no term
   that is not explained (`tests/core/findings/test_findings.py` holds that for every text of the
   catalogue). A screen is 24 lines of 80 characters.
2. The file is dropped on the window: its head tells file, From, To, username, server and time;
   below it stand the same cause, person, words and remedy, all in sight on a screen of 1366x768.
3. Two presses copy the message: to the customer, the mail administrator or the provider. It tells
   cause, server's words, time, server and what to do, and has no link that works.
4. With *Hide addresses* nobody's address is in the message.
5. After the fix, a second report compared with the first says that it works.
"""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Final

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QPushButton, QWidget
from rich.console import Console

from smtp_desk.app.diagnostics.report_text import WHO, head_rows
from smtp_desk.app.diagnostics.support_message import AUDIENCES, broken_links
from smtp_desk.app.services import Services
from smtp_desk.cli.report import print_report
from smtp_desk.core.report_reader import read_report
from smtp_desk.core.texts import SUCCESS
from smtp_desk.ui.desk import Desk
from smtp_desk.ui.diagnostics.words import who
from tests.e2e.causes import GREETING, ScriptedReply
from tests.servers.script import CREDENTIALS, END_OF_DATA
from tests.servers.scripted import ScriptedServer
from tests.ui.fitting import in_sight, lay_out
from tests.ui.test_diagnostics_passing_on import drop, files

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from smtp_desk.core.report import CheckReport
    from tests.e2e.causes import Checking
    from tests.servers.certs import Certificates

_SCREEN: Final = (24, 80)
_WINDOWS: Final = QSize(1256, 706), QSize(1040, 706)
"""On a screen of 1366x768."""
_PATIENCE_MS: Final = 30_000
_BREAK: Final = "\u200b"
"""Where a label may break a long word."""
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


def _time_and_server(report: CheckReport) -> list[str]:
    rows = dict(head_rows(report))
    return [f"Server: {rows['Server']}", f"Time: {rows['Time']}"]


def _shown(page: QWidget) -> str:
    texts = (each.text() for each in page.findChildren(QLabel) if each.isVisible())
    return _word(" ".join(texts)).replace(_BREAK, "")


def _copied(qtbot: QtBot, page: QWidget, number: int) -> str:
    """Return the message to one of the audiences, copied by two presses."""
    message = page.findChildren(QPushButton, "copy_message")[-1]
    QApplication.clipboard().clear()
    qtbot.waitUntil(message.isEnabled, timeout=_PATIENCE_MS)
    message.menu().actions()[number].trigger()
    qtbot.waitUntil(lambda: QApplication.clipboard().text() != "", timeout=_PATIENCE_MS)
    return QApplication.clipboard().text()


def _check_message(report: CheckReport, number: int, text: str) -> None:
    """Hold the third line of the checklist; number 0 is the customer."""
    finding, told = report.finding, _word(text)
    assert finding is not None
    assert finding.reply is not None
    words = broken_links(finding.reply.text)
    for part in (broken_links(finding.summary), words, *_time_and_server(report)):
        assert _word(part) in told
    if number == 0:
        assert _word(f"What to do: 1. {broken_links(finding.remedies[0].text)}") in told
    else:
        assert "What we ask for:" in text or "On our side" in text
    assert re.search(r"://", text) is None


@pytest.mark.qt_log_ignore("support (raise|propagateSizeHints)")
def test_from_the_report_file_to_the_message_sent(
    case: tuple[Path, str, tuple[str, ...]], qtbot: QtBot, tmp_path: Path
) -> None:
    file, _, _ = case
    report = read_report(file.read_bytes())
    finding = report.finding
    assert finding is not None
    services = Services.sandbox(tmp_path / "support")
    desk = Desk(lambda: services)
    qtbot.addWidget(desk.window)
    try:
        with qtbot.waitSignal(desk.furnished, timeout=_PATIENCE_MS):
            desk.window.show()
        desk.window.resize(_WINDOWS[0])
        page = desk.workshop.navigation.open_page("diagnostics")
        line = page.findChildren(QLabel, "diagnostics_line")[-1]

        assert drop(desk.window, files(str(file)))
        qtbot.waitUntil(lambda: _word(finding.summary) in _shown(page), timeout=_PATIENCE_MS)
        shown = _shown(page)
        for label, value in head_rows(report):
            assert _word(label + value) in shown
        assert [label for label, _ in head_rows(report)][-2:] == ["Server", "Time"]
        for told in (file.name, "desk@example.test", finding.remedies[0].text):
            assert _word(told) in shown
        assert finding.reply is not None
        gist = (finding.summary, who(finding.who, own=False), finding.reply.text)
        for size in _WINDOWS:
            desk.window.resize(size)
            lay_out()
            assert in_sight(page, file.name, *gist, finding.remedies[0].text)
        for number in range(len(AUDIENCES)):
            _check_message(report, number, _copied(qtbot, page, number))
        assert "Copied the message to the provider." in line.text()

        page.findChildren(QCheckBox, "hide_addresses")[-1].click()
        qtbot.waitUntil(lambda: "address1" in _shown(page), timeout=_PATIENCE_MS)
        for number in range(len(AUDIENCES)):
            assert "@example.test" not in _copied(qtbot, page, number)

        fixed = json.loads(file.read_bytes()) | {
            "outcome": "sent", "message": SUCCESS, "finding": None}  # fmt: skip
        after = tmp_path / "after.smtpdesk"
        after.write_text(json.dumps(fixed))
        assert drop(desk.window, files(str(file), str(after)))
        qtbot.waitUntil(lambda: _word(SUCCESS) in _shown(page), timeout=_PATIENCE_MS)
        assert "Whatchanged" in _shown(page)
    finally:
        desk.close()
