"""A command line with the sandbox to talk to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from smtp_desk.cli import proof, sign_in
from smtp_desk.cli.invocation import Output
from smtp_desk.cli.oauth_options import show_prompt
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.sandbox.server import Sandbox
from tests.cli.desk import RECIPIENT, Desk, settings_of
from tests.cli.terminal import ANN, Terminal
from tests.oauth.person import Person
from tests.servers.certs import Certificates
from tests.servers.scripted import ScriptedServer
from tests.servers.sign_in_service import SignInService
from tests.servers.token_mail import takes_tokens


@pytest.fixture(autouse=True)
def _quick_proofs(quick_proofs: None) -> None:
    """No test here is about the cost of a proof."""


@pytest.fixture
def desk(clean_environment: Path) -> Desk:
    return Desk(clean_environment)


@pytest.fixture(scope="session")
def _sandbox_server() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox_server: Sandbox) -> Sandbox:
    """A running sandbox whose inbox is empty."""
    _sandbox_server.inbox.clear()
    return _sandbox_server


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> list[str]:
    """SETTINGS that fit the sandbox."""
    return settings_of(sandbox, tmp_path / "sandbox-ca.pem")


@pytest.fixture
def password(sandbox: Sandbox) -> bytes:
    """The right password, as a line of standard input."""
    return f"{sandbox.password.reveal()}\n".encode()


@pytest.fixture(scope="session")
def _proven(_sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A command line with settings that are proven and switched on, made once for the run."""
    folder = tmp_path_factory.mktemp("proven")
    desk = Desk(folder / "home")
    settings = settings_of(_sandbox_server, folder / "sandbox-ca.pem")
    password = f"{_sandbox_server.password.reveal()}\n".encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("smtp_desk.core.proof._COSTS", dict.fromkeys((1, 2), 2))
        arguments = ("configure", *settings, "--to", RECIPIENT, "--password-stdin")
        assert desk(*arguments, stdin=password).status == 0
        assert desk("enable").status == 0
    return desk


@pytest.fixture
def sending_desk(_proven: Desk, desk: Desk, settings: list[str], clean_environment: Path) -> Desk:
    """A command line whose emails leave through the sandbox, by `settings`."""
    shutil.copytree(_proven.environ["SMTP_DESK_HOME"], clean_environment)
    for key in _proven.services.store.load().keys:
        secret = _proven.services.credentials.get(key)
        assert secret is not None
        desk.services.credentials.set(key, secret)
    return desk


@pytest.fixture
def terminal(
    tmp_path: Path, certs: Certificates, monkeypatch: pytest.MonkeyPatch, quick_proofs: None
) -> Iterator[Terminal]:
    tls = certs.good_rsa.tls
    with SignInService(tls) as service, ScriptedServer(takes_tokens(service, tls, ANN)) as server:
        person = Person(service)

        def prompted(console: Output, prompt: Prompt, *, opening: bool) -> None:
            show_prompt(console, prompt, opening=opening)
            person(prompt)

        for module in (proof, sign_in):
            monkeypatch.setattr(module, "show_prompt", prompted)
        yield Terminal(Desk(tmp_path), service, server, person, certs.root.chain_file)
