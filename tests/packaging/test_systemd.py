"""The worker's unit says to systemd what it is meant to say."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from smtp_desk.store.credentials import DEFAULT_SYSTEMD_CREDENTIAL, SYSTEMD_CREDENTIAL
from smtp_desk.store.paths import WORKER_USER, Paths
from tests.servers import parts

RECIPES = Path(__file__).resolve().parents[2] / "packaging" / "systemd"
UNIT = RECIPES / "smtp-desk-worker.service"
DROP_IN = RECIPES / "hardened.conf"


def parsed(file: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(file.read_text("utf-8"))
    return parser


def test_the_unit_runs_the_worker_of_its_user() -> None:
    unit = parsed(UNIT)
    assert unit["Service"]["ExecStart"] == "%h/.local/bin/smtp-desk worker"
    assert unit["Service"]["Restart"] == "on-failure"
    assert unit["Install"]["WantedBy"] == "default.target"


def test_the_unit_alone_lets_the_machines_sendmail_work() -> None:
    """Whatever implies NoNewPrivileges stands in the drop-in."""
    assert set(parsed(UNIT)["Service"]) == {
        "Type", "ExecStart", "Restart", "RestartSec", "TimeoutStopSec", "UMask",
    }  # fmt: skip
    assert parsed(DROP_IN)["Service"]["NoNewPrivileges"] == "yes"


@pytest.mark.needs("systemd")
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    program = tmp_path / "home" / ".local" / "bin" / "smtp-desk"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = tmp_path / "units"
    drop_ins = units / f"{UNIT.name}.d"
    drop_ins.mkdir(parents=True)
    shutil.copy(UNIT, units)
    shutil.copy(DROP_IN, drop_ins)
    done = subprocess.run(
        [
            *(parts.program("systemd-analyze"), "--user", "verify"),
            *("--man=no", "--recursive-errors=no", units / UNIT.name),
        ],
        env={**os.environ, "HOME": str(tmp_path / "home"), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


SYSTEM: Final = RECIPES / "system"
SERVICE: Final = SYSTEM / "smtp-desk.service"


def test_the_worker_of_the_system_has_a_user_and_secrets_of_its_own() -> None:
    service = _lines(SERVICE)
    assert ("User", "smtp-desk") in service
    assert ("ExecStart", "/usr/local/bin/smtp-desk worker --system") in service
    credentials = (value for name, value in service if name == "LoadCredentialEncrypted")
    given = {value.partition(":")[0] for value in credentials}
    assert given == {SYSTEMD_CREDENTIAL, DEFAULT_SYSTEMD_CREDENTIAL, "smtp-desk.alerts"}
    assert dict(service)["StateDirectoryMode"] == dict(service)["LogsDirectoryMode"] == "0700"


def test_the_paths_are_those_of_the_program() -> None:
    paths = Paths.system({})
    (listens,) = (
        value for name, value in _lines(SYSTEM / "smtp-desk.socket") if name == "ListenStream"
    )
    assert listens == str(paths.socket)
    for name, path in (("StateDirectory", paths.state), ("LogsDirectory", paths.logs)):
        assert path.name == dict(_lines(SERVICE))[name]
    user = (SYSTEM / "smtp-desk.sysusers").read_text().splitlines()[-1].split()
    assert (user[0], user[1], user[-1]) == ("u", WORKER_USER, str(paths.state))


@pytest.mark.needs("systemd")
def test_systemd_understands_every_line_of_the_system(tmp_path: Path) -> None:
    program = tmp_path / "smtp-desk"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = tmp_path / "units"
    units.mkdir()
    shutil.copy(SYSTEM / "smtp-desk.socket", units)
    text = SERVICE.read_text().replace("/usr/local/bin/smtp-desk", str(program))
    (units / SERVICE.name).write_text(text)
    done = subprocess.run(
        [
            *(parts.program("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no"),
            *(units / "smtp-desk.socket", units / SERVICE.name),
        ],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:/usr/lib/systemd/system"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def _lines(file: Path) -> list[tuple[str, str]]:
    """The settings of a unit, in their order: some stand there more than once."""
    parted = (line.partition("=") for line in file.read_text("utf-8").splitlines())
    return [(name, value) for name, equals, value in parted if equals and not name.startswith("#")]
