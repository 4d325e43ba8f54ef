"""What a server says of its own faults names no cause."""

from typing import Final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.faults import without_faults
from smtp_desk.core.stages import Json, Stage
from tests.core import replies
from tests.table import each_row

_CATALOGUE: Final = replies.load_catalogue()


@each_row(
    ("code", "words", "left"),
    [
        (450, "rate limiting is temporarily unavailable; try later", "; try later"),
        (451, "sender ownership lookup failed", ""),
        (451, "virus scanner error", ""),
        (451, "4 recipients: policy server not responding", "4 recipients: "),
        (535, "authentication unsuccessful due to permanent server error", None),
        (452, "insufficient system storage", ""),
        (452, "mail store disk is full", "mail store "),
        (452, "no space on the server, user a", None),
        (451, "mailbox server is too busy", ""),
        (451, "could not reach the rate limit server", ""),
        (451, "greylist database is locked", ""),
        (554, "not scanned: virus engine license expired", "not scanned: "),
    ],
)
def test_a_fault_is_taken_out(code: int, words: str, left: str | None) -> None:
    said, is_fault = without_faults(words, code)
    assert is_fault
    assert said == left or (left is None and len(said) < len(words))


@each_row(
    ("code", "words"),
    [
        (450, "rate limit exceeded, try later"),
        (550, "mailbox unavailable"),
        (554, "service unavailable; client host blocked"),
        (552, "disk quota exceeded"),
        (452, "insufficient disk space for user a"),
        (535, "authentication failed, system busy"),
        (535, "smtp service not available for this account"),
        (554, "virus found"),
        (550, "sender domain lookup failed"),
    ],
)
def test_what_is_refused_is_no_fault(code: int, words: str) -> None:
    assert without_faults(words, code) == (words, False)


@each_row(
    ("stage", "said", "context", "code"),
    [
        # Neither an enhanced code nor faint words count where the server tells a fault of its own.
        (
            Stage.SENDER,
            "451 4.1.8 Temporary failure in sender verification",
            {},
            "sender.temporary",
        ),
        (Stage.AUTH, "535 5.7.8 Login failed: internal server error", {}, "auth.failed"),
        (Stage.MESSAGE, "452 4.5.3 intake busy, try again later", {}, "message.temporary"),
        (Stage.AUTH, "535 5.7.3 database error", {"mechanism": "XOAUTH2"}, "auth.failed"),
        # What else it says does.
        (
            Stage.RECIPIENT,
            "550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            {},
            "sender.blocked",
        ),
        (Stage.AUTH, "535 5.7.8 Authentication failed, system busy", {}, "auth.rejected"),
    ],
)
def test_a_fault_leaves_the_class_of_the_reply(
    stage: Stage, said: str, context: dict[str, Json], code: str
) -> None:
    failure = SmtpFailure(stage, reply=replies.reply_of(said))
    assert _CATALOGUE.find(failure, context).code == code
