"""The worker's unit says to systemd what it is meant to say."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
from pathlib import Path

import pytest

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
