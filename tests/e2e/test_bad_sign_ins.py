"""What can go wrong on the way to a token, input by input: each ends in its own finding.

Sixteen of them are the list of what people and networks do; nothing follows a redirect, and the
mail server is asked in none of them but the last.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.cli import proof
from smtp_desk.cli.oauth_options import show_prompt
from smtp_desk.oauth import listener
from smtp_desk.oauth.client import TokenClient
from smtp_desk.oauth.link import link_to
from tests.cli.desk import Desk
from tests.e2e.test_every_cause_oauth import ANN, SigningIn
from tests.oauth.person import Person
from tests.servers.connect_proxy import ConnectProxy
from tests.servers.ports import free_port
from tests.servers.scripted import ScriptedServer
from tests.servers.sign_in_service import Reply, SignInService, refusal
from tests.servers.token_mail import takes_tokens
from tests.servers.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console

    from smtp_desk.core.oauth import OAuthSettings
    from smtp_desk.oauth.link import ProviderLink
    from smtp_desk.oauth.prompt import Prompt
    from tests.servers.certs import Certificates

MICROSOFT: Final = "AADSTS{}: told by the service"


@dataclass
class Attempt:
    """A test by somebody who signs in with a browser, or by the application itself."""

    run: SigningIn
    person: Person
    certs: Certificates
    patch: pytest.MonkeyPatch

    def answers(self, reply: Reply) -> None:
        self.run.service.replies["/token"] = reply

    def says(self, number: int, error: str = "invalid_request") -> None:
        self.answers(refusal(error, MICROSOFT.format(number), error_codes=[number]))

    def brings(self, **changes: str) -> None:
        """The browser brings this back instead."""
        self.person.changes = changes


Play = Callable[[Attempt], tuple[str, ...] | None]
"""Sets the scene; may return options that take the place of others."""


def without_a_port(attempt: Attempt) -> None:
    def taken() -> list[object]:
        raise OSError(errno.EADDRINUSE, "no port is free")

    attempt.patch.setattr(listener, "_listen", taken)


def nobody_comes(attempt: Attempt) -> None:
    attempt.patch.setattr(attempt.person, "_open", lambda *_: None)


def another_verifier(attempt: Attempt) -> None:
    attempt.patch.setattr(attempt.run.service, "authorize", _with_another_challenge(attempt))


def _with_another_challenge(attempt: Attempt) -> Callable[[str], dict[str, str]]:
    authorize = attempt.run.service.authorize

    def play(url: str) -> dict[str, str]:
        answer = authorize(url)
        attempt.run.service.codes[answer["code"]] = "another challenge"
        return answer

    return play


def closed_port(_: Attempt) -> tuple[str, ...]:
    return ("--oauth-token-url", f"https://localhost:{free_port()}/token")


def plain_http(_: Attempt) -> tuple[str, ...]:
    return ("--oauth-token-url", "http://localhost/token")


def wrong_certificate(_: Attempt) -> tuple[str, ...]:
    return ("--oauth-ca-file", "")


KEYWORDS: Final = TokenClient.__init__.__kwdefaults__ or {}
APP: Final = "app"
BROWSER: Final = "browser"
INPUTS: Final[list[tuple[str, str, Play, str, int]]] = [
    ("wrong tenant", APP, lambda a: a.says(90002), "oauth.misconfigured", 77),
    ("wrong scope", APP, lambda a: a.answers(refusal("invalid_scope")), "oauth.misconfigured", 77),
    ("wrong secret", APP, lambda a: a.says(7000215), "oauth.client_invalid", 77),
    ("wrong redirect", BROWSER, lambda a: a.says(50011), "oauth.misconfigured", 77),
    ("no redirect", BROWSER, lambda a: a.says(500113), "oauth.misconfigured", 77),
    ("consent denied", BROWSER, lambda a: a.brings(code="", error="access_denied"),
     "oauth.denied", 77),
    ("browser closed", BROWSER, nobody_comes, "oauth.denied", 77),
    ("state mismatch", BROWSER, lambda a: a.brings(state="of another page"), "oauth.denied", 77),
    ("answer of another issuer", BROWSER, lambda a: a.brings(iss="https://evil.example"),
     "oauth.denied", 77),
    ("PKCE mismatch", BROWSER, another_verifier, "oauth.denied", 77),
    ("endpoint down", APP, closed_port, "oauth.unreachable", 75),
    ("endpoint with a fault", APP, lambda a: a.answers(Reply(503)), "oauth.unreachable", 75),
    ("redirect 307", APP,
     lambda a: a.answers(Reply(307, headers={"Location": f"{a.run.service.url}/elsewhere"})),
     "oauth.untrusted", 77),
    ("redirect 302", APP,
     lambda a: a.answers(Reply(302, headers={"Location": f"{a.run.service.url}/elsewhere"})),
     "oauth.untrusted", 77),
    ("http", APP, plain_http, "settings.value_invalid", 65),
    ("wrong certificate", APP, wrong_certificate, "oauth.untrusted", 77),
    ("10 MB answer", APP, lambda a: a.answers(Reply(200, b"{" + b" " * 10_000_000 + b"}")),
     "oauth.untrusted", 77),
    ("HTML answer", APP, lambda a: a.answers(Reply(200, b"<html>Welcome</html>")),
     "oauth.untrusted", 77),
    ("20 kB token", APP, lambda a: a.run.service.gives.update(access_token="x" * 20_000),
     "auth.token_rejected", 77),
    ("listener without a port", BROWSER, without_a_port, "oauth.failed", 77),
]  # fmt: skip


@pytest.fixture
def attempt(
    tmp_path: Path, certs: Certificates, quick_proofs: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Attempt]:
    tls = certs.good_rsa.tls
    monkeypatch.setattr(TokenClient.__init__, "__kwdefaults__", {**KEYWORDS, "patience": 1.0})
    with SignInService(tls) as service, ScriptedServer(takes_tokens(service, tls, ANN)) as server:
        person = Person(service)

        def prompted(console: Console, prompt: Prompt, *, opening: bool) -> None:
            show_prompt(console, prompt, opening=opening)
            person(prompt)

        monkeypatch.setattr(proof, "show_prompt", prompted)
        run = SigningIn(Desk(tmp_path), service, server, str(certs.root.chain_file))
        yield Attempt(run, person, certs, monkeypatch)


def finding_of(attempt: Attempt, flow: str, status: int, *options: str) -> dict[str, object]:
    url = f"{attempt.run.service.url}/authorize"
    browser = ("--oauth-authorize-url", url) if flow == BROWSER else ()
    ended = attempt.run(*browser, *options, flow=flow)
    assert ended.status == status, ended.out + ended.err
    found: dict[str, object] = json.loads(ended.out)["finding"]
    assert found["summary"]
    assert found["remedies"] or found["code"] == "settings.value_invalid"
    return found


@pytest.mark.parametrize(
    ("flow", "play", "code", "status"),
    [each[1:] for each in INPUTS],
    ids=[each[0] for each in INPUTS],
)
def test_each_input_has_its_finding(
    attempt: Attempt, flow: str, play: Play, code: str, status: int
) -> None:
    found = finding_of(attempt, flow, status, *(play(attempt) or ()))
    assert found["code"] == code, found
    assert not attempt.run.service.of("/elsewhere"), "no redirect is followed"
    assert not attempt.run.server.messages
    if found["stage"] != "auth":
        assert not attempt.run.server.sessions


def test_a_proxy_that_wants_a_login(attempt: Attempt) -> None:
    answer = b"HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic\r\n\r\n"
    with ConnectProxy(attempt.run.service.port, answer) as proxy:
        attempt.patch.setenv("https_proxy", f"http://{proxy.url}")
        attempt.patch.delenv("no_proxy", raising=False)
        found = finding_of(attempt, APP, 75)
    assert found["code"] == "oauth.unreachable"
    assert "proxy requires a login" in str(found["summary"])


def test_a_service_that_is_slow(attempt: Attempt) -> None:
    def hasty(settings: OAuthSettings) -> ProviderLink:
        return replace(link_to(settings), seconds=0.5)

    attempt.run.desk.services = replace(attempt.run.desk.services, link_to=hasty)
    with WebServer(None, {}) as silent:
        url = f"https://localhost:{silent.port}/token"
        found = finding_of(attempt, APP, 75, "--oauth-token-url", url)
    assert found["code"] == "oauth.unreachable"


@pytest.mark.parametrize("off", [-86_400.0, 86_400.0], ids=["a day behind", "a day ahead"])
def test_a_clock_that_is_off(attempt: Attempt, tmp_path: Path, off: float) -> None:
    def wrong(settings: OAuthSettings) -> ProviderLink:
        link = link_to(settings)
        return replace(link, now=lambda: link.now() + off)

    attempt.run.desk.services = replace(attempt.run.desk.services, link_to=wrong)
    attempt.answers(refusal("invalid_client", "the assertion has expired", 401))
    pem = tmp_path / "client.pem"
    pem.write_bytes(
        attempt.certs.good_rsa.chain_file.read_bytes()
        + attempt.certs.good_rsa.key_file.read_bytes()
    )
    ended = attempt.run.desk(
        *("check", "--host", "localhost", "--port", str(attempt.run.server.port), "--json"),
        *("--username", ANN, "--from-email", ANN, "--to", "bo@example.test"),
        *("--ca-file", attempt.run.ca_file, "--oauth-ca-file", attempt.run.ca_file),
        *("--auth", "oauth", "--oauth-provider", "custom", "--oauth-flow", "app"),
        *("--oauth-token-url", f"{attempt.run.service.url}/token", "--oauth-scope", "smtp"),
        *("--client-id", "desk", "--client-certificate", str(pem)),
    )
    found = json.loads(ended.out)["finding"]
    assert (ended.status, found["code"], found["who"]) == (77, "oauth.failed", "you")
    assert found["remedies"][0]["id"] == "set_clock"


def test_a_second_tab_and_a_foreign_page_change_nothing(attempt: Attempt) -> None:
    """Others come before and after the answer: with another state, another path, and again."""
    opened = attempt.person._open

    def crowd(port: int, answer: dict[str, str]) -> None:
        opened(port, {**answer, "state": "of another page"})
        opened(port, {"error": "access_denied"})
        opened(port, answer)
        with pytest.raises(OSError, match=r"refused|reset|closed"):
            opened(port, answer)
        finished.append(True)

    finished: list[bool] = []
    attempt.patch.setattr(attempt.person, "_open", crowd)
    url = f"{attempt.run.service.url}/authorize"
    ended = attempt.run("--oauth-authorize-url", url, flow=BROWSER)
    assert ended.status == 0, ended.out
    assert len(attempt.run.server.messages) == 1
    assert attempt.person.statuses == [400, 400, 200]
    assert len(attempt.run.service.of("/token")) == 1
