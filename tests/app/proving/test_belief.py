"""One sentence: whether mail from a domain will be trusted."""

from __future__ import annotations

from typing import Any, Final

from smtp_desk.app.proving.belief import believe
from smtp_desk.core.arrived import Belief
from smtp_desk.smtp.domain.facts import DkimKey, DmarcPolicy, DomainFacts, Found, RecordStatus
from tests.table import each_row

GOOD, MISSING, INVALID, UNKNOWN = (Found(status) for status in RecordStatus)
REJECT: Final = DmarcPolicy("v=DMARC1; p=reject", "example.test", "reject")
QUARANTINE: Final = DmarcPolicy("", "example.test", "quarantine")
NONE: Final = DmarcPolicy("", "example.test", "none")
TESTED: Final = DmarcPolicy("", "example.test", "reject", testing=True)
TESTED_SOFTLY: Final = DmarcPolicy("", "example.test", "quarantine", testing=True)
KEY: Final = DkimKey("mail", "example.test", GOOD)
OTHERS_KEY: Final = DkimKey("mail", "provider.test", GOOD, aligned=False)
NO_KEY: Final = DkimKey("mail", "example.test", MISSING)
SILENT_KEY: Final = DkimKey("mail", "example.test", UNKNOWN)
BAD_KEY: Final = DkimKey("mail", "example.test", INVALID)


def told(host: str = "mail.test", **facts: object) -> tuple[Belief, str]:
    known: dict[str, Any] = {
        "domain": "example.test",
        "exists": True,
        "mx": GOOD,
        "spf": GOOD,
        "excludes_server": False,
        "policy": REJECT,
        "dmarc": GOOD if facts.get("policy", REJECT) else MISSING,
        "mta_sts": MISSING,
        "tls_rpt": MISSING,
    }
    return believe(DomainFacts(**{**known, **facts}), host)


@each_row(
    ("facts", "belief", "words"),
    [
        ({}, Belief.BELIEVED, "will be trusted: SPF allows the server, and DMARC accepts that."),
        ({"policy": NONE}, Belief.BELIEVED, "will be trusted: SPF allows"),
        ({"dkim": (NO_KEY,)}, Belief.BELIEVED, "will be trusted: SPF allows"),
        ({"policy": None}, Belief.DOUBTED, "will probably be trusted: SPF allows the server, but"),
        (
            {"policy": None, "dmarc": INVALID},
            Belief.DOUBTED,
            "a valid DMARC record, and the domain has",
        ),
        ({"policy": None, "dmarc": UNKNOWN}, Belief.UNKNOWN, "DMARC couldn’t be checked."),
        ({"excludes_server": True}, Belief.DISBELIEVED, "refused by many receivers unless"),
        (
            {"spf": MISSING},
            Belief.DISBELIEVED,
            "has no SPF record, and the DMARC policy",
        ),
        (
            {"spf": INVALID},
            Belief.DISBELIEVED,
            "SPF record isn’t valid, and the DMARC",
        ),
        (
            {"excludes_server": True, "policy": QUARANTINE},
            Belief.DISBELIEVED,
            "will end up in the spam folder at many receivers unless the server signs it with DKIM",
        ),
        (
            {"excludes_server": True, "policy": TESTED},
            Belief.DISBELIEVED,
            "will end up in the spam folder at many receivers",
        ),
        (
            {"excludes_server": True, "policy": TESTED_SOFTLY},
            Belief.DOUBTED,
            "may be treated as spam unless the server signs it with DKIM: SPF doesn’t allow",
        ),
        (
            {"excludes_server": True, "policy": NONE},
            Belief.DOUBTED,
            "may be treated as spam unless",
        ),
        ({"spf": MISSING, "policy": None}, Belief.DOUBTED, "may be treated as spam unless"),
        (
            {"excludes_server": True, "dkim": (KEY,)},
            Belief.DOUBTED,
            "trusted only if the server signs it with DKIM: SPF doesn’t allow the server, but the",
        ),
        (
            {"excludes_server": None, "dkim": (NO_KEY, KEY)},
            Belief.DOUBTED,
            "will be trusted if the server signs it with DKIM: SPF can’t be judged",
        ),
        (
            {"spf": MISSING, "policy": None, "dkim": (KEY,)},
            Belief.DOUBTED,
            "with DKIM: the domain has no SPF record, and no valid DMARC record was found.",
        ),
        *(
            (
                {"excludes_server": True, "dkim": (key,)},
                Belief.DISBELIEVED,
                "refused by many receivers: SPF doesn’t allow the server, no usable DKIM key was",
            )
            for key in (NO_KEY, BAD_KEY, OTHERS_KEY)
        ),
        (
            {"excludes_server": True, "dkim": (NO_KEY, SILENT_KEY)},
            Belief.UNKNOWN,
            "is unknown: SPF doesn’t allow the server, and DKIM couldn’t be checked.",
        ),
        (
            {"excludes_server": True, "policy": None, "dmarc": UNKNOWN},
            Belief.DOUBTED,
            "with DKIM: SPF doesn’t allow the server, and DMARC couldn’t be checked.",
        ),
        (
            {"excludes_server": True, "policy": None, "dmarc": UNKNOWN, "dkim": (KEY,)},
            Belief.DOUBTED,
            "with DKIM: SPF doesn’t allow the server, and DMARC couldn’t be checked.",
        ),
        ({"dkim": (SILENT_KEY,)}, Belief.BELIEVED, "will be trusted: SPF allows"),
        ({"excludes_server": None}, Belief.UNKNOWN, "is unknown: SPF can’t be judged from"),
        ({"spf": UNKNOWN}, Belief.UNKNOWN, "is unknown: its SPF record couldn’t be checked."),
        ({"exists": False}, Belief.DISBELIEVED, "won’t be trusted: the domain doesn’t exist."),
        ({"bogus": True, "exists": None}, Belief.DISBELIEVED, "the signatures of its DNS records"),
    ],
)
def test_with_a_server(facts: dict[str, Any], belief: Belief, words: str) -> None:
    found, sentence = told(**facts)
    assert found is belief
    assert words in sentence
    assert sentence.count(".") == 1 + sentence.count(".test")
    assert len(sentence) < 230


@each_row(
    ("facts", "belief", "words"),
    [
        (
            {},
            Belief.UNKNOWN,
            "if SPF allows its server: SPF and DMARC are set up.",
        ),
        ({"policy": None}, Belief.DOUBTED, "may not be trusted: it has no valid DMARC record."),
        ({"spf": MISSING}, Belief.DOUBTED, "may not be trusted: the domain has no SPF record."),
        ({"spf": INVALID}, Belief.DOUBTED, "may not be trusted: the domain’s SPF record isn’t"),
        ({"spf": UNKNOWN}, Belief.UNKNOWN, "DNS didn’t tell us whether email from example.test"),
        ({"policy": None, "dmarc": UNKNOWN}, Belief.UNKNOWN, "DNS didn’t tell us whether"),
        ({"exists": False}, Belief.DISBELIEVED, "won’t be trusted: the domain doesn’t exist."),
    ],
)
def test_before_a_server_is_known(facts: dict[str, Any], belief: Belief, words: str) -> None:
    found, sentence = told("", excludes_server=None, **facts)
    assert (found, words in sentence) == (belief, True), sentence
