"""The world of a search."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.discovery import configs
from tests.discovery.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtp_desk.core.findings.providers import Providers
    from tests.servers.certs import Certificates


@pytest.fixture(scope="module")
def providers() -> Providers:
    return configs.providers()


@pytest.fixture
def world(certs: Certificates, providers: Providers) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(certs, providers, stack)
