"""`outbox list`, `retry`, `drop` and `export`."""

from __future__ import annotations

import dataclasses
import email
import json
import sqlite3
from email import policy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.outbox.entries import EntryState, OutboxMessage
from smtp_desk.sender.outbox.outbox import OutboxBusyError, OutboxUnavailableError
from tests.sender import mails
from tests.sender.outboxes import TurnedClock

if TYPE_CHECKING:
    from smtp_desk.sender.outbox.outbox import Outbox
    from tests.cli.desk import Desk

NASTY = "Your \x1b]0;pwned\x07 \u202etxt.exe\tbill"


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def outbox(desk: Desk, clock: TurnedClock) -> Outbox:
    """The outbox on disk that the commands work with."""
    desk.services = dataclasses.replace(desk.services, now=clock)
    return desk.services.outbox


@pytest.fixture
def morning(desk: Desk, outbox: Outbox, clock: TurnedClock) -> Outbox:
    mails.busy_morning(outbox, desk.services.health, clock)
    return outbox


def listed(desk: Desk, *options: str) -> list[list[str]]:
    ended = desk("outbox", "list", *options)
    assert ended.status == 0
    return [line.split("\t") for line in ended.out.splitlines()]


def document(desk: Desk, *options: str) -> dict[str, Any]:
    ended = desk("outbox", "list", "--json", *options)
    assert (ended.status, ended.err) == (0, "")
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_the_list_in_a_pipe_has_a_line_for_each_newest_first(desk: Desk, morning: Outbox) -> None:
    lines = listed(desk)
    assert [line[0] for line in lines] == [entry.id for entry in morning.page().entries]
    refused = next(line for line in lines if line[2] == "refused")
    assert refused[4:] == [
        "Custom",
        "Other program",
        "cron on web-1: nightly report",
        "This mailbox doesn’t exist.",
    ]


def test_the_list_is_filtered_searched_and_limited(desk: Desk, morning: Outbox) -> None:
    assert {line[2] for line in listed(desk, "--state", "held")} == {"held"}
    both = listed(desk, "--state", "held", "--state", "refused")
    assert {line[2] for line in both} == {"held", "refused"}
    assert len(listed(desk, "--search", "ANN.")) == 6
    ended = desk("outbox", "list", "--limit", "3")
    assert len(ended.out.splitlines()) == 3
    assert ended.err == "Only the newest 3 are shown. Use --limit to see more.\n"


def test_a_limit_beyond_a_page(desk: Desk, outbox: Outbox) -> None:
    outbox.add([mails.mail(number) for number in range(450)])
    assert len(listed(desk, "--limit", "430")) == 430
    assert desk("outbox", "list", "--limit", "450").err == ""


def test_nothing_there(desk: Desk) -> None:
    ended = desk("outbox", "list")
    assert (ended.status, ended.out, ended.err) == (0, "", "No emails yet.\n")
    assert desk("outbox", "list", "--search", "x").err == "No email matches.\n"


def test_the_document_for_scripts(desk: Desk, morning: Outbox) -> None:
    found = document(desk, "--state", "ready", "--limit", "2")
    assert (found["schema"], found["more"]) == ("smtp-desk/outbox/1", True)
    assert found["counts"] == {
        "ready": 5,
        "sending": 1,
        "in_doubt": 0,
        "accepted": 30,
        "refused": 3,
        "held": 2,
        "dropped": 1,
    }
    first = found["entries"][0]
    assert (first["state"], first["recipient"]) == ("ready", "eli.39@example.org")
    assert first["next_attempt_at"] == "2026-03-01T14:07:00Z"
    assert [tried["code"] for tried in first["attempts"]] == [
        "auth.rejected",
        "recipient.greylisted",
    ]
    (settled, *_) = document(desk, "--state", "accepted")["entries"]
    assert (settled["next_attempt_at"], settled["expires_at"]) == (None, None)


