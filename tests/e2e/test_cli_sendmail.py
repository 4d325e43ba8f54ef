"""`smtp-desk sendmail` where programs expect a sendmail: cron, git, PHP, a link of that name."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from tests.cli.desk import Ended
from tests.e2e.outgoing import PASSWORD, assert_quiet, desk_at, pipe, say_smtp
from tests.e2e.program import COMMAND, run
from tests.servers.child import Child

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.postfix import Postfix

SENDMAIL: Final = (*COMMAND, "sendmail")

CRON: Final = b"""\
From: root (Cron Daemon)
To: ann
Subject: Cron <ann@desk> backup
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit
X-Cron-Env: <SHELL=/bin/sh>

3 files saved
.and 1 hidden: gr\xc3\xbcn
"""


def test_cron(server: Postfix) -> None:
    options = ["-FCronDaemon", "-i", "-B8BITMIME", "-oem", "ann"]
    assert_quiet(pipe([*SENDMAIL, *options], CRON))
    (mail,) = server.mailboxes.messages("ann", at_least=1)
    assert mail["From"] == "Cron Daemon <desk@example.test>"
    assert mail["Subject"] == "Cron <ann@desk> backup"
    assert mail["Return-Path"] == "<desk@example.test>"
    assert mail["X-Original-To"] == "ann@example.test"
    assert mail["Message-ID"].endswith("@example.test>")
    assert mail["X-Cron-Env"] == "<SHELL=/bin/sh>"
    assert mail.get_content() == "3 files saved\n.and 1 hidden: grün\n"


def test_php(server: Postfix) -> None:
    """As `mail("Ann <ann@example.test>", …)` with further headers writes it."""
    message = (
        b"To: Ann <ann@example.test>\r\nSubject: Order 7\r\nX-PHP-Originating-Script: 33:a.php\r\n"
        b"From: www@shop.example\r\nBcc: bo@example.test\r\n\r\nThank you\n"
    )
    shell = f"{shlex.join(SENDMAIL)} -t -i -fwww-data@shop.example"
    assert_quiet(pipe(["sh", "-c", shell], message))
    (mail,) = server.mailboxes.messages("ann", at_least=1)
    server.mailboxes.wait("bo", 1)
    assert mail["From"] == "Example Ltd <desk@example.test>"
    assert mail["Reply-To"] == "www@shop.example"
    assert mail["Return-Path"] == "<desk@example.test>"
    assert "Bcc" not in mail
    assert b"bo@example.test" not in server.mailboxes.raw("ann")[0]


def test_a_link_of_that_name(server: Postfix, tmp_path: Path) -> None:
    """What a console script does, under the name `sendmail`."""
    script = tmp_path / "smtp-desk"
    script.write_text(f"#!{sys.executable}\nfrom smtp_desk.__main__ import main\nmain()\n")
    script.chmod(0o755)
    link = tmp_path / "sendmail"
    link.symlink_to(script)
    assert_quiet(pipe([str(link), "-oi", "ann@example.test"], b"Subject: linked\n\n"))
    (mail,) = server.mailboxes.messages("ann", at_least=1)
    assert mail["Subject"] == "linked"
    alone = pipe([str(link)], b"")
    assert alone.returncode == 64
    for name, said in {"mailq": "The outbox is empty.", "newaliases": "aliases: 0 aliases"}.items():
        other = tmp_path / name
        other.symlink_to(script)
        done = pipe([str(other)], b"")
        assert done.returncode == 0
        assert said in (done.stdout + done.stderr).decode()


@pytest.mark.needs("git_email")
def test_git_send_email(server: Postfix, tmp_path: Path) -> None:
    env = {
        **PASSWORD,
        "HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    repository = tmp_path / "repository"

    def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return pipe(["git", "-C", str(repository), *arguments], b"", env)

    repository.mkdir()
    configuration = {
        "user.name": "Jörg Example",
        "user.email": "desk@example.test",
        "sendemail.sendmailCmd": shlex.join(SENDMAIL),
        "sendemail.confirm": "never",
        "sendemail.envelopeSender": "auto",
    }
    assert git("init", "--quiet").returncode == 0
    for key, value in configuration.items():
        assert git("config", "--global", key, value).returncode == 0
    for text in ("one", "two"):
        (repository / "file").write_text(f"{text}\n.\nFrom here\n")
        assert git("add", "file").returncode == 0
        assert git("commit", "--quiet", "--message", f"Write {text}").returncode == 0
    done = git("send-email", "--to", "Ann <ann@example.test>", "--cc", "bo@example.test", "-1")
    assert done.returncode == 0, done.stderr
    (mail,) = server.mailboxes.messages("ann", at_least=1)
    server.mailboxes.wait("bo", 1)
    assert mail["Subject"] == "[PATCH] Write two"
    assert mail["From"] == "Jörg Example <desk@example.test>"
    assert mail["Return-Path"] == "<desk@example.test>"
    assert git("reset", "--quiet", "--hard", "HEAD~1").returncode == 0
    patch = server.mailboxes.raw("ann")[0]
    assert pipe(["git", "-C", str(repository), "am"], patch, env).returncode == 0
    assert (repository / "file").read_text() == "two\n.\nFrom here\n"


def test_git_sees_a_refusal(server: Postfix) -> None:
    done = pipe([*SENDMAIL, "-i", "nobody@example.test"], b"Subject: x\n\n")
    assert (done.returncode, done.stdout) == (69, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("smtp-desk: nobody@example.test: refused by the custom server. ")
    assert "User unknown" in line


def test_words_that_nobody_knows_end_no_email(server: Postfix) -> None:
    done = pipe([*SENDMAIL, "-i", "reject@example.test"], b"Subject: x\n\n")
    assert (done.returncode, done.stdout) == (0, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("smtp-desk: stored, not sent yet. ")


def test_without_the_password_the_mail_waits(server: Postfix) -> None:
    done = pipe([*SENDMAIL, "ann@example.test"], b"Subject: x\n\n", {})
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.startswith(b"smtp-desk: stored, not sent yet. ")
    assert server.mailboxes.raw("ann") == []
    assert json.loads(run("status", "--json").stdout)["outbox"]["ready"] == 1


def test_in_the_background(server: Postfix) -> None:
    """The program has ended, and a process of its own sends."""
    assert_quiet(pipe([*SENDMAIL, "-odb", "ann@example.test"], b"Subject: later\n\n"))
    (mail,) = server.mailboxes.messages("ann", at_least=1)
    assert mail["Subject"] == "later"


def test_smtp_on_standard_input(server: Postfix) -> None:
    """As Symfony's mailer speaks to `sendmail -bs`."""
    with Child[bytes](
        [*SENDMAIL, "-bs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **PASSWORD},
    ) as program:
        ask = partial(say_smtp, program)
        ask("", "220 ")
        ask("EHLO [127.0.0.1]\r\n", "250")
        ask("MAIL FROM:<www@shop.example>\r\n", "250")
        ask("RCPT TO:<ann@example.test>\r\n", "250")
        ask("RCPT TO:<no address>\r\n", "553")
        ask("DATA\r\n", "354")
        ask("Subject: Order\r\nFrom: Shop <www@shop.example>\r\n\r\nThanks\r\n.\r\n", "250")
        ask("QUIT\r\n", "221")
        out, err = program.communicate(timeout=60)
        assert not out + err
        assert program.returncode == 0
    (mail,) = server.mailboxes.messages("ann", at_least=1)
    assert mail["From"] == "Shop <desk@example.test>"
    assert mail.get_content() == "Thanks\n"


MESSAGES: Final = {
    "a long line": (b"Subject: x\n\n" + b"y" * 1500 + b"\n", "y" * 1500 + "\n"),
    "a long To": (b"To: " + b", ".join([b"ann@example.test"] * 120) + b"\n\nhi\n", "hi\n"),
    "double fields": (b"Subject: x\nSubject: y\nTo: ann\nTo: bo@example.test\n\nhi\n", "hi\n"),
    "raw UTF-8": ("Subject: grün\nFrom: Jörg <desk@example.test>\n\nhi\n".encode(), "hi\n"),
    "bare CRs": (b"X-Name: a\rBcc: bo@example.test\r\r\nSubject: x\r\n\r\nhi\r\r\n", "hi\n"),
    "several authors": (b"From: a@us.test, b@us.test\n\nhi\n", "hi\n"),
}


@pytest.mark.parametrize("name", list(MESSAGES))
def test_what_is_not_well_formed_arrives_whole(
    server: Postfix, clean_environment: Path, name: str
) -> None:
    octets, content = MESSAGES[name]
    sent = desk_at(clean_environment)("sendmail", "-i", "ann@example.test", stdin=octets)
    assert sent == Ended(0, "", "")
    (mail,) = server.mailboxes.messages("ann", at_least=1)
    (raw,) = server.mailboxes.raw("ann")
    header = raw.partition(b"\n\n")[0]
    assert header.isascii()
    assert max(map(len, raw.splitlines())) <= 998
    assert mail.get_content() == content
    for field in ("From", "To", "Subject", "Bcc"):
        assert len(mail.get_all(field, [])) <= 1
    assert server.mailboxes.raw("bo") == []


@pytest.mark.skipif(shutil.which("s-nail") is None, reason="s-nail is not installed")
def test_s_nail(server: Postfix, tmp_path: Path) -> None:
    program = tmp_path / "sendmail"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(SENDMAIL)} "$@"\n')
    program.chmod(0o755)
    command = ["s-nail", "-n", "-S", f"mta={program}", "-s", "Grüße", "ann@example.test"]
    assert pipe(command, b"hello\n").returncode == 0
    (mail,) = server.mailboxes.messages("ann", at_least=1)
    assert mail["Subject"] == "Grüße"
    assert mail.get_content() == "hello\n"


@pytest.mark.skipif(shutil.which("php") is None, reason="PHP is not installed")
def test_php_itself(server: Postfix) -> None:
    code = (
        "exit(mail('ann@example.test', 'Hi', \"one\\n.\\ntwo\", "
        "['Cc' => 'bo@example.test']) ? 0 : 1);"
    )
    path = f"sendmail_path={shlex.join(SENDMAIL)} -t -i"
    assert pipe(["php", "-d", path, "-r", code], b"").returncode == 0
    (mail,) = server.mailboxes.messages("ann", at_least=1)
    server.mailboxes.wait("bo", 1)
    assert mail.get_content() == "one\n.\ntwo\n"
