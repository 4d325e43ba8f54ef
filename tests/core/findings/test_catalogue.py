"""From a failure to its finding."""

import pytest

from smtp_desk.core.errors import Acceptance, SmtpFailure
from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.findings.finding import FindingSeverity, Who
from smtp_desk.core.findings.languages import Languages
from smtp_desk.core.findings.providers import Providers
from smtp_desk.core.findings.senses import Senses
from smtp_desk.core.reply import Reply
from smtp_desk.core.stages import Json, Stage
from tests.core import replies
from tests.table import each_row


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return replies.load_catalogue()


def test_a_known_code_is_kept_whatever_the_reply(catalogue: Catalogue) -> None:
    reply = replies.reply_of("535 5.7.8 Authentication failed")
    finding = catalogue.find(SmtpFailure(Stage.TLS, "tls.expired", reply=reply), {})
    assert (finding.code, finding.stage, finding.reply) == ("tls.expired", Stage.TLS, reply)


@each_row(
    ("stage", "acceptance", "code"),
    [
        (Stage.GREETING, Acceptance.NO, "greeting.closed"),
        (Stage.EHLO, Acceptance.NO, "session.closed"),
        (Stage.TLS, Acceptance.NO, "tls.handshake_closed"),
        (Stage.AUTH, Acceptance.NO, "auth.closed"),
        (Stage.SENDER, Acceptance.NO, "session.closed"),
        (Stage.MESSAGE, Acceptance.NO, "message.lost_before_end"),
        (Stage.MESSAGE, Acceptance.UNKNOWN, "message.unconfirmed"),
    ],
)
def test_an_end_without_words(
    catalogue: Catalogue, stage: Stage, acceptance: Acceptance, code: str
) -> None:
    assert catalogue.find(SmtpFailure(stage, acceptance=acceptance), {}).code == code


def test_an_unknown_code_is_a_fault_of_this_program(catalogue: Catalogue) -> None:
    finding = catalogue.find(SmtpFailure(Stage.AUTH, "auth.invented"), {})
    assert (finding.code, finding.who) == ("session.internal_error", Who.PROGRAM)


def test_an_unknown_code_with_a_reply_is_told_by_the_reply(catalogue: Catalogue) -> None:
    failure = SmtpFailure(Stage.AUTH, "auth.invented", reply=Reply(535, None, ("no",)))
    assert catalogue.find(failure, {}).code == "auth.rejected"


def test_facts_of_the_failure_go_before_the_context(catalogue: Catalogue) -> None:
    failure = SmtpFailure(Stage.CONNECT, "connect.refused", facts={"port": 2525})
    finding = catalogue.find(failure, {"host": "smtp.example.org", "port": 587})
    assert finding.summary == "smtp.example.org refuses connections on port 2525."


def test_the_banner_tells_the_provider_where_the_host_does_not(catalogue: Catalogue) -> None:
    failure = SmtpFailure(Stage.AUTH, reply=Reply(535, "5.7.8", ("no",)))
    by_banner = {"host": "mail.example.org", "banner": "mx.google.com ESMTP x - gsmtp"}
    assert "app password" in catalogue.find(failure, by_banner).explanation
    by_host = {"host": "mail.example.org", "banner": "mail.example.org ESMTP"}
    assert "app password" not in catalogue.find(failure, by_host).explanation


def test_what_a_reply_tells_beside_its_cause_is_said(catalogue: Catalogue) -> None:
    reply = replies.reply_of("451 Authentication failed: Maximum credits exceeded")
    finding = catalogue.find(SmtpFailure(Stage.AUTH, reply=reply), {"host": "smtp.sendgrid.net"})
    assert finding.summary == "The account has used up its credits."


def test_braces_of_a_server_are_no_placeholders(catalogue: Catalogue) -> None:
    failure = SmtpFailure(Stage.TLS, "tls.unknown_issuer", facts={"issuer": "{host}"})
    assert "{host}" in catalogue.find(failure, {"host": "smtp.example.org"}).summary


def test_a_warning(catalogue: Catalogue) -> None:
    soon: dict[str, Json] = {"expires_soon": {"days": 3, "not_after": "1 May"}}
    warning = catalogue.warning("tls.expires_soon", Stage.TLS, soon)
    assert warning.severity is FindingSeverity.WARNING
    assert warning.summary == "The server’s certificate expires on 1 May."
    assert warning.explanation.endswith("Days left: 3.")
    with pytest.raises(KeyError):
        catalogue.warning("tls.invented", Stage.TLS, {})


