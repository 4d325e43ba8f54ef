"""`make system` installs where it may, says how where it may not, and never fails."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent


class Machine:
    """A machine made of stand-ins for the programs the script calls."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._bin = folder / "bin"
        self._bin.mkdir()
        self._servers = folder / "servers"
        (self._servers / "node").mkdir(parents=True)
        for name in ("install", "system-packages.txt", "node/package-lock.json"):
            shutil.copy(HERE / name, self._servers / name)
        self._calls = folder / "calls"
        self._calls.touch()
        for name in ("sh", "sed", "grep", "dirname", "find"):
            (self._bin / name).symlink_to(shutil.which(name) or name)
        self.program("id", "echo 0")
        self.program("debconf-set-selections", "read answer; note debconf-set-selections")
        self.program("apt-get", "note apt-get $*")
        self.program("npm", "note npm $*")
        self.packages()

    def program(self, name: str, body: str) -> None:
        file = self._bin / name
        file.write_text(f'#!/bin/sh\nnote() {{ echo "$@" >>{self._calls}; }}\n{body}\n')
        file.chmod(0o755)

    def packages(self, *but: str) -> None:
        """All packages are installed, but these."""
        listed = (HERE / "system-packages.txt").read_text().splitlines()
        names = [name for name in listed if name and not name.startswith("#") and name not in but]
        lines = "\n".join(f"echo '{name} installed '" for name in names)
        self.program("dpkg-query", f"{lines}\necho '{' '.join(but)} config-files '")

    def node_modules(self) -> None:
        lock = self._servers / "node" / "node_modules" / ".package-lock.json"
        lock.parent.mkdir()
        lock.touch()

    def install(self, **env: str) -> tuple[str, list[str]]:
        """What the script said and what it called."""
        result = subprocess.run(
            ["/bin/sh", self._servers / "install"],
            env={"PATH": str(self._bin), **env},
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stderr == ""
        return result.stdout, self._calls.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    return Machine(tmp_path)


def test_nothing_to_do(machine: Machine) -> None:
    machine.node_modules()
    assert machine.install(CI="1") == ("", [])


def test_installs_the_missing_ones(machine: Machine) -> None:
    machine.packages("xvfb")
    said, calls = machine.install(CI="1")
    assert said.startswith("Installing: xvfb\n")
    assert "apt-get install -qq -y --no-install-recommends xvfb" in calls
    assert calls.index("debconf-set-selections") < calls.index("apt-get update -qq")
    assert calls[-1].startswith("npm ci")


def test_names_what_could_not_be_installed(machine: Machine) -> None:
    machine.packages("xvfb")
    machine.program("apt-get", "exit 100")
    machine.program("npm", "exit 1")
    said, _ = machine.install(IS_SANDBOX="yes")
    assert "Could not be installed, their tests are skipped: xvfb\n" in said
    assert "the tests of node are skipped" in said


def test_only_says_how_on_a_workstation(machine: Machine) -> None:
    machine.packages("xvfb")
    machine.program("id", "echo 1000")
    said, calls = machine.install(CI="1")
    assert calls == []
    assert said == (
        "For all tests: sudo apt-get install --no-install-recommends xvfb\n"
        "For all tests: (cd tests/servers/node && npm ci --ignore-scripts)\n"
    )


def test_committed_files_name_no_registry() -> None:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        text = (HERE / "node" / name).read_text()
        assert "://" not in text
    lock = json.loads((HERE / "node" / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert {"node_modules/oidc-provider", "node_modules/smtp-server"} <= packages.keys()
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
