"""A message of another program: taken, written anew for a route, and put on the wire."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from smtp_desk.core.address import parse_mailbox
from smtp_desk.sender.mail.addressing import Identity, addressed
from smtp_desk.sender.mail.submission import ForeignMessageError, Submission, read_foreign
from smtp_desk.smtp.wire import codec, commands
from tests.fuzz.harmless import assert_harmless

WORDS: Final = (
    b"From: ", b"To: ", b"Bcc: ", b"Sender: ", b"Reply-To: ", b"Return-Path: ", b"Received: ",
    b"Resent-To: ", b"Resent-Bcc: ", b"Date: ", b"Message-ID: ", b"Subject: ", b"=?utf-8?b?",
    b"?=", b"\r\n", b"\n", b"\r", b"\r\n.\r\n", b"\n.\n", b"\r.\r", b" ", b"\t", b"From x\n",
    b"ann@example.org", b"bo@other.test", b"<", b">", b'"', b"(", b",", b";", b":", b"\xff",
)  # fmt: skip

_NOW: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_IDENTITY: Final = Identity("desk@example.org", "Example Network", reply_to="team@example.org")
_HOME: Final = parse_mailbox("desk@example.org")
_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")
# Spaces and comments may stand within a domain (RFC 5322, 4.4).
_SPACE: Final = re.compile(rb"[ \t\r\n]|\([^()]*\)")
_LINE: Final = re.compile(rb"\r\n|\r|\n")
_DOT: Final = b"\r\n.\r\n"
_SECRET: Final = frozenset({b"bcc", b"resent-bcc", b"return-path"})
_AUTHOR: Final = b"desk@example.org"


def seeds() -> list[bytes]:
    """Messages of programs, by their own address and by others'."""
    return [
        b"\x00From: ann@example.org\r\nTo: bo@other.test\r\nSubject: hi\r\n\r\nbody\r\n.\r\nmore",
        b"\x01From: Ann <a@b.test>\nSender: x@y.test\nTo: bo@c.test,\n d@e.test\nBcc: f@g.test\n\n",
        b"\x01From root Mon Nov 23 09:00:00 2026\rTo: root\rSubject: =?utf-8?q?h=C3=AF?=\r\rbody",
        b"\x01Resent-To: a@b.test\nResent-Bcc: c@d.test\nFrom: a@b.test, c@d.test\n\n",
        b"\x02no header at all\n",
        b"\x00Received: x\n" * 26 + b"\n",
    ]


def run(data: bytes) -> None:
    """Take a message: an octet of options, then the message."""
    options, octets = (data[0] if data else 0), data[1:]
    submission = Submission(
        recipients=() if options & 1 else ("ann@example.org",),
        from_header=bool(options & 1),
        envelope_sender="bo@example.org" if options & 2 else "",
        full_name="Ann, of Example" if options & 4 else "",
        home=_HOME if not options & 8 else None,
    )
    try:
        message = read_foreign(octets, submission, now=_NOW).message
    except ForeignMessageError as error:
        assert_harmless(str(error))
        return
    assert message.recipients
    result = addressed(message, message.recipients, _IDENTITY)
    header, body = _cut(result.content)
    names = [name for name, _ in header]
    assert not _SECRET.intersection(names)
    assert names.count(b"from") == 1
    # Nothing claims an author of another domain but us.
    author = next(value for name, value in header if name == b"from")
    assert b"@example.org" in _SPACE.sub(b"", author.lower())
    assert body == _cut(octets, mbox=True)[1] or not header_is_whole(octets)
    _judge_wire(result.content)
    commands.mail(result.envelope.sender, smtputf8=result.envelope.needs_smtputf8)
    for recipient in result.envelope.recipients:
        commands.rcpt(recipient, smtputf8=result.envelope.needs_smtputf8)


def header_is_whole(octets: bytes) -> bool:
    """Whether an empty line stands right behind the fields."""
    fields, body = _cut(octets, mbox=True)
    return bool(fields) and octets.endswith(body) and _gap(octets, len(octets) - len(body))


def _gap(octets: bytes, at: int) -> bool:
    return re.search(rb"(?:\r\n|\r|\n)(?:\r\n|\r|\n)\Z", octets[:at]) is not None


def _cut(octets: bytes, *, mbox: bool = False) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Read a message as servers do: the fields with their values, and the body."""
    fields: list[tuple[bytes, bytes]] = []
    at = 0
    while at < len(octets):
        found = _LINE.search(octets, at)
        end, after = (found.start(), found.end()) if found else (len(octets), len(octets))
        line = octets[at:end]
        start = _FIELD.match(line)
        if not line:
            return fields, octets[after:]
        if mbox and at == 0 and line.startswith(b"From "):
            pass
        elif start:
            fields.append((start[1].lower(), line[start.end() :]))
        elif fields and line.startswith((b" ", b"\t")):
            name, value = fields[-1]
            fields[-1] = (name, value + line)
        else:
            return fields, octets[at:]
        at = after
    return fields, b""


def _judge_wire(content: bytes) -> None:
    wire = b"".join(codec.blocks(content))
    assert wire.endswith(_DOT)
    assert wire.count(_DOT) == 1
    assert wire.count(b"\r") == wire.count(b"\n") == wire.count(b"\r\n")
