"""A password that nobody else can see in our environment; streams that were closed."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from smtp_desk.app import startup as launch
from smtp_desk.app.startup import LaunchEnvironment, take_environment
from smtp_desk.store import credentials

NAMES = ("SMTP_DESK_PASSWORD", "SMTP_DESK_DEFAULT_PASSWORD")
PASSWORD = "pä%ss 'wörd"


def test_the_variable_is_the_one_that_gives_the_password() -> None:
    known = (credentials.PASSWORD_VARIABLE, credentials.DEFAULT_PASSWORD_VARIABLE)
    assert known == launch.PASSWORD_VARIABLES


@pytest.mark.parametrize("names", [NAMES, NAMES[:1], NAMES[1:]])
def test_the_passwords_are_taken_out_of_a_mapping(names: tuple[str, ...]) -> None:
    given = dict.fromkeys(names, PASSWORD)
    environ = {**given, "LANG": "C"}
    taken = take_environment(environ)
    assert environ == {"LANG": "C"}
    assert taken == {**given, "LANG": "C"}
    assert PASSWORD not in repr(taken)


def test_without_a_password_nothing_changes() -> None:
    environ = {"LANG": "C"}
    assert take_environment(environ) == LaunchEnvironment(environ)
    assert environ == {"LANG": "C"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_neither_proc_nor_children_can_see_the_password(locale: str) -> None:
    """Also where Python itself changed the environment, as it does in the C locale."""
    program = """
        import os, subprocess, sys
        from pathlib import Path
        from smtp_desk.app.startup import take_environment
        before = Path("/proc/self/environ").read_bytes()
        taken = take_environment()
        after = Path("/proc/self/environ").read_bytes()
        child = subprocess.run(["env"], capture_output=True, check=True).stdout
        password = os.fsencode(taken["SMTP_DESK_PASSWORD"])
        assert os.fsencode(taken["SMTP_DESK_DEFAULT_PASSWORD"]) == password
        assert password in before
        assert password not in after
        assert b"ZLAST=1" in after
        assert b"PASSWORD" not in child
        assert not any("PASSWORD" in name for name in os.environ)
        sys.stdout.buffer.write(password)
    """
    environ = {
        **os.environ,
        "AFIRST": "1",
        "SMTP_DESK_PASSWORD": PASSWORD,
        "SMTP_DESK_DEFAULT_PASSWORD": PASSWORD,
        "ZLAST": "1",
        "LC_ALL": locale,
    }
    environ.pop("LC_ALL") if locale == "C" else None
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**environ, "LANG": locale},
        capture_output=True,
        check=True,
    )
    assert done.stdout == PASSWORD.encode()


@pytest.mark.skipif(os.name != "posix", reason="descriptors are POSIX")
def test_what_was_closed_at_the_start_is_opened_to_nothing() -> None:
    program = """
        import os
        from smtp_desk.app.startup import fill_closed_descriptors
        os.close(0), os.close(2)
        fill_closed_descriptors()
        fresh = os.open(os.devnull, os.O_RDONLY)
        assert fresh > 2
        assert os.read(0, 1) == b""
        assert os.write(2, b"nowhere") == 7
        os.write(1, b"done")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, check=True
    )
    assert (done.stdout, done.stderr) == (b"done", b"")
