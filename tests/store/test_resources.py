"""Resources are found in a checkout and in an installed wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smtp_desk.store import resources

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "smtp_desk")
    resources.resource_path.cache_clear()
    return tmp_path / "smtp_desk"


def test_in_this_checkout() -> None:
    resources.resource_path.cache_clear()
    assert resources.resource_path("icons").is_dir()


def test_in_a_wheel_they_come_first(package: Path) -> None:
    for root in (package, package.parent):
        (root / "resources").mkdir(parents=True)
        (root / "resources" / "x").touch()
    assert resources.resource_path("x") == package / "resources" / "x"


def test_missing(package: Path) -> None:
    with pytest.raises(FileNotFoundError, match="resources/icons/x is missing"):
        resources.resource_path("icons", "x")
