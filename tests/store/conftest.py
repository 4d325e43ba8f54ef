"""A store in a temporary home, with credentials in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from smtp_desk.store.credentials import MemoryCredentials
from smtp_desk.store.paths import Paths
from smtp_desk.store.settings_store import SettingsStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.certs import Certificates


@pytest.fixture(autouse=True)
def _quick_proofs(quick_proofs: None) -> None:
    """No test here is about the cost of a proof."""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.below(tmp_path / "home")


@pytest.fixture
def credentials() -> MemoryCredentials:
    return MemoryCredentials()


@pytest.fixture
def store(paths: Paths, credentials: MemoryCredentials) -> SettingsStore:
    return SettingsStore(paths, credentials, lock_timeout=0.2)


@pytest.fixture
def ca_pem(certs: Certificates) -> str:
    """The certificate of a company CA."""
    return certs.other_root.certificate.public_bytes(Encoding.PEM).decode()


@pytest.fixture
def other_ca_pem(certs: Certificates) -> str:
    """The certificate of another company CA."""
    return certs.intermediate.certificate.public_bytes(Encoding.PEM).decode()
