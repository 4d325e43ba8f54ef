"""nodemailer's server is a real one: it signs in, refuses, and tells what arrived."""

from __future__ import annotations

import smtplib
from typing import TYPE_CHECKING

import pytest

from tests.servers.node_smtp import PASSWORD, USERNAME, NodeSmtp
from tests.servers.submitting import submit

if TYPE_CHECKING:
    from tests.servers.certs import Certificates

pytestmark = pytest.mark.needs("node")

MESSAGE = b"Subject: hello\r\n\r\n.\r\nbody\r\n"


@pytest.mark.parametrize("implicit", [True, False])
def test_takes_a_message(node_smtp: NodeSmtp, certs: Certificates, *, implicit: bool) -> None:
    context = certs.trusting_context()
    before = node_smtp.auth_attempts
    address = (node_smtp.host, node_smtp.tls_port if implicit else node_smtp.starttls_port)
    refused = submit(address, context, (USERNAME, PASSWORD), MESSAGE, implicit=implicit)
    assert refused["reject@example.org"][0] == 550
    (message,) = node_smtp.wait_for_messages(1)
    assert message.recipients == ("ann@example.org",)
    assert (message.content, message.username, message.in_tls) == (MESSAGE, USERNAME, True)
    assert node_smtp.auth_attempts == before + 1


def test_wants_the_right_login(node_smtp: NodeSmtp, certs: Certificates) -> None:
    context = certs.trusting_context()
    with smtplib.SMTP_SSL(node_smtp.host, node_smtp.tls_port, context=context) as smtp:
        with pytest.raises(smtplib.SMTPSenderRefused, match="authentication Required"):
            smtp.sendmail("desk@example.test", "ann@example.org", MESSAGE)
        with pytest.raises(smtplib.SMTPAuthenticationError, match=r"5\.7\.8"):
            smtp.login(USERNAME, "wrong")
    assert node_smtp.messages == []
