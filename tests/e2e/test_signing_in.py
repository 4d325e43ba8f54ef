"""Signing in by a real browser, at a real sign-in service, with a real keyring."""

from __future__ import annotations

import base64
import re
import signal
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.program import run
from tests.e2e.signing_in import (
    ANN,
    Organization,
    Workspace,
    assert_sent,
    run_signing_in,
    settings_for,
)
from tests.oauth.test_account import jwt
from tests.oauth.test_assertions import pem_of
from tests.servers.chromium import Chromium
from tests.servers.oidc import CLIENT_SECRET, FormBrowser
from tests.servers.scripted import ScriptedServer
from tests.servers.sign_in_service import Reply, Request, SignInService, refusal
from tests.servers.token_mail import takes_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.certs import Certificates
    from tests.servers.secret_service import SecretService

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs a Secret Service"),
    pytest.mark.needs("gnome_keyring"),
]

SENT: Final = b"Test email sent successfully"


@pytest.fixture
def env(secret_service: SecretService, clean_environment: Path) -> dict[str, str]:
    return {**secret_service.env, "SMTP_DESK_HOME": str(clean_environment)}


@pytest.mark.needs("oidc")
@pytest.mark.needs("chromium")
def test_by_chromium_from_the_command_to_the_mailbox(
    organization: Organization, env: dict[str, str], tmp_path: Path
) -> None:
    settings = organization.settings()
    with Chromium(tmp_path) as chromium:

        def sign_in(url: str, _program: object) -> None:
            chromium.open(url)
            if "Continue" not in chromium.text:  # not yet the page of consent
                chromium.fill("login", ANN)
                chromium.fill("password", "any")
                chromium.press()
            chromium.wait_for("Continue")
            chromium.press()
            chromium.wait_for("Close this tab and go back to SMTP Desk.")

        done = run_signing_in("configure", *settings, act=sign_in, env=env)
        assert done.returncode == 0, done
        assert SENT in done.stdout
        assert len(organization.mail.inbox.messages) == 1
        # What is saved needs no browser, and what comes after the browser's session does.
        assert run("check", "--to", "bo@example.org", env=env).returncode == 0
        again = run_signing_in("sign-in", act=sign_in, env=env)
        assert again.returncode == 0, again
        assert f"Signed in as {ANN}.".encode() in again.stdout
    assert run("check", "--to", "bo@example.org", env=env).returncode == 0
    assert len(organization.mail.inbox.messages) == 3
    removed = run("remove", env=env)
    assert b"The sign-in was revoked at the provider." in removed.stdout


@pytest.mark.needs("oidc", "dovecot")
@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
def test_by_device_code_and_by_the_application(
    organizations: Callable[[str], Organization],
    mechanism: str,
    certs: Certificates,
    env: dict[str, str],
    tmp_path: Path,
) -> None:
    organization = organizations(mechanism)
    inbox = organization.mail.inbox
    inbox.forget()
    shown: list[str] = []

    def confirm(url: str, program: subprocess.Popen[bytes]) -> None:
        assert program.stdout is not None
        shown.append(program.stdout.readline().decode().strip())
        FormBrowser(certs.root.chain_file).confirm_device(url, shown[0], ANN)

    done = run_signing_in("configure", *organization.settings("device"), act=confirm, env=env)
    assert done.returncode == 0, done
    assert re.fullmatch(r"[A-Z]{4}-[A-Z]{4}", shown[0])
    settings, secret = organization.settings("app", "platform"), CLIENT_SECRET.encode()
    done = run("configure", *settings, "--password-stdin", stdin=secret, env=env)
    assert done.returncode == 0, done
    pem = tmp_path / "client.pem"
    pem.write_text(pem_of(certs.good_rsa).reveal())
    settings = [*organization.settings("app", "signed"), "--client-certificate", str(pem)]
    assert run("configure", *settings, env=env).returncode == 0
    assert run("enable", env=env).returncode == 0
    assert_sent(env)
    assert len(inbox.messages) == 4


@pytest.mark.needs("dovecot")
def test_by_a_service_account_through_the_proxy_of_the_company(
    workspace: Workspace, env: dict[str, str], tmp_path: Path
) -> None:
    key_file = tmp_path / "account.json"
    key_file.write_text(workspace.accounts.key_file)
    env |= workspace.env
    done = run("configure", *workspace.settings, "--service-account", str(key_file), env=env)
    assert done.returncode == 0, done
    assert run("enable", env=env).returncode == 0
    assert_sent(env)
    assert len(workspace.mail.inbox.messages) == 2


