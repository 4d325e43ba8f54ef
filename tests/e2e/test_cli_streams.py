"""Standard streams of every temper: terminals, pipes whose reader leaves, none at all."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.program import COMMAND, run, settings_for, start
from tests.e2e.terminal import on_terminal

if TYPE_CHECKING:
    from tests.servers.certs import Certificates
    from tests.servers.postfix import Postfix

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX streams")
_SECONDS: Final = 60.0
_CONTROL: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def shell(script: str) -> subprocess.CompletedProcess[bytes]:
    command = shlex.join(COMMAND)
    return subprocess.run(
        ["sh", "-c", script.replace("smtp-desk", command)],
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )


def test_a_terminal_asks_for_the_password_hidden_and_shows_a_live_list(
    postfix: Postfix, certs: Certificates
) -> None:
    settings = settings_for(postfix.starttls_port, certs.root.chain_file)
    status, shown = on_terminal("check", *settings, "--to", "ann@example.test", typed=b"s3cret\n")
    assert status == 0
    assert "s3cret" not in shown
    assert "\x1b[" in shown
    assert "✓" in shown
    assert "Test email sent successfully" in _CONTROL.sub("", shown)


def test_no_color(certs: Certificates, postfix: Postfix) -> None:
    status, shown = on_terminal(
        *("check", *settings_for(postfix.starttls_port, certs.root.chain_file), "--no-login"),
        env={"NO_COLOR": "1"},
    )
    assert status == 0
    colours = re.findall(r"\x1b\[(?:\d+;)*3\d(?:;\d+)*m", shown)
    assert colours == []


def test_ctrl_c_at_the_prompt() -> None:
    settings = ("--host", "localhost", "--username", "ann")
    status, shown = on_terminal("check", *settings, "--to", "ann@example.test", typed=b"\x03")
    assert status == 130
    assert "Traceback" not in shown


def test_a_reader_that_leaves_changes_no_verdict(postfix: Postfix, certs: Certificates) -> None:
    settings = settings_for(postfix.starttls_port, certs.root.chain_file)
    with start(
        "check", *settings, "--to", "ann@example.test", env={"SMTP_DESK_PASSWORD": "s3cret"}
    ) as program:
        assert program.stdout is not None
        program.stdout.close()
        assert program.wait(_SECONDS) == 0
        assert program.stderr is not None
        assert program.stderr.read() == b""
    assert len(postfix.mailboxes.messages("ann", at_least=1)) == 1


@pytest.mark.parametrize("command", ["--help", "check --help", "demo"])
def test_head_of_a_pipe(command: str) -> None:
    done = shell(f"smtp-desk {command} | head -n 1")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1


@pytest.mark.parametrize(
    ("command", "redirection"),
    [("--version", ">&-"), ("--version", "2>&-"), ("demo", "<&-"), ("demo", "<&- >&- 2>&-")],
)
def test_streams_that_were_closed(command: str, redirection: str) -> None:
    done = shell(f"smtp-desk {command} {redirection}")
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    ("command", "unbuffered"),
    [
        ("demo", ""),
        *(("--version", each) for each in ("", "1")),
        *(("check --host 127.0.0.1 --no-login --json", each) for each in ("", "1")),
    ],
)
def test_output_that_can_not_be_written_is_no_success(command: str, unbuffered: str) -> None:
    done = shell(f"PYTHONUNBUFFERED={unbuffered} smtp-desk {command} >/dev/full")
    assert done.returncode == 73
    assert b"write the output" in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"ignored" not in done.stderr


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_texts_survive_any_locale(locale: str) -> None:
    done = run("demo", env={"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Test email sent successfully" in done.stdout


def test_without_a_display_the_program_says_so() -> None:
    env = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""}
    done = run(env=env)
    assert (done.returncode, done.stdout) == (78, b"")
    assert b"neither DISPLAY nor WAYLAND_DISPLAY is set" in done.stderr


def test_make_run_without_a_display_plays_the_demo(tmp_path: Path) -> None:
    recipe = Path(__file__).parents[2] / "packaging" / "run"
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    program = bin_folder / "smtp-desk"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["sh", str(recipe), str(bin_folder)],
        env={**os.environ, "DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""},
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0
    assert b"neither DISPLAY nor WAYLAND_DISPLAY" in done.stderr
    assert b"Test email sent successfully" in done.stdout


@pytest.mark.parametrize("arguments", [("--help",), ("check", "--help")])
def test_a_reader_who_leaves_a_help_page_is_no_error(arguments: tuple[str, ...]) -> None:
    with start(*arguments) as program:
        assert program.stdout is not None
        program.stdout.close()
        assert program.stderr is not None
        said = program.stderr.read()
        assert (program.wait(60), said) == (0, b"")