def test_what_a_stranger_wrote_does_not_act_on_the_terminal(desk: Desk, outbox: Outbox) -> None:
    outbox.add(
        [
            OutboxMessage(
                message_id="<1@example.org>",
                kind="foreign",
                payload=b"Subject: \x1b[2J\r\n\r\n\x07\r\n",
                recipients=("ann@example.org",),
                subject=NASTY,
            )
        ]
    )
    ((entry_id, *_, subject, _why),) = listed(desk)
    assert subject == r"Your \x1b]0;pwned\x07 \u202etxt.exe\x09bill"
    assert desk("outbox", "list", "--json").out.isascii()
    assert "\x1b" not in desk("outbox", "list", "--json").out
    assert desk("outbox", "export", entry_id).out.startswith("Subject: \x1b[2J\r\n")


def test_retry_makes_due_and_warns_where_it_may_arrive_twice(
    desk: Desk, outbox: Outbox, clock: TurnedClock
) -> None:
    refused = mails.refused(outbox, clock, 1)
    held = mails.uncertain(outbox, clock, 2)
    ended = desk("outbox", "retry", refused, held)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"{refused}: queued to send now.",
        (
            f"{held}: queued to send now. It may arrive twice, because the server once didn’t "
            "confirm it."
        ),
    ]
    assert {outbox.get(each).state for each in (refused, held)} == {EntryState.READY}


def test_a_retry_in_a_pause_says_how_to_end_it(desk: Desk, morning: Outbox) -> None:
    refused = next(each for each in morning.page().entries if each.state is EntryState.REFUSED)
    desk.services.control.pause()
    paused = "queued. Sending is paused. Run “smtp-desk outbox resume” to resume.\n"
    assert desk("outbox", "retry", refused.id).out == f"{refused.id}: {paused}"
    other = next(each for each in morning.page().entries if each.state is EntryState.REFUSED)
    assert desk("outbox", "retry", "--cause", other.code).out.endswith(f" {paused}")


def test_what_one_cause_stopped_is_retried_and_told(desk: Desk, morning: Outbox) -> None:
    stopped = [
        entry
        for entry in morning.page().entries
        if entry.code and not entry.doubts and entry.state is EntryState.REFUSED
    ]
    code = stopped[0].code
    alike = sum(entry.code == code for entry in stopped)
    ended = desk("outbox", "retry", "--cause", code)
    assert ended.status == 0
    told = "1 email is" if alike == 1 else f"{alike} emails are"
    assert ended.out == f"{told} queued to send now.\n"
    assert morning.get(stopped[0].id).state is EntryState.READY
    assert desk("outbox", "retry", "--cause", "auth.rejected").out == (
        "No email was stopped by auth.rejected.\n"
    )


@pytest.mark.parametrize(
    "given", [["--cause", "bad.luck"], ["01kjmttt60", "--cause", "session.closed"]]
)
def test_a_cause_is_a_known_one_and_stands_alone(desk: Desk, given: list[str]) -> None:
    assert desk("outbox", "retry", *given).status == 64


def test_drop_gives_up_and_retry_takes_it_back(desk: Desk, outbox: Outbox) -> None:
    entry_id = outbox.add([mails.mail(1)])[0].id
    assert desk("outbox", "drop", entry_id[:-2]).out == f"{entry_id}: dropped.\n"
    assert outbox.get(entry_id).state is EntryState.DROPPED
    assert desk("outbox", "retry", entry_id).status == 0
    assert outbox.get(entry_id).state is EntryState.READY


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_one_wrong_name_changes_nothing(desk: Desk, outbox: Outbox, command: str) -> None:
    before = outbox.add([mails.mail(1)])[0]
    ended = desk("outbox", command, before.id, "zzzzzzzz")
    assert (ended.status, ended.out) == (65, "")
    assert ended.err == "smtp-desk: There is no email zzzzzzzz in the outbox.\n"
    assert outbox.get(before.id) == before


@pytest.mark.parametrize("command", ["retry", "drop", "export"])
@pytest.mark.parametrize("given", ["short", "01", "zzzzzzzz"])
def test_names_of_nothing(desk: Desk, outbox: Outbox, command: str, given: str) -> None:
    ended = desk("outbox", command, given)
    assert (ended.status, ended.out) == (65, "")
    assert given in ended.err


