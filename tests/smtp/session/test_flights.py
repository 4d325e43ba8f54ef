"""How often a client waits for the server, counted on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.smtp.session.session import Session
from tests.servers.proxy import LoggingProxy
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer
from tests.smtp.sessions import ENVELOPE, MAIL, PATIENT

if TYPE_CHECKING:
    from tests.servers.certs import Certificates

_CLOSE_NOTIFY: Final = b"\x17\x03\x03\x00\x13"
"""How its record begins in TLS 1.3: application data of 19 bytes, less than any command has."""


@pytest.mark.parametrize(
    ("security", "flights"), [(Security.STARTTLS, 7), (Security.TLS, 6)], ids=str
)
def test_the_flights_of_one_email(certs: Certificates, security: Security, flights: int) -> None:
    """EHLO, STARTTLS, two of TLS, the second with EHLO, AUTH, MAIL to DATA, the message with QUIT.

    With TLS from the start the banner comes between its second one and EHLO. Tickets of TLS
    would come in between, at a moment of their own.
    """
    tls = certs.good.server_context()
    tls.num_tickets = 0
    played = Script(tls=tls, implicit_tls=security is Security.TLS)
    with ScriptedServer(played) as server, LoggingProxy(server.port) as proxy:
        settings = ServerSettings(
            host="localhost",
            port=proxy.port,
            from_email="ann@example.org",
            username="desk",
            security=security,
            ca_pem=certs.root.chain_file.read_text(),
        )
        session = Session(settings, Secret("s3cret"), limits=PATIENT)
        session.open()
        assert session.send(ENVELOPE, MAIL, last=True).failure is None
        session.quit()
        assert len(server.messages) == 1
    # It waits for nothing; the reset of a connection that is closed with words of the server
    # unread can overtake it.
    spoken = [flight for flight in proxy.flights if not flight.startswith(_CLOSE_NOTIFY)]
    assert len(spoken) == flights
