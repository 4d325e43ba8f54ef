"""What sends is loaded when a sender is there: a fork may cut an import for ever."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.oauth import OAuthFlow
from tests.oauth.conftest import settings_of
from tests.oauth.test_assertions import pem_of
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer
from tests.servers.sign_in_service import SignInService
from tests.servers.token_mail import takes_tokens

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.certs import Certificates
    from tests.servers.secret_service import SecretService

_PROGRAM = """
import json, sys
from pathlib import Path
from tests.sender.sending_process import Place, short

folder, port, ca_file, default = sys.argv[1:]
place = Place(Path(folder), int(port), Path(ca_file).read_text(), int(default))
imported = []

class Note:
    def find_spec(self, name, path=None, target=None):
        imported.append(name)

with place.sender() as (sender, outbox):
    sys.meta_path.insert(0, Note())
    sender.send(short("first"))
    for _ in sender.send_many([short("second"), short("third")]):
        pass
    sender.queue(short("fourth"))
    counted = dict(outbox.counts().by_state_and_route)
print(json.dumps([imported, sum(counted.values())]))
"""


def test_sending_imports_nothing(certs: Certificates, tmp_path: Path) -> None:
    tls = certs.good.tls
    with (
        ScriptedServer(Script(tls=tls)) as server,
        ScriptedServer(Script(tls=tls)) as default,
    ):
        command = [sys.executable, "-c", _PROGRAM, str(tmp_path), str(server.port)]
        command += [str(certs.root.chain_file), str(default.port)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        assert len(server.messages) == 3
    imported, count = json.loads(run.stdout)
    assert count == 4
    assert imported == [], sorted(imported)


_SAVES = """
import json, sys
from smtp_desk.app.services import Services
from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings

environ, values, oauth, secret, refresh = json.load(sys.stdin)
services = Services.open(environ, interactive=False)
oauth |= {"provider": OAuthProvider(oauth["provider"]), "flow": OAuthFlow(oauth["flow"])}
oauth["scopes"] = tuple(oauth["scopes"])
settings = ServerSettings(**values, oauth=OAuthSettings(**oauth))
services.store.save_server(
    settings, Security.STARTTLS, Secret(secret), refresh_token=Secret(refresh)
)
services.store.set_enabled(True)
"""

_SENDS = """
import json, sys, threading
from smtp_desk.sender import Invitation, Sender
from smtp_desk.smtp.net.forks import gate

imported = []

class Note:
    def find_spec(self, name, path=None, target=None):
        # Inside the gate a fork waits for the end of it.
        if threading.get_ident() not in gate._inside:
            imported.append(f"{threading.current_thread().name}: {name}")

with Sender.from_settings() as sender:
    sys.meta_path.insert(0, Note())
    for _ in range(3):
        receipt = sender.send(Invitation(to="bo@example.org", invited_by="A", link="https://x.y/"))
        print(receipt.recipients[0].status, receipt.route, file=sys.stderr)
print(json.dumps(imported))
"""


@pytest.mark.needs("gnome_keyring")
@pytest.mark.parametrize(
    "way", ["person", pytest.param("secret", marks=pytest.mark.soak), "certificate"]
)
def test_no_import_of_a_sign_in_can_be_cut_by_a_fork(
    secret_service: SecretService, certs: Certificates, tmp_path: Path, way: str
) -> None:
    """OAuth 2.0, the keyring and the templates are loaded late, where a fork waits for them."""
    tls, ca_pem, ann = (
        certs.good_rsa.tls,
        certs.root.chain_file.read_text(),
        "a@b.test",
    )
    secret = {
        "person": "",
        "secret": "client secret",
        "certificate": pem_of(certs.good_rsa).reveal(),
    }
    env = {**secret_service.env, "SMTP_DESK_HOME": str(tmp_path / "home")}
    with SignInService(tls) as service, ScriptedServer(takes_tokens(service, tls, ann)) as server:
        service.gives = {"expires_in": 0.001}
        flow = OAuthFlow.BROWSER if way == "person" else OAuthFlow.APP
        oauth = {**asdict(settings_of(service, flow)), "ca_pem": ca_pem}
        values = {"host": "localhost", "port": server.port, "username": ann, "from_email": ann}
        refresh = service.new_refresh_token() if way == "person" else ""
        given = json.dumps([env, {**values, "ca_pem": ca_pem}, oauth, secret[way], refresh])
        run_python(_SAVES, env, given)
        told = run_python(_SENDS, env)
        assert told.stderr.splitlines() == ["accepted custom"] * 3
        assert len(server.messages) == 3
    assert json.loads(told.stdout) == []


def run_python(code: str, env: dict[str, str], given: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=env, input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done
