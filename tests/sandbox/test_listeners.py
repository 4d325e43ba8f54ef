"""Listening sockets: loopback, free, the same port for both families."""

import errno
import socket

import pytest

from smtp_desk.sandbox.service import listen_on_loopback

real_create_server = socket.create_server


def close(listeners: list[socket.socket]) -> None:
    for listener in listeners:
        listener.close()


def test_only_loopback_and_one_port() -> None:
    listeners = listen_on_loopback()
    try:
        names = [listener.getsockname() for listener in listeners]
        assert names[0][0] == "127.0.0.1"
        assert {name[0] for name in names} <= {"127.0.0.1", "::1"}
        assert len({name[1] for name in names}) == 1
    finally:
        close(listeners)


def test_a_machine_without_ipv6_listens_on_ipv4_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def create_server(address: tuple[str, int], **options: int) -> socket.socket:
        if address[0] == "::1":
            raise OSError(errno.EADDRNOTAVAIL, "no such address")
        return real_create_server(address)

    monkeypatch.setattr(socket, "create_server", create_server)
    listeners = listen_on_loopback()
    try:
        assert [listener.getsockname()[0] for listener in listeners] == ["127.0.0.1"]
    finally:
        close(listeners)


class _Taken:
    """The port of ::1 is somebody else's the first `times` times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.made: list[socket.socket] = []

    def __call__(self, address: tuple[str, int], **options: int) -> socket.socket:
        if address[0] == "::1":
            self.times -= 1
            if self.times >= 0:
                raise OSError(errno.EADDRINUSE, "in use")
            return real_create_server(("127.0.0.1", 0))
        self.made.append(real_create_server(address))
        return self.made[-1]


def test_a_port_taken_on_the_other_family_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = _Taken(2)
    monkeypatch.setattr(socket, "create_server", taken)
    listeners = listen_on_loopback()
    try:
        assert [listener.fileno() != -1 for listener in taken.made] == [False, False, True]
        assert listeners[0] is taken.made[-1]
        assert len(listeners) == 2
    finally:
        close(listeners)


def test_no_port_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = _Taken(1000)
    monkeypatch.setattr(socket, "create_server", taken)
    with pytest.raises(OSError, match="no port is free"):
        listen_on_loopback()
    assert all(listener.fileno() == -1 for listener in taken.made)
