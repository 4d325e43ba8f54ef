"""Settings that find themselves, by the program as it is, on an internet of this machine's own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.gate import SaveHint
from smtp_desk.core.texts import SAVE_HINTS, SUCCESS
from smtp_desk.sandbox import server
from smtp_desk.sandbox.recipients import DOMAIN
from tests.discovery.unknown_domains import ADDRESS, DOMAINS, Others, UnknownDomain, published
from tests.e2e.desk import Desktop, desktop_on
from tests.e2e.program import COMMAND
from tests.servers.internet import internet
from tests.servers.namespaces import available
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.certs import Certificates
    from tests.servers.display import Display
    from tests.servers.secret_service import SecretService

pytestmark = [
    pytest.mark.usefixtures("clean_environment"),
    pytest.mark.soak,
    pytest.mark.skipif(not available(), reason="makes network namespaces, as root"),
]


@pytest.mark.parametrize("others", Others)
@pytest.mark.parametrize("domain", DOMAINS, ids=lambda each: str(each.source))
def test_an_unknown_domain(
    domain: UnknownDomain,
    others: Others,
    certs: Certificates,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The right server is proposed first; how long the whole program took is printed."""
    ca_file = str(certs.root.chain_file)
    with published(domain, certs, tmp_path, others) as inside:
        command = [*inside, *COMMAND, "find", ADDRESS, "--json", "--ca-file", ca_file]
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
        took = time.monotonic() - began
    first = json.loads(done.stdout)["candidates"][0]
    found = (first["host"], first["port"], first["source"])
    assert found == (domain.host, domain.port, domain.source)
    with capsys.disabled():
        sys.stdout.write(f"\n{domain.source}, all else {others}: {took:.2f} s\n")


class Hands:
    """Somebody who types five keys a second, and looks where the focus is after each step."""

    def __init__(self, display: Display, desktop: Desktop) -> None:
        self._display = display
        self._desktop = desktop

    def type(self, text: str) -> None:
        self._display.xdotool("type", "--delay", "200", "--", text)

    def press(self, key: str, then: str = "") -> None:
        self._display.xdotool("key", key)
        if then:
            self._desktop.reader.wait_for_focus(then)


@pytest.mark.needs("x_display", "accessibility", "gnome_keyring")
@pytest.mark.xdist_group("x_display")
def test_a_newcomer_with_address_and_password_is_proven_and_saved(
    x_display: Display,
    secret_service: SecretService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The sandbox's own domain at the usual ports; how long the person took is printed."""
    ports = iter((587, 465, 443))
    monkeypatch.setattr(
        server, "listen_on_loopback", lambda: [socket.create_server(("127.0.0.1", next(ports)))]
    )
    zone = {f"autoconfig.{DOMAIN}": ["A 127.0.0.1"]}
    with internet(zone, tmp_path) as inside, server.Sandbox() as sandbox:
        system = tmp_path / "system.pem"
        system.write_text(sandbox.ca_pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(system))
        with (
            desktop_on(x_display, secret_service, tmp_path, inside) as desktop,
            desktop.open_desk() as program,
        ):
            hands, reader = Hands(x_display, desktop), desktop.reader
            reader.wait_for_focus("From email")
            began = time.monotonic()
            hands.type(sandbox.username)
            hands.press("Tab", "Find settings")
            hands.press("space", "Use this server: localhost, port 465, TLS from the start")
            hands.press("space", "Password")
            hands.type(sandbox.password.reveal())
            hands.press("alt+t", "Send test email to")
            hands.type(f"ann@{DOMAIN}")
            hands.press("Return", SUCCESS)
            hands.press("ctrl+s")
            all_saved = SAVE_HINTS[SaveHint.ALL_SAVED]
            wait_until(lambda: reader.control("Save").description == all_saved, all_saved)
            took = time.monotonic() - began
            desktop.leave(program, "ctrl+q")
            kept, password = desktop.secrets(), sandbox.password.reveal()
        (mail,) = sandbox.inbox.mails()
    assert mail.recipients == (f"ann@{DOMAIN}",)
    assert kept == [password]
    with capsys.disabled():
        sys.stdout.write(f"\na newcomer: {took:.1f} s\n")
