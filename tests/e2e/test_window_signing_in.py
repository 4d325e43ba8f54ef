"""Each flow of OAuth 2.0 in the window: from the click to the mailbox, saved, and sent by later."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from smtp_desk.core.gate import SaveHint
from smtp_desk.core.oauth import FLOWS as OFFERED
from smtp_desk.core.oauth import OAuthFlow, OAuthProvider
from smtp_desk.core.texts import SAVE_HINTS, SUCCESS
from smtp_desk.ui.integrations.words import CREDENTIALS, FLOWS
from tests.e2e.desk import Desktop, desktop_on
from tests.e2e.signing_in import ANN, Organization, Workspace, assert_sent
from tests.oauth.test_assertions import pem_of
from tests.servers.certs import Certificates
from tests.servers.chromium import Chromium
from tests.servers.display import Display
from tests.servers.oidc import CLIENT_SECRET, FormBrowser
from tests.servers.secret_service import SecretService
from tests.servers.waiting import wait_until

pytestmark = [
    pytest.mark.needs("x_display", "accessibility", "gnome_keyring", "dovecot"),
    pytest.mark.xdist_group("x_display"),
]

FLOW: Final = "How the sign-in works"


@dataclass
class Person:
    """Somebody who signs in by the window."""

    desktop: Desktop
    opened: Path
    env: Mapping[str, str]

    def choose(self, name: str, wanted: str, choices: Iterable[str]) -> None:
        """Choose one of these; the first is chosen by now."""
        texts = list(choices)
        self.desktop.reader.act(name)
        self.desktop.reader.wait_for_focus(texts[0])
        self.desktop.press(*["Down"] * texts.index(wanted), "Return")
        wait_until(lambda: not self._is_listed(wanted), "the choices to be gone")

    def _is_listed(self, choice: str) -> bool:
        return any(part.role == "list item" for part in self.desktop.reader.named(choice))

    def choose_flow(self, provider: OAuthProvider, flow: OAuthFlow) -> None:
        self.choose("Credential", CREDENTIALS[provider], CREDENTIALS.values())
        self.choose(FLOW, FLOWS[flow], [FLOWS[each] for each in OFFERED[provider]])

    def choose_file(self, path: Path) -> None:
        reader = self.desktop.reader
        reader.act("Choose key file…")
        reader.put("File name:", str(path))
        reader.act("Open")
        wait_until(lambda: not reader.named("File name:"), "the dialog to be gone")

    def page(self) -> str:
        """The address that the window opened in the browser of the desktop."""
        wait_until(self.opened.exists, "the page in the browser")
        return self.opened.read_text().strip()

    def prove_and_save(self) -> None:
        reader = self.desktop.reader
        reader.wait_for(SUCCESS)
        reader.act("Save")
        wait_until(
            lambda: reader.control("Save").description == SAVE_HINTS[SaveHint.ALL_SAVED],
            "all saved",
        )
        reader.act("Turn on")
        reader.wait_for("Active. System emails are sent through localhost.")


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the desktop writes the address that its browser is to open; not there before."""
    opened = tmp_path / "opened"
    program = tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    written = f'printf "%s" "$1" >"{opened}.new" && mv "{opened}.new" "{opened}"'
    program.write_text(f"#!/bin/sh\n{written}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return opened


@pytest.fixture
def person(
    opened: Path,
    x_display: Display,
    secret_service: SecretService,
    tmp_path: Path,
    clean_environment: Path,
) -> Iterator[Person]:
    env = {**secret_service.env, "SMTP_DESK_HOME": str(clean_environment)}
    with desktop_on(x_display, secret_service, tmp_path) as desktop:
        yield Person(desktop, opened, env)


def mail(port: int, ca_file: Path) -> dict[str, str]:
    return {
        "From email": ANN,
        "SMTP server host": "localhost",
        "Port": str(port),
        "Username": ANN,
        "Send test email to": "bo@example.org",
        "CA certificate file": str(ca_file),
    }


def begin(person: Person, organization: Organization, flow: str, client: str) -> None:
    """Fill the form in for a flow of oidc-provider, without a secret."""
    url = organization.provider.url
    person.desktop.reader.act("Advanced")
    person.desktop.reader.put_all(mail(organization.mail.starttls_port, organization.ca_file))
    person.choose_flow(OAuthProvider.CUSTOM, OAuthFlow(flow))
    person.desktop.reader.put_all(
        {
            "Client ID": client,
            "Token address": f"{url}/token",
            "Scope": "smtp" if flow == "app" else "openid offline_access smtp",
            "CA certificate file of the sign-in": str(organization.ca_file),
            **({"Authorization address": f"{url}/auth"} if flow == "browser" else {}),
            **({"Device authorization address": f"{url}/device/auth"} if flow == "device" else {}),
        }
    )


@pytest.mark.needs("oidc", "chromium")
def test_by_browser(person: Person, organization: Organization, tmp_path: Path) -> None:
    with Chromium(tmp_path) as chromium, person.desktop.open_desk() as program:
        begin(person, organization, "browser", "desk")
        person.desktop.reader.act("Send test email")
        chromium.open(person.page())
        chromium.fill("login", ANN)
        chromium.fill("password", "any")
        chromium.press()
        chromium.wait_for("Continue")
        chromium.press()
        chromium.wait_for("Close this tab and go back to SMTP Desk.")
        person.prove_and_save()
        person.desktop.leave(program, "ctrl+q")
    assert_sent(person.env)
    assert len(organization.mail.inbox.messages) == 2


@pytest.mark.needs("oidc")
def test_by_device_code(person: Person, organization: Organization) -> None:
    with person.desktop.open_desk() as program:
        begin(person, organization, "device", "desk")
        person.desktop.reader.act("Send test email")
        code = person.desktop.reader.heard("Code: ").removeprefix("Code: ")
        browser = FormBrowser(organization.ca_file)
        browser.confirm_device(f"{organization.provider.url}/device", code, ANN)
        person.prove_and_save()
        person.desktop.leave(program, "ctrl+q")
    assert not person.opened.exists()
    assert_sent(person.env)
    assert len(organization.mail.inbox.messages) == 2


@pytest.mark.needs("oidc")
def test_the_application_with_a_secret(person: Person, organization: Organization) -> None:
    with person.desktop.open_desk() as program:
        begin(person, organization, "app", "platform")
        person.desktop.reader.put_all({"Client secret": CLIENT_SECRET})
        person.desktop.reader.act("Send test email")
        person.prove_and_save()
        person.desktop.leave(program, "ctrl+q")
    assert_sent(person.env)
    assert len(organization.mail.inbox.messages) == 2


@pytest.mark.needs("oidc")
def test_the_application_with_a_certificate(
    person: Person, organization: Organization, certs: Certificates, tmp_path: Path
) -> None:
    pem = tmp_path / "client.pem"
    pem.write_text(pem_of(certs.good_rsa).reveal())
    with person.desktop.open_desk() as program:
        begin(person, organization, "app", "signed")
        person.choose_file(pem)
        person.desktop.reader.act("Send test email")
        person.prove_and_save()
        person.desktop.leave(program, "ctrl+q")
    assert_sent(person.env)
    assert len(organization.mail.inbox.messages) == 2


@pytest.fixture
def by_proxy(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    for name, value in workspace.env.items():
        monkeypatch.setenv(name, value)
    return workspace


def test_a_service_account(by_proxy: Workspace, person: Person, tmp_path: Path) -> None:
    key_file = tmp_path / "account.json"
    key_file.write_text(by_proxy.accounts.key_file)
    with person.desktop.open_desk() as program:
        person.desktop.reader.act("Advanced")
        person.desktop.reader.put_all(mail(by_proxy.mail.starttls_port, by_proxy.ca_file))
        person.choose_flow(OAuthProvider.GOOGLE, OAuthFlow.SERVICE_ACCOUNT)
        person.choose_file(key_file)
        person.desktop.reader.act("Send test email")
        person.prove_and_save()
        person.desktop.leave(program, "ctrl+q")
    assert_sent({**person.env, **by_proxy.env})
    assert len(by_proxy.mail.inbox.messages) == 2
