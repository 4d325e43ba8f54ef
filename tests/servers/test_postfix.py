"""The Postfix under test is a real one: it signs in, refuses, defers, delivers and stops."""

from __future__ import annotations

import smtplib
from typing import TYPE_CHECKING

import pytest

from tests.servers.ports import answers
from tests.servers.postfix import PASSWORD, USERNAME, Postfix
from tests.servers.process import server_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.certs import Certificates

pytestmark = pytest.mark.needs("postfix")

MESSAGE = "Message-ID: <1@example.test>\r\nSubject: hello\r\n\r\nbody\r\n"


@pytest.fixture(params=["starttls", "tls"])
def smtp(
    postfix: Postfix, certs: Certificates, request: pytest.FixtureRequest
) -> Iterator[smtplib.SMTP]:
    """A client that has signed in."""
    context = certs.trusting_context()
    if request.param == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(postfix.host, postfix.tls_port, context=context)
    else:
        client = smtplib.SMTP(postfix.host, postfix.starttls_port)
        client.starttls(context=context)
    with client:
        client.login(USERNAME, PASSWORD)
        yield client


def test_delivers(postfix: Postfix, smtp: smtplib.SMTP) -> None:
    recipients = ["rcpt@example.test", "ann@example.test"]
    smtp.sendmail("desk@example.test", recipients, MESSAGE)
    smtp.sendmail("desk@example.test", recipients[0], MESSAGE)
    assert postfix.mailboxes.message_ids("rcpt", 2) == {"<1@example.test>": 2}
    (message,) = postfix.mailboxes.messages("ann", 1)
    assert (message["Subject"], message.get_content()) == ("hello", "body\n")


@pytest.mark.parametrize(
    ("recipient", "code", "words"),
    [
        ("tempfail@example.test", 450, b"4.2.1"),
        ("reject@example.test", 550, b"5.7.1"),
        ("nobody@example.test", 550, b"5.1.1"),
        ("drop@discard.test", 250, b"2.1.5"),
    ],
)
def test_answers_by_recipient(smtp: smtplib.SMTP, recipient: str, code: int, words: bytes) -> None:
    smtp.ehlo_or_helo_if_needed()
    smtp.mail("desk@example.test")
    got, text = smtp.rcpt(recipient)
    assert (got, text.split()[0]) == (code, words)


def test_wants_a_login_and_the_right_one(postfix: Postfix, certs: Certificates) -> None:
    with smtplib.SMTP(postfix.host, postfix.starttls_port) as smtp:
        assert "auth" not in (smtp.ehlo(), smtp.esmtp_features)[1]
        smtp.starttls(context=certs.trusting_context())
        smtp.ehlo()
        assert smtp.esmtp_features["auth"].split() == [
            "PLAIN",
            "LOGIN",
            "CRAM-MD5",
            "SCRAM-SHA-256",
        ]
        smtp.mail("desk@example.test")
        assert smtp.rcpt("drop@discard.test")[0] == 554
        smtp.rset()
        with pytest.raises(smtplib.SMTPAuthenticationError, match=r"5\.7\.8"):
            smtp.login(USERNAME, "wrong")


def test_another_one_beside_it_with_other_mechanisms(certs: Certificates, postfix: Postfix) -> None:
    with (
        server_folder("postfix") as folder,
        Postfix(folder, certs.good, mechanisms=("LOGIN",), users={"bo": "x"}) as other,
    ):
        port = other.tls_port
        assert answers(postfix.plain_port)
        with smtplib.SMTP_SSL(other.host, port, context=certs.trusting_context()) as smtp:
            assert smtp.login("bo", "x")[0] == 235
            assert smtp.esmtp_features["auth"].strip() == "LOGIN"
    assert not answers(port)
    assert not folder.exists()
