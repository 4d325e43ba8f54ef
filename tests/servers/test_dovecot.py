"""The Dovecot under test is a real one: it signs in, refuses and passes mail on."""

from __future__ import annotations

import smtplib
from typing import TYPE_CHECKING

import pytest

from tests.servers.dovecot import PASSWORD, USERNAME, DovecotWithInbox
from tests.servers.submitting import submit

if TYPE_CHECKING:
    from tests.servers.certs import Certificates

pytestmark = pytest.mark.needs("dovecot")

MESSAGE = b"Subject: hello\r\n\r\n.\r\nbody\r\n"


@pytest.mark.parametrize("implicit", [True, False])
def test_passes_mail_on(
    dovecot_submission: DovecotWithInbox, certs: Certificates, *, implicit: bool
) -> None:
    server, context = dovecot_submission, certs.trusting_context()
    address = (server.host, server.tls_port if implicit else server.starttls_port)
    refused = submit(address, context, (USERNAME, PASSWORD), MESSAGE, implicit=implicit)
    assert refused["reject@example.org"][0] == 550
    (message,) = server.inbox.messages
    assert message.recipients == ("ann@example.org",)
    assert message.content.endswith(MESSAGE)


def test_refuses_a_wrong_password(
    dovecot_submission: DovecotWithInbox, certs: Certificates
) -> None:
    server = dovecot_submission
    context = certs.trusting_context()
    with smtplib.SMTP_SSL(server.host, server.tls_port, context=context) as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError, match=r"5\.7\.8"):
            smtp.login(USERNAME, "wrong")
        assert smtp.esmtp_features["auth"].split() == ["PLAIN", "LOGIN"]
