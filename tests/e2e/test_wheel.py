"""The wheel: built, installed into a fresh environment, and used from there."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Final

import pytest

from smtp_desk import __version__

pytestmark = pytest.mark.xdist_group("wheel")
ROOT: Final = Path(__file__).parents[2]
_SECONDS: Final = 110.0


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the recipe from nothing but what is in the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        ["sh", str(ROOT / "packaging" / "wheel"), str(folder)],
        env={**os.environ, "PYTHON": sys.executable},
        check=True,
        capture_output=True,
        timeout=_SECONDS,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of an environment that has the wheel; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run(
        [programs / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel],
        check=True,
        capture_output=True,
        timeout=_SECONDS,
    )
    found = subprocess.run(
        [programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    # `addsitedir` would also run the editable install's own path file: plain paths do not.
    paths = "\n".join(site.getsitepackages())
    Path(found.stdout.strip(), "dependencies.pth").write_text(f"{paths}\n")
    return programs


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [installed / "smtp-desk", *arguments],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        cwd=installed,
    )


def test_it_holds_the_package_and_its_resources_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    outside = {name.split("/")[0] for name in names}
    assert outside == {"smtp_desk", f"smtp_desk-{__version__}.dist-info"}
    for resource in ("findings/auth.toml", "providers/mail_services.toml", "icons/eye.svg"):
        assert f"smtp_desk/resources/{resource}" in names
    assert "smtp_desk/py.typed" in names
    assert f"smtp_desk-{__version__}.dist-info/licenses/LICENSE" in names
    assert not [name for name in names if name.endswith(".pyc")]


def test_every_resource_of_the_tree_is_in_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    resources = (path for path in (ROOT / "resources").rglob("*") if path.is_file())
    for path in resources:
        assert f"smtp_desk/resources/{path.relative_to(ROOT / 'resources').as_posix()}" in names


def test_the_program_runs_from_the_environment_and_not_from_the_tree(installed: Path) -> None:
    program = "import smtp_desk; from smtp_desk.store.resources import resource_path; "
    program += "print(smtp_desk.__file__, resource_path('findings'))"
    done = subprocess.run(
        [installed / "python", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=installed,
    )
    for path in done.stdout.split():
        assert Path(path).is_relative_to(installed.parent)


def test_version(installed: Path) -> None:
    done = run(installed, "--version")
    assert (done.returncode, done.stdout) == (0, f"SMTP Desk {__version__}\n")


def test_demo(installed: Path) -> None:
    done = run(installed, "demo")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Test email sent successfully" in done.stdout.splitlines()
    assert "code: auth.rejected" in done.stdout.splitlines()
