"""`send`: one of the five kinds, from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.mail.kinds import kinds
from smtp_desk.sender.outbox.outbox import EVERYTHING

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.sandbox.server import Sandbox
    from tests.cli.desk import Desk

INVITE = ("send", "invitation", "--set", "invited_by=Bo", "--set", "link=https://example.org/a=b")
MESSAGE = (
    *("send", "message", "--set", "audience=affiliates", "--set", "subject=New rates"),
    *("--set", "body=First.\n\nSecond."),
)


def test_one_email_for_each_recipient(sending_desk: Desk, sandbox: Sandbox) -> None:
    ended = sending_desk(*INVITE, "--to", "ann@example.org", "--to", "bo@example.org")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "ann@example.org: accepted by the custom server",
        "bo@example.org: accepted by the custom server",
    ]
    mails = sorted(sandbox.inbox.mails(), key=lambda mail: mail.recipients)
    assert [mail.recipients for mail in mails] == [("ann@example.org",), ("bo@example.org",)]
    assert [dict(mail.headers)["To"] for mail in mails] == ["ann@example.org", "bo@example.org"]
    assert "https://example.org/a=b" in mails[0].text


def test_files_go_along(sending_desk: Desk, sandbox: Sandbox, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("rates.pdf", "old.eml", "all.tar.gz", "noname")]
    for file in files:
        file.write_bytes(b"\x00\xff" + file.name.encode())
    options = [word for file in files for word in ("--attach", str(file))]
    ended = sending_desk(*MESSAGE, "--to", "ann@example.org", *options)
    assert ended.status == 0
    (mail,) = sandbox.inbox.mails()
    assert mail.attachments == tuple(file.name for file in files)
    assert "Second." in mail.text
    for media_type in (b"application/pdf", b"application/octet-stream"):
        assert media_type in mail.raw


def test_the_receipt_as_json(sending_desk: Desk) -> None:
    recipients = ("--to", "ann@example.org", "--to", "unknown@example.org")
    ended = sending_desk(*INVITE, *recipients, "--json")
    assert (ended.status, ended.err) == (0, "")
    receipt = json.loads(ended.out)
    accepted, refused = receipt["recipients"]
    assert receipt["schema"] == "smtp-desk/receipt/1"
    assert accepted["finding"] is None
    assert (accepted["recipient"], accepted["fate"]) == ("ann@example.org", "accepted")
    assert (accepted["route"], refused["fate"]) == ("custom", "refused")
    assert refused["finding"]["code"] == "recipient.unknown"
    stored = sending_desk.services.outbox.get(refused["entry_id"])
    assert stored.message_id == receipt["message_id"]


def test_a_receipt_without_findings(sending_desk: Desk) -> None:
    receipt = json.loads(sending_desk(*INVITE, "--to", "ann@example.org", "--json").out)
    assert (receipt["fallback"], receipt["recipients"][0]["finding"]) == (None, None)


def test_refused_for_all(sending_desk: Desk) -> None:
    ended = sending_desk(*INVITE, "--to", "unknown@example.org")
    assert (ended.status, ended.err) == (69, "")
    assert ended.out.startswith("unknown@example.org: refused by the custom server. ")
    assert "(the server said: 550 5.1.1 " in ended.out


def test_where_nothing_is_configured_the_email_waits(desk: Desk) -> None:
    ended = desk(*INVITE, "--to", "ann@example.org")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "ann@example.org: waits in the outbox",
        "Nothing is configured. Run “smtp-desk configure” to test and save a server.",
    ]
    (entry,) = desk.services.outbox.page(EVERYTHING).entries
    assert entry.kind == "invitation"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--to", "ann@"), "to: "),
        (("--to", "ann@example.org", "--set", "role=a\nb"), "role: "),
        (("--to", "ann@example.org", "--set", "colour=red"), "colour: Not used by invitation"),
    ],
)
def test_an_email_that_is_wrong(desk: Desk, arguments: tuple[str, ...], text: str) -> None:
    ended = desk(*INVITE, *arguments)
    assert (ended.status, ended.out) == (65, "")
    assert ended.err.startswith(f"smtp-desk: {text}")
    assert not desk.services.paths.outbox_file.exists()


def test_a_variable_that_is_missing(desk: Desk) -> None:
    ended = desk("send", "invitation", "--to", "ann@example.org")
    assert ended.status == 65
    assert ended.err.startswith("smtp-desk: invited_by: Missing. ")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("send",), "Name a KIND"),
        (("send", "letter", "--to", "ann@example.org"), "'letter' is not one of"),
        (INVITE, "Missing option '--to'"),
        ((*INVITE, "--to", "ann@example.org", "--set", "role"), "'role' isn’t NAME=VALUE."),
        ((*INVITE, "--to", "ann@example.org", "--set", "link=x"), "link is given twice."),
        ((*MESSAGE, "--to", "ann@example.org", "--attach", "nowhere"), "does not exist"),
    ],
)
def test_usage(desk: Desk, arguments: tuple[str, ...], text: str) -> None:
    ended = desk(*arguments)
    assert (ended.status, ended.out) == (64, "")
    assert text in ended.err


def test_files_go_with_messages_only(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.touch()
    ended = desk(*INVITE, "--to", "ann@example.org", "--attach", str(file))
    assert ended.status == 64
    assert "--attach goes with message only" in ended.err


def test_a_file_that_is_too_large(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as stream:
        stream.truncate(64 * 1024 * 1024 + 1)
    ended = desk(*MESSAGE, "--to", "ann@example.org", "--attach", str(file))
    assert (ended.status, ended.out) == (65, "")
    assert "too large for an email" in ended.err


def test_nothing_stored(desk: Desk) -> None:
    outbox = desk.services.paths.outbox_file
    outbox.parent.mkdir(parents=True)
    outbox.write_bytes(b"this is no database" * 100)
    ended = desk(*INVITE, "--to", "ann@example.org", "--json")
    assert (ended.status, ended.out) == (75, "")
    assert ended.err.startswith("smtp-desk: Nothing was stored or sent. ")


def test_the_list_shows_every_kind_with_its_variables(desk: Desk) -> None:
    ended = desk("send", "--list")
    assert (ended.status, ended.err) == (0, "")
    assert "  role (optional): " in ended.out
    assert " affiliates or advertisers." in ended.out
    for kind in kinds():
        assert f"{kind.name}: {kind.purpose}\n" in ended.out
        for name, variable in kind.variables.items():
            assert f"  {name}" in ended.out
            assert variable.help in ended.out


def test_the_list_as_json(desk: Desk) -> None:
    listed = json.loads(desk("send", "--list", "--json").out)
    assert listed["schema"] == "smtp-desk/kinds/1"
    assert [kind["name"] for kind in listed["kinds"]] == [kind.name for kind in kinds()]
    variables = {each["name"]: each for each in listed["kinds"][0]["variables"]}
    assert variables["approved"]["choices"] == ["yes", "no"]
    assert (variables["name"]["required"], variables["contact"]["required"]) == (True, False)


NEWS = ("send", "notification", "--to", "ann@example.org", "--set", "title=Paid", "--set")


def test_a_key_sends_an_email_once(sending_desk: Desk, sandbox: Sandbox) -> None:
    email = (*NEWS, "body=We got it.", "--key", "order-4711-paid")
    first, again = (json.loads(sending_desk(*email, "--json").out) for _ in range(2))
    assert first == again
    assert first["recipients"][0]["status"] == "accepted"
    assert len(sandbox.inbox.mails()) == 1
    other = sending_desk(*NEWS, "body=Or not.", "--key", "order-4711-paid")
    assert (other.status, other.out) == (65, "")
    assert first["message_id"] in other.err
    assert len(sandbox.inbox.mails()) == 1


def test_an_email_that_is_due_later_waits(sending_desk: Desk, sandbox: Sandbox) -> None:
    wanted = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=3)
    local = f"{wanted.astimezone():%Y-%m-%dT%H:%M}"
    email = (*NEWS, "body=We got it.", "--key", "a", "--at")
    for moment in (local, wanted.isoformat(), f"{wanted:%Y-%m-%dT%H:%M}Z"):
        ended = sending_desk(*email, moment)
        assert (ended.status, ended.err) == (0, "")
        assert ended.out.splitlines() == [
            "ann@example.org: waits in the outbox",
            "“smtp-desk worker” sends it when it’s due.",
        ]
    (entry,) = sending_desk.services.outbox.page(EVERYTHING).entries
    assert entry.send_at == wanted
    sending_desk.services.outbox.drop(entry.id)
    ended = sending_desk(*email, local)
    assert (ended.status, ended.out) == (69, "ann@example.org: cancelled\n")
    assert not sandbox.inbox.mails()


def test_a_time_that_has_passed_is_now(sending_desk: Desk) -> None:
    ended = sending_desk(*NEWS, "body=We got it.", "--at", "2020-01-01")
    assert ended.out == "ann@example.org: accepted by the custom server\n"


@pytest.mark.parametrize("moment", ["tomorrow", "", "08:00", "2026-13-01", "0001-01-01", "²"])
def test_what_is_no_time(desk: Desk, moment: str) -> None:
    ended = desk(*NEWS, "body=x", "--at", moment)
    assert (ended.status, ended.out) == (64, "")
    assert "isn’t a time such as 2026-06-01T08:00" in ended.err


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (("--at", "9000-01-01"), "--at: Must be at most 366 days ahead."),
        (("--key", " "), "--key: Must be text that is not empty."),
    ],
)
def test_a_key_or_time_that_cannot_be(desk: Desk, option: tuple[str, ...], text: str) -> None:
    ended = desk(*NEWS, "body=x", *option)
    assert (ended.status, ended.out, ended.err) == (65, "", f"smtp-desk: {text}\n")
