"""What the tests share that produce findings."""

from __future__ import annotations

import dataclasses
import shutil
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING

import pytest

import smtp_desk.smtp.check.check
from smtp_desk.smtp.session.limits import SessionLimits, limits_of_a_test
from tests.cli.desk import Desk
from tests.e2e.causes import Cause, Checking
from tests.e2e.outgoing import configure
from tests.e2e.signing_in import ANN, GOOGLE, Organization, ServiceAccounts, Workspace
from tests.servers import parts
from tests.servers.bus import NO_BUS
from tests.servers.connect_proxy import ConnectProxy
from tests.servers.dovecot import DovecotWithInbox
from tests.servers.oidc import OidcProvider
from tests.servers.process import server_folder
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer
from tests.servers.sign_in_service import SignInService
from tests.servers.tokens import TokenIssuer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


@pytest.fixture(scope="session")
def organizations(certs: Certificates) -> Iterator[Callable[[str], Organization]]:
    """By mechanism: a sign-in service, and a mail server that offers it and takes its tokens."""
    parts.require("oidc")
    parts.require("dovecot")
    with ExitStack() as stack:
        folder = stack.enter_context(server_folder("oidc-jwt"))
        provider = stack.enter_context(OidcProvider(folder, certs, "https://localhost", ANN))

        @cache
        def running(mechanism: str) -> Organization:
            folder = stack.enter_context(server_folder("dovecot-jwt"))
            inbox = stack.enter_context(ScriptedServer(Script()))
            mail = stack.enter_context(
                DovecotWithInbox(folder, certs.good, inbox, issuer=provider, mechanisms=mechanism)
            )
            return Organization(provider, mail, certs.root.chain_file)

        yield running


@pytest.fixture
def organization(organizations: Callable[[str], Organization]) -> Organization:
    """A sign-in service, and a mail server that takes its tokens; its inbox is empty."""
    found = organizations("xoauth2")
    found.mail.inbox.forget()
    return found


@pytest.fixture
def workspace(certs: Certificates) -> Iterator[Workspace]:
    """Google's token service and a mail server that takes its tokens."""
    parts.require("dovecot")
    issuer = TokenIssuer("https://accounts.google.com", "desk")
    accounts = ServiceAccounts(certs.good_rsa, issuer)
    with (
        SignInService(certs.for_names(GOOGLE).tls) as service,
        ConnectProxy(service.port) as proxy,
        server_folder("dovecot-google") as folder,
        ScriptedServer(Script()) as inbox,
        DovecotWithInbox(folder, certs.good, inbox, issuer=issuer, mechanisms="xoauth2") as mail,
    ):
        service.replies["/token"] = accounts
        env = {"https_proxy": f"http://{proxy.url}", "SSL_CERT_FILE": str(certs.root.chain_file)}
        yield Workspace(accounts, mail, certs.root.chain_file, env)


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
