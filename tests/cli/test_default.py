"""`default show | outbox | sendmail | smtp`."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.report_reader import read_report
from smtp_desk.core.texts import SUCCESS
from smtp_desk.store.stored import DefaultKind, DefaultService
from tests.cli.desk import RECIPIENT
from tests.store.settings import secret_of

if TYPE_CHECKING:
    from smtp_desk.sandbox.server import Sandbox
    from tests.cli.desk import Desk

HELD = "Emails wait in the outbox; a worker sends them once a server is available.\n"


def shown(desk: Desk) -> dict[str, str]:
    ended = desk("default", "show")
    assert ended.status == 0
    return dict(line.split(": ", 1) for line in ended.out.splitlines())


def saved(desk: Desk) -> DefaultService:
    return desk.services.store.load().default


def test_a_fresh_machine(desk: Desk) -> None:
    assert shown(desk) == {"Default email service": "outbox", "Status": HELD.strip()}
    assert not desk.services.paths.config.exists()


def test_the_outbox(desk: Desk) -> None:
    ended = desk("default", "outbox")
    assert (ended.status, ended.out) == (0, HELD)
    assert saved(desk).kind is DefaultKind.OUTBOX


def test_sendmail(desk: Desk) -> None:
    ended = desk("default", "sendmail", sys.executable, "--from-email", "desk@example.org")
    assert ended.status == 0
    assert ended.out == f"Emails are sent through {sys.executable}, from desk@example.org.\n"
    assert saved(desk) == DefaultService(
        DefaultKind.SENDMAIL, sys.executable, "desk@example.org", None
    )
    assert shown(desk)["Path of sendmail"] == sys.executable


@pytest.mark.parametrize(
    ("path", "address", "words"),
    [
        ("sendmail", "desk@example.org", "the full path"),
        ("/none/sendmail", "desk@example.org", "doesn’t exist"),
        (sys.executable, "desk", "a name, an @ and a domain"),
    ],
)
def test_sendmail_that_can_not_serve(desk: Desk, path: str, address: str, words: str) -> None:
    ended = desk("default", "sendmail", path, "--from-email", address)
    assert (ended.status, ended.out) == (65, "")
    assert words in ended.err
    assert saved(desk) == DefaultService()


def test_sendmail_is_never_ourselves(desk: Desk, tmp_path: Path) -> None:
    link = tmp_path / "sendmail"
    link.symlink_to(Path(sysconfig.get_path("scripts")) / "smtp-desk")
    ended = desk("default", "sendmail", str(link), "--from-email", "desk@example.org")
    assert ended.status == 65
    assert "SMTP Desk itself" in ended.err


def test_sendmail_needs_an_address(desk: Desk) -> None:
    ended = desk("default", "sendmail", sys.executable)
    assert ended.status == 64
    assert "--from-email" in ended.err


def test_a_relay_that_passed_is_saved_with_its_own_password(
    desk: Desk, sandbox: Sandbox, settings: list[str], password: bytes
) -> None:
    arguments = (*settings, "--to", RECIPIENT, "--password-stdin")
    assert desk("configure", *arguments, stdin=password).status == 0
    ended = desk("default", "smtp", *arguments, stdin=password)
    assert ended.status == 0
    assert SUCCESS in ended.out
    assert ended.out.splitlines()[-1] == (
        f"Saved. Emails are sent through localhost, from {sandbox.username}."
    )
    stored = desk.services.store.load()
    assert stored.server
    assert stored.default.server
    assert stored.default.kind is DefaultKind.SMTP
    assert stored.server.key != stored.default.server.key
    assert secret_of(desk.services.store, stored.default.server) == sandbox.password
    told = shown(desk)
    assert (told["Relay"], told["Relay proven"]) == ("localhost", "yes")
    assert sandbox.password.reveal() not in desk("default", "show").out


def test_a_relay_that_failed_is_not_saved(desk: Desk, settings: list[str]) -> None:
    arguments = ("default", "smtp", *settings, "--to", RECIPIENT, "--password-stdin")
    assert desk(*arguments, stdin=b"wrong").status == 77
    assert saved(desk) == DefaultService()


def test_with_json_the_report_stands_alone(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    ended = desk(
        *("default", "smtp", *settings, "--to", RECIPIENT, "--password-stdin", "--json"),
        stdin=password,
    )
    assert read_report(ended.out.encode()).message == SUCCESS
    assert ended.err.startswith("Saved. Emails are sent through")


def test_the_saved_relay_is_used_again_while_it_is_proven(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    assert desk("default", "smtp").status == 65
    arguments = ("default", "smtp", *settings, "--to", RECIPIENT, "--password-stdin")
    assert desk(*arguments, stdin=password).status == 0
    assert desk("default", "outbox").out == HELD
    assert desk("default", "smtp").out.startswith("Emails are sent through localhost")
    desk("default", "outbox")
    file = desk.services.paths.settings_file
    file.write_text(file.read_text().replace("Example Ltd", "Other Ltd"))
    refused = desk("default", "smtp")
    assert refused.status == 65
    assert "changed outside SMTP Desk" in refused.err
    assert shown(desk)["Relay proven"].startswith("no: ")


@pytest.mark.parametrize(
    "arguments", [["--host", "relay.example.org"], ["--to", RECIPIENT], ["--password-stdin"]]
)
def test_half_a_command_line_is_none(desk: Desk, arguments: list[str]) -> None:
    assert desk("default", "smtp", *arguments).status == 64


@pytest.mark.parametrize("command", [["show"], ["outbox"], ["smtp"]])
def test_a_file_that_can_not_be_read_is_never_overwritten(desk: Desk, command: list[str]) -> None:
    file = desk.services.paths.settings_file
    file.parent.mkdir(parents=True)
    file.write_text("[[[")
    ended = desk("default", *command)
    assert (ended.status, file.read_text()) == (78, "[[[")
    assert "can’t be read" in ended.err


def test_what_can_not_be_saved(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_stored: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(desk.services.store._file, "write", full)
    ended = desk("default", "outbox")
    assert ended.status == 73
    assert "The disk is full." in ended.err


def test_without_a_kind_the_kinds_are_shown(desk: Desk) -> None:
    ended = desk("default")
    assert ended.status == 64
    assert "sendmail" in ended.err