def test_codes_need_no_parsing() -> None:
    text = '["tls.failed"]\nthis is no TOML'
    lazy = Catalogue.parse([text], Providers.parse([]), Languages.parse([]), Senses.parse([]))
    assert lazy.codes == {"tls.failed"}


def test_rows_of_different_causes_that_match_equally_name_none_of_them() -> None:
    generic = '{stages="auth", codes="5xx", example="550 x", source="test"}'
    words = '{stages="auth", codes="5xx", words="same", example="550 same", source="test"}'
    head = 'who="you"\nscope="route"\nsummary="S."\nexplanation="E."\n'
    text = (
        f'["auth.failed"]\n{head}replies=[{generic}]\n'
        f'["auth.rejected"]\n{head}replies=[{words}]\n'
        f'["auth.closed"]\n{head}replies=[{words}]\n'
    )
    tied = Catalogue.parse([text], Providers.parse([]), Languages.parse([]), Senses.parse([]))
    failure = SmtpFailure(Stage.AUTH, reply=Reply(550, None, ("same",)))
    assert tied.find(failure, {}).code == "auth.failed"


@pytest.mark.parametrize("code", ["tls.expired", "tls.not_yet_valid"])
def test_a_wrong_clock_is_the_persons_to_mend(catalogue: Catalogue, code: str) -> None:
    known = {"clock": "2026-09-01T10:02:33+00:00", "since": "2026-08-01", "begins": "2026-11-01"}
    failure = SmtpFailure(Stage.TLS, code, facts=known)
    ours = catalogue.find(failure, {"clock_wrong": True, "server_date": "2026-11-20"})
    assert ours.who is Who.YOU
    assert ours.summary.startswith("This computer’s clock seems to be wrong: it says 2026-09")
    assert "2026-11-20" in ours.explanation
    assert ours.remedies[0].id == "set_clock"
    theirs = catalogue.find(failure, {})
    assert "This computer’s clock seems" not in theirs.summary
    assert "set_clock" not in [remedy.id for remedy in theirs.remedies]


def test_an_expired_certificate_is_the_servers_where_nothing_contradicts(
    catalogue: Catalogue,
) -> None:
    assert catalogue.find(SmtpFailure(Stage.TLS, "tls.expired"), {}).who is Who.MAIL_ADMINISTRATOR


@each_row(
    ("from_email", "refused", "offered"),
    [
        ("ann@example.org", "[192.0.2.7]", "example.org"),
        ("ann@BÜCHER.example", "[192.0.2.7]", "xn--bcher-kva.example"),
        ("ann@example.org", "Example.org", ""),
        ("", "[192.0.2.7]", ""),
        ("ann@", "[192.0.2.7]", ""),
    ],
)
def test_the_domain_of_the_sender_is_offered_as_ehlo_name_unless_it_was_refused(
    catalogue: Catalogue, from_email: str, refused: str, offered: str
) -> None:
    context = {"from_email": from_email, "ehlo_name": refused}
    failure = SmtpFailure(Stage.EHLO, "ehlo.name_refused")
    changes = [remedy.changes for remedy in catalogue.find(failure, context).remedies]
    assert changes[0].get("ehlo_name", "") == offered


@each_row(
    ("code", "known", "who"),
    [
        ("connect.timeout", {}, Who.NETWORK_ADMINISTRATOR),
        ("connect.timeout", {"working_port": 465}, Who.YOU),
        ("tls.not_offered", {}, Who.MAIL_ADMINISTRATOR),
        ("tls.not_offered", {"working_port": 465}, Who.YOU),
        ("sender.not_owned", {"username": "ann@a.test", "from_email": "bo@a.test"}, Who.YOU),
        (
            "sender.not_owned",
            {"username": "ann@a.test", "from_email": "Ann@a.test"},
            Who.MAIL_ADMINISTRATOR,
        ),
    ],
)
def test_who_can_mend_it_is_who_has_a_remedy(
    catalogue: Catalogue, code: str, known: dict[str, Json], who: Who
) -> None:
    assert catalogue.find(SmtpFailure(Stage.CONNECT, code), known).who is who


@pytest.mark.parametrize(
    "said", ["554 No SMTP service here", "521 host does not accept mail", "554 5.7.1 Go away"]
)
def test_a_server_that_refuses_everybody_is_the_mail_administrators(
    catalogue: Catalogue, said: str
) -> None:
    finding = catalogue.find(SmtpFailure(Stage.GREETING, reply=replies.reply_of(said)), {})
    assert (finding.code, finding.who) == ("greeting.refused", Who.MAIL_ADMINISTRATOR)


