"""A channel whose server hangs up: what it said before is still heard."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest

from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.stream import ResetError, Stream
from smtp_desk.smtp.session.channel import Channel
from smtp_desk.smtp.wire import commands
from smtp_desk.smtp.wire.protocol import ClientProtocol

if TYPE_CHECKING:
    from collections.abc import Iterator

SOON = 20.0


class Ends:
    """A channel and the server's end of its connection."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            self.server, _ = listener.accept()
        protocol = ClientProtocol(tls_from_start=False)
        self.channel = Channel(Stream(client, Cancel()), protocol, None)

    def greet(self) -> None:
        self.server.sendall(b"220 mail.example.test\r\n")
        self.channel.hear(Deadline.after(SOON))

    def reset(self) -> None:
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.server.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.channel.stream.abort()
    ends.server.close()


def test_its_last_words_answer_the_command_that_it_never_read(ends: Ends) -> None:
    ends.greet()
    ends.server.sendall(b"421 4.3.2 shutting down\r\n")
    ends.reset()
    answer = ends.channel.ask(commands.ehlo("desk.example.test"), Deadline.after(SOON))
    assert str(answer.reply) == "421 4.3.2 shutting down"
    assert ends.channel.over


def test_without_last_words_the_reset_is_told(ends: Ends) -> None:
    ends.greet()
    ends.reset()
    with pytest.raises(ResetError) as caught:
        ends.channel.ask(commands.ehlo("desk.example.test"), Deadline.after(SOON))
    assert isinstance(caught.value.__cause__, ConnectionResetError)
    assert ends.channel.over
