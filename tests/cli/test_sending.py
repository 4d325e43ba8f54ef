"""The words and the exit status for what came of an email."""

from __future__ import annotations

import json

import pytest

from smtp_desk.cli.sending import receipt_json, receipt_row, receipt_status
from smtp_desk.core.findings.finding import Finding, FindingSeverity, Scope, Who
from smtp_desk.core.stages import Stage
from smtp_desk.sender.receipts import Receipt, RecipientReceipt
from smtp_desk.smtp.session.envelope import Status
from tests.table import each_row

FINDING = Finding(
    code="message.unconfirmed",
    stage=Stage.MESSAGE,
    severity=FindingSeverity.ERROR,
    summary="It failed.",
    explanation="",
    who=Who.YOU,
    scope=Scope.UNCERTAIN,
)


@each_row(
    ("fate", "route", "finding", "words"),
    [
        (Status.ACCEPTED, "custom", None, "accepted by the custom server"),
        (Status.ACCEPTED, "default", FINDING, "accepted by the default email service. It failed."),
        (Status.QUEUED, "", None, "waits in the outbox"),
        (Status.QUEUED, "custom", FINDING, "waits in the outbox. It failed."),
        (Status.REFUSED, "custom", FINDING, "refused by the custom server. It failed."),
        (Status.REFUSED, "", FINDING, "refused. It failed."),
        (Status.UNCERTAIN, "custom", FINDING,
         "uncertain: the custom server may have accepted it. It failed."),
    ],
)  # fmt: skip
def test_the_words(fate: Status, route: str, finding: Finding | None, words: str) -> None:
    receipt = RecipientReceipt("ann@example.org", fate, route, finding)
    assert receipt_row(receipt) == ("ann@example.org", words)


@pytest.mark.parametrize(
    ("fates", "status"),
    [
        ((Status.ACCEPTED, Status.REFUSED), 0),
        ((Status.QUEUED,), 0),
        ((Status.UNCERTAIN, Status.REFUSED), 0),
        ((Status.REFUSED, Status.REFUSED), 69),
    ],
)
def test_the_exit_status(fates: tuple[Status, ...], status: int) -> None:
    recipients = tuple(RecipientReceipt("ann@example.org", fate) for fate in fates)
    assert receipt_status(Receipt("<1@example.org>", recipients)) == status


def test_a_fallback_as_json() -> None:
    one = RecipientReceipt("ann@example.org", Status.QUEUED, "", FINDING, "01")
    document = json.loads(json.dumps(receipt_json(Receipt("<1@example.org>", (one,), FINDING))))
    assert document["fallback"]["code"] == "message.unconfirmed"
    (written,) = document["recipients"]
    assert (written["fate"], written["route"], written["entry_id"]) == ("queued", None, "01")