@pytest.mark.needs("oidc")
def test_the_person_says_no_on_the_page_of_consent(
    organization: Organization, certs: Certificates, env: dict[str, str]
) -> None:
    browser = FormBrowser(certs.root.chain_file)

    def decline(url: str, _program: object) -> None:
        browser.open(url)
        browser.submit(login=ANN, password="any")
        (abort,) = re.findall(r'href="([^"]*/abort)"', browser.page)
        browser.open(urllib.parse.urljoin(browser.url, abort))

    done = run_signing_in("configure", *organization.settings(), act=decline, env=env)
    assert done.returncode == 77
    assert b"oauth.denied" in done.stdout
    assert "Not signed in" in browser.page
    assert not organization.mail.inbox.sessions


@pytest.mark.needs("oidc")
@pytest.mark.parametrize("client", ["desk", "elsewhere"])
def test_ctrl_c_while_the_browser_is_open(
    organization: Organization, env: dict[str, str], client: str
) -> None:
    """Also where the service shows a fault on its own page, and never answers."""
    settings = organization.settings(client=client)

    def leave(_url: str, program: subprocess.Popen[bytes]) -> None:
        program.send_signal(signal.SIGINT)

    done = run_signing_in("configure", *settings, act=leave, env=env)
    assert done.returncode == 130, done
    assert b"The test was cancelled." in done.stdout
    assert not organization.mail.inbox.sessions


_SECRET_FIELDS: Final = (
    *("refresh_token", "code", "code_verifier", "client_secret", "device_code"),
    *("client_assertion", "assertion"),
)
_LINE: Final = 64
"""Characters of a full line of PEM (RFC 7468)."""


class Secrets:
    """All that only the keyring may hold of a sign-in, as the service gave and got it.

    Attributes:
        keys: Private keys (PEM) that sign what the service gets.
    """

    def __init__(self, service: SignInService) -> None:
        self.keys: list[str] = []
        self._service = service

    def found_in(self, octets: bytes) -> list[str]:
        return [name for name, trace in self._traces() if trace in octets]

    def _traces(self) -> Iterator[tuple[str, bytes]]:
        given = {f"access token {n}": token for n, token in enumerate(self._service.access)}
        for number, request in enumerate(self._service.requests):
            for name in _SECRET_FIELDS:
                given[f"{name} {number}"] = request.form.get(name, "")
            if "Authorization" in request.headers:
                given[f"secret {number}"] = urllib.parse.unquote(request.basic.split(":")[1])
        given["refresh token"] = self._service.refresh
        lines = [line for key in self.keys for line in key.splitlines()]
        given.update((f"key, line {n}", line) for n, line in enumerate(lines) if len(line) == _LINE)
        for name, secret in given.items():
            if secret:
                yield name, secret.encode()
                yield f"{name} in base64", base64.b64encode(secret.encode())[:-4]
                yield f"{name} in percent notation", urllib.parse.quote(secret, safe="").encode()
                sent = f"user={ANN}\1auth=Bearer {secret}\1\1".encode()
                yield f"{name} as sent", base64.b64encode(sent)[40:-4]


class Witness:
    """Runs commands, signs in where they ask for it, and keeps all that they show."""

    def __init__(self, service: SignInService, env: dict[str, str], ca_file: Path) -> None:
        self.secrets = Secrets(service)
        self.shown: dict[str, bytes] = {}
        self._service = service
        self._env = env
        self._ca_file = ca_file

    def __call__(self, *arguments: str, status: int = 0, stdin: bytes = b"") -> None:
        done = run_signing_in(*arguments, act=self._sign_in, env=self._env, stdin=stdin)
        assert done.returncode == status, done
        name = f"{len(self.shown)} {arguments[0]}"
        self.shown[f"{name}, standard output"] = done.stdout
        self.shown[f"{name}, standard error"] = done.stderr

    def _sign_in(self, url: str, program: subprocess.Popen[bytes]) -> None:
        if "/authorize?" not in url:  # a setting that is shown
            return
        look_into(program, self.secrets)
        answer = self._service.authorize(url)
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        page = f"{query['redirect_uri']}/?{urllib.parse.urlencode(answer)}"
        threading.Thread(target=FormBrowser(self._ca_file).open, args=(page,)).start()


