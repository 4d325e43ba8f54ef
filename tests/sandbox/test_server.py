"""The whole sandbox, used as a mail client uses it, and its life from start to stop."""

import base64
import logging
import smtplib
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import EmailMessage

import pytest

from smtp_desk.sandbox.server import SLOW_SECONDS, Sandbox
from tests.sandbox.conftest import NOW, strict_trust
from tests.sandbox.wire import PATIENCE, auth_plain, plain_wire

MODES = ("starttls", "tls")


@contextmanager
def client(sandbox: Sandbox, mode: str) -> Iterator[smtplib.SMTP]:
    """A connected client inside TLS."""
    trust = strict_trust(sandbox.ca_pem)
    if mode == "tls":
        with smtplib.SMTP_SSL(
            sandbox.host, sandbox.tls_port, context=trust, timeout=PATIENCE
        ) as over_tls:
            yield over_tls
    else:
        with smtplib.SMTP(sandbox.host, sandbox.starttls_port, timeout=PATIENCE) as upgraded:
            upgraded.starttls(context=trust)
            yield upgraded


def message(subject: str = "Hello", body: str = "Hello Ann\n") -> EmailMessage:
    made = EmailMessage()
    made["From"] = "bo@example.org"
    made["To"] = "ann@example.test"
    made["Subject"] = subject
    made.set_content(body)
    return made


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mechanism", ["plain", "login", "cram_md5"])
def test_a_mail_arrives(sandbox: Sandbox, mode: str, mechanism: str) -> None:
    with client(sandbox, mode) as smtp:
        smtp.ehlo()
        smtp.user, smtp.password = sandbox.username, sandbox.password.reveal()
        authobject = getattr(smtp, f"auth_{mechanism}")
        assert smtp.auth(mechanism.upper().replace("_", "-"), authobject)[0] == 235
        assert smtp.send_message(message()) == {}
    (mail,) = sandbox.inbox.mails()
    assert (mail.envelope_from, mail.recipients) == ("bo@example.org", ("ann@example.test",))
    assert (mail.number, mail.subject, mail.text.strip()) == (1, "Hello", "Hello Ann")
    assert mail.raw.endswith(b"Hello Ann\r\n")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mechanism", ["plain", "login", "cram_md5"])
@pytest.mark.parametrize("wrong", ["user", "password"])
def test_a_wrong_login_is_refused(sandbox: Sandbox, mode: str, mechanism: str, wrong: str) -> None:
    with client(sandbox, mode) as smtp:
        smtp.ehlo()
        smtp.user, smtp.password = sandbox.username, sandbox.password.reveal()
        setattr(smtp, wrong, "wrong")
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            smtp.auth(mechanism.upper().replace("_", "-"), getattr(smtp, f"auth_{mechanism}"))
        assert refused.value.smtp_code == 535
        assert "5.7.8 " in str(refused.value.smtp_error)
        with pytest.raises(smtplib.SMTPSenderRefused) as refused_sender:
            smtp.send_message(message())
        assert refused_sender.value.smtp_code == 530
    assert sandbox.inbox.mails() == ()


@pytest.mark.parametrize("mode", MODES)
def test_what_it_offers_inside_tls(sandbox: Sandbox, mode: str) -> None:
    with client(sandbox, mode) as smtp:
        smtp.ehlo()
        assert set(smtp.esmtp_features) == {
            "pipelining", "size", "8bitmime", "smtputf8", "auth", "help",
        }  # fmt: skip
        assert smtp.esmtp_features["size"] == str(25 * 1024 * 1024)
        assert smtp.esmtp_features["auth"].split() == ["CRAM-MD5", "LOGIN", "PLAIN"]


def test_what_it_offers_before_tls(sandbox: Sandbox) -> None:
    with smtplib.SMTP(sandbox.host, sandbox.starttls_port, timeout=PATIENCE) as smtp:
        smtp.ehlo()
        assert smtp.has_extn("starttls")
        assert not smtp.has_extn("auth")


@pytest.mark.parametrize(
    "command",
    ["AUTH PLAIN", "MAIL FROM:<bo@example.org>", "RCPT TO:<ann@example.org>", "DATA", "RSET"],
)
def test_nothing_goes_without_tls(sandbox: Sandbox, command: str) -> None:
    with plain_wire(sandbox.starttls_port) as wire:
        assert wire.reply().startswith("220 localhost ESMTP SMTP Desk sandbox")
        wire.say("EHLO client.example.org")
        assert wire.say(command).startswith("530 ")


@pytest.mark.parametrize("mode", MODES)
def test_names_and_words_of_all_languages(sandbox: Sandbox, mode: str) -> None:
    with client(sandbox, mode) as smtp:
        smtp.login(sandbox.username, sandbox.password.reveal())
        made = message("Grüße 你好", "Grüße\nمرحبا\n")
        made.replace_header("To", "jörg@bücher.example")
        smtp.send_message(made)
    (mail,) = sandbox.inbox.mails()
    assert mail.recipients == ("jörg@bücher.example",)
    assert (mail.subject, mail.text.split()) == ("Grüße 你好", ["Grüße", "مرحبا"])
    assert dict(mail.headers)["To"] == "jörg@bücher.example"


