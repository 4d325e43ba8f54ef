"""A running sandbox, and a client's trust in it."""

import gc
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from smtp_desk.sandbox.server import Sandbox

NOW = datetime(2031, 5, 17, 10, 2, 30, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that must leave nothing behind: neither a word on stderr nor an open socket."""
    with Sandbox(slow_seconds=0.0) as running:
        yield running
    # An unclosed socket or transport speaks up when it is collected, and fails the test.
    gc.collect()


@pytest.fixture
def trust(sandbox: Sandbox) -> ssl.SSLContext:
    """What a strict client makes of the sandbox's CA certificate."""
    return strict_trust(sandbox.ca_pem)


def strict_trust(ca_pem: str) -> ssl.SSLContext:
    """Trust this CA alone and check as strictly as Python 3.13 does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ca_pem)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context
