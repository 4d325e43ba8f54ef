"""Finding on this computer's network: real name server, real mail server; and the newcomer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from smtp_desk.app.proposals.proposals import (
    FindRequest,
    as_json,
    find_proposals,
    internet,
    sandbox_network,
)
from smtp_desk.app.proposals.words import (
    SOURCES,
    limits_text,
    result_text,
    sign_in_text,
    sureness,
    warning,
)
from smtp_desk.app.proving.proving import ProofRequest, prove, save
from smtp_desk.app.services import Services
from smtp_desk.core.settings import Security, SettingsDraft
from smtp_desk.discovery.candidates import Asked, SearchResult, Source
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from tests.servers.certs import Certificates
from tests.servers.dns import NameServer
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer

pytestmark = pytest.mark.usefixtures("unhurried_search")


def test_the_document(services: Services) -> None:
    found = find_proposals(services, FindRequest(address="ann@icloud.com"), Cancel())
    document = json.loads(json.dumps(as_json(found)))
    assert document == {
        "schema": "smtp-desk/find/1",
        "address": "ann@icloud.com",
        "candidates": [
            {
                "host": "smtp.mail.me.com",
                "port": 587,
                "security": "starttls",
                "username": "ann@icloud.com",
                "auth": ["app_password"],
                "provider": "icloud",
                "source": "provider",
                "url": "https://account.apple.com",
            }
        ],
        "asked": [{"source": "provider", "target": "icloud.com", "result": "Found."}],
    }


@pytest.mark.parametrize("name", ["good", "wrong_host", "self_signed", "expired"])
def test_a_common_name_counts_with_a_valid_certificate_only(
    certs: Certificates, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = {"mail.example.test": ["A 127.0.0.1"]}
    script = Script(tls=getattr(certs, name).tls)
    with NameServer(zone) as dns, ScriptedServer(script) as server:
        monkeypatch.setattr("smtp_desk.app.proposals.proposals._SUBMISSION_PORTS", (server.port,))
        ca_pem = certs.root.chain_file.read_text()
        request = FindRequest(
            address="ann@example.test", resolver=f"{dns.host}:{dns.port}", ca_pem=ca_pem
        )
        found = internet(request).probe("mail.example.test", Cancel(), Deadline.after(20))
        assert list(found) == ([(server.port, Security.STARTTLS)] if name == "good" else [])
        assert not [each for each in server.commands if each.startswith("AUTH")]


def test_a_newcomer_with_address_and_password_is_proven_and_saved(
    services: Services, sandbox: Sandbox, ca_file: Path
) -> None:
    request = FindRequest(address=sandbox.username)
    found = find_proposals(services, request, Cancel(), network=sandbox_network(sandbox))
    server = found.candidates[0]
    draft = SettingsDraft(
        host=server.host,
        port=str(server.port),
        security=str(server.security),
        username=server.username,
        secret=sandbox.password,
        from_email=sandbox.username,
        ca_file=str(ca_file),
    )
    proof = prove(
        services,
        ProofRequest(draft=draft, recipient=sandbox.username),
        lambda _event: None,
        Cancel(),
    )
    assert proof.proven
    save(services, proof)
    assert services.store.load().server is not None


def test_every_result_has_its_sentence() -> None:
    for result in SearchResult:
        asked = Asked(Source.AUTOCONFIG, "x", result, "detail", ("https://a.test/",))
        text = result_text(asked)
        assert text.endswith("Redirected to https://a.test/")
        assert "{" not in text
    assert result_text(Asked(Source.MX, "x")) == "Asking…"


def test_every_source_has_its_words(services: Services) -> None:
    assert set(SOURCES) == set(Source)
    (server,) = find_proposals(services, FindRequest(address="a@gmx.net"), Cancel()).candidates
    for source in Source:
        assert sureness(replace(server, source=source))
    assert warning(server) == ""
    assert "which can be forged" in warning(replace(server, only_dns=True))
    assert sign_in_text(replace(server, sign_in=())).startswith("none")
    assert limits_text(server).startswith("no figures found (https://hilfe.gmx.net/")
    assert limits_text(replace(server, known=None)) == ""
