"""What the tests of the routes share."""

from __future__ import annotations

import ssl

import pytest

from tests.sender.ways_out import WaysOut
from tests.servers.certs import Certificates
from tests.servers.script import PIPELINING_SERVER
from tests.smtp.sessions import ONE_BY_ONE


@pytest.fixture(autouse=True)
def _quick_proofs(quick_proofs: None) -> None:
    """No test here is about the cost of a proof."""


@pytest.fixture
def ways_out(certs: Certificates) -> WaysOut:
    """Pools and routes that trust the test's CA."""
    return WaysOut(certs)


@pytest.fixture
def tls(certs: Certificates) -> ssl.SSLContext:
    """The TLS of a server with a good certificate."""
    return certs.good.server_context()


@pytest.fixture(params=[PIPELINING_SERVER, ONE_BY_ONE], ids=["pipelining", "one_by_one"])
def extensions(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """What the server offers: both ways must come to the same."""
    offered: tuple[str, ...] = request.param
    return offered
