"""What the tests share that produce findings."""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING

import pytest

import smtp_desk.smtp.check.check
from smtp_desk.smtp.session.limits import SessionLimits, limits_of_a_test
from tests.cli.desk import Desk
from tests.e2e.causes import Cause, Checking
from tests.e2e.outgoing import configure
from tests.servers.bus import NO_BUS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.certs import Certificates
    from tests.servers.postfix import Postfix


@pytest.fixture
def cause(request: pytest.FixtureRequest) -> Iterator[Cause]:
    """The finding that the marker of this test names; the test must show that it was told."""
    (marker,) = request.node.iter_markers("cause")
    cause = Cause(*marker.args, **marker.kwargs)
    yield cause
    assert cause.shown, f"no report was shown to tell {cause.code}"


@pytest.fixture(scope="session")
def _configured_home(
    _postfix_server: Postfix, certs: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A home in which Postfix is configured, proven and switched on, made once for the run."""
    home = tmp_path_factory.mktemp("configured") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBUS_SESSION_BUS_ADDRESS", NO_BUS)
        configure(home, _postfix_server, certs)
    return home


@pytest.fixture
def server(postfix: Postfix, _configured_home: Path, clean_environment: Path) -> Postfix:
    """The server that system emails of this test's home leave through."""
    shutil.copytree(_configured_home, clean_environment)
    return postfix


@pytest.fixture
def check(clean_environment: Path, certs: Certificates) -> Checking:
    """`smtp-desk check` in this process."""
    return Checking(Desk(clean_environment), str(certs.root.chain_file))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """SessionLimits for servers that keep silent: the product's own ones, only shorter."""
    monkeypatch.setattr(smtp_desk.smtp.check.check, "limits_of_a_test", _hasty_limits)


def _hasty_limits(total: float) -> SessionLimits:
    limits = limits_of_a_test(total)
    return dataclasses.replace(limits, greeting=1.0, tls=1.0, patience=0.1)
