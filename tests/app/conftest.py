"""A page without a window, with the embedded mail server behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from smtp_desk.app.services import Services
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.sandbox.server import Sandbox
from tests.app.page import Page, open_page


@pytest.fixture(autouse=True)
def _quick_proofs(quick_proofs: None) -> None:
    """No test here is about the cost of a proof."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(slow_seconds=0.1) as running:
        yield running


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return open_page(Services.sandbox(tmp_path / "home"))


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services.sandbox(tmp_path / "home")


@pytest.fixture
def draft(sandbox: Sandbox, ca_file: Path) -> SettingsDraft:
    """Settings that the sandbox accepts."""
    return SettingsDraft(
        host="localhost",
        port=str(sandbox.tls_port),
        username=sandbox.username,
        secret=sandbox.password,
        from_email="desk@sandbox.test",
        security="tls",
        ca_file=str(ca_file),
    )


@pytest.fixture
def ca_file(sandbox: Sandbox, tmp_path: Path) -> Path:
    path = tmp_path / "company-ca.pem"
    path.write_text(sandbox.ca_pem, "utf-8")
    return path


@pytest.fixture
def saved(page: Page, sandbox: Sandbox, ca_file: Path) -> Page:
    page.fill(sandbox, ca_file)
    page.test()
    page.save()
    return page
