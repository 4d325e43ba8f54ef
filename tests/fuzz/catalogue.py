"""Naming the cause of any reply, in any stage, with anything known beside it."""

from __future__ import annotations

from typing import Final

from smtp_desk.core.errors import Acceptance, SmtpFailure
from smtp_desk.core.reply import Reply, visible
from smtp_desk.core.stages import Json, Stage
from tests.core.replies import FILES, examples, load_catalogue
from tests.fuzz.harmless import assert_harmless

WORDS: Final = (
    b"5.7.8 ", b"4.7.1 ", b"5.7.", b"(#5.1.1)", b"authentication", b"password", b"greylisted",
    b"relay", b"blocked", b"quota", b"not owned", b"https://", b"\n", b"\r\n", b"{host}", b"{",
)  # fmt: skip

_CATALOGUE: Final = load_catalogue()
_STAGES: Final = tuple(Stage)
_HOSTS: Final = ("smtp.example.org", "smtp.gmail.com", "smtp.office365.com", "192.0.2.7", "")
_SHAPES: Final = ("", "plain", "google_app_password", "empty")
_LONGEST: Final = 300


def seeds() -> list[bytes]:
    """Every reply known of real servers, at its stage."""
    made = []
    for example in examples(*FILES):
        words = example.text.replace("\n", "\r\n").encode()
        made.append(bytes([_STAGES.index(example.stage), 0, 0]) + words)
    return made


def run(data: bytes) -> None:
    """Find the cause: three octets of what is known, three digits, then the server's words."""
    stage = _STAGES[(data[0] if data else 0) % len(_STAGES)]
    host, known = (data[1] if data[1:] else 0), (data[2] if data[2:] else 0)
    words = data[3:]
    digits = words[:3]
    code = int(digits) if digits.isdigit() and len(digits) == 3 else 550
    code = code if 200 <= code <= 599 else 550
    reply = Reply.from_lines(code, [line[4:] for line in words.splitlines()] or [b""])
    text = visible(words.decode("utf-8", "replace"))[:200]
    context: dict[str, Json] = {
        "host": _HOSTS[host % len(_HOSTS)],
        "port": 587,
        "username": "desk@example.org" if known & 1 else text,
        "from_email": "desk@example.org" if known & 2 else text,
        "recipient": text if known & 4 else "",
        "banner": text if known & 8 else "",
        "mechanism": "PLAIN" if known & 16 else "",
        "mechanisms": [text, None, {"a": [1]}] if known & 32 else ["LOGIN"],
        "password_shape": _SHAPES[host % len(_SHAPES)],
    }
    acceptance = Acceptance.UNKNOWN if known & 64 else Acceptance.NO
    failure = SmtpFailure(
        stage, None, reply=None if known & 128 else reply, facts={}, acceptance=acceptance
    )
    finding = _CATALOGUE.find(failure, context)
    assert finding.code in _CATALOGUE.codes
    assert finding.stage is stage
    assert finding.summary
    assert len(finding.summary) < _LONGEST + len(text)
    for said in (finding.summary, finding.explanation, *(each.text for each in finding.remedies)):
        assert_harmless(said)
    assert _CATALOGUE.find(failure, context) == finding
