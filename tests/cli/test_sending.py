"""The words and the exit status for what came of an email."""

from __future__ import annotations

import json

import pytest

from smtp_desk.cli.sending import receipt_json, receipt_row, receipt_status
from smtp_desk.core.findings.finding import Finding, FindingSeverity, Scope, Who
from smtp_desk.core.stages import Stage
from smtp_desk.sender.receipts import Fate, Receipt, RecipientReceipt

FINDING = Finding(
    code="message.unconfirmed",
    stage=Stage.MESSAGE,
    severity=FindingSeverity.ERROR,
    summary="It failed.",
    explanation="",
    who=Who.YOU,
    scope=Scope.UNCERTAIN,
)


@pytest.mark.parametrize(
    ("fate", "route", "finding", "words"),
    [
        (Fate.ACCEPTED, "custom", None, "accepted by the custom server"),
        (Fate.ACCEPTED, "default", FINDING, "accepted by the default email service. It failed."),
        (Fate.QUEUED, "", None, "waits in the outbox"),
        (Fate.QUEUED, "custom", FINDING, "waits in the outbox. It failed."),
        (Fate.REFUSED, "custom", FINDING, "refused by the custom server. It failed."),
        (Fate.REFUSED, "", FINDING, "refused. It failed."),
        (Fate.UNCERTAIN, "custom", FINDING,
         "uncertain, the custom server may have accepted it. It failed."),
    ],
)  # fmt: skip
def test_the_words(fate: Fate, route: str, finding: Finding | None, words: str) -> None:
    receipt = RecipientReceipt("ann@example.org", fate, route, finding)
    assert receipt_row(receipt) == ("ann@example.org", words)


@pytest.mark.parametrize(
    ("fates", "status"),
    [
        ((Fate.ACCEPTED, Fate.REFUSED), 0),
        ((Fate.QUEUED,), 0),
        ((Fate.UNCERTAIN, Fate.REFUSED), 0),
        ((Fate.REFUSED, Fate.REFUSED), 69),
    ],
)
def test_the_exit_status(fates: tuple[Fate, ...], status: int) -> None:
    recipients = tuple(RecipientReceipt("ann@example.org", fate) for fate in fates)
    assert receipt_status(Receipt("<1@example.org>", recipients)) == status


def test_a_fallback_as_json() -> None:
    one = RecipientReceipt("ann@example.org", Fate.QUEUED, "", FINDING, "01")
    document = json.loads(json.dumps(receipt_json(Receipt("<1@example.org>", (one,), FINDING))))
    assert document["fallback"]["code"] == "message.unconfirmed"
    (written,) = document["recipients"]
    assert (written["fate"], written["route"], written["entry_id"]) == ("queued", None, "01")
