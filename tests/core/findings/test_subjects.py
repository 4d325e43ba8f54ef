"""Whose matter a reply tells."""

from collections.abc import Iterator
from itertools import product
from typing import Final

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.subjects import not_about
from smtp_desk.core.stages import Stage
from tests.core import replies
from tests.corpus import GENERIC

_CATALOGUE: Final = replies.load_catalogue()
_SAID: Final = (
    *("has been blocked", "is suspended", "is locked", "is on a blacklist", "is blacklisted"),
    *("has exceeded its quota", "is over quota", "has reached its daily limit", "is not verified"),
    *("has not been activated", "does not exist", "is unknown", "could not be found", "is full"),
    *("has expired", "is not allowed", "is not authorized", "is under review", "was deleted"),
    *("has too many connections", "receives mail too fast", "sends too fast", "is not local"),
    *("has a bad reputation", "has no DNS record", "is not registered", "needs to authenticate"),
)
_BY_SUBJECT: Final = {
    ("the recipient's account", "recipient", "this recipient's domain", "the addressee"): (
        "recipient."
    ),
    ("your account", "your mailbox", "the sending user", "sender's domain"): (
        "sender. recipient.relay_denied recipient.throttled message.concurrency"
    ),
    ("your IP", "client host [192.0.2.7]", "your server"): (
        "sender.blocked sender.quota sender.login_required auth.blocked_by_policy "
        "recipient.relay_denied recipient.throttled message.concurrency"
    ),
    ("the Reply-To domain", "a link in the message", "the attachment"): "message.",
}


def _cases() -> Iterator[tuple[str, str]]:
    for subjects, causes in _BY_SUBJECT.items():
        for subject in subjects:
            yield subject, causes


@pytest.mark.parametrize(("subject", "causes"), list(_cases()))
def test_a_cause_is_of_whom_the_reply_is_about(subject: str, causes: str) -> None:
    allowed = tuple(causes.split())
    wrong = []
    for said, stage in product(_SAID, (Stage.RECIPIENT, Stage.MESSAGE)):
        reply = replies.reply_of(f"550 5.7.1 {subject} {said}")
        code = _CATALOGUE.find(SmtpFailure(stage, reply=reply), {}).code
        if code not in GENERIC and not code.startswith(allowed):
            wrong.append(f"{code} {stage} {reply.text}")
    assert wrong == []


@pytest.mark.parametrize(
    ("said", "not_told"),
    [
        ("the recipient's account is suspended", True),
        ("rejected: recipient has reached its limit", True),
        (
            "your message can't be delivered because one or more recipients are blocked by a rule",
            True,
        ),
        ("recipient address rejected: sending limit reached", False),
        ("too many recipients today", False),
        ("your account has been suspended", False),
    ],
)
def test_what_a_clause_begins_with_tells_whose_matter_it_is(said: str, not_told: bool) -> None:
    assert ("sender.quota" in not_about(said)) is not_told
