"""Real programs, as an ordinary user, through the whole system's sendmail to a strict Postfix.

Cron, PHP and s-nail run themselves; others write and call as their sources do: mdadm (Monitor.c),
logwatch (its mailer), unattended-upgrades (`_send_mail_using_sendmail`), Symfony (`-bs -i`).
"""

from __future__ import annotations

import pwd
import subprocess
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.outgoing import say_smtp
from tests.e2e.system import USERS, System, whole_system
from tests.servers import parts
from tests.servers.postfix import Postfix
from tests.servers.process import server_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from tests.servers.certs import Certificates

pytestmark = [pytest.mark.needs("postfix", "system_wide"), pytest.mark.xdist_group("system_wide")]

ONE: Final = USERS[0]
_STRICT: Final = """\
strict_7bit_headers = yes
strict_8bitmime = yes
strict_mime_encoding_domain = yes
strict_rfc821_envelopes = yes
header_checks = regexp:%s
"""
_CHECKS: Final = """\
/^(From|Sender|Reply-To|To|Cc):[^@]*$/ REJECT an address without a domain
/^.{999}/ REJECT a line that is too long
"""


@pytest.fixture(scope="module")
def _machine(certs: Certificates) -> Iterator[tuple[System, Postfix]]:
    parts.require("postfix")
    with server_folder("strict") as folder, whole_system() as system:
        checks = folder / "checks"
        checks.write_text(_CHECKS)
        with Postfix(folder, certs.good, settings=_STRICT % checks) as server:
            yield _configured(system, server, certs), server


def _configured(system: System, server: Postfix, certs: Certificates) -> System:
    system.configure(server, certs)
    (system.root / "etc/smtp-desk/aliases").write_text("default: ann@example.test\n")
    system.start_worker()
    return system


@pytest.fixture
def system(_machine: tuple[System, Postfix]) -> System:
    return _machine[0]


@pytest.fixture
def server(_machine: tuple[System, Postfix]) -> Postfix:
    _machine[1].mailboxes.clear()
    return _machine[1]


def arrived(server: Postfix, box: str = "ann") -> EmailMessage:
    """The one email in a mailbox, which nobody could refuse for its form."""
    (mail,) = server.mailboxes.messages(box, at_least=1)
    (raw,) = server.mailboxes.raw(box)
    assert raw.partition(b"\n\n")[0].isascii()
    for name in ("From", "To", "Subject", "Date", "Message-ID", "Reply-To", "Cc"):
        assert len(mail.get_all(name, [])) <= 1
    assert mail["From"].addresses[0].addr_spec == "desk@example.test"
    return mail


def call(system: System, *arguments: str, stdin: bytes) -> None:
    done = system.run_as(ONE, [str(system.sendmail), *arguments], stdin)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


_CRON_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
_CRON: Final = """
mount --bind {sendmail} /usr/sbin/sendmail
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /etc/cron.d
mount -t tmpfs tmpfs /var/spool/cron
mkdir /var/spool/cron/crontabs
printf '@reboot {user} printf "gr\\\\303\\\\274n\\\\n.\\\\nend\\\\n"\\n' >/etc/cron.d/job
exec cron -f
"""


@contextmanager
def cron(system: System) -> Iterator[None]:
    """A cron of its own, which runs what is to be done once at its start."""
    text = _CRON.format(sendmail=system.sendmail, user=ONE)
    with subprocess.Popen(
        ["unshare", "--mount", "sh", "-e", "-c", text],
        stdout=subprocess.DEVNULL, env={"PATH": _CRON_PATH, "LC_ALL": "C.UTF-8"},
    ) as process:  # fmt: skip
        try:
            yield
        finally:
            process.terminate()


@pytest.mark.needs("real_programs")
def test_cron(system: System, server: Postfix) -> None:
    with cron(system):
        mail = arrived(server)
    assert mail["From"].addresses[0].display_name == "Cron Daemon"
    assert mail["Subject"].startswith(f"Cron <{ONE}@")
    assert mail["To"].addresses[0].username == ONE
    assert mail.get_content() == "grün\n.\nend\n"


@pytest.mark.needs("real_programs")
def test_php(system: System, server: Postfix) -> None:
    code = """
        $headers = ["Cc" => "bo@example.test", "From" => "Jörg <www@shop.example>",
                    "Content-Type" => "text/plain; charset=utf-8"];
        $long = str_repeat("ü", 700);
        exit(mail("ann@example.test", "Grüße", "one\\n.\\n$long\\n", $headers, "-fx@y.example")
             ? 0 : 1);
    """
    done = system.run_as(ONE, ["php", "-d", f"sendmail_path={system.sendmail} -t -i", "-r", code])
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    mail = arrived(server)
    assert mail["Subject"] == "Grüße"
    assert mail["From"] == "Jörg <desk@example.test>"
    assert mail["Reply-To"] == "Jörg <www@shop.example>"
    assert mail["Return-Path"] == "<desk@example.test>"
    assert mail.get_content().rstrip("\n") == "one\n.\n" + "ü" * 700
    assert arrived(server, "bo")["Message-ID"] == mail["Message-ID"]