def echo(request: Request) -> Reply:
    """A refusal that repeats all that was sent."""
    said = [*request.form.values()]
    if "Authorization" in request.headers:
        said += [request.headers["Authorization"], request.basic]
    return refusal("invalid_grant", f"what is this: {' '.join(said)}")


def test_tokens_are_in_the_keyring_and_nowhere_else(
    certs: Certificates, env: dict[str, str], clean_environment: Path, tmp_path: Path
) -> None:
    tls, ca_file = certs.good_rsa.tls, certs.root.chain_file
    given = b"client s3cret+%\n"
    with SignInService(tls) as service, ScriptedServer(takes_tokens(service, tls, ANN)) as server:
        service.gives = {"id_token": jwt(iss=service.url, sub="1", email=ANN)}
        witness = Witness(service, env, ca_file)
        settings = settings_for(server.port, service.url, ca_file)
        settings[settings.index("--oauth-authorize-url") + 1] = f"{service.url}/authorize"
        witness("configure", *settings, "--password-stdin", stdin=given)
        report = str(tmp_path / "report.json")
        witness("check", "--to", "bo@example.org", "--json", "--report", report)
        witness("show")
        service.replies["/token"] = echo
        witness("check", *settings, "--password-stdin", status=77, stdin=given)
        service.replies.clear()
        witness("sign-in")
        witness("remove")
    assert_nowhere(witness, env, clean_environment, tmp_path)
    assert len(service.access) >= 2
    assert witness.secrets.found_in(service.access[-1].encode()) != []


@pytest.mark.soak
@pytest.mark.parametrize("way", ["certificate", "secret", "device"])
def test_what_an_application_or_a_device_signs_in_with_is_in_the_keyring_and_nowhere_else(
    certs: Certificates, env: dict[str, str], clean_environment: Path, tmp_path: Path, way: str
) -> None:
    tls, ca_file = certs.good_rsa.tls, certs.root.chain_file
    given = b"client s3cret+%\n" if way == "secret" else b""
    with SignInService(tls) as service, ScriptedServer(takes_tokens(service, tls, ANN)) as server:
        witness = Witness(service, env, ca_file)
        flow = "device" if way == "device" else "app"
        settings = settings_for(server.port, service.url, ca_file, flow)
        if way == "device":
            settings[settings.index("--oauth-device-url") + 1] = f"{service.url}/device"
        elif way == "secret":
            settings += ["--password-stdin"]
        else:
            witness.secrets.keys.append(certs.good_rsa.key_file.read_text())
            pem = tmp_path / "client.pem"
            pem.write_text(pem_of(certs.good_rsa).reveal())
            settings += ["--client-certificate", str(pem)]
        report = str(tmp_path / "report.json")
        witness("configure", *settings, stdin=given)
        witness("check", "--to", "bo@example.org", "--json", "--report", report)
        service.replies["/token"] = echo
        witness("check", *settings, status=77, stdin=given)
        service.replies.clear()
        witness("remove")
    assert_nowhere(witness, env, clean_environment, tmp_path)
    used = [service.access[-1], *service.requests[0].form.values(), *witness.secrets.keys]
    assert len(witness.secrets.found_in("\n".join(used).encode())) > 1


def assert_nowhere(
    witness: Witness, env: dict[str, str], clean_environment: Path, tmp_path: Path
) -> None:
    """No secret is in anything that was shown or written, but for the keyring."""
    for name, octets in witness.shown.items():
        assert witness.secrets.found_in(octets) == [], name
    kept = [*clean_environment.rglob("*"), *tmp_path.rglob("*.json"), *Path(env["HOME"]).rglob("*")]
    files = [path for path in kept if path.is_file() and "keyring" not in path.name]
    assert {"settings.toml", "smtp-desk.log", "report.json"} <= {path.name for path in files}
    for path in files:
        assert witness.secrets.found_in(path.read_bytes()) == [], path


def look_into(program: subprocess.Popen[bytes], secrets: Secrets) -> None:
    for name in ("cmdline", "environ"):
        octets = Path(f"/proc/{program.pid}/{name}").read_bytes()
        assert octets
        assert secrets.found_in(octets) == []
        assert b"s3cret" not in octets
