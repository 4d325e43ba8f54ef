"""Every refusal of a sender, a recipient or a message, told by `check` from real replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.causes import Cause, Checking, Play, ScriptedReply, played, said
from tests.servers.script import END_OF_DATA, Close, Reset, Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from tests.servers.certs import Certificates


@pytest.mark.parametrize(
    "said",
    [
        said(
            "sender.login_required",
            77,
            "MAIL",
            "530 5.7.0 Authentication Required. See https://support.google.com/?p=WantAuthError",
        ),
        said(
            "sender.login_required",
            77,
            "MAIL",
            "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail",
        ),
        said(
            "sender.not_owned",
            77,
            "MAIL",
            "553 5.7.1 <desk@example.test>: Sender address rejected: not owned by user desk",
        ),
        said(
            "sender.not_owned",
            77,
            "MAIL",
            "501 Mail from address must be same as authorization user",
        ),
        said(
            "sender.not_owned",
            77,
            END_OF_DATA,
            "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
        ),
        said(
            "sender.not_verified",
            77,
            END_OF_DATA,
            "554 Message rejected: Email address is not verified. The following identities "
            "failed the check in region EU-WEST-1: desk@example.test",
        ),
        said(
            "sender.account_restricted",
            77,
            "RCPT",
            "502 5.7.0 Your SMTP account is not yet activated. Please contact us.",
        ),
        said(
            "sender.account_restricted",
            77,
            END_OF_DATA,
            "550 5.7.1 Your plan does not include SMTP sending, see https://provider.example/",
        ),
        said("sender.refused", 77, END_OF_DATA, "550 Request failed; Mailbox unavailable"),
        said("auth.blocked_by_policy", 77, "MAIL", "550 that IP address is not allowed to send"),
        said("sender.blocked", 77, "MAIL", "550 5.1.8 Access denied, bad outbound sender"),
        said(
            "sender.domain_not_found",
            77,
            "MAIL",
            "450 4.1.8 <desk@example.test>: Sender address rejected: Domain not found",
        ),
        said("sender.quota", 77, END_OF_DATA, "550 5.4.5 Daily user sending limit exceeded."),
        said("sender.internationalized", 77, "MAIL", "553 5.6.7 address not acceptable"),
        said("sender.temporary", 75, "MAIL", "452 4.3.1 Insufficient system storage"),
        said("sender.refused", 77, "MAIL", "501 5.1.7 Bad sender address syntax"),
        said(
            "recipient.unknown",
            69,
            "RCPT",
            "550 5.1.1 <ann@example.test>: Recipient address rejected: User unknown",
        ),
        said(
            "recipient.relay_denied",
            69,
            "RCPT",
            "554 5.7.1 <ann@example.test>: Relay access denied",
        ),
        said(
            "recipient.relay_denied",
            69,
            "RCPT",
            "550 5.7.64 TenantAttribution; Relay Access Denied SMTP",
        ),
        said(
            "recipient.greylisted",
            75,
            "RCPT",
            "450 4.7.1 <ann@example.test>: Recipient address rejected: Greylisted",
        ),
        said("recipient.mailbox_full", 69, "RCPT", "452 4.2.2 The account is over quota."),
        said(
            "recipient.throttled",
            75,
            "RCPT",
            "452 4.5.3 Your message has too many recipients.",
        ),
        said("recipient.temporary", 75, "RCPT", "450 4.2.0 Mailbox busy"),
        said("recipient.refused", 69, "RCPT", "550 5.7.0 Rejected"),
        said("message.too_large", 69, "MAIL", "552 5.3.4 Message size exceeds fixed limit"),
        said(
            "message.malformed",
            69,
            END_OF_DATA,
            "552 5.2.0 Message contains bare CR and is violating 822.bis section 2.3",
        ),
        said("message.spam", 69, END_OF_DATA, "550 5.7.1 Message rejected as spam"),
        said(
            "message.unauthenticated",
            69,
            END_OF_DATA,
            "550 5.7.26 This mail has been blocked because the sender is unauthenticated.",
        ),
        said(
            "message.attachment_blocked",
            69,
            END_OF_DATA,
            "552 5.7.0 This message was blocked because its content presents a potential "
            "security issue.",
        ),
        said(
            "message.concurrency",
            75,
            END_OF_DATA,
            "432 4.3.2 Concurrent connections limit exceeded.",
        ),
        said("message.temporary", 75, "DATA", "421 4.3.0 Temporary System Problem. (10)"),
        said("message.temporary", 75, END_OF_DATA, "451 4.7.1 Service unavailable - try later"),
        said("message.refused", 69, END_OF_DATA, "554 5.0.0 Transaction failed"),
    ],
)
def test_a_reply(cause: Cause, check: Checking, certs: Certificates, said: ScriptedReply) -> None:
    with ScriptedServer(said.script(certs)) as server:
        ended = check(server)
        assert not [mail for mail in server.messages if mail.accepted and mail.content]
    finding = cause.told(ended.status, ended.out)
    assert str(finding.reply) == said.line


def _offering(*extensions: str) -> Play:
    return lambda certs: Script(tls=certs.good.tls, extensions=(*extensions, "AUTH PLAIN"))


@pytest.mark.parametrize(
    ("play", "arguments"),
    [
        played("message.too_large", "sender", 69, _offering("SIZE 10")),
        played(
            "sender.internationalized",
            "sender",
            77,
            _offering("8BITMIME"),
            *("--from-email", "änn@example.test"),
        ),
        played(
            "message.lost_before_end",
            "message",
            75,
            lambda certs: Script(tls=certs.good.tls, on={"DATA": Close()}),
        ),
        played(
            "message.unconfirmed",
            "message",
            75,
            lambda certs: Script(tls=certs.good.tls, on={END_OF_DATA: Reset()}),
        ),
    ],
)
def test_without_a_reply(
    cause: Cause,
    *,
    check: Checking,
    certs: Certificates,
    play: Play,
    arguments: tuple[str, ...],
) -> None:
    with ScriptedServer(play(certs)) as server:
        ended = check(server, *arguments)
    cause.told(ended.status, ended.out)
