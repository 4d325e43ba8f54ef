"""What the catalogue is told beside a failure."""

from __future__ import annotations

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.reply import Reply
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.core.stages import Stage, StageEvent, StageStatus
from smtp_desk.smtp.check.naming import StageFacts, context_of, finding_of
from smtp_desk.smtp.net.redaction import HIDDEN, Redactor
from smtp_desk.smtp.wire.auth import Token
from tests.core.replies import load_catalogue

SETTINGS = ServerSettings(host="192.0.2.1", port=587, from_email="ann@example.org", username="desk")


def heard(*events: StageEvent) -> StageFacts:
    told = StageFacts()
    for event in events:
        told(event)
    return told


def test_the_newest_facts_of_a_stage_count() -> None:
    told = heard(
        StageEvent(Stage.EHLO, StageStatus.STARTED),
        StageEvent(Stage.EHLO, StageStatus.PASSED, 1.0, {"ehlo_name": "[::1]", "one": 1}),
        StageEvent(Stage.EHLO, StageStatus.PASSED, 1.0, {"ehlo_name": "desk.test"}),
    )
    assert told.facts(Stage.EHLO) == {"ehlo_name": "desk.test", "one": 1}
    assert told.facts(Stage.AUTH) == {}


def test_the_context_holds_what_is_known_and_no_secret() -> None:
    told = heard(
        StageEvent(Stage.GREETING, StageStatus.PASSED, 1.0, {"banner": "hello s3cret"}),
        StageEvent(Stage.AUTH, StageStatus.PASSED, 1.0, {"mechanisms": ["PLAIN", "s3cret"]}),
    )
    context = context_of(SETTINGS, Secret("s3cret"), Security.TLS, told, Redactor("s3cret"))
    assert context == {
        "signed_in": False,
        "host": "192.0.2.1",
        "host_is_ip": True,
        "port": 587,
        "security": "auto",
        "mode": "tls",
        "username": "desk",
        "from_email": "ann@example.org",
        "ehlo_name": None,
        "banner": f"hello {HIDDEN}",
        "mechanism": None,
        "mechanisms": ["PLAIN", HIDDEN],
        "password_shape": "other",
    }


@pytest.mark.parametrize(("code", "known"), [(235, True), (250, True), (535, False), (None, False)])
def test_whether_the_sign_in_worked_is_known(code: int | None, known: bool) -> None:
    told = heard(StageEvent(Stage.AUTH, StageStatus.PASSED, 1.0, {"reply_code": code}))
    context = context_of(SETTINGS, None, Security.TLS, told, Redactor())
    assert context["signed_in"] is known


def test_of_a_token_only_its_look_is_told() -> None:
    token = Token(Secret("ya29.abcdef"))
    context = context_of(SETTINGS, token, Security.TLS, heard(), Redactor())
    assert context["password_shape"] == "token"
    without = context_of(SETTINGS, None, Security.TLS, heard(), Redactor())
    assert without["password_shape"] == "none"


def test_the_facts_of_a_failure_are_searched_for_secrets() -> None:
    failure = SmtpFailure(
        Stage.RECIPIENT,
        reply=Reply(550, "5.1.1", ("unknown",)),
        facts={"recipient": "s3cret@example.test"},
    )
    finding = finding_of(failure, {}, load_catalogue(), Redactor("s3cret"))
    assert finding.code == "recipient.unknown"
    assert f"{HIDDEN}@example.test" in finding.summary
