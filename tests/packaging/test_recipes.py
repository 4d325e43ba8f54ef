"""The recipes of packages, as far as they can be held against the program without building it.

`tests/e2e/test_installed.py` builds and installs those of Linux, in `make soak`.
"""

from __future__ import annotations

import hashlib
import os
import plistlib
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from smtp_desk import __version__
from smtp_desk.ui.application import APP_ID
from tests.servers import parts

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGING: Final = ROOT / "packaging"
WORKFLOW: Final = ROOT / ".github" / "workflows" / "packages.yml"
REPORT_TYPE: Final = "application/vnd.smtp-desk.report+json"


@pytest.fixture(scope="module")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The .deb, made of a bundle that is nothing but a program's name."""
    parts.require("deb")
    folder = tmp_path_factory.mktemp("deb")
    bundle = folder / "smtp-desk"
    (bundle / "_internal").mkdir(parents=True)
    (bundle / "_internal" / "library.so").touch(mode=0o777)
    (bundle / "smtp-desk").write_text("#!/bin/sh\n")
    (bundle / "smtp-desk").chmod(0o700)
    subprocess.run(
        ["sh", str(PACKAGING / "deb" / "build"), str(bundle), str(folder)],
        env={**os.environ, "PYTHON": sys.executable, "XZ_LEVEL": "0", "DEBEMAIL": "us@smtp.test"},
        check=True,
        timeout=110,
    )
    (package,) = folder.glob("*.deb")
    return package


