"""`report` and `open`: a file from anybody, shown as plain text."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from smtp_desk.app.diagnostics.report_html import report_html
from smtp_desk.app.diagnostics.report_markdown import report_markdown
from smtp_desk.app.diagnostics.support_message import Audience, message_text
from smtp_desk.app.opened import Opened
from smtp_desk.cli.report import print_report
from smtp_desk.core.report_reader import MAX_BYTES, read_report
from smtp_desk.core.texts import UNREACHABLE
from tests.cli.reports import MARKUP, REPORT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.desk import Desk


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(REPORT.to_json()))
    return file


def on_terminal(width: int = 100) -> str:
    output = io.StringIO()
    console = Console(
        file=output, force_terminal=True, width=width, color_system=None, markup=False
    )
    print_report(console, REPORT)
    return output.getvalue()


def test_the_outcome_comes_first_then_its_cause_then_the_rest(desk: Desk, file: Path) -> None:
    ended = desk("report", str(file))
    lines = ended.out.splitlines()
    assert (ended.status, lines[0]) == (0, UNREACHABLE)
    headings = ["Stages", "Certificates", "Transcript", "Settings", "Environment"]
    assert [line for line in lines if line in headings] == headings
    assert f"server said: 454 4.7.0 {MARKUP}" in lines
    assert "who can fix this: you" in lines
    assert "warning: IPv6 does not work." in lines
    assert "who can fix this: the administrator of your network" in lines
    assert f"     2 ms < 220 {MARKUP}" in lines
    assert "connect    warned     1200 ms  192.0.2.1 connected" in lines
    assert "auth       skipped       0 ms  not asked for" in lines
    assert any(line.startswith("certificate 1: CN=mail.example.test; for mail") for line in lines)


def test_a_terminal_shows_the_same_and_no_markup_is_read() -> None:
    shown = on_terminal(200)
    for text in (UNREACHABLE, MARKUP, "tls.unknown_issuer", "CN=Example CA", "not asked for"):
        assert text in shown


def test_a_narrow_terminal_loses_nothing() -> None:
    words = "".join(on_terminal(40).split())
    for text in ("This machine does not trust the issuer", "00ff" * 16, MARKUP):
        assert "".join(text.split()) in words


def test_json_is_read_back_as_the_same_report(desk: Desk, file: Path) -> None:
    ended = desk("report", str(file), "--json")
    assert read_report(ended.out.encode()) == REPORT


def test_markdown_for_a_ticket(desk: Desk, file: Path) -> None:
    ended = desk("report", str(file), "--markdown")
    assert ended.status == 0
    assert ended.out == report_markdown(REPORT)
    assert f"**{UNREACHABLE}**" in ended.out
    assert "## Cause\n\n````text\nThis machine does not trust" in ended.out
    assert "Code: connect.one_family_only" in ended.out
    assert f"\nServer said: 454 4.7.0 {MARKUP}\n" in ended.out


@pytest.mark.parametrize("audience", Audience)
def test_the_message_to_send(desk: Desk, file: Path, audience: Audience) -> None:
    ended = desk("report", str(file), "--message", str(audience))
    assert (ended.status, ended.out) == (0, message_text(REPORT, audience))


def test_html_to_look_at(desk: Desk, file: Path) -> None:
    ended = desk("report", str(file), "--html")
    assert (ended.status, ended.out) == (0, report_html(REPORT))


@pytest.mark.parametrize("form", [(), ("--json",), ("--markdown",), ("--html",),
                                  ("--message", "provider")])  # fmt: skip
def test_addresses_are_hidden_in_every_form(
    desk: Desk, tmp_path: Path, form: tuple[str, ...]
) -> None:
    settings = {**REPORT.settings, "from_email": "ann.lee@example.test", "username": "ann.lee"}
    file = tmp_path / "ann.json"
    file.write_text(json.dumps(replace(REPORT, settings=settings).to_json()))
    assert "ann.lee" in desk("report", str(file), *form).out
    ended = desk("report", str(file), *form, "--hide-addresses")
    assert "ann.lee" not in ended.out
    assert "address 1" in ended.out


def test_what_changed_since_another_report(desk: Desk, file: Path, tmp_path: Path) -> None:
    later = tmp_path / "later.json"
    settings = {**REPORT.settings, "port": 465}
    later.write_text(json.dumps(replace(REPORT, settings=settings).to_json()))
    ended = desk("report", str(file), "--compare", str(later))
    assert ended.out.splitlines()[1:] == ["Settings: port: 587 → 465"]
    assert "Only the times differ" in desk("report", str(file), "--compare", str(file)).out


@pytest.mark.parametrize("options", [("--json", "--html"), ("--markdown", "--message", "customer"),
                                     ("--html", "--compare", "x")])  # fmt: skip
def test_one_form_at_a_time(desk: Desk, file: Path, options: tuple[str, ...]) -> None:
    ended = desk("report", str(file), *options)
    assert (ended.status, ended.out) == (64, "")
    assert "Use only one of" in ended.err


def test_standard_input(desk: Desk, file: Path) -> None:
    ended = desk("report", "-", stdin=file.read_bytes())
    assert (ended.status, ended.out.splitlines()[0]) == (0, UNREACHABLE)


def test_open_shows_the_report_in_the_window(desk: Desk, file: Path) -> None:
    assert desk("open", str(file)).status == 0
    assert desk.opened == [Opened(REPORT, source="Report file report.json")]


def test_open_without_a_file_opens_the_window(desk: Desk) -> None:
    assert (desk("open").status, desk.opened) == (0, [None])


@pytest.mark.parametrize("command", ["report", "open"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"# SMTP Desk report", "isn’t complete JSON"),
        (b"<!DOCTYPE html><html>", "web page"),
        (json.dumps(REPORT.to_json()).encode() * 2, "something else follows the report"),
        (b'{"schema": "smtp-desk/report/1", "schema": "smtp-desk/report/2"}', "“schema” twice"),
        (json.dumps(REPORT.to_json()).encode()[:-9], "it isn’t complete JSON"),
        (b'{"schema": "smtp-desk/report/9"}', "comes from a newer SMTP Desk"),
        (b'{"schema": "smtp-desk/report/0"}', "reads “smtp-desk/report/2”"),
        (b'{"schema": "smtp-desk/find/1"}', "reads “smtp-desk/report/2”"),
        (b"x" * (MAX_BYTES + 1), "larger"),
        (b"\x00\xff", "isn’t UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"schema": "\\u001b[2J"}', "\\x1b[2J"),
    ],
)
def test_what_is_no_report(
    desk: Desk, tmp_path: Path, command: str, content: bytes, reason: str
) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    ended = desk(command, str(file))
    assert (ended.status, ended.out) == (65, "")
    assert reason in ended.err
    assert "\x1b" not in ended.err
    # Whoever double-clicked the file sees the same sentence in the window.
    sentences = [opened.trouble for opened in desk.opened if opened is not None]
    assert sentences == (
        [ended.err.removeprefix("smtp-desk: ").strip()] if command == "open" else []
    )


def test_standard_input_that_is_no_report(desk: Desk) -> None:
    ended = desk("report", "-", stdin=b"[]")
    assert ended.status == 65
    assert ended.err.startswith("smtp-desk: Standard input isn’t a report: ")


@pytest.mark.parametrize("command", ["report", "open"])
def test_a_name_that_is_empty(desk: Desk, command: str) -> None:
    ended = desk(command, "")
    assert (ended.status, ended.out, desk.opened) == (64, "", [])
    assert "The file name is empty." in ended.err


def test_a_name_that_acts_on_a_terminal_is_spelled_out(desk: Desk, tmp_path: Path) -> None:
    ended = desk("report", str(tmp_path / "a\x1b[2J\u202e\nb"))
    assert ended.status == 65
    assert "a\\x1b[2J\\u202e\\x0ab can’t be read: " in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("name", ["missing.json", "folder", "pipe"])
def test_what_can_not_be_read(desk: Desk, tmp_path: Path, name: str) -> None:
    import os  # noqa: PLC0415 - for the one system that has pipes in its file system

    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    ended = desk("report", str(tmp_path / name))
    assert ended.status == 65
    assert name in ended.err
