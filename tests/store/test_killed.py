"""Killed anywhere in a save or a removal: the old or the new, never a mix, never an orphan."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

import pytest

from smtp_desk.store.paths import Paths
from tests.servers.child import Child
from tests.store.folder_credentials import FolderCredentials
from tests.store.killing import SETTINGS_REPLACED
from tests.store.told import TOLD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.servers.secret_service import SecretService

ENOUGH = 1000  # more steps than any change has
SAMPLED = pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.soak)])
"""`make test` kills at some steps, `make soak` at each."""


def replaced(steps: list[str]) -> int:
    """The step that makes the difference between the old and the new."""
    return steps.index(SETTINGS_REPLACED)


def kills(steps: list[str], every: int) -> list[int]:
    """Each so many steps, and always those around the one that makes the difference."""
    around = replaced(steps)
    return sorted({*range(0, len(steps), every), *range(around - 1, min(around + 3, len(steps)))})


class Installation:
    """One home and its keyring, changed by a process that can be killed at any step."""

    def __init__(
        self, folder: Path, child: subprocess.Popen[str], *, real_keyring: bool = False
    ) -> None:
        self.folder = folder
        self._child = child
        self._real_keyring = real_keyring
        self._secrets = folder / "keyring"
        self._secrets.mkdir(parents=True, exist_ok=True)
        self.config = Paths.below(folder / "home").config

    def ask(self, change: str, *, kill_at: int = ENOUGH, ca_pem: str = "") -> dict[str, Any]:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        request = {
            "home": str(self.folder / "home"),
            "keyring": "" if self._real_keyring else str(self._secrets),
            "change": change,
            "kill_at": kill_at,
            "ca_pem": ca_pem,
        }
        self._child.stdin.write(f"{json.dumps(request)}\n")
        self._child.stdin.flush()
        answer: dict[str, Any] = json.loads(self._child.stdout.readline())
        return answer

    def done(self, change: str, *, ca_pem: str = "") -> dict[str, Any]:
        answer = self.ask(change, ca_pem=ca_pem)
        assert answer["status"] == 0
        return answer

    def copy(self, name: str) -> Self:
        folder = self.folder.with_name(name)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        return type(self)(folder, self._child)

    def everything(self) -> dict[str, Any]:
        """All that is on disk, secrets included.

        The empty lock file says nothing, nor does what is told of saves afterwards: that can
        miss the one that was killed, but leaves no half of it behind.
        """
        files = {path.name: path.read_text() for path in self.config.glob("*")}
        files.update({path.name: path.read_text() for path in self.config.glob(".*")})
        for said in ("settings.lock", *TOLD):
            files.pop(said, None)
        return {"files": files, "keys": FolderCredentials(self._secrets).keys()}


@contextlib.contextmanager
def killable(env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.store.killing"]
    with Child(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        yield child
        assert child.stdin is not None
        child.stdin.close()


@pytest.fixture(scope="module")
def child() -> Iterator[subprocess.Popen[str]]:
    with killable(os.environ) as child:
        yield child


@pytest.fixture
def fresh(tmp_path: Path, child: subprocess.Popen[str]) -> Installation:
    return Installation(tmp_path / "before", child)


CHANGES = {
    "first save": ([], "save new"),
    "another save": (["save old", "enable"], "save new"),
    "credentials dropped": (["save old"], "save without credentials"),
    "credentials added": (["save without credentials"], "save new"),
    "default service": (["save old"], "save default"),
    "removal": (["save old", "enable", "save default"], "remove"),
    "removal of the default": (["save old", "save default"], "remove default"),
}


@SAMPLED
@pytest.mark.parametrize(("earlier", "change"), CHANGES.values(), ids=CHANGES.keys())
def test_old_or_new_never_a_mix(
    fresh: Installation,
    earlier: list[str],
    change: str,
    ca_pem: str,
    other_ca_pem: str,
    *,
    every: int,
) -> None:
    for step in earlier:
        fresh.done(step, ca_pem=ca_pem)
    unharmed = fresh.copy("after")
    steps = unharmed.done(change, ca_pem=other_ca_pem)["steps"]
    old, new = fresh.everything(), unharmed.everything()
    old_in_use, new_in_use = fresh.ask("read"), unharmed.ask("read")
    assert old != new

    for kill_at in kills(steps, every):
        step = steps[kill_at]
        victim = fresh.copy("victim")
        answer = victim.ask(change, kill_at=kill_at, ca_pem=other_ca_pem)
        assert answer["killed"]
        assert answer["steps"] == steps[:kill_at]
        # A program that only reads needs no recovery: what it finds is whole.
        assert victim.ask("read") in (old_in_use, new_in_use), step
        assert victim.ask("recover") == {"recovered": True}
        assert victim.everything() in (old, new), step
        # One step makes the difference, the replacement of the file; all before it are undone.
        assert (victim.everything() == new) is (kill_at > replaced(steps)), step


@SAMPLED
def test_killed_again_while_recovering(fresh: Installation, ca_pem: str, every: int) -> None:
    fresh.done("save old", ca_pem=ca_pem)
    unharmed = fresh.copy("after")
    steps = unharmed.done("save new")["steps"]
    for kill_at in kills(steps, every):
        victim = fresh.copy("victim")
        victim.ask("save new", kill_at=kill_at)
        victim.ask("recover and be killed", kill_at=kill_at % 10)
        victim.ask("save new", kill_at=len(steps) - kill_at)
        assert victim.ask("recover") == {"recovered": True}
        assert victim.everything() in (fresh.everything(), unharmed.everything())


@pytest.mark.needs("gnome_keyring")
def test_with_a_real_keyring(secret_service: SecretService, tmp_path: Path) -> None:
    env = {**secret_service.env, "PYTHONPATH": os.pathsep.join(sys.path)}
    with killable(env) as child:
        home = Installation(tmp_path / "only", child, real_keyring=True)
        old = home.done("save old") and home.ask("read")
        steps = home.done("save new")["steps"]
        new = home.ask("read")
        interesting = [
            step
            for step, name in enumerate(steps)
            if name.startswith("keyring.")
            or steps[step - 1].startswith("keyring.")
            or SETTINGS_REPLACED in (name, steps[step - 1])
        ]
        assert len(interesting) > len({"set", "get", "delete"})
        for kill_at in interesting:
            home.done("remove")
            home.done("save old")
            assert home.ask("save new", kill_at=kill_at)["killed"]
            assert home.ask("recover") == {"recovered": True}
            assert home.ask("read") in (old, new)
            key = "save-old" if home.ask("read") == old else "save-new"
            assert [each for each, _ in secret_service.entries()] == [key]
