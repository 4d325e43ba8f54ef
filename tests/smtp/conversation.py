"""A protocol brought to a state by a polite server, for tests that begin there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtp_desk.smtp.wire import commands
from smtp_desk.smtp.wire.protocol import Answer, ClientProtocol, ProtocolState

if TYPE_CHECKING:
    from smtp_desk.smtp.wire.commands import Command

OFFER = b"250-mail.example.test\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 AUTH PLAIN LOGIN\r\n"


def feed(protocol: ClientProtocol, data: bytes) -> list[Answer]:
    """Every answer that the bytes complete."""
    protocol.receive(data)
    answers = []
    while protocol.pending and (answer := protocol.next_answer()) is not None:
        answers.append(answer)
    return answers


def answered(protocol: ClientProtocol, command: Command, reply: bytes) -> Answer:
    """The one answer to a command."""
    protocol.send(command)
    (answer,) = feed(protocol, reply)
    return answer


def in_plain_text(offer: bytes = b"250-mail.example.test\r\n250 STARTTLS\r\n") -> ClientProtocol:
    """EHLO answered, outside TLS."""
    protocol = ClientProtocol()
    feed(protocol, b"220 mail.example.test ESMTP\r\n")
    answered(protocol, commands.ehlo("[127.0.0.1]"), offer)
    assert protocol.state is ProtocolState.OFFERED
    return protocol


def in_tls(offer: bytes = OFFER) -> ClientProtocol:
    """EHLO answered inside TLS."""
    protocol = ClientProtocol(tls_from_start=True)
    feed(protocol, b"220 mail.example.test ESMTP\r\n")
    answered(protocol, commands.ehlo("[127.0.0.1]"), offer)
    assert protocol.state is ProtocolState.READY
    return protocol
