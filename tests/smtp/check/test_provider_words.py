"""What Microsoft and Google answer: each cause with the remedy for the credential that was used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.core.secret import Secret
from smtp_desk.smtp.wire.auth import Token
from tests.servers.script import CREDENTIALS, END_OF_DATA, Reply, Script
from tests.servers.scripted import ScriptedServer
from tests.smtp.checks import Checks, code_of

if TYPE_CHECKING:
    import ssl

    from smtp_desk.core.report import CheckReport

MICROSOFT: Final = "220 AM0PR01CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready at x"
GOOGLE: Final = "220 smtp.gmail.com ESMTP a640c23a62f3a-b1 - gsmtp"
SITE: Final = "[AM0PR01CA0001.eurprd01.prod.exchangelabs.com 2026-11-30T10:00:00.000Z]"
NO: Final = "535 5.7.139 Authentication unsuccessful, "
LOGON: Final = (
    "430 4.2.0 STOREDRV; mailbox logon failure; STOREDRV.Submission.Exception:"
    "ConnectionFailedTransientException.MapiExceptionLogonFailed; Failed to process message due "
    "to a transient exception with message [BeginDiagnosticData]Cannot open mailbox."
)
# What is no use where a token was used, and what is none where a password was.
FOR_PASSWORDS: Final = {
    "use_oauth",
    "enable_basic",
    "turn_off_security_defaults",
    "check_security_defaults",
    "create_app_password",
    "type_password",
    "use_auth_login",
}
FOR_TOKENS: Final = {"sign_in_again", "register_service_principal", "grant_mailbox", "check_scope"}


class Told(NamedTuple):
    """What a credential is told: the code, and the first remedy."""

    code: str
    remedy: str


class Words(NamedTuple):
    """What a server says, and what it means for a password and for a token."""

    line: str
    password: Told
    token: Told
    moment: str = CREDENTIALS
    banner: str = MICROSOFT


WORDS: Final = [
    Words(
        f"{NO}SmtpClientAuthentication is disabled for the Tenant. "
        f"Visit https://aka.ms/smtp_auth_disabled for more information. {SITE}",
        Told("auth.disabled_for_tenant", "enable_for_mailbox"),
        Told("auth.disabled_for_tenant", "enable_for_mailbox"),
    ),
    Words(
        f"{NO}SmtpClientAuthentication is disabled for the Mailbox. "
        f"Visit https://aka.ms/smtp_auth_disabled for more information. {SITE}",
        Told("auth.disabled_for_mailbox", "enable_for_mailbox"),
        Told("auth.disabled_for_mailbox", "enable_for_mailbox"),
    ),
    Words(
        f"{NO}user is locked by your organization's security defaults policy. "
        f"Contact your administrator. {SITE}",
        Told("auth.blocked_by_policy", "use_oauth"),
        Told("auth.blocked_by_policy", "look_up_sign_in"),
    ),
    Words(
        f"{NO}the request did not meet the criteria to be authenticated successfully. "
        f"Contact your administrator. {SITE}",
        Told("auth.blocked_by_policy", "use_oauth"),
        Told("auth.blocked_by_policy", "except_account"),
    ),
    Words(
        f"{NO}basic authentication is disabled. {SITE}",
        Told("auth.basic_retired", "use_oauth"),
        Told("auth.basic_retired", "show_words"),
    ),
    Words(
        f"{NO}the user credentials were incorrect. {SITE}",
        Told("auth.rejected", "type_password"),
        Told("auth.token_rejected", "sign_in_again"),
    ),
    Words(
        f"{NO}account locked. {SITE}",
        Told("auth.account_locked", "check_account"),
        Told("auth.account_locked", "check_account"),
    ),
    Words(
        f"{NO}the organization configuration doesn't allow this authentication request. {SITE}",
        Told("auth.blocked_by_policy", "use_oauth"),
        Told("auth.blocked_by_policy", "ask_administrator"),
    ),
    Words(
        f"535 5.7.3 Authentication unsuccessful {SITE}",
        Told("auth.rejected", "type_password"),
        Told("auth.token_rejected", "sign_in_again"),
    ),
    Words(
        "535 5.7.144 XOAUTH2 authentication failed. Invalid API permissions.",
        Told("auth.token_rejected", "sign_in_again"),
        Told("auth.token_rejected", "sign_in_again"),
    ),
    Words(
        "550 5.7.30 Basic authentication is not supported for Client Submission.",
        Told("auth.basic_retired", "use_oauth"),
        Told("auth.basic_retired", "show_words"),
    ),
    Words(
        "550 5.7.30 Basic authentication is not supported for Client Submission.",
        Told("auth.basic_retired", "use_oauth"),
        Told("auth.basic_retired", "show_words"),
        moment="MAIL",
    ),
    Words(
        LOGON,
        Told("message.temporary", "try_later"),
        Told("sender.not_owned", "grant_mailbox"),
        moment=END_OF_DATA,
    ),
    Words(
        "554 5.2.252 SendAsDenied; desk@example.test not allowed to send as ann@example.test; "
        "STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
        Told("sender.not_owned", "use_username_as_from"),
        Told("sender.not_owned", "use_username_as_from"),
        moment=END_OF_DATA,
    ),
    Words(
        "454 4.7.0 Temporary authentication failure",
        Told("auth.temporary", "try_later"),
        Told("auth.temporary", "try_later"),
    ),
    Words(
        "535 5.7.8 Username and Password not accepted. For more information, go to "
        "https://support.google.com/mail/?p=BadCredentials - gsmtp",
        Told("auth.rejected", "create_app_password"),
        Told("auth.token_rejected", "sign_in_again"),
        banner=GOOGLE,
    ),
    Words(
        "534 5.7.14 Please log in via your web browser and then try again. - gsmtp",
        Told("auth.web_login_required", "sign_in_by_browser"),
        Told("auth.web_login_required", "sign_in_by_browser"),
        banner=GOOGLE,
    ),
    Words(
        "454 4.7.0 Too many login attempts, please try again later. - gsmtp",
        Told("auth.too_many_attempts", "wait"),
        Told("auth.too_many_attempts", "wait"),
        banner=GOOGLE,
    ),
]


def oauth(banner: str) -> OAuthSettings:
    google = banner == GOOGLE
    return OAuthSettings(
        provider=OAuthProvider.GOOGLE if google else OAuthProvider.MICROSOFT,
        flow=OAuthFlow.BROWSER,
        client_id="0f8f",
        tenant="" if google else "example.com",
        token_url="https://login.example.com/token",
        scopes=("https://mail.google.com/",)
        if google
        else ("https://outlook.office.com/SMTP.Send",),
    )


def answered(
    checks: Checks, tls: ssl.SSLContext, words: Words, *, settings: OAuthSettings | None
) -> CheckReport:
    played = Script(
        tls=tls,
        greeting=Reply(words.banner),
        extensions=("AUTH LOGIN XOAUTH2",),
        users={"desk@example.test": "s3cret-token"},
        on={words.moment: Reply(words.line)},
    )
    secret = Secret("s3cret-token")
    with ScriptedServer(played) as server:
        return checks(
            server,
            username="desk@example.test",
            from_email="ann@example.test",
            oauth=settings,
            secret=secret if settings is None else Token(secret),
        )


def told(report: CheckReport) -> tuple[Told, set[str]]:
    assert report.finding is not None
    ids = [remedy.id for remedy in report.finding.remedies]
    # A page that the reply itself names is offered beside ours.
    ours = [each for each in ids if each not in ("open_reply_link", "use_provider_server")]
    return Told(code_of(report), ours[0]), set(ids)


@pytest.mark.parametrize("words", WORDS, ids=lambda words: f"{words.moment} {words.line[:60]}")
def test_a_password_is_told_what_helps_a_password(
    checks: Checks, tls: ssl.SSLContext, words: Words
) -> None:
    first, ids = told(answered(checks, tls, words, settings=None))
    assert first == words.password
    if words.token != words.password:
        assert not ids & FOR_TOKENS


@pytest.mark.parametrize("words", WORDS, ids=lambda words: f"{words.moment} {words.line[:60]}")
def test_a_token_is_told_what_helps_a_token(
    checks: Checks, tls: ssl.SSLContext, words: Words
) -> None:
    first, ids = told(answered(checks, tls, words, settings=oauth(words.banner)))
    assert first == words.token
    assert not ids & FOR_PASSWORDS


def test_an_application_is_told_to_be_registered_in_exchange(
    checks: Checks, tls: ssl.SSLContext
) -> None:
    app = OAuthSettings(
        provider=OAuthProvider.MICROSOFT,
        flow=OAuthFlow.APP,
        client_id="0f8f",
        tenant="example.com",
        token_url="https://login.example.com/token",
    )
    granted = Told("sender.not_owned", "grant_mailbox")
    report = answered(checks, tls, Words(LOGON, granted, granted, END_OF_DATA), settings=app)
    assert told(report)[0] == granted
    assert report.finding is not None
    assert "New-ServicePrincipal -AppId 0f8f" in report.finding.remedies[0].text
    registered = Told("auth.token_rejected", "register_service_principal")
    refused = Words(f"535 5.7.3 Authentication unsuccessful {SITE}", registered, registered)
    assert told(answered(checks, tls, refused, settings=app))[0] == registered
