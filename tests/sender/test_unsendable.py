"""A message that can't be written as it should be: no other mail suffers from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender import Status
from smtp_desk.sender.mail.addressing import FOREIGN, Identity
from smtp_desk.sender.outbox.entries import EntryState, OutboxMessage
from smtp_desk.sender.routes.health import Usable
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT, Routes
from smtp_desk.sender.routes.sendmail import SendmailRoute
from tests.sender.post_office import mail, opened, route_to
from tests.sender.ways import CATALOGUE
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from tests.servers.certs import Certificates


@pytest.mark.parametrize("kind", ["invitation", FOREIGN])
def test_an_address_that_is_none_rests_no_route(
    tmp_path: Path, certs: Certificates, tls: ssl.SSLContext, kind: str
) -> None:
    message = OutboxMessage(
        message_id="<poison@example.org>",
        kind=kind,
        payload=b"Subject: Hi\r\n\r\nHi\r\n",
        recipients=("no address\r\nRCPT TO:<eve@example.org>",),
    )
    with ScriptedServer(Script(tls=tls)) as server, ScriptedServer(Script(tls=tls)) as relay:
        default = route_to(relay, certs, DEFAULT)
        with opened(tmp_path, route_to(server, certs), default) as office:
            (receipt,) = office.sender.send(message).recipients
            assert receipt.status is Status.QUEUED
            assert receipt.finding is not None
            assert receipt.finding.code == "session.internal_error"
            for name in (CUSTOM, DEFAULT):
                assert isinstance(office.health.may_use(name), Usable)
            assert office.health.take_event() is None
            assert office.sender.send(mail(1)).route == CUSTOM
            office.settle()
            states = {entry.message_id: entry.state for entry in office.entries}
            assert states[message.message_id] is EntryState.REFUSED, "shown to a person"
            assert office.sender.send(mail(2)).route == CUSTOM
            assert not [each for each in server.messages if "eve" in str(each.recipients)]


def test_nor_the_mail_program(tmp_path: Path) -> None:
    program = tmp_path / "sendmail"
    program.write_text("#!/bin/sh\ncat > /dev/null\n", "utf-8")
    program.chmod(0o755)
    route = SendmailRoute(str(program), Identity("desk@example.org"), CATALOGUE)
    with opened(tmp_path, None) as office:
        office.source.now = Routes(default=route)
        office.sender.send(mail("poison", ("no address",)))
        assert isinstance(office.health.may_use(DEFAULT), Usable)
        assert office.sender.send(mail(1)).route == DEFAULT
