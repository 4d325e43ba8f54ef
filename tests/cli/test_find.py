"""`find`: proposals for people and scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from smtp_desk.discovery import https
from tests.discovery.configs import PATH, config, server
from tests.servers.dns import SILENCE, NameServer
from tests.servers.web import WebServer, page, redirect

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.desk import Desk
    from tests.servers.certs import Certificates

pytestmark = pytest.mark.usefixtures("unhurried_search")

NAMES = ("autoconfig.example.test", "example.test")


def test_a_known_provider(desk: Desk) -> None:
    ended = desk("find", "ann@gmail.com")
    assert (ended.status, ended.err) == (0, "")
    told = dict(line.split(": ", 1) for line in ended.out.splitlines() if ": " in line)
    assert told["Proposal"] == "1, known provider"
    assert (told["SMTP server host"], told["Port"]) == ("smtp.gmail.com", "587")
    assert told["Security"] == "STARTTLS"
    assert told["Sign-in"].startswith("OAuth 2.0 or app password (https://")
    assert told["Sending limits"].startswith("500 emails a day for a Gmail account, 2,000 for")
    assert told["Sending limits"].endswith("(https://support.google.com/a/answer/166852)")
    assert "smtp-desk configure --host smtp.gmail.com --port 587 --security starttls" in ended.out


@pytest.mark.parametrize(
    ("address", "oauth", "secret"),
    [
        ("ann@gmail.com", "--oauth-provider google --client-id CLIENT_ID", "an app password"),
        ("ann@outlook.com", "--client-id CLIENT_ID --tenant TENANT", ""),
        ("ann@contoso.onmicrosoft.com", "--client-id CLIENT_ID --tenant TENANT", "a password"),
        ("ann@web.de", "", ""),
        ("ann@yahoo.com", "", ""),
    ],
)
def test_each_sign_in_that_the_program_has_is_a_command(
    desk: Desk, address: str, oauth: str, secret: str
) -> None:
    out = desk("find", address).out
    assert ("--auth oauth" in out, "--guide" in out) == (bool(oauth), bool(oauth))
    assert oauth in out
    assert ("Or with " in out) == bool(secret)
    assert f"Or with {secret}:" in out or not secret
    assert out.count("smtp-desk configure") == (2 if oauth and secret else 1)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ann@icloud.com", "Sending limits: 1,000 emails a day"),
        ("ann@gmx.net", "Sending limits: no figures found (https://hilfe.gmx.net/"),
        ("ann@yandex.ru", "Sign-in: app password or OAuth 2.0 (https://"),
        ("ann@yahoo.com", "Sign-in: app password or OAuth 2.0 by agreement with the provider ("),
        (
            "ann@example.awsapps.com",
            "Amazon WorkMail shuts down on 31 March 2027. Choose another service.",
        ),
    ],
)
def test_what_the_provider_says_of_it(desk: Desk, address: str, said: str) -> None:
    ended = desk("find", address)
    assert said in " ".join(ended.out.split())


def test_a_known_provider_for_a_script(desk: Desk) -> None:
    ended = desk("find", "ann@gmx.com", "--json")
    assert ended.status == 0
    document = json.loads(ended.out)
    assert document["schema"] == "smtp-desk/find/1"
    assert document["candidates"][0]["host"] == "mail.gmx.com"


@pytest.mark.parametrize("address", ["ann", "ann@", "", "ann@a b", "ann@example.org, b@c.org"])
def test_what_is_no_address(desk: Desk, address: str) -> None:
    ended = desk("find", "--", address)
    assert (ended.status, ended.out) == (65, "")
    assert ended.err


@pytest.mark.parametrize(
    ("address", "words"), [("ann@co.uk", "registry"), ("ann@[192.0.2.1]", "IP address")]
)
def test_nothing_can_be_found(desk: Desk, address: str, words: str) -> None:
    ended = desk("find", address)
    assert ended.status == 69
    assert words in ended.out
    assert "No server found." in ended.out


def test_a_resolver_that_is_none(desk: Desk) -> None:
    assert desk("find", "ann@example.test", "--resolver", "example.test").status == 64


def test_a_ca_file_that_is_none(desk: Desk, tmp_path: Path) -> None:
    ended = desk("find", "ann@example.test", "--ca-file", str(tmp_path / "none.pem"))
    assert (ended.status, ended.out) == (65, "")


@pytest.mark.parametrize("form", ["people", "script"])
def test_autoconfig_of_an_unknown_domain(
    desk: Desk, certs: Certificates, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    pages = {
        f"autoconfig.example.test{PATH}": redirect("https://example.test/mail.xml"),
        "example.test/mail.xml": page(config(server())),
    }
    zone = {name: ["A 127.0.0.1"] for name in NAMES}
    context = certs.for_names(*NAMES).tls
    with NameServer(zone) as dns, WebServer(context, pages) as web:
        monkeypatch.setattr("smtp_desk.app.proposals.proposals.Https", with_port(web.port))
        arguments = ["--resolver", f"{dns.host}:{dns.port}"]
        arguments += ["--ca-file", str(certs.root.chain_file)]
        arguments += ["--json"] if form == "script" else []
        ended = desk("find", "ann@example.test", *arguments)
    assert ended.status == 0
    if form == "script":
        document = json.loads(ended.out)
        assert document["candidates"][0]["source"] == "autoconfig"
        asked = [each for each in document["asked"] if each["source"] == "autoconfig"]
        assert asked[0]["result"] == "Found. Redirected to https://example.test/mail.xml"
        assert {each["source"] for each in document["asked"]} >= {"mx", "srv", "guess"}
    else:
        assert "Asking: The domain’s mail configuration, https://autoconfig." in ended.out
        assert "Proposal: 1, published by the domain" in ended.out


def with_port(port: int) -> object:
    return lambda resolver, ca_pem: https.Https(resolver, ca_pem, port)


def test_who_does_not_answer_is_listed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smtp_desk.discovery.finder.TOTAL_SECONDS", 0.3)
    zone = {"example.test": SILENCE, "autoconfig.example.test": SILENCE}
    with NameServer(zone) as dns:
        ended = desk("find", "ann@example.test", "--resolver", f"{dns.host}:{dns.port}")
    assert ended.status == 69
    assert "(MX), example.test: No answer in time." in ended.out
    assert "Add --ispdb to ask" in ended.out
