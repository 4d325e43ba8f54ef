"""Versions for the report; a password that nobody else can see in our environment."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import textwrap
from importlib import metadata

import pytest

from smtp_desk import __version__
from smtp_desk.app.environment import LaunchEnvironment, take_environment, versions

PASSWORD = "pä%ss 'wörd"


def test_the_versions_that_support_asks_for() -> None:
    found = versions()
    assert set(found) == {"program", "python", "openssl", "qt", "system"}
    assert found["program"] == f"SMTP Desk {__version__}"
    assert found["python"] == platform.python_version()
    assert str(found["openssl"]).startswith("OpenSSL ")
    assert found["qt"] == f"PySide6 {metadata.version('PySide6-Essentials')}"
    assert platform.release() in str(found["system"])


def test_the_name_of_the_machine_is_no_version() -> None:
    assert platform.node() not in repr(dict(versions()))


def test_without_qt_the_report_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert versions()["qt"] == "not installed"


def test_a_system_without_os_release_is_named_by_its_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing() -> dict[str, str]:
        raise FileNotFoundError

    monkeypatch.setattr(platform, "freedesktop_os_release", missing)
    assert versions()["system"] == f"{platform.system()} {platform.release()} {platform.machine()}"


def test_versions_do_not_load_qt() -> None:
    program = "import sys; from smtp_desk.app.environment import versions; versions(); "
    program += "assert not [name for name in sys.modules if name.startswith('PySide6')]"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_password_is_taken_out_of_a_mapping() -> None:
    environ = {"SMTP_DESK_PASSWORD": PASSWORD, "LANG": "C"}
    taken = take_environment(environ)
    assert environ == {"LANG": "C"}
    assert taken == {"SMTP_DESK_PASSWORD": PASSWORD, "LANG": "C"}
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
        from smtp_desk.app.environment import take_environment
        before = Path("/proc/self/environ").read_bytes()
        taken = take_environment()
        after = Path("/proc/self/environ").read_bytes()
        child = subprocess.run(["env"], capture_output=True, check=True).stdout
        password = os.fsencode(taken["SMTP_DESK_PASSWORD"])
        assert password in before
        assert password not in after
        assert b"ZLAST=1" in after
        assert b"SMTP_DESK_PASSWORD" not in child
        assert "SMTP_DESK_PASSWORD" not in os.environ
        sys.stdout.buffer.write(password)
    """
    environ = {
        **os.environ,
        "AFIRST": "1",
        "SMTP_DESK_PASSWORD": PASSWORD,
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
