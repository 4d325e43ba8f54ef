"""What leads back to this program."""

from __future__ import annotations

import pathlib
import sys

import pytest

from smtp_desk.sender.routes.sendmail import is_this_program


@pytest.fixture
def installed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The command as it is installed, on the path."""
    command = tmp_path / "bin" / "smtp-desk"
    command.parent.mkdir()
    command.write_bytes(b"\x7fELF")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent))
    return command


def test_the_command_on_the_path(installed: pathlib.Path) -> None:
    assert is_this_program(installed)


def test_links_to_it(installed: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "one").symlink_to(installed)
    (tmp_path / "two").symlink_to("one")
    assert is_this_program(tmp_path / "two")


def test_what_runs_just_now(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "desk"
    program.touch()
    assert not is_this_program(program)
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert is_this_program(program)


@pytest.mark.parametrize("command", ["smtp-desk sendmail", "python3 -m smtp_desk sendmail"])
def test_a_script_that_starts_it(tmp_path: pathlib.Path, command: str) -> None:
    script = tmp_path / "sendmail"
    script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    assert is_this_program(script)


@pytest.mark.parametrize(
    "content", [b"#!/bin/sh\nexec /usr/sbin/exim4 $@\n", b"\x7fELF smtp-desk", b""]
)
def test_other_programs(tmp_path: pathlib.Path, content: bytes) -> None:
    other = tmp_path / "sendmail"
    other.write_bytes(content)
    assert not is_this_program(other)


def test_what_is_not_there(tmp_path: pathlib.Path) -> None:
    assert not is_this_program(tmp_path / "sendmail")