def dpkg_deb(*arguments: str | Path) -> str:
    done = subprocess.run(
        [parts.program("dpkg-deb"), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_deb_is_of_the_programs_version(deb: Path) -> None:
    fields = dict(line.split(": ", 1) for line in dpkg_deb("-f", deb).splitlines() if ": " in line)
    assert fields["Version"] == f"{__version__}-1"
    assert fields["Maintainer"] == "The SMTP Desk authors <us@smtp.test>"
    assert {"libegl1", "libgl1"} <= set(fields["Depends"].split(", "))
    assert not [value for value in fields.values() if "@VERSION" in value or "@SIZE" in value]


def test_the_deb_puts_everything_in_its_place(deb: Path) -> None:
    found = dict[str, str]()
    for line in dpkg_deb("-c", deb).splitlines():
        mode, owner, _, _, _, path = line.split(maxsplit=5)
        assert owner == "root/root"
        found[path.removeprefix(".")] = mode
    assert found["/opt/smtp-desk/smtp-desk"] == "-rwxr-xr-x"
    assert found["/opt/smtp-desk/_internal/library.so"] == "-rw-r--r--"
    assert "/usr/bin/smtp-desk -> /opt/smtp-desk/smtp-desk" in found
    for path in (
        f"/usr/share/applications/{APP_ID}.desktop",
        f"/usr/share/metainfo/{APP_ID}.metainfo.xml",
        f"/usr/share/mime/packages/{APP_ID}.xml",
        "/usr/share/icons/hicolor/scalable/apps/smtp-desk.svg",
        "/usr/share/icons/hicolor/48x48/apps/smtp-desk.png",
        "/usr/share/man/man1/smtp-desk.1.gz",
        "/usr/share/man/man1/smtp-desk-outbox-list.1.gz",
        "/usr/lib/systemd/user/smtp-desk-worker.service",
        "/usr/lib/systemd/system/smtp-desk.service",
        "/usr/lib/systemd/system/smtp-desk.socket",
        "/usr/lib/sysusers.d/smtp-desk.conf",
        "/usr/share/doc/smtp-desk/copyright",
    ):
        assert found[path] == "-rw-r--r--", path
    top = {path.split("/")[1] for path in found if path.strip("/")}
    assert top == {"opt", "usr"}


def test_the_units_of_the_deb_start_the_program_of_the_deb(deb: Path, tmp_path: Path) -> None:
    dpkg_deb("-x", deb, tmp_path)
    units = tmp_path / "usr" / "lib" / "systemd"
    started = [
        line.removeprefix("ExecStart=")
        for unit in sorted(units.rglob("*.service"))
        for line in unit.read_text().splitlines()
        if line.startswith("ExecStart=")
    ]
    assert started == ["/usr/bin/smtp-desk worker --system", "/usr/bin/smtp-desk worker"]
    listed = (tmp_path / "usr/share/doc/smtp-desk/copyright").read_text()
    assert "Permission is hereby granted" in listed
    assert "@LICENSE@" not in listed


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm"])
def test_the_scripts_of_the_deb_end_well_where_no_systemd_runs(script: str) -> None:
    """In a container or a chroot; only purging deletes, and that only what it names."""
    text = (PACKAGING / "deb" / script).read_text()
    deleted = [line.split() for line in text.splitlines() if line.strip().startswith("rm ")]
    assert bool(deleted) is (script == "postrm")
    done = subprocess.run(
        ["sh", str(PACKAGING / "deb" / script), "upgrade"], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_flatpak_may_do_what_the_program_needs_and_no_more() -> None:
    manifest: dict[str, Any] = yaml.safe_load(
        (PACKAGING / "flatpak" / f"{APP_ID}.yaml").read_text()
    )
    assert (manifest["id"], manifest["command"]) == (APP_ID, "smtp-desk")
    assert set(manifest["finish-args"]) == {
        *("--share=network", "--share=ipc", "--socket=wayland", "--socket=fallback-x11"),
        *("--device=dri", "--talk-name=org.freedesktop.secrets"),
    }
    (module,) = manifest["modules"]
    assert "--no-index" in module["build-commands"][0]


def test_the_winget_manifests_are_of_the_installer(tmp_path: Path) -> None:
    installer = tmp_path / "installer.exe"
    installer.write_bytes(b"MZ")
    url = "https://downloads.example/installer.exe"
    fill_in = runpy.run_path(str(PACKAGING / "windows" / "winget.py"))["fill_in"]
    fill_in(installer, url, tmp_path / "manifests")
    kinds = dict[str, dict[str, Any]]()
    for file in (tmp_path / "manifests").iterdir():
        manifest = yaml.safe_load(file.read_text())
        kinds[manifest["ManifestType"]] = manifest
        assert manifest["PackageVersion"] == __version__
        assert file.name.startswith(manifest["PackageIdentifier"])
    assert kinds.keys() == {"version", "installer", "defaultLocale"}
    for each in kinds["installer"]["Installers"]:
        assert each["InstallerUrl"] == url
        assert each["InstallerSha256"] == hashlib.sha256(b"MZ").hexdigest().upper()


def test_windows_opens_reports_with_the_program() -> None:
    recipe = (PACKAGING / "windows" / "smtp-desk.iss").read_text()
    assert '"""{app}\\smtp-desk-window.exe"" open ""%1"""' in recipe
    assert REPORT_TYPE in recipe
    for source in re.findall(r"LicenseFile=(\S+)", recipe):
        assert (PACKAGING / "windows" / source.replace("\\", "/")).is_file()


def test_what_macos_must_allow_is_the_least() -> None:
    allowed = plistlib.loads((PACKAGING / "macos" / "entitlements.plist").read_bytes())
    assert allowed == {"com.apple.security.cs.allow-unsigned-executable-memory": True}


def test_the_workflow_runs_recipes_that_are_there() -> None:
    workflow: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())
    assert workflow["jobs"].keys() == {"linux", "windows", "macos"}
    named = {
        word.replace("\\", "/")
        for job in workflow["jobs"].values()
        for step in job["steps"]
        for word in re.findall(r"packaging[/\\][\w/\\.-]+", step.get("run", ""))
    }
    assert {"packaging/bundle/build", "packaging/macos/dmg"} <= named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_shells_can_read_every_recipe() -> None:
    for recipe in PACKAGING.rglob("*"):
        if recipe.is_file() and recipe.read_bytes()[:9] == b"#!/bin/sh":
            subprocess.run([shutil.which("sh") or "sh", "-n", str(recipe)], check=True)
            usage = re.search(r"usage: (\S+)", recipe.read_text())
            if usage:
                (named,) = shlex.split(usage[1])
                assert (ROOT / named) == recipe
