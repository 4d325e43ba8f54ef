"""`check` against real servers: the verdict is true, and the mail is in the mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.core.report_reader import read_report
from tests.e2e.program import run, settings_for
from tests.servers.ports import free_port

if TYPE_CHECKING:
    from tests.servers.certs import Certificates
    from tests.servers.dovecot import DovecotWithInbox
    from tests.servers.node_smtp import NodeSmtp
    from tests.servers.postfix import Postfix

PASSWORD: Final = b"s3cret\n"
TEST: Final = ("--to", "ann@example.test", "--password-stdin", "--json")


@pytest.mark.parametrize("security", ["auto", "starttls", "tls"])
def test_postfix(postfix: Postfix, certs: Certificates, security: str) -> None:
    port = postfix.tls_port if security == "tls" else postfix.starttls_port
    settings = settings_for(port, certs.root.chain_file)
    done = run("check", *settings, "--security", security, *TEST, stdin=PASSWORD)
    report = read_report(done.stdout)
    assert (done.returncode, done.stderr, report.sent) == (0, b"", True)
    (mail,) = postfix.mailboxes.messages("ann", at_least=1)
    assert mail["From"] == "desk@example.test"
    assert mail["To"] == "ann@example.test"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_dovecot_submission(
    dovecot_submission: DovecotWithInbox, certs: Certificates, security: str
) -> None:
    server = dovecot_submission
    port = server.tls_port if security == "tls" else server.starttls_port
    settings = settings_for(port, certs.root.chain_file)
    done = run("check", *settings, "--security", security, *TEST, stdin=PASSWORD)
    report = read_report(done.stdout)
    assert (done.returncode, report.sent, report.mode) == (0, True, security)
    (message,) = server.inbox.messages
    assert message.recipients == ("ann@example.test",)


def test_a_wrong_password(postfix: Postfix, certs: Certificates) -> None:
    settings = settings_for(postfix.starttls_port, certs.root.chain_file)
    done = run("check", *settings, *TEST, stdin=b"wrong")
    report = read_report(done.stdout)
    assert report.finding is not None
    assert (done.returncode, report.finding.code) == (77, "auth.rejected")
    assert report.message == "Could not reach the SMTP server. Verify the host and port."
    assert postfix.mailboxes.raw("ann") == []


def test_a_mailbox_that_does_not_exist(postfix: Postfix, certs: Certificates) -> None:
    settings = settings_for(postfix.starttls_port, certs.root.chain_file)
    arguments = ("--to", "nobody@example.test", "--password-stdin", "--json")
    done = run("check", *settings, *arguments, stdin=PASSWORD)
    finding = read_report(done.stdout).finding
    assert finding is not None
    assert (done.returncode, finding.code) == (69, "recipient.unknown")


def test_a_mailbox_that_can_not_be_reached_now(postfix: Postfix, certs: Certificates) -> None:
    settings = settings_for(postfix.starttls_port, certs.root.chain_file)
    arguments = ("--to", "tempfail@example.test", "--password-stdin", "--json")
    done = run("check", *settings, *arguments, stdin=PASSWORD)
    assert done.returncode == 75


def test_a_company_ca_that_was_not_given(postfix: Postfix) -> None:
    done = run("check", "--host", "localhost", "--port", str(postfix.starttls_port), "--no-login")
    assert done.returncode == 69
    assert b"certificate 1: " in done.stdout


def test_nobody_listens() -> None:
    done = run("check", "--host", "127.0.0.1", "--port", str(free_port()), "--no-login", "--json")
    finding = read_report(done.stdout).finding
    assert finding is not None
    assert (done.returncode, finding.code) == (69, "connect.refused")


@pytest.mark.needs("node")
def test_nodemailers_server(node_smtp: NodeSmtp, certs: Certificates) -> None:
    settings = settings_for(node_smtp.starttls_port, certs.root.chain_file)
    done = run("check", *settings, *TEST, stdin=PASSWORD)
    assert (done.returncode, read_report(done.stdout).sent) == (0, True)


def test_the_password_in_the_variable(postfix: Postfix, certs: Certificates) -> None:
    settings = settings_for(postfix.starttls_port, certs.root.chain_file)
    env = {"SMTP_DESK_PASSWORD": "s3cret"}
    done = run("check", *settings, "--to", "ann@example.test", env=env)
    assert done.returncode == 0
    assert "Test email sent successfully" in done.stdout.decode().splitlines()
