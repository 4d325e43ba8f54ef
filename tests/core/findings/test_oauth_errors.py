"""What sign-in services refuse, in their own words, and what it means."""

import tomllib
from pathlib import Path

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.exit_status import exit_status
from smtp_desk.core.findings.catalogue import Catalogue, cause
from smtp_desk.core.findings.finding import Finding, Scope, Who
from smtp_desk.core.findings.oauth_errors import (
    MAX_WORDS,
    TokenStep,
    oauth_context,
    oauth_failure,
)
from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.core.stages import Json, Stage
from tests.core import replies
from tests.table import each_row

REFUSALS = tomllib.loads(
    (Path(__file__).parent.parent / "replies" / "sign_in_services.toml").read_text("utf-8")
)["refusals"]
TRAILER = (
    "\r\nTrace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333\r\nCorrelation ID: "
    "aaaa0000-bb11-2222-33cc-444444dddddd\r\nTimestamp: 2026-11-30 02:02:12Z"
)
MICROSOFT = {"oauth_provider": "microsoft", "oauth_flow": "browser", "client_id": "0f8f"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return replies.load_catalogue()


@each_row("row", REFUSALS, ids=lambda row: f"{row['step']}: {row['said'][:40]}")
def test_a_refusal_is_named(catalogue: Catalogue, row: dict[str, str]) -> None:
    answer = {"error": row["error"], "error_description": f"{row['said']}{TRAILER}"}
    failure = oauth_failure(TokenStep(row["step"]), answer)
    assert (failure.stage, failure.code) == (Stage.TOKEN, row["code"])
    assert failure.facts.get("reason", "") == row["reason"]
    finding = catalogue.find(failure, {"host": "smtp.office365.com"})
    assert (finding.code, finding.stage) == (row["code"], Stage.TOKEN)
    assert row["said"].rstrip(".")[:190] in finding.explanation


def test_microsofts_number_alone_is_enough() -> None:
    failure = oauth_failure(TokenStep.CLIENT, {"error": "x", "error_codes": [1, 7000222]})
    assert failure.code == "oauth.client_invalid"
    assert failure.facts["error_code"] == "AADSTS1"


def test_what_is_no_answer_of_a_sign_in_service_names_nothing() -> None:
    for answer in ({}, {"error": 5, "error_description": ["x"], "error_codes": "65001"},
                   {"error_codes": [True, -65001, 10**30, None]}):  # fmt: skip
        failure = oauth_failure(TokenStep.CLIENT, answer)
        assert (failure.code, dict(failure.facts)) == ("oauth.failed", {"step": "client"})


def test_a_services_words_are_bounded_and_safe_to_show() -> None:
    words = "AADSTS50011\x1b[2J\u202e\r\nTrace ID" + "x" * 100_000
    facts = oauth_failure(TokenStep.CODE, {"error": "x\x07", "error_description": words}).facts
    assert facts["error"] == "x\\x07"
    assert str(facts["words"]).startswith("AADSTS50011\\x1b[2J\\u202e")
    assert len(str(facts["words"])) <= MAX_WORDS


def test_the_number_that_an_administrator_looks_up_is_told(catalogue: Catalogue) -> None:
    ours = "aaaa0000-bb11-2222-33cc-444444dddddd"
    answer = {"error": "x", "error_codes": [53003], "correlation_id": ours}
    finding = catalogue.find(oauth_failure(TokenStep.CODE, answer), MICROSOFT)
    assert any(ours in remedy.text for remedy in finding.remedies)
    foreign = {**answer, "correlation_id": "see https://example.com"}
    assert "correlation_id" not in oauth_failure(TokenStep.CODE, foreign).facts


@pytest.mark.parametrize(
    ("answer", "scope", "who"),
    [
        ({"error": "x", "error_codes": [700024]}, Scope.PROCESS, Who.YOU),
        ({"error": "x"}, Scope.ROUTE, Who.PROVIDER),
        ({"error": "temporarily_unavailable"}, Scope.ROUTE, Who.PROVIDER),
        ({"error": "access_denied"}, Scope.PROCESS, Who.YOU),
    ],
)
def test_what_only_this_computer_sees_is_no_fault_of_the_route(
    catalogue: Catalogue, answer: dict[str, object], scope: Scope, who: Who
) -> None:
    finding = catalogue.find(oauth_failure(TokenStep.AUTHORIZE, answer), {})
    assert (finding.scope, finding.who) == (scope, who)


def test_a_proxy_that_wants_a_login_is_this_computers_matter(catalogue: Catalogue) -> None:
    finding = cause(catalogue, "oauth.unreachable", {"reason": "proxy_login", "token_host": "a.b"})
    assert (finding.scope, finding.stage) == (Scope.PROCESS, Stage.TOKEN)
    assert finding.remedies[0].id == "set_proxy_login"
    assert exit_status(finding) == 75


def test_no_fault_of_a_sign_in_asks_for_another_mail_server(catalogue: Catalogue) -> None:
    failure = oauth_failure(TokenStep.CLIENT, {"error": "invalid_client"})
    finding = catalogue.find(failure, {"host": "smtp.google.com"})
    assert "use_provider_server" not in {remedy.id for remedy in finding.remedies}


def test_what_the_texts_know_of_a_sign_in() -> None:
    settings = OAuthSettings(
        provider=OAuthProvider.MICROSOFT,
        flow=OAuthFlow.APP,
        client_id="0f8f",
        tenant="example.com",
        token_url="https://login.example.com:8443/token",
        scopes=("a", "b"),
    )
    assert oauth_context(settings) == {
        "oauth_provider": "microsoft",
        "oauth_flow": "app",
        "client_id": "0f8f",
        "tenant": "example.com",
        "scope": "a b",
        "token_host": "login.example.com",
        "redirect": "http://localhost",
    }
    assert oauth_context(None) == {}


class TestRefusedByTheMailServer:
    """What the program says of a token by its claims, though the server's reply is always one."""

    REPLY = replies.reply_of("535 5.7.8 Authentication failed.")

    def named(self, catalogue: Catalogue, **facts: Json) -> Finding:
        failure = SmtpFailure(Stage.AUTH, reply=self.REPLY, facts=facts)
        return catalogue.find(failure, {"mechanism": "OAUTHBEARER", "username": "ann@example.org"})

    @each_row(
        ("fault", "words"),
        [
            ("expired", "has expired"),
            ("not_yet_valid", "isn’t valid yet"),
            ("audience", "for another service"),
            ("scope", "doesn’t allow sending"),
            ("tenant", "another organization’s tenant"),
            ("issuer", "another sign-in service"),
            ("unreadable", "is damaged"),
            ("opaque", "refused the access token"),
            ("", "refused the access token"),
        ],
    )
    def test_the_fault_is_named(self, catalogue: Catalogue, fault: str, words: str) -> None:
        finding = self.named(catalogue, token_fault=fault)
        assert (finding.code, finding.scope) == ("auth.token_rejected", Scope.ROUTE)
        assert words in finding.summary

    def test_another_account_has_a_code_of_its_own(self, catalogue: Catalogue) -> None:
        finding = self.named(catalogue, token_fault="account", account="bo@example.org")
        assert (finding.code, finding.stage) == ("oauth.account_mismatch", Stage.AUTH)
        assert (
            finding.summary
            == "You signed in as bo@example.org, but the username is ann@example.org."
        )

    def test_words_of_the_server_that_name_another_cause_go_first(
        self, catalogue: Catalogue
    ) -> None:
        words = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled"
        reply = replies.reply_of(f"{words} for the Mailbox.")
        failure = SmtpFailure(Stage.AUTH, reply=reply, facts={"token_fault": "account"})
        known = {"mechanism": "XOAUTH2", "host": "smtp.office365.com"}
        assert catalogue.find(failure, known).code == "auth.disabled_for_mailbox"

    def test_a_wrong_clock_is_this_computers_matter(self, catalogue: Catalogue) -> None:
        ours, theirs = "2026-12-01T10:00:00+00:00", "2026-11-30T10:00:00+00:00"
        known: dict[str, Json] = {"clock": ours, "clock_checked": True, "token_fault": "expired"}
        wrong = self.named(catalogue, **known, clock_wrong=True, server_date=theirs)
        assert wrong.scope is Scope.PROCESS
        assert "2026-11-30 10:00 UTC" in wrong.explanation
        assert wrong.remedies[0].id == "set_clock"
        right = self.named(catalogue, **known)
        assert "agrees with the sign-in service" in right.explanation
        unknown = self.named(catalogue, clock=ours, token_fault="expired")
        assert "If that’s wrong, the token may be valid" in unknown.explanation


@pytest.mark.parametrize("flow", OAuthFlow)
@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        ("settings.secret_unavailable", ("locked", "missing", "not_found", "timeout", "failed")),
        ("settings.secret_differs", ("secret_differs", "secret_or_settings_differ")),
        ("settings.not_proven", ("changed", "never_tested")),
    ],
)
def test_what_is_kept_for_a_sign_in_is_called_no_password(
    catalogue: Catalogue, code: str, reasons: tuple[str, ...], flow: OAuthFlow
) -> None:
    for reason in reasons:
        finding = cause(catalogue, code, {"oauth_flow": flow, "reason": reason})
        texts = (finding.summary, finding.explanation, *(each.text for each in finding.remedies))
        words = {word.strip(".,:;()") for text in texts for word in text.split()}
        assert finding.remedies
        assert not {"password", "Password", "passwords"} & words, (reason, texts)
        given = any(each.id in ("provide_password", "give_secret") for each in finding.remedies)
        people = flow in (OAuthFlow.BROWSER, OAuthFlow.DEVICE)
        assert not (people and given), "nothing is given in place of a person's sign-in"
