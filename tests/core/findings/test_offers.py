"""What a reply offers itself becomes a remedy, by rules that a stranger's words can't bend."""

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.findings.finding import Finding, Remedy
from smtp_desk.core.findings.offers import MAX_LINK, OPEN_LINK, WAIT_UNTIL, WRITE_TO, links
from smtp_desk.core.stages import Json, Stage
from tests.core import replies
from tests.table import each_row


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return replies.load_catalogue()


def _found(catalogue: Catalogue, stage: Stage, text: str, **context: Json) -> Finding:
    return catalogue.find(SmtpFailure(stage, reply=replies.reply_of(text)), context)


def _remedy(finding: Finding, name: str) -> Remedy | None:
    return next((remedy for remedy in finding.remedies if remedy.id == name), None)


@each_row(
    ("said", "offered"),
    [
        ("535 Expired, see https://sso.corp.example.org/password", "sso.corp.example.org/password"),
        ("550 See <https://example.org/e/4711>.", "example.org/e/4711"),
        ("550 Go to https://example.org/a?b=c&d=1#e).", "example.org/a?b=c&d=1#e"),
        ('550 <a href="https://mail.zoho.com/Unblock?x=1">here</a>', "mail.zoho.com/Unblock?x=1"),
        ("550 <a href=https://mail.zoho.com/UnblockMe target=_blank>", "mail.zoho.com/UnblockMe"),
        ("534-5.7.14 <https://accounts.google.com/signin/continue?sarp=1\n534 5.7.14 &scc=1>",
         "accounts.google.com/signin/continue?sarp=1&scc=1"),
        ("550 https://BÜCHER.example/x", "xn--bcher-kva.example/x"),
        ("550 https://example.org:8443/x", "example.org:8443/x"),
        ("550 http://example.org/x", ""),
        ("550 ftp://example.org/x", ""),
        ("550 javascript:https://", ""),
        ("550 https://example.org@evil.example/x", ""),
        ("550 https://user:pw@example.org/", ""),
        ("550 https://localhost/x", ""),
        ("550 https://exa mple.org", ""),
        ("550 https://example.org:99999/", ""),
        ("550 https://example.org/" + "x" * MAX_LINK, ""),
        ("550 https://example.org/\u202egpj", "example.org/"),
    ],
)  # fmt: skip
def test_links_that_may_be_opened(said: str, offered: str) -> None:
    found = next(iter(links(replies.reply_of(said).text)), "")
    if offered.endswith("example.org/"):
        assert "\u202e" not in found
    else:
        assert found == (f"https://{offered}" if offered else "")


def test_the_link_of_a_stranger_goes_last_and_that_of_the_provider_first(
    catalogue: Catalogue,
) -> None:
    zoho = _found(
        catalogue,
        Stage.MESSAGE,
        "550 5.4.6 Unusual sending activity detected. <a href=https://mail.zoho.com/UnblockMe>",
        host="smtp.zoho.com",
    )
    assert (zoho.code, zoho.remedies[0].id) == ("sender.blocked", OPEN_LINK)
    assert zoho.remedies[0].link == "https://mail.zoho.com/UnblockMe"
    stranger = _found(catalogue, Stage.MESSAGE, "550 Refused, see https://evil.example/x",
                      host="smtp.zoho.com")  # fmt: skip
    assert stranger.remedies[-1].id == OPEN_LINK
    assert stranger.remedies[-1].changes == {}


@pytest.mark.parametrize("stage", [Stage.GREETING, Stage.EHLO, Stage.TLS])
def test_what_may_have_been_said_outside_tls_offers_nothing(
    catalogue: Catalogue, stage: Stage
) -> None:
    said = "554 Write to abuse@example.org in 5 minutes: https://example.org/"
    ids = {remedy.id for remedy in _found(catalogue, stage, said).remedies}
    assert not ids & {OPEN_LINK, WRITE_TO, WAIT_UNTIL}


@each_row(
    ("stage", "said", "when"),
    [
        (Stage.SENDER, "422 try again in 15 seconds", "in 15 seconds"),
        (Stage.RECIPIENT, "450 4.7.1 Greylisted, retry in 5 min", "in 5 minutes"),
        (Stage.AUTH, "454 4.7.0 Too many logins, wait 1 hour and try again", "in 1 hour"),
        (
            Stage.MESSAGE,
            "421 Limited to 100 messages / hour. Disabled until Tue, 23 Oct 2026 08:42:36 GMT.",
            "at 08:42 UTC on 23 Oct 2026",
        ),
        (Stage.MESSAGE, "450 Quota exceeded, retry after 2026-12-01T06:00:00Z",
         "at 06:00 UTC on 2026-12-01"),
    ],
)  # fmt: skip
def test_a_time_is_told_in_place_of_our_own_guess(
    catalogue: Catalogue, stage: Stage, said: str, when: str
) -> None:
    finding = _found(catalogue, stage, said)
    remedy = _remedy(finding, WAIT_UNTIL)
    assert remedy is not None
    assert when in remedy.text
    assert not {"wait", "try_later"} & {each.id for each in finding.remedies}


@pytest.mark.parametrize(
    "said",
    ["550 5.7.1 We allow 100 messages in 24 hours", "550 Message 15 seconds old", "552 25 MB"],
)
def test_a_number_that_is_no_time_to_wait(catalogue: Catalogue, said: str) -> None:
    assert _remedy(_found(catalogue, Stage.MESSAGE, said), WAIT_UNTIL) is None


def test_whom_to_write_to(catalogue: Catalogue) -> None:
    said = "502 5.7.0 Your account is not yet activated. Please contact us at help@brevo.example"
    remedy = _remedy(_found(catalogue, Stage.MESSAGE, said), WRITE_TO)
    assert remedy is not None
    assert "help@brevo.example" in remedy.text
    own = {"from_email": "help@brevo.example"}
    assert _remedy(_found(catalogue, Stage.MESSAGE, said, **own), WRITE_TO) is None
    plain = "550 5.1.1 <bo@example.org>: user unknown"
    assert _remedy(_found(catalogue, Stage.RECIPIENT, plain), WRITE_TO) is None
