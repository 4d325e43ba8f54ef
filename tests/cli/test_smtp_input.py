"""SMTP on standard input: each command answered, each message whole or not at all."""

from __future__ import annotations

import io

import pytest

from smtp_desk.cli.smtp_input import SmtpInput, SubmitAnswer
from smtp_desk.core.exit_status import ExitStatus
from tests.table import each_row

ENVELOPE = b"MAIL FROM:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\n"


class Conversation:
    """What was said and taken."""

    def __init__(self, said: bytes, answer: SubmitAnswer | None = None) -> None:
        self.taken: list[tuple[str, tuple[str, ...], bytes]] = []
        self._answer = answer or SubmitAnswer(ExitStatus.OK, "stored as <1@x.org>")
        sink = io.BytesIO()
        SmtpInput(io.BytesIO(said), sink, self._submit, self._check, 1000).run()
        assert sink.getvalue().endswith(b"\r\n")
        self.lines = sink.getvalue().decode("ascii").split("\r\n")[:-1]
        assert self.lines.pop(0) == "220 localhost SMTP Desk"

    def _submit(self, sender: str, recipients: object, octets: bytes) -> SubmitAnswer:
        assert isinstance(recipients, tuple)
        self.taken.append((sender, recipients, octets))
        return self._answer

    def _check(self, recipient: str) -> str:
        return "“bad” isn’t an\r\naddress" if recipient.startswith("bad") else ""


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_a_message(line_end: bytes) -> None:
    content = b"Subject: hi\r\n\r\n..\r\n.two\r\nend\r\n"
    said = b"HELO x\r\n" + ENVELOPE + content + b".\r\nQUIT\r\nNOOP\r\n"
    found = Conversation(said.replace(b"\r\n", line_end))
    assert [line[:3] for line in found.lines] == ["250", "250", "250", "354", "250", "221"]
    expected = b"Subject: hi\r\n\r\n.\r\ntwo\r\nend\r\n".replace(b"\r\n", line_end)
    assert found.taken == [("a@x.org", ("b@x.org",), expected)]


def test_several_messages_in_one_conversation() -> None:
    found = Conversation((ENVELOPE + b"one\r\n.\r\n") * 2 + b"RSET\r\n")
    assert [octets for _, _, octets in found.taken] == [b"one\r\n"] * 2


@each_row("end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n"])
def test_nothing_but_the_program_s_own_line_ends_end_a_message(end: bytes) -> None:
    smuggled = b"one" + end + b"MAIL FROM:<evil@x.org>\r\nRCPT TO:<c@x.org>\r\n"
    found = Conversation(ENVELOPE + smuggled + b".\r\n")
    ((sender, _, octets),) = found.taken
    assert sender == "a@x.org"
    assert b"evil@x.org" in octets


@pytest.mark.parametrize("cut", [b"", b"Subject: hi\r\n", b"x\r\n.", b"x\r\n..\r\n"])
def test_half_a_message_is_none(cut: bytes) -> None:
    found = Conversation(ENVELOPE + cut)
    assert found.taken == []
    assert found.lines[-1].startswith("354 ")


def test_a_message_that_is_too_large() -> None:
    found = Conversation(ENVELOPE + b"x" * 5000 + b"\r\n.\r\nNOOP\r\n")
    assert found.taken == []
    assert found.lines[-2:] == ["552 5.3.4 At most 1000 octets", "250 2.0.0 OK"]


def test_ehlo_offers_what_there_is() -> None:
    assert Conversation(b"EHLO x\r\n").lines == [
        "250-localhost", "250-SIZE 1000", "250-8BITMIME", "250-PIPELINING", "250-SMTPUTF8",
        "250 ENHANCEDSTATUSCODES",
    ]  # fmt: skip


@each_row(
    ("said", "answer"),
    [
        ("MAIL FROM:<>", "250 "),
        ("mail from:<a@x.org> BODY=8BITMIME SIZE=10 SMTPUTF8", "250 "),
        ('MAIL FROM:<"a > b"@x.org>', "250 "),
        ("MAIL FROM: a@x.org", "250 "),
        ("MAIL FROM:<a@x.org> SIZE=1001", "552 5.3.4 "),
        ("MAIL FROM:<a@x.org> RET=HDRS", "555 5.5.4 "),
        ("MAIL a@x.org", "501 "),
        ("MAIL FROM:", "501 "),
        ("RCPT TO:<b@x.org>", "503 "),
        ("DATA", "503 "),
        ("RSET", "250 "),
        ("NOOP x", "250 "),
        ("VRFY ann", "252 "),
        ("HELP", "214 "),
        ("AUTH PLAIN AGEAYg==", "502 5.5.1 AUTH is not offered"),
        ("STARTTLS", "502 5.5.1 STARTTLS is not offered"),
        ("GET / HTTP/1.1", "500 "),
        ("", "500 "),
        ("\udcff\udcfe", "500 "),
        ("x" * 10_000, "500 5.5.2 Line too long"),
        ("NOOP " + "x" * 4091, "500 5.5.2 Line too long"),
    ],
)
def test_commands(said: str, answer: str) -> None:
    found = Conversation(said.encode("utf-8", "surrogateescape") + b"\r\nNOOP\r\n")
    assert found.lines[0].startswith(answer)
    assert found.lines[1:] == ["250 2.0.0 OK"]


@each_row(
    ("said", "answer"),
    [
        ("RCPT TO:<b@x.org>", "250 "),
        ("rcpt to:<root>", "250 "),
        ("RCPT TO:<@relay.example,@other:b@x.org>", "250 "),
        ("RCPT TO:<bad>", "553 5.1.3 "),
        ("RCPT TO:<>", "501 "),
        ("RCPT TO:<b@x.org> NOTIFY=NEVER", "555 5.5.4 "),
        ("MAIL FROM:<a@x.org>", "503 5.5.1 "),
        ("DATA", "503 5.5.1 "),
    ],
)
def test_commands_within_a_transaction(said: str, answer: str) -> None:
    found = Conversation(f"MAIL FROM:<a@x.org>\r\n{said}\r\n".encode())
    assert found.lines[1].startswith(answer)
    assert len(found.lines) == 2


def test_a_route_in_a_path_is_dropped() -> None:
    said = ENVELOPE.replace(b"<b@", b"<@relay.example:b@")
    ((_, recipients, _),) = Conversation(said + b"x\r\n.\r\n").taken
    assert recipients == ("b@x.org",)


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (
            SubmitAnswer(ExitStatus.DATAERR, "The message goes in circles."),
            "554 5.6.0 The message ",
        ),
        (SubmitAnswer(ExitStatus.UNAVAILABLE, "refused"), "554 5.0.0 refused"),
        (
            SubmitAnswer(ExitStatus.TEMPFAIL, "The outbox is\r\n250 full."),
            "451 4.3.0 The outbox is",
        ),
    ],
)
def test_what_was_not_taken(answer: SubmitAnswer, reply: str) -> None:
    found = Conversation(ENVELOPE + b"x\r\n.\r\n", answer)
    assert found.lines[-1].startswith(reply)
    assert len(found.lines) == 4