@pytest.mark.needs("real_programs")
def test_s_nail(system: System, server: Postfix) -> None:
    command = [
        "s-nail",
        "-n",
        "-S",
        f"mta={system.sendmail}",
        "-s",
        "Grüße",
        "-c",
        "bo@example.test",
    ]
    done = system.run_as(ONE, [*command, "root"], "zürück\n".encode())
    assert (done.returncode, done.stderr) == (0, b"")
    mail = arrived(server)
    assert mail["Subject"] == "Grüße"
    assert mail["To"].addresses[0].addr_spec == "root@example.test"
    assert mail.get_content() == "zürück\n"
    assert arrived(server, "bo")["Cc"] == "bo@example.test"


def test_mdadm(system: System, server: Postfix) -> None:
    call(
        system, "-t",
        stdin=b"From: mdadm monitoring <root>\nTo: root\n"
        b"Subject: DegradedArray event on /dev/md0:desk\n\n"
        b"This is an automatically generated mail message from mdadm\n\nFaithfully yours, etc.\n",
    )  # fmt: skip
    mail = arrived(server)
    assert mail["Subject"] == "DegradedArray event on /dev/md0:desk"
    assert mail["From"].addresses[0].display_name == "mdadm monitoring"
    assert "Reply-To" not in mail
    assert mail.get_content().endswith("Faithfully yours, etc.\n")


def test_logwatch(system: System, server: Postfix) -> None:
    """Its charset is one that its octets are not always in."""
    call(
        system, "-t",
        stdin=b"To: root\nFrom: Logwatch\nSubject: Logwatch for desk (Linux)\n"
        b"Auto-Submitted: auto-generated\nPrecedence: bulk\n"
        b'Content-Type: text/plain; charset="iso-8859-1"\n\n'
        b" ### Logwatch 7.7 ###\n gr\xfcn\n" + b"x" * 2000 + b"\n.\n ### end ###\n",
    )  # fmt: skip
    (mail,) = server.mailboxes.messages("ann", at_least=1)
    assert mail.get_content().splitlines()[:2] == [" ### Logwatch 7.7 ###", " grün"]
    assert "x" * 2000 in mail.get_content()


def test_logwatch_ends_at_a_dot_of_its_own_only(system: System, server: Postfix) -> None:
    call(system, "-t", "-i", stdin=b"To: root\nFrom: Logwatch\nSubject: x\n\n.\n ### end ###\n")
    assert arrived(server).get_content() == ".\n ### end ###\n"


_UPGRADES: Final = """
import email.charset, subprocess, sys
from email.message import Message
msg = Message()
msg["Subject"] = "[package on hold] unattended-upgrades result for desk: SUCCESS"
msg["From"] = "root"
msg["To"] = "root"
msg["Auto-Submitted"] = "auto-generated"
charset = email.charset.Charset("utf-8")
charset.body_encoding = email.charset.QP
msg.set_payload("Paketlog: gr\\u00fcn\\n.\\n" + "y" * 1500 + "\\n", charset)
sendmail = subprocess.Popen([sys.argv[1], "-oi", "-t"], stdin=subprocess.PIPE,
                            universal_newlines=True)
sendmail.stdin.write(msg.as_string())
sendmail.stdin.close()
sys.exit(sendmail.wait())
"""


def test_unattended_upgrades(system: System, server: Postfix) -> None:
    done = system.run_as(ONE, [system.python, "-c", _UPGRADES, str(system.sendmail)])
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    mail = arrived(server)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content() == "Paketlog: grün\n.\n" + "y" * 1500 + "\n"


def test_symfony(system: System, server: Postfix) -> None:
    """Two emails in one conversation; one recipient that is none is named where it is told."""
    with subprocess.Popen(
        [str(system.sendmail), "-bs", "-i"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=system.environment(ONE), user=ONE, group=pwd.getpwnam(ONE).pw_gid, extra_groups=[],
    ) as program:  # fmt: skip
        ask = partial(say_smtp, program)
        ask("", "220")
        ask("EHLO [127.0.0.1]\r\n", "250")
        for number in (1, 2):
            ask("MAIL FROM:<www@shop.example>\r\n", "250")
            ask("RCPT TO:<ann@example.test>\r\n", "250")
            ask("RCPT TO:<nobody@>\r\n", "553")
            ask("DATA\r\n", "354")
            content = (
                f"From: Shop <www@shop.example>\r\nSubject: Order {number}\r\n\r\n..\r\nThanks"
            )
            ask(f"{content}\r\n.\r\n", "250")
        ask("QUIT\r\n", "221")
        out, err = program.communicate(timeout=60)
        assert (program.returncode, out, err) == (0, b"", b"")
    mails = server.mailboxes.messages("ann", at_least=2)
    assert sorted(str(mail["Subject"]) for mail in mails) == ["Order 1", "Order 2"]
    assert {mail.get_content() for mail in mails} == {".\nThanks\n"}
