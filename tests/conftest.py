"""What every test stands on: a clean environment, loopback only, parts skipped by name."""

from __future__ import annotations

import collections
import functools
import gc
import ipaddress
import itertools
import os
import signal
import socket
from typing import TYPE_CHECKING, Any, Final

import hypothesis
import pytest

from smtp_desk.core import proof
from tests.servers import parts
from tests.servers.script import ONE_BY_ONE, PIPELINING_SERVER

if TYPE_CHECKING:
    import pathlib
    import ssl
    from collections.abc import Iterator

    from tests.servers.certs import Certificates

pytest_plugins = [
    "tests.servers.certs",
    "tests.servers.postfix",
    "tests.servers.dovecot",
    "tests.servers.secret_service",
    "tests.servers.postgres",
    "tests.servers.display",
    "tests.servers.node_smtp",
    "tests.servers.oidc",
]

# `make test` in the background, or under nohup, inherits ignored signals and would hand them on:
# then no program that a test starts could be ended by Ctrl-C.
for _name, _usual in (
    ("SIGINT", signal.default_int_handler),
    ("SIGTERM", signal.SIG_DFL),
    ("SIGHUP", signal.SIG_DFL),
    ("SIGQUIT", signal.SIG_DFL),
):
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

hypothesis.settings.register_profile(
    "modest", max_examples=60, deadline=None, derandomize=True, print_blob=True
)
hypothesis.settings.register_profile("soak", max_examples=5000, deadline=None, print_blob=True)

strangers: list[str] = []
_homes: Final = itertools.count()


class OutsideNetworkError(AssertionError):
    """A test reached for an address that is not this machine's loopback."""


def _is_loopback(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # a socket in the file system, or a connected socket's None
    host = str(address[0]).partition("%")[0]
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _guard(name: str, first: int) -> None:
    """Let one method of sockets refuse every address but loopback, from its `first` argument on.

    A patch, no audit hook: while a hook written in Python runs, another thread may start, and
    CPython 3.11 then ends that thread ("Cannot install a trace function while another trace
    function is being installed") where coverage is measured.
    """
    unguarded = getattr(socket.socket, name)

    @functools.wraps(unguarded)
    def guarded(self: socket.socket, *args: Any) -> Any:  # noqa: ANN401 - whatever it returns
        for address in args[first:]:
            if not _is_loopback(address):
                strangers.append(repr(address))
                raise OutsideNetworkError(f"{name} to {address!r}: tests stay on this machine")
        return unguarded(self, *args)

    setattr(socket.socket, name, guarded)


for _method, _first in (("connect", 0), ("connect_ex", 0), ("sendto", 1), ("sendmsg", 3)):
    _guard(_method, _first)


@pytest.fixture(autouse=True)
def loopback_only() -> Iterator[None]:
    """Fail a test that reached outside, also where the program swallowed the error."""
    strangers.clear()
    yield
    assert not strangers, f"reached outside: {strangers}"


@pytest.fixture(autouse=True)
def clean_environment(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> pathlib.Path:
    """A home of its own for each test; nothing of the person's desktop is in reach."""
    if "tmp_path" in request.fixturenames:
        folder: pathlib.Path = request.getfixturevalue("tmp_path")
    else:  # a path is enough: making a folder costs thousands of small tests most of their time
        folder = tmp_path_factory.getbasetemp() / str(next(_homes))
    home = folder / "home"
    monkeypatch.setenv("SMTP_DESK_HOME", str(home))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    for name in (
        "SMTP_DESK_PASSWORD",
        "CREDENTIALS_DIRECTORY",
        "PYTHON_KEYRING_BACKEND",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        *("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy", "HTTP_PROXY"),
        "LANGUAGE",
        "NO_COLOR",
        "FORCE_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let programs that this test starts load nothing that coverage would: it looks at what is."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture
def quick_proofs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let proofs cost nothing to sign and verify, in this process: for tests of other things."""
    monkeypatch.setattr(proof, "_COSTS", dict.fromkeys((1, 2), 2))


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many examples Hypothesis tries."""
    hypothesis.settings.load_profile("soak" if _soaking(config) else "modest")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Every Hypothesis test has a long version: itself with more examples.

    pytest-xdist keeps a group of tests in one process by a name behind `@`, which it writes where
    pytest 9.2 no longer looks.
    """
    if _soaking(config):
        for item in items:
            if hypothesis.is_hypothesis_test(getattr(item, "obj", None)):
                item.add_marker(pytest.mark.soak)
    yield
    for item in items:
        grouped = getattr(item, "_nodeid", item.nodeid)
        if grouped != item.nodeid and hasattr(item, "_id"):
            item._id = type(item._id).parse(grouped)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage while tests are collected: all that is made stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Iterator[None]:
    """Keep thousands of collected tests out of each look for garbage that a test asks for."""
    gc.collect()
    gc.freeze()
    try:
        return (yield)
    finally:
        gc.unfreeze()


def _soaking(config: pytest.Config) -> bool:
    return str(config.getoption("markexpr")) == "soak"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip by name what needs a part that is not installed."""
    for marker in item.iter_markers("needs"):
        for part in marker.args:
            parts.require(part)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Say last of all what was not tested for want of which part."""
    yield
    wanting: collections.Counter[str] = collections.Counter()
    for report in terminalreporter.stats.get("skipped", []):
        if isinstance(report.longrepr, tuple) and (part := parts.skipped_part(report.longrepr[2])):
            wanting[part] += 1
    for part, count in sorted(wanting.items()):
        terminalreporter.write_line(f"skipped for want of {part}: {count}")


@pytest.fixture
def tls(certs: Certificates) -> ssl.SSLContext:
    """The TLS of a server with a good certificate."""
    return certs.good.tls


@pytest.fixture(params=[PIPELINING_SERVER, ONE_BY_ONE], ids=["pipelining", "one_by_one"])
def extensions(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """What the server offers: both ways must come to the same."""
    offered: tuple[str, ...] = request.param
    return offered


@pytest.fixture
def unhurried_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the questions of Find settings as long as a busy machine needs."""
    monkeypatch.setattr("smtp_desk.discovery.finder.TOTAL_SECONDS", 60.0)
    monkeypatch.setattr("smtp_desk.discovery.finder._LESS_SURE_SECONDS", 60.0)
