from __future__ import annotations

import base64

import pytest

from smtp_desk.core.report import Direction
from smtp_desk.smtp.net.redaction import HIDDEN, Redactor
from smtp_desk.smtp.session.transcript import MAX_LINES, MAX_TEXT, Transcript
from smtp_desk.smtp.wire import commands
from smtp_desk.smtp.wire.commands import Command, Verb

BLOB = base64.b64encode(b"\0ann\0s3cret")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def transcript(clock: Clock) -> Transcript:
    return Transcript(Redactor("s3cret"), clock)


def texts(transcript: Transcript) -> list[str]:
    return [line.text for line in transcript.lines]


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (commands.auth("PLAIN", BLOB), f"AUTH PLAIN {HIDDEN}"),
        (commands.auth("PLAIN"), "AUTH PLAIN"),
        (commands.auth_response(BLOB), HIDDEN),
        (commands.auth_response(b"*"), HIDDEN),
        (commands.ehlo("me.example.org"), "EHLO me.example.org"),
        (commands.rcpt("bo@example.org"), "RCPT TO:<bo@example.org>"),
        (commands.rcpt("s3cret@example.org"), f"RCPT TO:<{HIDDEN}@example.org>"),
    ],
)
def test_what_the_client_says(transcript: Transcript, command: Command, shown: str) -> None:
    transcript.command(command)
    assert texts(transcript) == [shown]
    assert transcript.lines[0].direction is Direction.CLIENT


def test_the_dot_is_no_line_of_its_own(transcript: Transcript) -> None:
    transcript.command(Command(Verb.END, b""))
    assert texts(transcript) == []


def test_a_reply_line_by_line_with_its_codes(transcript: Transcript) -> None:
    transcript.reply(250, (b"mail.example.test", b"SIZE 1", b"HELP"))
    transcript.reply(250, (b"",))
    assert texts(transcript) == ["250-mail.example.test", "250-SIZE 1", "250 HELP", "250"]
    assert {line.direction for line in transcript.lines} == {Direction.SERVER}


def test_challenges_are_hidden(transcript: Transcript) -> None:
    transcript.reply(334, (b"VXNlcm5hbWU6",))
    transcript.reply(334, (b"",))
    assert texts(transcript) == [f"334 {HIDDEN}", "334"]


def test_an_echo_is_hidden_also_across_lines(transcript: Transcript) -> None:
    transcript.reply(535, (b"no: s3c", b"ret, " + BLOB))
    assert texts(transcript) == [f"535-no: {HIDDEN}", f"535 , {HIDDEN}"]


def test_what_could_move_a_cursor_or_forge_a_line_is_visible(transcript: Transcript) -> None:
    transcript.reply(250, ("a\x1b[2J\r250 b\u202e\0".encode(),))
    transcript.evidence(b"HTTP/1.1 400 \xff\x07\r\nServer: s3cret\r\n")
    assert texts(transcript) == [
        r"250 a\x1b[2J\x0d250 b\u202e\x00",
        r"HTTP/1.1 400 ÿ\x07",
        f"Server: {HIDDEN}",
    ]


def test_of_a_message_only_the_size_is_kept(transcript: Transcript) -> None:
    transcript.content(2048)
    assert texts(transcript) == ["‹message: 2048 bytes›"]


def test_times_count_from_the_beginning(transcript: Transcript, clock: Clock) -> None:
    clock.now += 1.25
    transcript.command(commands.RSET)
    assert transcript.lines[0].at_ms == 1250


def test_it_is_bounded(transcript: Transcript) -> None:
    for _ in range(2 * MAX_LINES):
        transcript.reply(250, (b"x" * 8000,))
    assert len(transcript.lines) == MAX_LINES + 1
    assert len(transcript.lines[0].text) == MAX_TEXT + 1
    assert transcript.lines[-1].text == "…"
