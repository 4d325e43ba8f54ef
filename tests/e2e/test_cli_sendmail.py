"""`smtp-desk sendmail` where programs expect a sendmail: cron, git, PHP, a link of that name."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.outgoing import PASSWORD, assert_quiet, pipe, use
from tests.e2e.program import COMMAND, run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.servers.certs import Certificates
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


@pytest.fixture
def server(postfix: Postfix, certs: Certificates) -> Postfix:
    return use(postfix, certs)


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
    done = pipe([*SENDMAIL, "-i", "reject@example.test"], b"Subject: x\n\n")
    assert (done.returncode, done.stdout) == (69, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("smtp-desk: reject@example.test: refused by the custom server. ")
    assert "refused by policy" in line


def test_without_the_password_the_mail_waits(server: Postfix) -> None:
    assert_quiet(pipe([*SENDMAIL, "ann@example.test"], b"Subject: x\n\n", {}))
    assert server.mailboxes.raw("ann") == []
    assert json.loads(run("status", "--json").stdout)["outbox"]["ready"] == 1
