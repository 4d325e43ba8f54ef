"""What is said and offered depends on what already worked, on the login's look and the provider."""

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.findings.finding import Finding, Remedy, Scope, Who
from smtp_desk.core.stages import Json, Stage
from tests.core import replies
from tests.table import each_row

ADDRESSES: dict[str, Json] = {"username": "jo@example.org", "from_email": "news@example.org"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return replies.load_catalogue()


def _said(catalogue: Catalogue, stage: Stage, text: str, **context: Json) -> Finding:
    return catalogue.find(SmtpFailure(stage, reply=replies.reply_of(text)), context)


def _told(catalogue: Catalogue, stage: Stage, code: str, **context: Json) -> Finding:
    return catalogue.find(SmtpFailure(stage, code), context)


def _remedies(finding: Finding) -> dict[str, Remedy]:
    return {remedy.id: remedy for remedy in finding.remedies}


@each_row(
    ("stage", "said"),
    [
        (Stage.SENDER, "550 Request failed; Mailbox unavailable"),
        (Stage.RECIPIENT, "550-No Such User Here\n550 Sender verify failed"),
        (Stage.SENDER, "550 5.7.1 Command rejected"),
        (Stage.SENDER, "501 5.1.7 Bad sender address"),
        (Stage.RECIPIENT, "554 5.7.1 <news@example.org>: Sender address rejected: Access denied"),
    ],
)  # fmt: skip
def test_k8_a_refused_sender_offers_the_login_as_from(
    catalogue: Catalogue, stage: Stage, said: str
) -> None:
    finding = _said(catalogue, stage, said, **ADDRESSES)
    assert (finding.code, finding.who) == ("sender.refused", Who.YOU)
    assert finding.remedies[0].changes == {"from_email": "jo@example.org"}
    alike = {**ADDRESSES, "from_email": "Jo@example.org"}
    same = _said(catalogue, stage, said, **alike)
    assert same.who is Who.MAIL_ADMINISTRATOR
    assert "use_username_as_from" not in _remedies(same)


def test_k8_the_mailbox_that_the_server_does_not_know_is_named(catalogue: Catalogue) -> None:
    said = "550-No Such User Here\n550 Sender verify failed"
    finding = _said(catalogue, Stage.RECIPIENT, said, **ADDRESSES)
    assert finding.summary.startswith("The server refused the sender news@example.org")


def test_k7_what_was_refused_after_the_dot_is_who_sends(catalogue: Catalogue) -> None:
    said = "550 Request failed; Mailbox unavailable"
    finding = _said(catalogue, Stage.MESSAGE, said, phase="dot", **ADDRESSES)
    assert (finding.code, finding.scope) == ("sender.refused", Scope.ROUTE)
    assert "already accepted the recipient" in finding.explanation
    assert _said(catalogue, Stage.RECIPIENT, said).code == "recipient.unknown"


@each_row(
    ("host", "right"),
    [
        ("smtp.google.com", "smtp.gmail.com"),
        ("smtp.mailgun.com", "smtp.mailgun.org"),
        ("mail.yahoo.com", "smtp.mail.yahoo.com"),
        ("smtp.icloud.com", "smtp.mail.me.com"),
        ("smtp.sendgrid.com", "smtp.sendgrid.net"),
        ("smtp.outlook.com", "smtp-mail.outlook.com"),
        ("contoso-com.mail.protection.outlook.com", "smtp.office365.com"),
        ("api.resend.com", "smtp.resend.com"),
    ],
)
@each_row(
    ("stage", "code"),
    [
        (Stage.RESOLVE, "resolve.not_found"),
        (Stage.CONNECT, "connect.timeout"),
        (Stage.CONNECT, "connect.refused"),
        (Stage.GREETING, "greeting.timeout"),
        (Stage.TLS, "tls.name_mismatch"),
        (Stage.TLS, "tls.not_offered"),
        (Stage.AUTH, "auth.rejected"),
        (Stage.AUTH, "auth.not_offered"),
    ],
)
def test_k9_the_right_server_of_a_provider_is_offered_whatever_fails(
    catalogue: Catalogue, *, host: str, right: str, stage: Stage, code: str
) -> None:
    remedies = _remedies(_told(catalogue, stage, code, host=host, port=587))
    assert remedies["use_provider_server"].changes["host"] == right


@pytest.mark.parametrize(
    "host", ["smtp.gmail.com", "smtp-relay.gmail.com", "SMTP.office365.com.", "mail.example.org"]
)
def test_k9_it_is_not_offered_where_it_is_in_use_or_unknown(
    catalogue: Catalogue, host: str
) -> None:
    finding = _told(catalogue, Stage.TLS, "tls.handshake_closed", host=host)
    assert "use_provider_server" not in _remedies(finding)


def test_k9_nor_for_what_another_server_would_refuse_too(catalogue: Catalogue) -> None:
    finding = _told(catalogue, Stage.RECIPIENT, "recipient.unknown", host="smtp.google.com")
    assert "use_provider_server" not in _remedies(finding)


@each_row(
    ("host", "username"),
    [
        ("smtp.tem.scw.cloud", "2f9d2e0b-51c2-4a8e-9f7c-0b5a3a1f7c11"),
        ("mail.example.org", "2f9d2e0b-51c2-4a8e-9f7c-0b5a3a1f7c11"),
        ("smtp.azurecomm.net", "res.app.tenant"),
        ("mail.example.org", "my-resource.3f2504e0-4f89.9a0c"),
        ("smtp.useplunk.com", "plunk"),
        ("smtp.resend.com", "resend"),
        ("smtp.sendgrid.net", "apikey"),
        ("live.smtp.mailtrap.io", "api"),
        ("smtp.mailersend.net", "MS_abc123"),
        ("mail.smtp2go.com", "example"),
        ("smtp.loops.so", "loops"),
        ("smtp.larksuite.com", "notify"),
        ("mail.example.org", "AKIAIOSFODNN7EXAMPLE"),
    ],
)
def test_k11_a_login_that_is_no_address_by_nature_is_never_to_be_replaced(
    catalogue: Catalogue, host: str, username: str
) -> None:
    known: dict[str, Json] = {"host": host, "username": username, "from_email": "a@example.org"}
    finding = _told(catalogue, Stage.AUTH, "auth.rejected", **known)
    assert "use_email_as_username" not in _remedies(finding)
    assert "isn’t an email address" not in finding.explanation


@pytest.mark.parametrize("username", ["jo", "jo.smith", "info", "user1"])
def test_k11_a_login_that_looks_like_half_an_address_is(
    catalogue: Catalogue, username: str
) -> None:
    known: dict[str, Json] = {
        "host": "mail.example.org", "username": username, "from_email": "jo@example.org",
    }  # fmt: skip
    finding = _told(catalogue, Stage.AUTH, "auth.rejected", **known)
    assert _remedies(finding)["use_email_as_username"].changes == {"username": "jo@example.org"}


@pytest.mark.parametrize(
    "said",
    [
        "554 5.7.1 Relay access denied",
        "550 5.7.1 Unable to relay for bo@example.net",
        "550 relay not permitted",
        "551 User not local",
    ],
)
def test_k15_after_a_good_sign_in_a_relay_refusal_is_the_administrators(
    catalogue: Catalogue, said: str
) -> None:
    known: dict[str, Json] = {"username": "jo@example.org", "port": 2525}
    good = _said(catalogue, Stage.RECIPIENT, said, signed_in=True, **known)
    assert (good.code, good.who) == ("recipient.relay_denied", Who.MAIL_ADMINISTRATOR)
    assert list(_remedies(good)) == ["allow_relay"]
    assert "sign-in worked" in good.explanation
    without = _said(catalogue, Stage.RECIPIENT, said, signed_in=False, **known)
    assert without.who is Who.YOU
    assert "use_port_587" in _remedies(without)


def test_k5_the_relay_of_google_names_its_three_ways(catalogue: Catalogue) -> None:
    said = (
        "550-5.7.0 Mail relay denied [192.0.2.17]. Invalid credentials for relay for one of the\n"
        "550 5.7.0 domains in: [192.0.2.17]. https://support.google.com/a/answer/6140680#maildenied"
    )
    finding = _said(
        catalogue,
        Stage.RECIPIENT,
        said,
        host="smtp-relay.gmail.com",
        from_email="a@example.org",
        ehlo_name="[192.0.2.17]",
    )
    remedies = _remedies(finding)
    assert finding.remedies[0].link == "https://support.google.com/a/answer/6140680#maildenied"
    assert {"register_address", "use_sender_domain", "use_smtp_gmail"} <= remedies.keys()
    assert remedies["use_sender_domain"].changes == {"ehlo_name": "example.org"}


@pytest.mark.parametrize(
    ("code", "host", "said", "unsaid"),
    [
        ("auth.basic_retired", "smtp.office365.com", "Azure Communication Services", "token as"),
        ("auth.basic_retired", "smtp-mail.outlook.com", "app passwords don’t help", "token as"),
        ("auth.disabled_for_tenant", "smtp.office365.com", "OAuth 2.0", "turn it back on until"),
        ("auth.disabled_for_mailbox", "smtp.office365.com", "sign-in is refused too", "token as"),
    ],
)  # fmt: skip
def test_the_state_of_the_world(
    catalogue: Catalogue, *, code: str, host: str, said: str, unsaid: str
) -> None:
    finding = _told(catalogue, Stage.AUTH, code, host=host)
    texts = " ".join((finding.explanation, *(remedy.text for remedy in finding.remedies)))
    assert said in texts
    assert unsaid not in texts


def test_high_volume_email_is_microsofts_too(catalogue: Catalogue) -> None:
    said = "535 5.7.139 Authentication unsuccessful, the organization configuration doesn't allow"
    finding = _said(catalogue, Stage.AUTH, said, host="smtp.hve.mx.microsoft")
    assert finding.code == "auth.blocked_by_policy"
    by_host = _told(catalogue, Stage.AUTH, "auth.basic_retired", host="smtp.hve.mx.microsoft")
    assert "Microsoft 365" in by_host.explanation
