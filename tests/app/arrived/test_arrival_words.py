"""What a received email tells, in words."""

from datetime import UTC, datetime

from smtp_desk.app.arrived.words import (
    arrival_rows,
    counted_text,
    delay_text,
    hop_details,
    hop_way,
    result_meaning,
    result_tone,
    spam_text,
)
from smtp_desk.core.arrived import AuthResult, Hop, SpamVerdict, read_arrival
from tests.core.test_arrived import GMAIL
from tests.table import each_row
from tests.ui.arrived_scenes import FORGED

_KNOWN = {
    "spf": ("pass", "fail", "softfail", "neutral", "none", "permerror", "temperror"),
    "dkim": ("pass", "fail", "none", "neutral", "policy", "permerror", "temperror"),
    "dmarc": ("pass", "bestguesspass", "fail", "none", "permerror", "temperror"),
}


@each_row(
    ("method", "result"), [(name, each) for name, results in _KNOWN.items() for each in results]
)
def test_each_result_is_explained(method: str, result: str) -> None:
    told = result_meaning(AuthResult(method, result, "example.org"))
    assert "example.org" in told or (method, result) == ("dkim", "none")
    unnamed = result_meaning(AuthResult(method, result))
    assert unnamed[0].isupper()
    assert "{" not in told + unnamed


def test_what_is_in_no_table_is_left_to_its_own_words() -> None:
    assert result_meaning(AuthResult("arc", "pass", "example.org")) == ""
    assert result_tone(AuthResult("dmarc", "strange")) == "muted"


def test_the_page_says_whose_results_count() -> None:
    assert counted_text(read_arrival(GMAIL)) == (
        "Checked by mx.google.com. Only results under the receiver’s own name count."
    )
    forged = counted_text(read_arrival(FORGED))
    assert "Checked by mx.receiver.example." in forged
    assert "Not counted: mx.google.com. The sender could have written that." in forged
    alone = b"Received: by mx.a.example; x\nAuthentication-Results: spf=pass\nFrom: b@b.example\n\n"
    assert "(no name)" in counted_text(read_arrival(alone))
    assert "wrote no result under its own name" in counted_text(read_arrival(alone))


@each_row(
    ("seconds", "told"),
    [
        (None, ""),
        (0.4, "0 s later"),
        (59.0, "59 s later"),
        (200.0, "3 min 20 s later"),
        (7500.0, "2 h 5 min later"),
        (-5.0, "5 s earlier: the clocks differ"),
    ],
)
def test_how_long_a_hop_took(seconds: float | None, told: str) -> None:
    assert delay_text(seconds) == told


def test_a_hop() -> None:
    at = datetime(2026, 11, 30, 8, tzinfo=UTC)
    hop = Hop("a", "b", "ESMTP", tls=False, tls_version="", at=at, seconds=2)
    assert hop_way(hop) == "a → b"
    assert hop_details(hop) == "2026-11-30 08:00:00 UTC, 2 s later, ESMTP, not encrypted"
    assert hop_way(Hop("", "", "", tls=None, tls_version="", at=None)) == "Not stated"


def test_spam() -> None:
    assert "left no result" in spam_text(None)
    assert spam_text(SpamVerdict(False, "1", "X-Spam")) == "Not marked as spam, score 1 (X-Spam)."
    assert "the sender could have written it" in spam_text(SpamVerdict(True, "", "X", own=False))


def test_rows_for_a_terminal() -> None:
    rows = dict(arrival_rows(read_arrival(FORGED)))
    assert rows["not counted"] == "mx.google.com"
    assert rows["DMARC"] == "fail, example.org"
    assert rows["spam"].startswith("Marked as spam, score 9.1 (X-Spam-Status).")
