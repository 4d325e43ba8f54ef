"""Every way in which a sign-in by OAuth 2.0 fails, told by `check` from the service's own words."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

from tests.cli.desk import Desk, Ended
from tests.e2e.causes import Cause
from tests.servers.ports import free_port
from tests.servers.scripted import ScriptedServer
from tests.servers.sign_in_service import Reply, SignInService, refusal
from tests.servers.token_mail import takes_tokens
from tests.servers.tokens import TokenIssuer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.certs import Certificates

ANN: Final = "ann@example.test"
SECRET: Final = "client-s3cret"
TRAILER: Final = (
    "\r\nTrace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333\r\nCorrelation ID: "
    "aaaa0000-bb11-2222-33cc-444444dddddd\r\nTimestamp: 2026-11-30 02:02:12Z"
)


@dataclass(frozen=True)
class SigningIn:
    """A sign-in service, a mail server that takes its tokens, and the command line."""

    desk: Desk
    service: SignInService
    server: ScriptedServer
    ca_file: str

    def __call__(self, *more: str, flow: str = "app", command: str = "check") -> Ended:
        """A full test; `more` stands behind, so it changes what it names."""
        device = ("--oauth-device-url", f"{self.service.url}/device") if flow == "device" else ()
        ended = self.desk(
            *(command, "--host", "localhost", "--port", str(self.server.port)),
            *("--security", "starttls", "--ca-file", self.ca_file, "--to", "bo@example.test"),
            *("--username", ANN, "--from-email", ANN, "--auth", "oauth", "--client-id", "desk"),
            *("--oauth-provider", "custom", "--oauth-flow", flow, "--oauth-scope", "smtp"),
            *("--oauth-token-url", f"{self.service.url}/token", "--oauth-ca-file", self.ca_file),
            *device,
            *(*(["--json"] * (command == "check")), "--password-stdin", *more),
            stdin=SECRET.encode(),
        )
        self.hides_all(ended)
        return ended

    def hides_all(self, ended: Ended) -> None:
        """Fail where the command showed anything that only the keyring may hold."""
        tokens = (
            *self.service.access,
            self.service.refresh,
            str(self.service.gives.get("access_token", "")),
        )
        for secret in (SECRET, *filter(None, tokens)):
            assert secret not in ended.out + ended.err


@pytest.fixture
def signing_in(tmp_path: Path, certs: Certificates, quick_proofs: None) -> Iterator[SigningIn]:
    tls = certs.good_rsa.tls
    with SignInService(tls) as service, ScriptedServer(takes_tokens(service, tls, ANN)) as server:
        yield SigningIn(Desk(tmp_path), service, server, str(certs.root.chain_file))


Play: TypeAlias = "Callable[[SigningIn], tuple[str, ...]]"
"""Sets the service to its fault; returns the options that it takes besides."""


def answers(reply: Reply) -> Play:
    def play(signing_in: SigningIn) -> tuple[str, ...]:
        signing_in.service.replies["/token"] = reply
        return ()

    return play


def closed(_: SigningIn) -> tuple[str, ...]:
    return ("--oauth-token-url", f"https://localhost:{free_port()}/token")


def untrusted(_: SigningIn) -> tuple[str, ...]:
    return ("--oauth-ca-file", "")


def says(number: int, words: str, error: str = "invalid_request") -> Play:
    return answers(refusal(error, f"AADSTS{number}: {words}{TRAILER}", error_codes=[number]))


def gives(**claims: object) -> Play:
    """A token that the mail server refuses, with these claims."""

    def play(signing_in: SigningIn) -> tuple[str, ...]:
        service = signing_in.service
        issuer = TokenIssuer(service.url)
        token = issuer.token(ANN, **claims)  # type: ignore[arg-type]
        service.gives["access_token"] = token
        return ()

    return play


def failing(code: str, play: Play, *, stage: str = "token", status: int = 77) -> object:
    """A parameter for a test that takes `play`: this code for this fault."""
    mark = pytest.mark.cause(code, stage=stage, status=status)
    return pytest.param(play, marks=mark, id=code)


PAST: Final = int(time.time()) - 3600


@pytest.mark.parametrize(
    "play",
    [
        failing("oauth.unreachable", closed, status=75),
        failing("oauth.unreachable", answers(Reply(503, b"busy")), status=75),
        failing("oauth.unreachable", says(90033, "A transient error."), status=75),
        failing("oauth.untrusted", untrusted),
        failing("oauth.untrusted", answers(Reply(307, b"", {"Location": "https://a.test/"}))),
        failing("oauth.untrusted", answers(Reply(302, b"", {"Location": "/elsewhere"}))),
        failing("oauth.untrusted", answers(Reply(200, b"<html>Welcome to the Wi-Fi</html>"))),
        failing("oauth.client_invalid", says(7000215, "Invalid client secret provided.")),
        failing("oauth.client_invalid", says(700016, "Application was not found.")),
        failing("oauth.client_invalid", answers(refusal("invalid_client", "", 401))),
        failing("oauth.consent_missing", says(65001, "The user has not consented.")),
        failing("oauth.blocked_by_policy", says(53003, "Blocked by Conditional Access.")),
        failing("oauth.misconfigured", says(90002, "Tenant 'nowhere' not found.")),
        failing("oauth.misconfigured", answers(refusal("invalid_scope", "unknown"))),
        failing("oauth.failed", answers(refusal("teapot", "I am a teapot."))),
        failing("oauth.account_mismatch", says(50020, "User account does not exist in tenant.")),
        failing("oauth.account_mismatch", gives(email="bo@example.test"), stage="auth"),
        failing("auth.token_rejected", gives(exp=PAST), stage="auth"),
        failing("auth.token_rejected", gives(scope="calendar"), stage="auth"),
    ],
)
def test_a_fault_of_the_sign_in_is_told(cause: Cause, signing_in: SigningIn, play: Play) -> None:
    ended = signing_in(*play(signing_in))
    finding = cause.told(ended.status, ended.out)
    assert not signing_in.server.messages
    if finding.stage == "token":
        assert not signing_in.server.sessions, "the mail server was not asked"


@pytest.mark.cause("oauth.denied", stage="token", status=77)
def test_a_person_who_declines(cause: Cause, signing_in: SigningIn) -> None:
    signing_in.service.replies["/token"] = refusal("access_denied", "End-User aborted interaction")
    ended = signing_in(flow="device")
    cause.told(ended.status, ended.out)


@pytest.mark.cause("auth.sign_in_again", stage="token", status=77)
def test_a_sign_in_that_has_ended(cause: Cause, signing_in: SigningIn) -> None:
    service = signing_in.service
    service.gives["expires_in"] = 0.001
    saved = signing_in(flow="device", command="configure")
    assert saved.status == 0, saved.out + saved.err
    words = "AADSTS50173: The provided grant has expired due to it being revoked"
    service.replies["/token"] = refusal("invalid_grant", words + TRAILER)
    ended = signing_in.desk("check", "--json", "--to", "bo@example.test")
    signing_in.hides_all(ended)
    finding = cause.told(ended.status, ended.out)
    assert finding.remedies[0].id == "sign_in_again"
    assert len(signing_in.server.messages) == 1, "only the test of configure"
