"""Every way in which signing in fails, told by `check`: by the server's words and without any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.causes import Cause, Checking, Play, ScriptedReply, played, said
from tests.servers.script import CREDENTIALS, Close, Reply, Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from tests.servers.certs import Certificates

GMAIL = "smtp.gmail.com ESMTP a1-20020a05 - gsmtp"
MICROSOFT = "535 5.7.139 Authentication unsuccessful, "


@pytest.mark.parametrize(
    "said",
    [
        said("auth.not_offered", 77, "AUTH", "503 5.5.1 Error: authentication not enabled"),
        said("auth.mechanism_refused", 77, "AUTH", "504 5.7.4 Unrecognized authentication type"),
        said(
            "auth.mechanism_refused",
            77,
            CREDENTIALS,
            "534 5.7.9 Authentication mechanism is too weak",
        ),
        said("auth.rejected", 77, CREDENTIALS, "535 5.7.8 Error: authentication failed"),
        said(
            "auth.rejected",
            77,
            CREDENTIALS,
            f"{MICROSOFT}the user credentials were incorrect. [AM0PR01CA0001]",
        ),
        said(
            "auth.rejected",
            77,
            CREDENTIALS,
            "535 5.7.8 Username and Password not accepted. See ?p=BadCredentials - gsmtp",
            banner=GMAIL,
            password="abcdefghijklmnop",
        ),
        said(
            "auth.app_password_required",
            77,
            CREDENTIALS,
            "534 5.7.9 Application-specific password required. See ?p=InvalidSecondFactor",
            banner=GMAIL,
        ),
        said(
            "auth.app_password_required",
            77,
            CREDENTIALS,
            "535 5.7.8 Username and Password not accepted. See ?p=BadCredentials - gsmtp",
            banner=GMAIL,
            password="abcd efgh ijkl mnop",
        ),
        said(
            "auth.web_login_required",
            77,
            CREDENTIALS,
            "534 5.7.14 <https://accounts.google.com/signin/continue?sarp=1> Please log in via "
            "your web browser and then try again",
        ),
        said(
            "auth.disabled_for_tenant",
            77,
            CREDENTIALS,
            f"{MICROSOFT}SmtpClientAuthentication is disabled for the Tenant. "
            "Visit https://aka.ms/smtp_auth_disabled for more information.",
        ),
        said(
            "auth.disabled_for_mailbox",
            77,
            CREDENTIALS,
            f"{MICROSOFT}SmtpClientAuthentication is disabled for the Mailbox. "
            "Visit https://aka.ms/smtp_auth_disabled for more information.",
        ),
        said(
            "auth.blocked_by_policy",
            77,
            CREDENTIALS,
            f"{MICROSOFT}user is locked by your organization's security defaults policy. "
            "Contact your administrator.",
        ),
        said(
            "auth.blocked_by_policy",
            77,
            CREDENTIALS,
            f"{MICROSOFT}the request did not meet the criteria to be authenticated "
            "successfully. Contact your administrator.",
        ),
        said("auth.blocked_by_policy", 77, CREDENTIALS, "525 5.7.1 Unauthorized IP address"),
        said(
            "auth.basic_retired",
            77,
            CREDENTIALS,
            f"{MICROSOFT}basic authentication is disabled.",
        ),
        said(
            "auth.basic_retired",
            77,
            "MAIL",
            "550 5.7.30 Basic authentication is not supported for Client Submission.",
        ),
        said("auth.account_locked", 77, CREDENTIALS, f"{MICROSOFT}account locked."),
        said(
            "auth.account_locked",
            77,
            CREDENTIALS,
            "451 Authentication failed: Maximum credits exceeded",
        ),
        said(
            "auth.password_transition",
            75,
            CREDENTIALS,
            "432 4.7.12 A password transition is needed",
        ),
        said(
            "auth.too_many_attempts",
            75,
            CREDENTIALS,
            "454 4.7.0 Too many login attempts, please try again later.",
        ),
        said("auth.temporary", 75, CREDENTIALS, "454 4.7.0 Temporary authentication failure"),
        said(
            "auth.closed",
            77,
            CREDENTIALS,
            "421 4.7.0 mail.example.test Error: too many errors",
        ),
        said(
            "auth.password_expired",
            77,
            CREDENTIALS,
            "535 5.7.8 Your password has expired, change it at https://sso.example.org/password",
        ),
        said("auth.failed", 77, CREDENTIALS, "554 5.5.0 Error"),
    ],
)
def test_a_reply(cause: Cause, check: Checking, certs: Certificates, said: ScriptedReply) -> None:
    with ScriptedServer(said.script(certs)) as server:
        ended = check(server, password=said.password)
        assert server.auth_attempts == 1
        if said.moment != "MAIL":
            assert not [line for line in server.commands if line.startswith("MAIL")]
    finding = cause.told(ended.status, ended.out)
    assert str(finding.reply) == said.line


@pytest.mark.parametrize(
    ("play", "arguments"),
    [
        played(
            "auth.not_offered",
            "auth",
            77,
            lambda certs: Script(tls=certs.good.tls, extensions=("SIZE 1000000",)),
        ),
        played(
            "auth.no_common_mechanism",
            "auth",
            77,
            lambda certs: Script(tls=certs.good.tls, extensions=("AUTH GSSAPI NTLM XOAUTH2",)),
        ),
        played(
            "auth.no_common_mechanism",
            "auth",
            77,
            lambda certs: Script(tls=certs.good.tls, extensions=("AUTH LOGIN",)),
            *("--auth", "cram-md5"),
        ),
        played(
            "auth.closed",
            "auth",
            77,
            lambda certs: Script(tls=certs.good.tls, on={CREDENTIALS: Close()}),
        ),
        played(
            "auth.rejected",
            "auth",
            77,
            lambda certs: Script(
                tls=certs.good.tls,
                on={CREDENTIALS: lambda session: Reply(f"535 no, not {session.password}")},
            ),
        ),
    ],
)
def test_without_known_words(
    cause: Cause,
    *,
    check: Checking,
    certs: Certificates,
    play: Play,
    arguments: tuple[str, ...],
) -> None:
    with ScriptedServer(play(certs)) as server:
        ended = check(server, *arguments)
        assert not [line for line in server.commands if line.startswith("MAIL")]
    cause.told(ended.status, ended.out)