def test_a_beginning_of_two_names_is_no_name(desk: Desk, outbox: Outbox) -> None:
    first, second = outbox.add([mails.mail(1), mails.mail(2)])
    ended = desk("outbox", "drop", first.id[:12])
    assert ended.status == 65
    assert "More than one email begins with" in ended.err
    assert {outbox.get(each.id).state for each in (first, second)} == {EntryState.READY}


def test_what_can_not_be_changed_says_why_and_the_others_are(
    desk: Desk, outbox: Outbox, clock: TurnedClock
) -> None:
    sent = mails.sent(outbox, clock, 1)
    sending = mails.claim_new(outbox, mails.mail(2)).entry.id
    refused = mails.refused(outbox, clock, 3)
    ended = desk("outbox", "retry", sent, refused)
    assert ended.status == 65
    assert ended.out == f"{refused}: queued to send now.\n"
    assert ended.err == f"{sent}: The message was accepted; it is not sent twice.\n"
    busy = desk("outbox", "retry", sending)
    assert (busy.status, busy.err) == (
        75,
        f"{sending}: The message is being sent at this moment.\n",
    )


def test_export_as_it_would_leave(desk: Desk, outbox: Outbox, tmp_path: Path) -> None:
    server = ServerSettings(
        host="smtp.example.org", port=587, from_name="Example", from_email="desk@example.org"
    )
    desk.services.store.save_server(server, Security.STARTTLS, Secret(""))
    entry_id = outbox.add([mails.mail(1, to="ann@example.org")])[0].id
    file = tmp_path / "email.eml"
    assert desk("outbox", "export", entry_id, "--to", str(file)).status == 0
    parsed = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    assert (parsed["From"], parsed["To"]) == ("Example <desk@example.org>", "ann@example.org")
    assert file.stat().st_mode & 0o777 == 0o600
    assert desk("outbox", "export", entry_id).out.encode() == file.read_bytes()


def test_export_never_overwrites(desk: Desk, outbox: Outbox, tmp_path: Path) -> None:
    entry_id = outbox.add([mails.mail(1)])[0].id
    file = tmp_path / "email.eml"
    file.write_text("precious")
    ended = desk("outbox", "export", entry_id, "--to", str(file))
    assert (ended.status, file.read_text()) == (73, "precious")
    assert "already exists. Nothing was written." in ended.err
    missing = desk("outbox", "export", entry_id, "--to", str(tmp_path / "none" / "email.eml"))
    assert missing.status == 73
    assert "can’t be written: No such file or directory" in missing.err


@pytest.mark.parametrize("command", [["list"], ["retry", "01kjmttt"], ["export", "01kjmttt"]])
def test_an_outbox_that_is_none_is_left_alone(desk: Desk, command: list[str]) -> None:
    file = desk.services.paths.outbox_file
    file.parent.mkdir(parents=True)
    file.write_bytes(b"somebody's notes" * 100)
    ended = desk("outbox", *command)
    assert (ended.status, ended.out) == (69, "")
    assert "is damaged" in ended.err
    assert file.read_bytes() == b"somebody's notes" * 100


def test_an_outbox_of_a_newer_version(desk: Desk) -> None:
    assert desk("outbox", "list").status == 0
    file = desk.services.paths.outbox_file
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for name in ("outbox", "_storage"):
        vars(desk.services).pop(name)
    ended = desk("outbox", "list")
    assert ended.status == 69
    assert "Or use the newer version of SMTP Desk that wrote it." in ended.err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OutboxBusyError("The outbox is held by another program."), 75),
        (OutboxUnavailableError("The disk of the outbox is full."), 73),
    ],
)
def test_an_outbox_that_can_not_write(
    desk: Desk,
    outbox: Outbox,
    error: Exception,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry_id = outbox.add([mails.mail(1)])[0].id

    def failing(_entry_id: str) -> None:
        raise error

    monkeypatch.setattr(outbox, "retry", failing)
    ended = desk("outbox", "retry", entry_id)
    assert ended.status == status
    assert str(error) in ended.err


@pytest.mark.parametrize(
    "arguments",
    [["list", "--state", "lost"], ["list", "--limit", "0"], ["retry"], ["drop"], ["export"], ["x"]],
)
def test_wrong_command_lines(desk: Desk, arguments: list[str]) -> None:
    assert desk("outbox", *arguments).status == 64
