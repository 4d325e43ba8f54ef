"""What the tests of the routes share."""

from __future__ import annotations

import ssl

import pytest

from tests.sender.ways_out import WaysOut
from tests.servers.certs import Certificates


@pytest.fixture
def ways_out(certs: Certificates) -> WaysOut:
    """Pools and routes that trust the test's CA."""
    return WaysOut(certs)


@pytest.fixture
def tls(certs: Certificates) -> ssl.SSLContext:
    """The TLS of a server with a good certificate."""
    return certs.good.server_context()