def test_ten_megabytes_arrive_unchanged(sandbox: Sandbox) -> None:
    lines = [b".%070d" % number for number in range(140_000)]
    raw = b"Subject: large\r\n\r\n" + b"\r\n".join(lines) + b"\r\n"
    assert len(raw) > 10_000_000
    with client(sandbox, "tls") as smtp:
        smtp.login(sandbox.username, sandbox.password.reveal())
        smtp.sendmail("bo@example.org", ["ann@example.org"], raw)
    assert sandbox.inbox.mails()[0].raw == raw


def test_too_large_is_said_before_and_after(sandbox: Sandbox) -> None:
    with client(sandbox, "tls") as smtp:
        smtp.login(sandbox.username, sandbox.password.reveal())
        assert smtp.mail("bo@example.org", [f"size={25 * 1024 * 1024 + 1}"])[0] == 552
        assert smtp.mail("bo@example.org")[0] == 250
        assert smtp.rcpt("ann@example.org")[0] == 250
        assert smtp.data(b"x" * 998 + b"\r\n" + (b"y" * 998 + b"\r\n") * 26_300)[0] == 552
        smtp.send_message(message())
    assert len(sandbox.inbox) == 1


def test_twenty_clients_at_once(sandbox: Sandbox) -> None:
    together = threading.Barrier(20)

    def send(number: int) -> None:
        with client(sandbox, MODES[number % 2]) as smtp:
            smtp.login(sandbox.username, sandbox.password.reveal())
            together.wait(PATIENCE)
            smtp.send_message(message(f"Mail {number}"))

    with ThreadPoolExecutor(20) as clients:
        list(clients.map(send, range(20)))
    mails = sandbox.inbox.mails()
    assert {mail.subject for mail in mails} == {f"Mail {number}" for number in range(20)}
    assert [mail.number for mail in mails] == list(range(1, 21))


def test_listeners_hear_of_each_mail_from_the_server(sandbox: Sandbox) -> None:
    heard: list[tuple[object, str]] = []
    sandbox.inbox.subscribe(lambda mail: heard.append((mail, threading.current_thread().name)))
    with client(sandbox, "tls") as smtp:
        smtp.login(sandbox.username, sandbox.password.reveal())
        smtp.send_message(message())
    assert heard == [(sandbox.inbox.mails()[0], "smtp-sandbox")]


def test_each_run_is_new_and_forgets_the_last() -> None:
    sandbox = Sandbox()
    with sandbox:
        first = (sandbox.password, sandbox.ca_pem)
        sandbox.inbox.add("bo@example.org", [], b"")
    assert sandbox.inbox.mails() == ()
    with sandbox:
        assert first[0] != sandbox.password
        assert first[1] != sandbox.ca_pem
        with (
            plain_wire(sandbox.tls_port) as wire,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            strict_trust(first[1]).wrap_socket(wire.socket, server_hostname="localhost").close()


def test_whether_it_runs() -> None:
    sandbox = Sandbox()
    seen = [sandbox.running]
    with sandbox:
        seen.append(sandbox.running)
    seen.append(sandbox.running)
    assert seen == [False, True, False]


def test_started_twice_is_an_error_stopped_twice_is_none(sandbox: Sandbox) -> None:
    port = sandbox.tls_port
    with pytest.raises(RuntimeError, match="runs already"):
        sandbox.start()
    assert sandbox.tls_port == port
    sandbox.stop()
    sandbox.stop()


@pytest.mark.parametrize("name", ["password", "ca_pem", "starttls_port", "tls_port"])
def test_nothing_to_know_of_a_sandbox_that_does_not_run(name: str) -> None:
    with pytest.raises(RuntimeError, match="does not run"):
        getattr(Sandbox(), name)


def test_stopped_means_no_thread_and_no_port() -> None:
    before = set(threading.enumerate())  # some of an earlier test may still be ending
    with Sandbox() as sandbox:
        ports = (sandbox.starttls_port, sandbox.tls_port)
        assert len(set(ports)) == 2
        assert len(set(threading.enumerate()) - before) == 1
    assert set(threading.enumerate()) <= before
    for port in ports:
        with pytest.raises(ConnectionRefusedError), plain_wire(port):
            pass


def test_the_clock_is_the_given_one() -> None:
    with Sandbox(clock=lambda: NOW) as sandbox:
        assert sandbox.inbox.add("", [], b"").received_at == NOW


def test_by_default_it_is_now_and_slow_is_slow_enough_to_press_cancel() -> None:
    assert Sandbox().inbox.add("", [], b"").received_at.utcoffset() is not None
    assert 2 <= SLOW_SECONDS <= 10


def test_no_log_ever_holds_a_secret(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    password = sandbox.password.reveal()
    for mechanism in ("plain", "login"):
        with client(sandbox, "tls") as smtp:
            smtp.ehlo()
            smtp.user, smtp.password = sandbox.username, password
            smtp.auth(mechanism.upper(), getattr(smtp, f"auth_{mechanism}"))
            smtp.send_message(message())
        with client(sandbox, "tls") as smtp:
            smtp.ehlo()
            smtp.docmd("AUTH", "LOGIN")
            smtp.docmd(password)
            smtp.docmd(password)
    hidden = (password, base64.b64encode(password.encode()).decode(), auth_plain("x", "y"))
    assert len(sandbox.inbox) == 2
    assert not [secret for secret in hidden if secret in caplog.text]
    assert not [record for record in caplog.records if record.name == "mail.log"]
    assert password not in repr(sandbox)
