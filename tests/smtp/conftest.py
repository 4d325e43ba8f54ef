"""What the tests of sessions share."""

from __future__ import annotations

import pytest

from tests.servers.certs import Certificates
from tests.smtp.checks import Checks
from tests.smtp.sessions import Sessions


@pytest.fixture
def sessions(certs: Certificates) -> Sessions:
    """Sessions that trust the test's CA."""
    return Sessions(certs)


@pytest.fixture
def checks(sessions: Sessions) -> Checks:
    """Tests of configurations."""
    return Checks(sessions)
