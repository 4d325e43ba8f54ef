"""How the program was installed, told from what each way leaves behind."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from smtp_desk.app import installation
from smtp_desk.app.installation import (
    Installation,
    of_bundle,
    of_environment,
    this_installation,
    update_advice,
)
from smtp_desk.core.system import System

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("prefix", "installer", "found"),
    [
        ("/home/ann/.local/share/pipx/venvs/smtp-desk", "pip", Installation.PIPX),
        (r"C:\Users\ann\pipx\venvs\smtp-desk", "pip", Installation.PIPX),
        ("/home/ann/.local/share/uv/tools/smtp-desk", "uv", Installation.UV),
        ("/srv/app/.venv", "pip", Installation.PIP),
        ("/srv/app/.venv", "uv", Installation.PIP),
        ("/usr", "debian", Installation.DISTRIBUTION),
        ("/usr", "rpm", Installation.DISTRIBUTION),
        ("/usr", "", Installation.DISTRIBUTION),
        ("/srv/pipx", "pip", Installation.PIP),
    ],
)
def test_what_keeps_a_python_environment(prefix: str, installer: str, found: Installation) -> None:
    assert of_environment(prefix, installer) is found


@pytest.mark.parametrize(
    ("system", "deb", "found"),
    [
        (System.UNIX, True, Installation.DEB),
        (System.UNIX, False, Installation.BUNDLE),
        (System.WINDOWS, False, Installation.WINDOWS),
        (System.MACOS, False, Installation.MACOS),
    ],
)
def test_what_a_bundle_comes_from(system: System, *, deb: bool, found: Installation) -> None:
    assert of_bundle(system, deb=deb) is found


def test_these_tests_run_in_a_checkout() -> None:
    assert this_installation() is Installation.CHECKOUT


def test_a_bundle_where_dpkg_put_it_is_the_deb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "smtp-desk.list"
    started = SimpleNamespace(
        frozen=True, executable="/opt/smtp-desk/smtp-desk", prefix="/opt/smtp-desk/_internal"
    )
    monkeypatch.setattr(installation, "sys", started)
    monkeypatch.setattr(installation, "_DEB_FILES", files)
    assert this_installation() is Installation.BUNDLE
    files.touch()
    assert this_installation() is Installation.DEB
    started.executable = "/srv/smtp-desk/smtp-desk"
    assert this_installation() is Installation.BUNDLE


def test_a_wheel_in_a_flatpak_is_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "is_checkout", lambda: False)
    monkeypatch.setattr(installation, "_FLATPAK", tmp_path / "none")
    assert this_installation() is Installation.PIP  # as the tests' environment was made
    monkeypatch.setattr(installation, "_FLATPAK", tmp_path)
    assert this_installation() is Installation.FLATPAK


@pytest.mark.parametrize("each", Installation)
def test_each_says_how_it_is_updated(each: Installation) -> None:
    text = update_advice(each)
    assert text.endswith(".")
    assert "{" not in text
    assert (sys.executable in text) is (each is Installation.PIP)


def test_what_the_advice_names_is_what_the_recipes_make() -> None:
    manifests = (ROOT / "packaging" / "windows" / "winget").glob("*.yaml")
    for manifest in manifests:
        identifier = manifest.read_text().split("PackageIdentifier: ")[1].split()[0]
        assert f"winget upgrade {identifier}”" in update_advice(Installation.WINDOWS)
    flatpak = (ROOT / "packaging" / "flatpak" / "org.smtp_desk.SmtpDesk.yaml").read_text()
    assert "org.smtp_desk.SmtpDesk" in flatpak
    assert "org.smtp_desk.SmtpDesk" in update_advice(Installation.FLATPAK)
    assert installation._DEB_FOLDER in (ROOT / "packaging" / "deb" / "build").read_text()
