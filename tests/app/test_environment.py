"""Versions for the report."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib import metadata

import pytest

from smtp_desk import __version__
from smtp_desk.app.services import versions


def test_the_versions_that_support_asks_for() -> None:
    found = versions()
    assert set(found) == {"program", "python", "openssl", "qt", "system"}
    assert found["program"] == f"SMTP Desk {__version__}"
    assert found["python"] == platform.python_version()
    assert str(found["openssl"]).startswith("OpenSSL ")
    assert found["qt"] == f"PySide6 {metadata.version('PySide6-Essentials')}"
    assert platform.release() in str(found["system"])


def test_the_name_of_the_machine_is_no_version() -> None:
    assert platform.node() not in repr(dict(versions()))


def test_without_qt_the_report_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert versions()["qt"] == "not installed"


def test_a_system_without_os_release_is_named_by_its_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing() -> dict[str, str]:
        raise FileNotFoundError

    monkeypatch.setattr(platform, "freedesktop_os_release", missing)
    assert versions()["system"] == f"{platform.system()} {platform.release()} {platform.machine()}"


def test_versions_do_not_load_qt() -> None:
    program = "import sys; from smtp_desk.app.services import versions; versions(); "
    program += "assert not [name for name in sys.modules if name.startswith('PySide6')]"
    subprocess.run([sys.executable, "-c", program], check=True)
