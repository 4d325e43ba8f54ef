"""The plain stream: bytes, ends, deadlines, cancel. TLS is in test_stream_tls.py."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

import pytest

from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.stream import ClosedError, ResetError, Stream, TimedOutError
from tests.servers.script import Drip, Reply, Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SOON = 20.0
LARGE = 8 << 20


class Pair:
    """A stream and the bare socket of its peer."""

    def __init__(self, host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, 0), family=family) as listener:
            client = socket.create_connection(listener.getsockname()[:2])
            self.peer, _ = listener.accept()
        self.peer.settimeout(SOON)
        self.cancel = Cancel()
        self.stream = Stream(client, self.cancel)
        self.deadline = Deadline.after(SOON)

    def read(self, size: int) -> bytes:
        """What the stream reads next, `size` bytes in all."""
        data = b""
        while len(data) < size:
            data += self.stream.read(self.deadline)
        return data

    def reset(self) -> None:
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.peer.close()


def _read_on_and_on(stream: Stream, deadline: Deadline) -> None:
    while True:
        stream.read(deadline)


@pytest.fixture(params=["127.0.0.1", "::1"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    pair = Pair(request.param)
    yield pair
    pair.stream.abort()
    pair.peer.close()


def test_it_knows_both_ends(pair: Pair) -> None:
    assert pair.stream.local_address == pair.peer.getpeername()[0]
    assert pair.stream.peer_address == pair.peer.getsockname()[0]
    assert pair.stream.tls is None


def test_it_reads_what_is_there_up_to_the_limit(pair: Pair) -> None:
    pair.peer.sendall(b"220 mail.example.test\r\n")
    assert pair.stream.read(pair.deadline, 4) == b"220 "
    assert pair.read(19) == b"mail.example.test\r\n"


def test_it_writes_everything(pair: Pair) -> None:
    pair.stream.write(b"QUIT\r\n", pair.deadline)
    assert pair.peer.recv(100) == b"QUIT\r\n"


def test_the_end_is_told_after_the_last_byte_and_again(pair: Pair) -> None:
    pair.peer.sendall(b"221 bye\r\n")
    pair.peer.close()
    assert pair.read(9) == b"221 bye\r\n"
    for _ in range(2):
        with pytest.raises(ClosedError):
            pair.stream.read(pair.deadline)


def test_a_reset_is_told_from_an_end(pair: Pair) -> None:
    pair.reset()
    with pytest.raises(ResetError) as raised:
        pair.stream.read(pair.deadline)
    assert isinstance(raised.value.__cause__, ConnectionResetError)


def test_silence_ends_at_the_deadline(pair: Pair) -> None:
    with pytest.raises(TimedOutError):
        pair.stream.read(Deadline.after(0.05))


def test_drips_stretch_nothing() -> None:
    endless = Script(greeting=Drip(b"2", every=0.01, endless=True))
    with ScriptedServer(endless) as server:
        stream = Stream(socket.create_connection((server.host, server.port)), Cancel())
        deadline = Deadline.after(0.2)
        with pytest.raises(TimedOutError):
            _read_on_and_on(stream, deadline)
        stream.abort()


def test_a_flood_stretches_nothing(pair: Pair) -> None:
    def flood() -> None:
        with contextlib.suppress(OSError):
            while True:
                pair.peer.sendall(b"250-on and on\r\n" * 1000)

    flooding = threading.Thread(target=flood)
    flooding.start()
    deadline = Deadline.after(0.2)
    with pytest.raises(TimedOutError):
        _read_on_and_on(pair.stream, deadline)
    pair.peer.shutdown(socket.SHUT_RDWR)
    flooding.join()


def test_cancel_wakes_a_read_at_once(pair: Pair) -> None:
    with ScriptedServer(Script(greeting=())) as server:
        stream = Stream(socket.create_connection((server.host, server.port)), pair.cancel)
        began: list[float] = []

        def cancel() -> None:
            server.wait_for(lambda server: bool(server.sessions))
            began.append(time.monotonic())
            pair.cancel.cancel()

        cancelling = threading.Thread(target=cancel)
        cancelling.start()
        with pytest.raises(CancelledError):
            stream.read(Deadline.after(SOON))
        assert time.monotonic() - began[0] < 5
        cancelling.join()
        stream.abort()


def test_cancelled_before_means_no_wait(pair: Pair) -> None:
    pair.cancel.cancel()
    with pytest.raises(CancelledError):
        pair.stream.read(pair.deadline)


def test_a_write_that_nobody_takes_ends_at_the_deadline(pair: Pair) -> None:
    with pytest.raises(TimedOutError):
        pair.stream.write(bytes(LARGE), Deadline.after(0.1))


def test_a_peer_that_talks_while_we_write_blocks_nobody(pair: Pair) -> None:
    received: list[bytes] = []
    # What the kernel does not hold the stream must take, though it is writing.
    pair.peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
    pair.stream._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)

    def talk_then_listen() -> None:
        pair.peer.sendall(b"x" * (LARGE // 16))
        left = LARGE
        while left:
            data = pair.peer.recv(65536)
            received.append(data)
            left -= len(data)

    peer = threading.Thread(target=talk_then_listen)
    peer.start()
    message = b"0123456789abcdef" * (LARGE // 16)
    pair.stream.write(message, pair.deadline)
    assert pair.read(LARGE // 16) == b"x" * (LARGE // 16)
    peer.join()
    assert b"".join(received) == message


def test_a_peer_that_only_talks_fills_no_memory(pair: Pair) -> None:
    sent = 0

    def talk() -> None:
        nonlocal sent
        with contextlib.suppress(OSError):
            while True:
                sent += pair.peer.send(bytes(65536))

    talking = threading.Thread(target=talk)
    talking.start()
    with pytest.raises(TimedOutError):
        pair.stream.write(bytes(64 << 20), Deadline.after(1))
    assert len(pair.stream._received) < 2 << 20
    pair.peer.shutdown(socket.SHUT_RDWR)
    talking.join()


def test_what_the_peer_said_before_it_hung_up_can_be_read(pair: Pair) -> None:
    pair.peer.sendall(b"552 5.3.4 too big\r\n")
    pair.reset()
    with pytest.raises(ResetError):
        pair.stream.write(bytes(LARGE), pair.deadline)
    assert pair.read(19) == b"552 5.3.4 too big\r\n"
    with pytest.raises((ResetError, ClosedError)):
        pair.stream.read(pair.deadline)


def test_a_peer_that_stopped_talking_may_still_listen(pair: Pair) -> None:
    pair.peer.shutdown(socket.SHUT_WR)
    writing = threading.Thread(target=pair.stream.write, args=(bytes(LARGE), pair.deadline))
    writing.start()
    left = LARGE
    while left:
        left -= len(pair.peer.recv(65536))
    writing.join()
    with pytest.raises(ClosedError):
        pair.stream.read(pair.deadline)


@pytest.mark.parametrize("end", [Stream.close, Stream.abort])
def test_the_peer_sees_an_end_and_no_reset_though_bytes_are_unread(pair: Pair, end: object) -> None:
    assert callable(end)
    pair.peer.sendall(b"221 bye\r\n" * 20_000)
    end(pair.stream)
    assert pair.peer.recv(10) == b""


def test_ending_twice_is_ending_once(pair: Pair) -> None:
    pair.stream.close()
    pair.stream.close()
    pair.stream.abort()
    assert pair.peer.recv(10) == b""


def test_ending_a_broken_connection_is_no_error(pair: Pair) -> None:
    pair.reset()
    with pytest.raises(ResetError):
        pair.stream.read(pair.deadline)
    pair.stream.close()


def test_it_acknowledges_at_once_where_the_system_can(pair: Pair) -> None:
    quickack = getattr(socket, "TCP_QUICKACK", None)
    if quickack is None:
        pytest.skip("only Linux has TCP_QUICKACK")
    pair.peer.sendall(b"220 ")
    pair.stream._socket.setsockopt(socket.IPPROTO_TCP, quickack, 0)
    pair.read(4)
    assert pair.stream._socket.getsockopt(socket.IPPROTO_TCP, quickack)
    assert pair.stream._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_two_lines_of_a_real_conversation() -> None:
    with ScriptedServer(Script(greeting=Reply("220 here"))) as server:
        stream = Stream(socket.create_connection((server.host, server.port)), Cancel())
        deadline = Deadline.after(SOON)
        assert stream.read(deadline) == b"220 here\r\n"
        stream.write(b"NOOP\r\n", deadline)
        assert stream.read(deadline) == b"250 2.0.0 Ok\r\n"
        stream.close()
        server.wait_for(lambda server: server.open_connections == 0)
    assert server.commands == ["NOOP"]
