"""The ports behave as named."""

from __future__ import annotations

import socket

import pytest

from tests.servers.ports import answers, black_hole, free_port, refusing_port


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_free_port_can_be_listened_on(host: str) -> None:
    port = free_port(host)
    assert not answers(port, host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family):
        assert answers(port, host)


def test_refusing_port() -> None:
    with refusing_port() as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_black_hole(host: str) -> None:
    with black_hole(host) as port, pytest.raises(TimeoutError):
        socket.create_connection((host, port), 0.3)
