"""Racing the addresses of a server, on addresses of this machine only."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import struct
import threading
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.stages import Stage
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.dial import MOST_ADDRESSES, TEST_PATIENCE, Dialer, interleaved
from smtp_desk.smtp.net.stream import ClosedError, ResetError
from tests.servers.ports import black_hole, refusing_port
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtp_desk.core.stages import Facts, Json

SOON = 20.0
# The kernel has no route to a broadcast address, and it is one of loopback.
UNREACHABLE = "127.255.255.255"


def results(facts: Facts) -> dict[Json, Json]:
    addresses = facts["addresses"]
    assert isinstance(addresses, list)
    return {each["address"]: each["result"] for each in addresses if isinstance(each, dict)}


def first_address(facts: Facts) -> dict[str, Json]:
    addresses = facts["addresses"]
    assert isinstance(addresses, list)
    assert isinstance(addresses[0], dict)
    return addresses[0]


@pytest.fixture
def cancel() -> Cancel:
    return Cancel()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def soon() -> Deadline:
    return Deadline.after(SOON)


def test_the_only_address(server: ScriptedServer, cancel: Cancel) -> None:
    dialer = Dialer(["127.0.0.1"], server.port, cancel)
    assert dialer.has_more
    stream = dialer.connect(soon())
    assert stream.read(soon()).startswith(b"220 ")
    assert stream.peer_address == "127.0.0.1"
    stream.abort()
    address = first_address(dialer.facts())
    assert address.pop("ms") in range(20_000)
    assert address == {"address": "127.0.0.1", "family": "IPv4", "result": "connected"}
    assert not dialer.has_more


@pytest.mark.parametrize("by", ["number", "name"])
def test_an_address_with_a_zone(cancel: Cancel, by: str) -> None:
    index, name = socket.if_nameindex()[0]
    with ScriptedServer(host="::1") as server:
        address = f"::1%{index if by == 'number' else name}"
        dialer = Dialer([address], server.port, cancel)
        stream = dialer.connect(soon())
        assert stream.read(soon()).startswith(b"220 ")
        stream.abort()
    assert results(dialer.facts()) == {address: "connected"}


def test_an_address_in_a_zone_that_is_none(cancel: Cancel) -> None:
    with pytest.raises(SmtpFailure) as raised:
        Dialer(["fe80::1%nowhere0"], 25, cancel).connect(soon())
    assert raised.value.code == "connect.failed"


def test_families_take_turns() -> None:
    addresses = ["::1", "::2", "::3", "127.0.0.1", "127.0.0.2"]
    assert interleaved(addresses) == ["::1", "127.0.0.1", "::2", "127.0.0.2", "::3"]
    assert interleaved(addresses[3:] + addresses[:1]) == ["127.0.0.1", "::1", "127.0.0.2"]


def test_a_name_server_sends_nobody_to_thousands_of_strangers(cancel: Cancel) -> None:
    addresses = [f"127.0.{number // 256}.{number % 256}" for number in range(1, 2000)]
    with refusing_port() as port:
        dialer = Dialer(addresses, port, cancel, patience=SOON)
        with pytest.raises(SmtpFailure):
            dialer.connect(soon())
    assert [*results(dialer.facts())] == addresses[:MOST_ADDRESSES]


def test_a_refusal_lets_the_next_start_at_once(server: ScriptedServer, cancel: Cancel) -> None:
    dialer = Dialer(["::1", "127.0.0.1"], server.port, cancel)
    dialer.connect(soon()).abort()
    assert results(dialer.facts()) == {"::1": "refused", "127.0.0.1": "connected"}
    assert dialer.facts()["dead_addresses"] == ["::1"]


def test_a_silent_address_loses_the_race(cancel: Cancel) -> None:
    with black_hole("127.0.0.2") as port, ScriptedServer(host="127.0.0.1", port=port):
        dialer = Dialer(["127.0.0.2", "127.0.0.1"], port, cancel)
        dialer.connect(soon()).abort()
    assert results(dialer.facts()) == {"127.0.0.2": "not tried", "127.0.0.1": "connected"}
    assert "dead_addresses" not in dialer.facts()


def test_a_test_waits_for_the_losers(cancel: Cancel) -> None:
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(black_hole("127.0.0.2"))
        for host in ("127.0.0.1", "127.0.0.3"):
            stack.enter_context(ScriptedServer(host=host, port=port))
        addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", UNREACHABLE]
        dialer = Dialer(addresses, port, cancel, patience=TEST_PATIENCE)
        stream = dialer.connect(soon())
        assert stream.peer_address == "127.0.0.1"
        stream.abort()
    assert results(dialer.facts()) == {
        "127.0.0.1": "connected",
        "127.0.0.2": "no answer",
        "127.0.0.3": "connected",
        "127.0.0.4": "refused",
        UNREACHABLE: "unreachable",
    }
    assert dialer.facts()["dead_addresses"] == ["127.0.0.2", "127.0.0.4", UNREACHABLE]


def test_patience_is_not_spent_where_nobody_is_left(server: ScriptedServer, cancel: Cancel) -> None:
    dialer = Dialer(["127.0.0.1"], server.port, cancel, patience=3600)
    dialer.connect(soon()).abort()


def test_an_address_that_fails_before_ehlo_yields_to_the_next(cancel: Cancel) -> None:
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(ScriptedServer(host="127.0.0.2"))
        stack.enter_context(ScriptedServer(host="127.0.0.1", port=first.port))
        dialer = Dialer(["127.0.0.2", "127.0.0.1"], first.port, cancel)
        stream = dialer.connect(soon())
        assert (stream.peer_address, dialer.has_more) == ("127.0.0.2", True)
        stream.abort()
        dialer.yield_address("greeting.closed")
        stream = dialer.connect(soon())
        assert (stream.peer_address, dialer.has_more) == ("127.0.0.1", False)
        stream.abort()
        dialer.yield_address("greeting.closed")
        with pytest.raises(SmtpFailure) as raised:
            dialer.connect(soon())
    assert raised.value.code == "connect.failed"
    address = first_address(raised.value.facts)
    assert (address["result"], address["reason"]) == ("failed", "greeting.closed")


def test_yielding_before_connecting_changes_nothing(cancel: Cancel) -> None:
    dialer = Dialer(["127.0.0.1"], 1, cancel)
    dialer.yield_address("greeting.closed")
    assert dialer.has_more


def failure(dialer: Dialer, seconds: float = SOON) -> SmtpFailure:
    with pytest.raises(SmtpFailure) as raised:
        dialer.connect(Deadline.after(seconds))
    assert raised.value.stage is Stage.CONNECT
    return raised.value


def test_everybody_refuses(cancel: Cancel) -> None:
    with refusing_port() as port:
        refused = failure(Dialer(["127.0.0.1", "127.0.0.2", UNREACHABLE], port, cancel))
    assert refused.code == "connect.refused"
    assert refused.facts["port"] == port
    assert set(results(refused.facts).values()) == {"refused", "unreachable"}
    assert "dead_addresses" not in refused.facts


def test_silence_tells_more_than_a_refusal(cancel: Cancel) -> None:
    with black_hole("127.0.0.2") as port:
        silent = failure(Dialer(["127.0.0.1", "127.0.0.2"], port, cancel), 0.3)
    assert silent.code == "connect.timeout"
    assert results(silent.facts) == {"127.0.0.1": "refused", "127.0.0.2": "no answer"}


def test_a_deadline_that_is_over_tries_nobody(server: ScriptedServer, cancel: Cancel) -> None:
    late = failure(Dialer(["127.0.0.1"], server.port, cancel), -1)
    assert (late.code, results(late.facts)) == ("connect.timeout", {"127.0.0.1": "not tried"})


def test_no_way_there(cancel: Cancel) -> None:
    nowhere = failure(Dialer([UNREACHABLE], 25, cancel))
    assert nowhere.code == "connect.unreachable"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EACCES, "connect.failed"),
        (errno.EAFNOSUPPORT, "connect.unreachable"),
        (None, "connect.failed"),
    ],
)
def test_a_system_that_gives_no_socket(
    monkeypatch: pytest.MonkeyPatch, cancel: Cancel, number: int | None, code: str
) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(number, "no") if number else OSError("no")

    cancel.fileno()
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", refuse)
        nothing = failure(Dialer(["127.0.0.1"], 25, cancel))
    assert nothing.code == code


@pytest.mark.parametrize("looked_at", [False, True], ids=["error kept", "error taken"])
def test_a_reset_right_after_accept_is_told_by_the_first_read(
    monkeypatch: pytest.MonkeyPatch, cancel: Cancel, looked_at: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        class Cut(socket.socket):
            """Connected and reset before anybody could look at it."""

            def connect_ex(self, address: tuple[str, int]) -> int:  # type: ignore[override]
                code = super().connect_ex(address)
                peer, _ = listener.accept()
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.close()
                poll = select.poll()
                poll.register(self, select.POLLIN)
                assert poll.poll(SOON * 1000)
                if looked_at:
                    assert self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                return code

        cancel.fileno()
        dialer = Dialer(["127.0.0.1"], listener.getsockname()[1], cancel)
        with monkeypatch.context() as patch:
            patch.setattr(socket, "socket", Cut)
            stream = dialer.connect(soon())
        with pytest.raises((ResetError, ClosedError)):
            stream.read(soon())
        stream.abort()
    assert (stream.peer_address, first_address(dialer.facts())["result"]) == (
        "127.0.0.1",
        "connected",
    )


def test_cancel_ends_the_race(cancel: Cancel) -> None:
    with black_hole() as port:
        timer = threading.Timer(0.05, cancel.cancel)
        timer.start()
        with pytest.raises(CancelledError):
            Dialer(["127.0.0.1"], port, cancel).connect(soon())
        timer.join()
    with pytest.raises(CancelledError):
        Dialer(["127.0.0.1"], port, cancel).connect(soon())


def test_cancel_ends_the_wait_for_the_losers(cancel: Cancel) -> None:
    with black_hole("127.0.0.2") as port, ScriptedServer(port=port) as server:
        dialer = Dialer(["127.0.0.1", "127.0.0.2"], port, cancel, patience=3600)

        def cancel_then() -> None:
            server.wait_for(lambda server: bool(server.sessions))
            cancel.cancel()

        cancelling = threading.Thread(target=cancel_then)
        cancelling.start()
        with pytest.raises(CancelledError):
            dialer.connect(soon())
        cancelling.join()
        server.wait_for(lambda server: server.open_connections == 0)