@pytest.mark.parametrize(
    ("code", "context", "said"),
    [
        ("auth.basic_retired", {"host": "smtp.office365.com"}, True),
        ("auth.basic_retired", {"host": "smtp.example.org"}, False),
        ("auth.basic_retired", {"host": "smtp-mail.outlook.com"}, False),
    ],
)
def test_what_microsoft_365_does_is_told_of_it_alone(
    catalogue: Catalogue, code: str, context: dict[str, Json], said: bool
) -> None:
    finding = catalogue.find(SmtpFailure(Stage.AUTH, code), context)
    texts = [finding.explanation, *(remedy.text for remedy in finding.remedies)]
    assert any("Microsoft 365" in text for text in texts) is said


def test_a_username_that_is_no_address_is_right_where_the_provider_wants_that(
    catalogue: Catalogue,
) -> None:
    known = {"host": "smtp.free.fr", "username": "ann", "from_email": "ann@free.fr"}
    finding = catalogue.find(SmtpFailure(Stage.AUTH, "auth.rejected"), known)
    assert "use_email_as_username" not in [remedy.id for remedy in finding.remedies]
    full = catalogue.find(
        SmtpFailure(Stage.AUTH, "auth.rejected"), {**known, "username": "ann@free.fr"}
    )
    assert "the part of the address before the @" in full.explanation


@pytest.mark.parametrize("host", ["smtp.zoho.com", "smtp.zoho.com.cn"])
def test_an_account_of_zoho_belongs_to_one_region(catalogue: Catalogue, host: str) -> None:
    finding = catalogue.find(SmtpFailure(Stage.AUTH, "auth.rejected"), {"host": host})
    assert "each account in one region" in finding.explanation


def test_the_username_that_is_in_use_is_not_offered(catalogue: Catalogue) -> None:
    known = {"host": "live.smtp.mailtrap.io", "username": "api"}
    finding = catalogue.find(SmtpFailure(Stage.AUTH, "auth.rejected"), known)
    assert "use_fixed_username" not in [remedy.id for remedy in finding.remedies]


@each_row(
    ("host", "allows"),
    [
        ("smtp.gmail.com", "Google allows 500 emails a day for a Gmail account"),
        ("smtp.dreamhost.com", "DreamHost allows 100 recipients an hour"),
        ("email-smtp.eu-west-1.amazonaws.com", "Amazon SES allows 200 emails a day"),
        ("smtp.resend.com", "Resend allows 100 emails a day"),
    ],
)
@each_row("code", ["sender.quota", "recipient.throttled"])
def test_a_limit_that_was_reached_is_named(
    catalogue: Catalogue, code: str, host: str, allows: str
) -> None:
    finding = catalogue.find(SmtpFailure(Stage.SENDER, code), {"host": host})
    assert allows in finding.explanation
    assert [each for each in finding.remedies if "sending limits: https://" in each.text] or [
        each for each in finding.remedies if "“Emails per hour at most” to what" in each.text
    ]


@each_row("host", ["mail.gmx.net", "smtp.aol.com", "smtp.example.org"])
@each_row("code", ["sender.quota", "recipient.throttled", "message.concurrency"])
def test_a_limit_that_nobody_knows_is_not_named(catalogue: Catalogue, code: str, host: str) -> None:
    finding = catalogue.find(SmtpFailure(Stage.SENDER, code), {"host": host})
    assert "allows" not in finding.explanation
    assert not [each for each in finding.remedies if "https://" in each.text]


@each_row(
    ("host", "said"),
    [
        ("smtp.office365.com", "Microsoft 365 allows 3 connections at a time."),
        ("live.smtp.mailtrap.io", "Mailtrap allows 10 connections at a time."),
        ("smtp.gmail.com", ""),
    ],
)
@each_row("code", ["message.concurrency", "greeting.busy"])
def test_too_many_connections_are_counted(
    catalogue: Catalogue, code: str, host: str, said: str
) -> None:
    known: dict[str, Json] = {"host": host, "too_many": True}
    finding = catalogue.find(SmtpFailure(Stage.GREETING, code), known)
    assert said in finding.explanation
    assert ("allows" in finding.explanation) is bool(said)


def test_a_full_mailbox_is_no_sending_limit(catalogue: Catalogue) -> None:
    known: dict[str, Json] = {"host": "smtp.gmail.com", "own_mailbox": True}
    finding = catalogue.find(SmtpFailure(Stage.SENDER, "sender.quota"), known)
    assert "allows" not in finding.explanation
