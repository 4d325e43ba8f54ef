"""Sessions with servers that people use: Postfix, Dovecot's submission, nodemailer's."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Protocol

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import AuthMethod, Security, ServerSettings
from smtp_desk.core.stages import Stage
from smtp_desk.smtp.session.envelope import Envelope, Status
from smtp_desk.smtp.session.session import Session
from tests.servers.postfix import PASSWORD, USERNAME, Postfix
from tests.servers.process import server_folder
from tests.smtp.sessions import MAIL, PATIENT, Told, statuses

if TYPE_CHECKING:
    from tests.servers.certs import Certificates
    from tests.servers.dovecot import DovecotWithInbox
    from tests.servers.node_smtp import NodeSmtp

ENVELOPE = Envelope("desk@example.test", ("rcpt@example.test",))
TRICKY = b"Subject: dots\r\n\r\n.\r\n..\nbare lf\rbare cr\r\n.leading\r\n"
HASTY = dataclasses.replace(PATIENT, patience=0.3)


class Server(Protocol):
    """What the servers have in common."""

    starttls_port: int
    tls_port: int


def session_with(
    certs: Certificates,
    port: int,
    *,
    security: Security = Security.AUTO,
    password: str = PASSWORD,
    method: AuthMethod = AuthMethod.AUTO,
    told: Told | None = None,
) -> Session:
    """A session with a server on this machine."""
    settings = ServerSettings(
        host="localhost",
        port=port,
        from_email="desk@example.test",
        username=USERNAME,
        ca_pem=certs.root.chain_file.read_text(),
        security=security,
        auth_method=method,
    )
    return Session(settings, Secret(password), limits=HASTY, observe=told, keep_transcript=True)


@pytest.mark.needs("postfix")
class TestPostfix:
    @pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
    def test_messages_arrive_as_they_were(
        self, certs: Certificates, postfix: Postfix, security: Security
    ) -> None:
        ports = {Security.STARTTLS: postfix.starttls_port, Security.TLS: postfix.tls_port}
        session = session_with(certs, ports[security], security=security)
        session.open()
        assert statuses(session.send(ENVELOPE, MAIL)) == [Status.ACCEPTED]
        assert session.usable
        last = session.send(ENVELOPE, TRICKY, last=True)
        session.quit()
        assert statuses(last) == [Status.ACCEPTED]
        postfix.mailboxes.wait("rcpt", 2)
        bodies = [raw.partition(b"\n\n")[2] for raw in postfix.mailboxes.raw("rcpt")]
        assert sorted(bodies) == sorted([b"Hello.\n", b".\n..\nbare lf\nbare cr\n.leading\n"])

    @pytest.mark.parametrize("method", AuthMethod)
    def test_every_mechanism(
        self, certs: Certificates, postfix: Postfix, method: AuthMethod
    ) -> None:
        told = Told()
        session = session_with(certs, postfix.starttls_port, method=method, told=told)
        session.open()
        session.quit()
        expected = "PLAIN" if method is AuthMethod.AUTO else method.value.upper()
        assert told.facts(Stage.AUTH)["mechanism"] == expected

    def test_a_wrong_password(self, certs: Certificates, postfix: Postfix) -> None:
        session = session_with(certs, postfix.starttls_port, password="wr0ng")
        with pytest.raises(SmtpFailure) as caught:
            session.open()
        assert caught.value.reply is not None
        assert caught.value.reply.code == 535

    def test_recipients_are_told_apart(self, certs: Certificates, postfix: Postfix) -> None:
        session = session_with(certs, postfix.starttls_port)
        session.open()
        envelope = Envelope("desk@example.test", ("ann@example.test", "nobody@example.test"))
        delivery = session.send(envelope, MAIL)
        assert session.usable
        again = session.send(ENVELOPE, MAIL)
        session.quit()
        assert statuses(delivery) == [Status.ACCEPTED, Status.REFUSED]
        refused = delivery.results[1].reply
        assert refused is not None
        assert (refused.code, refused.enhanced) == (550, "5.1.1")
        assert again.failure is None

    def test_tls_from_the_start_is_found_on_a_silent_port(
        self, certs: Certificates, postfix: Postfix
    ) -> None:
        session = session_with(certs, postfix.tls_port)
        session.open()
        session.quit()
        assert session.mode is Security.TLS

    def test_scram_where_nothing_else_is_offered(self, certs: Certificates) -> None:
        told = Told()
        with (
            server_folder("postfix-scram") as folder,
            Postfix(folder, certs.good, mechanisms=("SCRAM-SHA-256",)) as server,
        ):
            session = session_with(certs, server.starttls_port, told=told)
            session.open()
            session.quit()
            wrong = session_with(certs, server.starttls_port, password="wr0ng")
            with pytest.raises(SmtpFailure) as caught:
                wrong.open()
        assert told.facts(Stage.AUTH)["mechanism"] == "SCRAM-SHA-256"
        assert caught.value.reply is not None
        assert caught.value.reply.code == 535


def _sends(certs: Certificates, server: Server) -> None:
    for port, security in (
        (server.starttls_port, Security.STARTTLS),
        (server.tls_port, Security.TLS),
    ):
        session = session_with(certs, port, security=security)
        session.open()
        assert session.send(ENVELOPE, TRICKY).failure is None
        assert session.send(ENVELOPE, MAIL, last=True).failure is None
        session.quit()


@pytest.mark.needs("dovecot")
def test_dovecot(certs: Certificates, dovecot_submission: DovecotWithInbox) -> None:
    _sends(certs, dovecot_submission)


@pytest.mark.needs("node")
def test_nodemailers_server(certs: Certificates, node_smtp: NodeSmtp) -> None:
    _sends(certs, node_smtp)
    node_smtp.wait_for_messages(4)
