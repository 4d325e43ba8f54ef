"""A command line with the sandbox to talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smtp_desk.sandbox.server import Sandbox
from tests.cli.desk import RECIPIENT, Desk, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _quick_proofs(quick_proofs: None) -> None:
    """No test here is about the cost of a proof."""


@pytest.fixture
def desk(clean_environment: Path) -> Desk:
    return Desk(clean_environment)


@pytest.fixture(scope="session")
def _sandbox_server() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox_server: Sandbox) -> Sandbox:
    """A running sandbox whose inbox is empty."""
    _sandbox_server.inbox.clear()
    return _sandbox_server


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> list[str]:
    """SETTINGS that fit the sandbox."""
    return settings_of(sandbox, tmp_path / "sandbox-ca.pem")


@pytest.fixture
def password(sandbox: Sandbox) -> bytes:
    """The right password, as a line of standard input."""
    return f"{sandbox.password.reveal()}\n".encode()


@pytest.fixture
def sending_desk(desk: Desk, sandbox: Sandbox, settings: list[str], password: bytes) -> Desk:
    """A command line whose emails leave through the sandbox."""
    arguments = ("configure", *settings, "--to", RECIPIENT, "--password-stdin")
    assert desk(*arguments, stdin=password).status == 0
    assert desk("enable").status == 0
    sandbox.inbox.clear()
    return desk
