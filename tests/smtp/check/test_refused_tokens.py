"""Tokens at a real Dovecot that checks them: every fault has the same reply and is named."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import ServerSettings
from smtp_desk.core.stages import Json, Stage
from smtp_desk.smtp.check.check import CheckRequest, Steps
from smtp_desk.smtp.wire.auth import Token
from tests.servers import parts
from tests.servers.dovecot import DovecotSubmission, DovecotWithInbox
from tests.servers.process import server_folder
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer
from tests.servers.tokens import TokenIssuer
from tests.smtp.checks import Checks, code_of
from tests.smtp.sessions import MAIL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtp_desk.core.report import CheckReport
    from tests.servers.certs import Certificates

pytestmark = pytest.mark.needs("dovecot")
USERNAME = "desk@example.test"
ISSUER = TokenIssuer()
HOUR = 3600


@pytest.fixture(scope="module", params=["XOAUTH2", "OAUTHBEARER"])
def mechanism(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def dovecot(certs: Certificates, mechanism: str) -> Iterator[DovecotSubmission]:
    parts.require("dovecot")
    offered = f"plain {mechanism.lower()}"
    with (
        server_folder("dovecot-tokens") as folder,
        ScriptedServer(Script()) as inbox,
        DovecotWithInbox(folder, certs.good, inbox, issuer=ISSUER, mechanisms=offered) as server,
    ):
        yield server


def tried(
    checks: Checks,
    dovecot: DovecotSubmission,
    token: str,
    *,
    ahead: float | None = None,
    sending: bool = False,
) -> CheckReport:
    """The report of a test with this token."""
    settings = ServerSettings(
        host=dovecot.host,
        port=dovecot.starttls_port,
        username=USERNAME,
        from_email=USERNAME,
        ca_pem=checks.sessions.certs.root.chain_file.read_text(),
        oauth=OAuthSettings(
            provider=OAuthProvider.CUSTOM,
            flow=OAuthFlow.BROWSER,
            client_id=ISSUER.client_id,
            token_url="https://localhost:8443/token",
            scopes=("smtp", "offline_access"),
        ),
    )
    request = CheckRequest(
        settings=settings,
        secret=Token(Secret(token), clock_ahead=ahead),
        recipient="bo@example.test",
        content=MAIL,
        probe_ports=False,
        steps=Steps.FULL if sending else Steps.NO_SEND,
    )
    return checks.run(request)


def test_a_good_token_sends(checks: Checks, dovecot: DovecotWithInbox, mechanism: str) -> None:
    report = tried(checks, dovecot, ISSUER.token(USERNAME), sending=True)
    assert report.sent, report.finding
    auth = next(each for each in report.stages if each.stage is Stage.AUTH)
    assert auth.facts["mechanism"] == mechanism
    assert dovecot.inbox.messages


@pytest.mark.parametrize(
    ("changes", "code", "fault"),
    [
        ({"exp": int(time.time()) - HOUR}, "auth.token_rejected", "expired"),
        ({"nbf": int(time.time()) + HOUR}, "auth.token_rejected", "not_yet_valid"),
        ({"aud": "billing"}, "auth.token_rejected", "audience"),
        ({"aud": None}, "auth.token_rejected", ""),
        ({"scope": "calendar"}, "auth.token_rejected", "scope"),
        ({"scope": None}, "auth.token_rejected", "scope"),
        ({"iss": "https://elsewhere.example"}, "auth.token_rejected", "issuer"),
        ({"email": "bo@example.test"}, "oauth.account_mismatch", "account"),
    ],
)
def test_each_fault_of_a_token_is_named_though_the_reply_is_the_same(
    checks: Checks, dovecot: DovecotSubmission, changes: dict[str, Json], code: str, fault: str
) -> None:
    token = ISSUER.token(USERNAME, **changes)
    report = tried(checks, dovecot, token)
    assert_refused(report, token, code, fault)


def test_a_token_without_the_claim_that_names_the_account(
    checks: Checks, dovecot: DovecotSubmission
) -> None:
    """Dovecot takes it for a fault of its own."""
    report = tried(checks, dovecot, ISSUER.token(USERNAME, email=None))
    assert code_of(report) == "auth.temporary"
    assert report.finding is not None
    assert "doesn’t name the account" in report.finding.explanation


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        ("garbage", "opaque"),
        ("ya29.a0Af_" + "x" * 400, "opaque"),
        ("eyJhbGciOiJIUzI1NiJ9.!!!.c2ln", "unreadable"),
        ("eyJhbGciOiJIUzI1NiJ9." + "W1tb" * 1000 + ".c2ln", "unreadable"),
        (TokenIssuer().token(USERNAME), ""),
    ],
    ids=["a word", "opaque", "wrong base64", "nested JSON", "another's signature"],
)
def test_what_can_t_be_read_is_told_without_a_claim(
    checks: Checks, dovecot: DovecotSubmission, token: str, fault: str
) -> None:
    assert_refused(tried(checks, dovecot, token), token, "auth.token_rejected", fault)


def assert_refused(report: CheckReport, token: str, code: str, fault: str) -> None:
    auth = next(each for each in report.stages if each.stage is Stage.AUTH)
    assert auth.facts.get("token_fault") == fault
    assert code_of(report) == code
    assert report.finding is not None
    assert str(report.finding.reply) == "535 5.7.8 Authentication failed."
    assert not [part for part in token.split(".") if len(part) > 3 and part in repr(report)]


def test_a_token_of_20_kb_is_never_sent(checks: Checks, dovecot: DovecotSubmission) -> None:
    report = tried(checks, dovecot, ISSUER.token(USERNAME, groups="x" * 15_000))
    assert code_of(report) == "auth.token_rejected"
    assert report.finding is not None
    assert "too long" in report.finding.summary


@pytest.mark.parametrize("ahead", [86_400.0, -86_400.0])
def test_a_clock_off_by_a_day_is_told_from_an_expired_token(
    checks: Checks, dovecot: DovecotSubmission, ahead: float
) -> None:
    """The sign-in service's clock is a day off this one: the token fits its time, not Dovecot's."""
    now = int(time.time() + ahead)
    token = ISSUER.token(USERNAME, nbf=now - 10, exp=now + HOUR)
    told = tried(checks, dovecot, token, ahead=ahead)
    auth = next(each for each in told.stages if each.stage is Stage.AUTH)
    assert (auth.facts["token_fault"], auth.facts["clock_wrong"]) == ("", True)
    assert told.finding is not None
    assert told.finding.remedies[0].id == "set_clock"
    unknown = tried(checks, dovecot, token)
    assert unknown.finding is not None
    assert "If that’s wrong" in unknown.finding.explanation
