"""The ground of all tests holds: loopback only, a clean environment, skips counted by name."""

from __future__ import annotations

import asyncio
import os
import pathlib
import socket
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests import conftest
from tests.servers import parts

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def forgiven(loopback_only: None) -> Iterator[None]:
    """What the test reached for on purpose does not fail it."""
    yield
    conftest.strangers.clear()


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_the_outside_is_out_of_reach(forgiven: None, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as tcp, pytest.raises(conftest.OutsideNetworkError):
        tcp.connect((address, 25))
    with socket.socket(family) as tcp, pytest.raises(conftest.OutsideNetworkError):
        tcp.connect_ex((address, 25))
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        with pytest.raises(conftest.OutsideNetworkError):
            udp.sendto(b"", (address, 53))
        with pytest.raises(conftest.OutsideNetworkError):
            udp.sendto(b"", 0, (address, 53))
        with pytest.raises(conftest.OutsideNetworkError):
            udp.sendmsg((b"a", b"b"), [], 0, (address, 53))
    assert len(conftest.strangers) == 5


def test_the_outside_is_out_of_reach_of_asyncio(forgiven: None) -> None:
    with pytest.raises(conftest.OutsideNetworkError):
        asyncio.run(asyncio.wait_for(asyncio.open_connection("192.0.2.1", 25), 10))
    assert len(conftest.strangers) == 1


def test_loopback_is_in_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()


def test_each_test_has_a_home_of_its_own(clean_environment: pathlib.Path) -> None:
    assert os.environ["SMTP_DESK_HOME"] == str(clean_environment)
    assert "SMTP_DESK_PASSWORD" not in os.environ
    assert not clean_environment.exists()


def test_a_missing_part_is_skipped_and_counted_by_name(tmp_path: pathlib.Path) -> None:
    """Run pytest on a small suite, on a path without any server."""
    (tmp_path / "test_sample.py").write_text(
        textwrap.dedent("""
            import pytest
            @pytest.mark.needs("x_display")
            def test_one(): raise AssertionError
            def test_two(x_display): raise AssertionError
            def test_three(): pass
            @pytest.mark.skip(reason="for another reason")
            def test_four(): raise AssertionError
        """)
    )
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", "pyproject.toml"),
            *("--rootdir", str(tmp_path), str(tmp_path)),
        ],
        env=os.environ | {"PATH": str(tmp_path)},
        cwd=pathlib.Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    *_, counted, last = result.stdout.splitlines()
    assert counted == "skipped for want of x_display: 2"
    assert "1 passed, 3 skipped" in last


def test_the_reason_of_a_skip_names_the_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "missing", lambda part: f"no {part} here")
    with pytest.raises(pytest.skip.Exception) as skip:
        parts.require("postfix")
    assert parts.skipped_part(f"Skipped: {skip.value}") == "postfix"
    assert parts.skipped_part("Skipped: some other reason") is None


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_signals_that_were_ignored_at_the_start_end_programs_all_the_same() -> None:
    """As under nohup, or in the background of a shell script."""
    name = "tests/e2e/test_cli_signals.py::test_the_sandbox_ends_well"
    ignoring = "trap '' INT TERM HUP QUIT; exec \"$@\""
    done = subprocess.run(
        ["sh", "-c", ignoring, "sh", sys.executable, "-m", "pytest", "-q", "--no-cov", name],
        cwd=pathlib.Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout


@pytest.mark.xdist_group("a_group")
def test_a_group_of_tests_is_named_where_xdist_looks(request: pytest.FixtureRequest) -> None:
    """Else its tests run side by side, and quarrel about what they share."""
    if request.config.getoption("loadgroup", default=False):
        assert request.node.nodeid.endswith("@a_group")
