"""Without arguments, and with `open`, the window opens."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.cli.reports import REPORT
from tests.e2e.program import run, start

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.display import Display

pytestmark = pytest.mark.needs("x_display")


@pytest.fixture
def report_file(tmp_path: Path) -> Path:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(REPORT.to_json()))
    return file


@pytest.mark.parametrize("arguments", [("open",), ("open", "report.json")])
def test_the_window_opens(
    x_display: Display,
    no_bus_env: dict[str, str],
    report_file: Path,
    arguments: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(report_file.parent)
    env = {**no_bus_env, **x_display.env, "HOME": no_bus_env["HOME"]}
    with start(*arguments, env=env) as program:
        x_display.focus("SMTP Desk")
        program.send_signal(signal.SIGINT)
        _, err = program.communicate(timeout=20)
    assert b"Traceback" not in err


def test_a_bad_report_opens_the_window_that_says_so(
    x_display: Display, no_bus_env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "bad.smtpdesk").write_text("{}")
    env = {**no_bus_env, **x_display.env, "HOME": no_bus_env["HOME"]}
    with start("open", str(tmp_path / "bad.smtpdesk"), env=env) as program:
        x_display.focus("SMTP Desk")
        program.send_signal(signal.SIGINT)
        _, err = program.communicate(timeout=20)
    assert b"bad.smtpdesk isn\xe2\x80\x99t a report" in err
    assert b"Traceback" not in err


def test_a_report_without_a_display(report_file: Path) -> None:
    env = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""}
    assert run("open", str(report_file), env=env).returncode == 78
