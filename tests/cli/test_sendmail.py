"""`sendmail`: quiet and durable; where something is wrong, one line and the right status."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from smtp_desk.cli import sendmail, submitting
from smtp_desk.cli.invocation import ExitError
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.outbox import EVERYTHING
from smtp_desk.store.credentials import CredentialsUnavailableError, UnavailableReason
from smtp_desk.store.stored import DefaultKind, DefaultService

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from smtp_desk.sandbox.inbox import ReceivedMail
    from smtp_desk.sandbox.server import Sandbox
    from tests.cli.desk import Desk

CRON = b"""\
From: root (Cron Daemon)
To: root
Subject: Cron <root@desk> backup
Content-Type: text/plain; charset=UTF-8
X-Cron-Env: <SHELL=/bin/sh>

.hidden
3 files saved
"""


def only(sandbox: Sandbox) -> ReceivedMail:
    (mail,) = sandbox.inbox.mails()
    return mail


def states(desk: Desk) -> list[tuple[str, EntryState]]:
    """Each stored email, oldest first."""
    entries = desk.services.outbox.page(EVERYTHING).entries
    return [(entry.recipient, entry.state) for entry in reversed(entries)]


def test_mail_of_cron_leaves_without_a_word(sending_desk: Desk, sandbox: Sandbox) -> None:
    domain = sandbox.username.partition("@")[2]
    arguments = ("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root")
    ended = sending_desk("sendmail", *arguments, stdin=CRON)
    assert (ended.status, ended.out, ended.err) == (0, "", "")
    mail = only(sandbox)
    assert mail.recipients == (f"root@{domain}",)
    assert mail.envelope_from == sandbox.username
    headers = dict(mail.headers)
    assert headers["From"] == f"Cron Daemon <{sandbox.username}>"
    assert "Date" in headers
    assert mail.raw.endswith(b"\r\n\r\n.hidden\r\n3 files saved\r\n")


def test_the_header_names_the_recipients(sending_desk: Desk, sandbox: Sandbox) -> None:
    message = b"To: Ann <ann@example.org>\nBcc: bo@example.org\nSubject: hi\n\nhello\n"
    ended = sending_desk("sendmail", "-t", "-i", stdin=message)
    assert (ended.status, ended.out, ended.err) == (0, "", "")
    mail = only(sandbox)
    assert mail.recipients == ("ann@example.org", "bo@example.org")
    assert b"bo@example.org" not in mail.raw


def test_a_foreign_from_makes_room(sending_desk: Desk, sandbox: Sandbox) -> None:
    message = b"From: Web <www@web.example>\nSender: x@web.example\n\nhello\n"
    arguments = ("-fwww@web.example", "ann@example.org")
    assert sending_desk("sendmail", *arguments, stdin=message).status == 0
    mail = only(sandbox)
    headers = dict(mail.headers)
    assert headers["From"] == f"Web <{sandbox.username}>"
    assert headers["Reply-To"] == "Web <www@web.example>"
    assert mail.envelope_from == sandbox.username


def test_the_null_sender_stays(sending_desk: Desk, sandbox: Sandbox) -> None:
    assert sending_desk("sendmail", "-f", "<>", "ann@example.org", stdin=b"x\n").status == 0
    assert only(sandbox).envelope_from == ""


@pytest.mark.parametrize(
    ("options", "body"),
    [((), b"a\r\n"), (("-i",), b"a\r\n.\r\nb\r\n"), (("-oi",), b"a\r\n.\r\nb\r\n")],
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_dot_alone(
    sending_desk: Desk, sandbox: Sandbox, options: tuple[str, ...], body: bytes, line_end: bytes
) -> None:
    message = b"Subject: x\n\na\n.\nb\n".replace(b"\n", line_end)
    assert sending_desk("sendmail", *options, "ann@example.org", stdin=message).status == 0
    assert only(sandbox).raw.endswith(b"\r\n\r\n" + body)


def test_verbose_tells_what_came_of_each(sending_desk: Desk) -> None:
    ended = sending_desk("sendmail", "-v", "ann@example.org", stdin=b"x")
    assert ended.out == "ann@example.org: accepted by the custom server\n"


def test_refused_for_all(sending_desk: Desk, sandbox: Sandbox) -> None:
    ended = sending_desk("sendmail", "unknown@example.org", stdin=b"x")
    assert (ended.status, ended.out) == (69, "")
    (line,) = ended.err.splitlines()
    assert line.startswith("smtp-desk: unknown@example.org: refused by the custom server. ")
    assert "no such mailbox" in line
    assert states(sending_desk) == [("unknown@example.org", EntryState.REFUSED)]


def test_refused_for_one_is_told_and_no_failure(sending_desk: Desk, sandbox: Sandbox) -> None:
    recipients = ("ann@example.org", "unknown@example.org")
    ended = sending_desk("sendmail", *recipients, stdin=b"x")
    assert (ended.status, ended.out) == (0, "")
    assert [line.split(": ")[1] for line in ended.err.splitlines()] == ["unknown@example.org"]
    assert only(sandbox).recipients == ("ann@example.org",)


def test_where_nothing_is_configured_the_mail_waits(desk: Desk) -> None:
    ended = desk("sendmail", "ann@example.org", stdin=b"x")
    assert (ended.status, ended.out) == (0, "")
    (line,) = ended.err.splitlines()
    assert line.startswith("smtp-desk: stored, not sent yet. Nothing is configured. ")
    assert states(desk) == [("ann@example.org", EntryState.READY)]


def test_a_locked_keyring_loses_nothing(
    sending_desk: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(_key: str) -> None:
        raise CredentialsUnavailableError(UnavailableReason.LOCKED)

    monkeypatch.setattr(sending_desk.services.credentials, "get", locked)
    ended = sending_desk("sendmail", "-v", "root", stdin=CRON)
    assert ended.status == 0
    assert ended.err == (
        "smtp-desk: stored, not sent yet. "
        "The stored password can’t be read from this computer’s keyring.\n"
    )
    assert ended.out.startswith(f"root@{sandbox.username.partition('@')[2]}: waits in the outbox. ")
    assert [state for _, state in states(sending_desk)] == [EntryState.READY]
    assert sandbox.inbox.mails() == ()


def test_settings_that_can_not_be_read_lose_nothing(sending_desk: Desk) -> None:
    sending_desk.services.paths.settings_file.write_text("broken [")
    ended = sending_desk("sendmail", "ann@example.org", stdin=b"x")
    assert (ended.status, ended.out) == (0, "")
    assert states(sending_desk) == [("ann@example.org", EntryState.READY)]


def test_a_from_email_that_is_none_loses_nothing(desk: Desk) -> None:
    service = DefaultService(DefaultKind.SENDMAIL, "/bin/true", "written by hand")
    desk.services.store.save_default(service)
    ended = desk("sendmail", "-t", stdin=b"To: ann@example.org\nFrom: root (Cron)\n\nx\n")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err.startswith("smtp-desk: stored, not sent yet. ")
    assert states(desk) == [("ann@example.org", EntryState.READY)]


def test_without_standard_input_there_is_no_message(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ExitError, match="standard input is closed"):
        sendmail.sendmail.main(["ann@example.org"], standalone_mode=False)
    assert states(desk) == []


@pytest.mark.parametrize(
    ("arguments", "message", "text"),
    [
        (("-t",), b"Subject: hi\n\n", "The message names no recipient."),
        (("-t",), b"To: ann@\n\n", "“ann@” in To isn’t an address."),
        (("ann@",), b"x", "“ann@” in the command line isn’t an address."),
        (("root",), b"x", "“root” in the command line has no domain"),
        (("ann@example.org",), b"Received: x\n" * 26, "it goes in circles"),
    ],
)
def test_a_bad_message(desk: Desk, arguments: tuple[str, ...], message: bytes, text: str) -> None:
    ended = desk("sendmail", *arguments, stdin=message)
    assert (ended.status, ended.out) == (65, "")
    (line,) = ended.err.splitlines()
    assert line.startswith("smtp-desk: ")
    assert text in line
    assert not desk.services.paths.outbox_file.exists()


@pytest.mark.parametrize("options", [(), ("-i",)])
def test_too_large(desk: Desk, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]) -> None:
    monkeypatch.setattr(sendmail, "MOST_OCTETS", 100)
    monkeypatch.setattr(submitting, "MOST_OCTETS", 100)
    ended = desk("sendmail", *options, "ann@example.org", stdin=b"x" * 70 + b"\n" * 31)
    assert ended.status == 65
    assert "more than 100 octets" in ended.err
    ended = desk("sendmail", *options, "ann@example.org", stdin=b"x" * 70 + b"\n" * 30)
    assert ended.status == 0


def test_larger_than_the_outbox_takes(desk: Desk) -> None:
    """What we add to a message of just the greatest size is too much for the outbox."""
    most = 64 * 1024 * 1024
    ended = desk("sendmail", "ann@example.org", stdin=b"x" * most)
    assert ended.status == 65
    assert "at most" in ended.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "Give a recipient"),
        (("-bd",), "-bd: this sendmail isn’t a server"),
        (("-bv", "ann@example.org"), "has no such mode"),
        (("-f", "ann@", "bo@example.org"), "'ann@' isn’t an address."),
        (("-f",), "needs a value"),
        (("-Z", "ann@example.org"), "No such option: -Z"),
    ],
)
def test_usage(desk: Desk, arguments: tuple[str, ...], text: str) -> None:
    ended = desk("sendmail", *arguments, stdin=b"x")
    assert (ended.status, ended.out) == (64, "")
    assert text in ended.err
    assert not desk.services.paths.outbox_file.exists()


def test_nothing_stored(desk: Desk) -> None:
    outbox = desk.services.paths.outbox_file
    outbox.parent.mkdir(parents=True)
    outbox.write_bytes(b"this is no database" * 100)
    ended = desk("sendmail", "ann@example.org", stdin=b"x")
    assert (ended.status, ended.out) == (75, "")
    (line,) = ended.err.splitlines()
    assert line.startswith("smtp-desk: Nothing was stored or sent. ")


def test_one_that_is_only_stored_is_told(sending_desk: Desk, sandbox: Sandbox) -> None:
    ended = sending_desk("sendmail", "-odq", "ann@example.org", stdin=b"x")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err == "smtp-desk: stored, not sent: “smtp-desk worker” sends it.\n"
    assert states(sending_desk) == [("ann@example.org", EntryState.READY)]
    assert sandbox.inbox.mails() == ()
    listed = sending_desk("sendmail", "-bp")
    assert "ready\tann@example.org" in listed.out
    assert sending_desk("sendmail", "-q").status == 0
    assert only(sandbox).recipients == ("ann@example.org",)
    assert sending_desk("sendmail", "-bp").err == "The outbox is empty.\n"


def test_good_recipients_get_it_and_bad_ones_are_named(
    sending_desk: Desk, sandbox: Sandbox
) -> None:
    message = b"To: ann@example.org, root@, bo@example.org\n\na\0b\n"
    ended = sending_desk("sendmail", "-t", stdin=message)
    assert (ended.status, ended.out) == (0, "")
    lines = ended.err.splitlines()
    assert [line.partition("“root@”")[0] for line in lines if "root@" in line] == ["smtp-desk: "]
    assert any("NULs were removed" in line for line in lines)
    mail = only(sandbox)
    assert mail.recipients == ("ann@example.org", "bo@example.org")
    assert mail.raw.endswith(b"\r\n\r\nab\r\n")


def test_names_of_this_machine_have_aliases(sending_desk: Desk, sandbox: Sandbox) -> None:
    aliases = sending_desk.services.paths.aliases_file
    aliases.write_text("root: admin@example.org\n")
    name = socket.gethostname()
    ended = sending_desk("sendmail", "root", f"root@{name}", "cron@localhost", stdin=CRON)
    assert (ended.status, ended.err) == (0, "")
    domain = sandbox.username.partition("@")[2]
    assert only(sandbox).recipients == ("admin@example.org", f"cron@{domain}")
    checked = sending_desk("sendmail", "-bi")
    assert (checked.status, checked.out) == (0, f"{aliases}: 1 alias\n")


def test_a_table_that_is_wrong_is_told_and_costs_no_mail(
    sending_desk: Desk, sandbox: Sandbox
) -> None:
    aliases = sending_desk.services.paths.aliases_file
    aliases.write_text("root: |/bin/sh\nops: ann@example.org\n")
    ended = sending_desk("sendmail", "ops", stdin=b"x")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err.startswith("smtp-desk: Line 1 of the aliases isn’t")
    assert only(sandbox).recipients == ("ann@example.org",)
    assert sending_desk("sendmail", "-bi").status == 65
    aliases.unlink()
    aliases.mkdir()
    ended = sending_desk("sendmail", "ann@example.org", stdin=b"x")
    assert ended.status == 0
    assert "can’t be read: Is a directory." in ended.err


def test_a_full_name_in_latin_1(sending_desk: Desk, sandbox: Sandbox) -> None:
    ended = sending_desk("sendmail", "-FJ\udcf6rg", "ann@example.org", stdin=b"x")
    assert (ended.status, ended.err) == (0, "")
    assert dict(only(sandbox).headers)["From"] == f"Jörg <{sandbox.username}>"


def test_in_the_background_it_is_stored_and_a_process_of_its_own_sends(
    sending_desk: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[Sequence[str], Mapping[str, str]]] = []

    def start(command: Sequence[str], *, env: Mapping[str, str], **options: object) -> None:
        assert options["start_new_session"]
        started.append((command, env))

    monkeypatch.setattr(subprocess, "Popen", start)
    ended = sending_desk("sendmail", "-odb", "ann@example.org", stdin=b"x")
    assert (ended.status, ended.out, ended.err) == (0, "", "")
    assert states(sending_desk) == [("ann@example.org", EntryState.READY)]
    ((command, env),) = started
    assert command[-2:] == ("worker", "--once")
    assert env == sending_desk.environ


SMTP = (
    b"EHLO localhost\r\nMAIL FROM:<www@web.example>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n"
    b"Subject: hi\r\n\r\n..dot\r\n.\r\nQUIT\r\n"
)


def test_smtp_on_standard_input(sending_desk: Desk, sandbox: Sandbox) -> None:
    ended = sending_desk("sendmail", "-bs", stdin=SMTP)
    assert (ended.status, ended.err) == (0, "")
    codes = [line[:3] for line in ended.out.splitlines() if line[3] == " "]
    assert codes == ["220", "250", "250", "250", "354", "250", "221"]
    mail = only(sandbox)
    assert mail.recipients == ("ann@example.org",)
    assert mail.raw.endswith(b"\r\n\r\n.dot\r\n")
    ((recipient, state),) = states(sending_desk)
    assert (recipient, state) == ("ann@example.org", EntryState.ACCEPTED)


def test_smtp_where_nothing_can_be_stored(desk: Desk) -> None:
    outbox = desk.services.paths.outbox_file
    outbox.parent.mkdir(parents=True)
    outbox.write_bytes(b"this is no database" * 100)
    ended = desk("sendmail", "-bs", stdin=SMTP)
    assert ended.status == 0
    assert [line for line in ended.out.splitlines() if line.startswith("451 4.3.0 ")]


def test_smtp_tells_at_once_whom_the_server_refuses(sending_desk: Desk) -> None:
    ended = sending_desk("sendmail", "-bs", stdin=SMTP.replace(b"ann@", b"unknown@"))
    assert "554 5.0.0 refused for every recipient" in ended.out.splitlines()
    assert "unknown@example.org: refused by the custom server" in ended.err


def test_smtp_refuses_what_is_no_recipient(sending_desk: Desk, sandbox: Sandbox) -> None:
    stdin = SMTP.replace(b"DATA", b"RCPT TO:<ann@>\r\nDATA")
    ended = sending_desk("sendmail", "-bs", stdin=stdin)
    assert any(line.startswith("553 5.1.3 ") for line in ended.out.splitlines())
    assert only(sandbox).recipients == ("ann@example.org",)
