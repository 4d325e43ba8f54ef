"""The protocol without I/O, fed with any bytes in any pieces between any commands."""

from __future__ import annotations

from typing import Final

from smtp_desk.smtp.wire import commands
from smtp_desk.smtp.wire.commands import Command, CommandError, Verb
from smtp_desk.smtp.wire.protocol import ClientProtocol, ProtocolState
from smtp_desk.smtp.wire.replies import EVIDENCE, MAX_LINE, MAX_REPLY, ReplyReader, ViolationError
from tests.fuzz.harmless import assert_harmless
from tests.fuzz.server_script import NEXT, REPEAT, pieces

WORDS: Final = (
    b"220 ", b"221 ", b"235 ", b"250 ", b"250-", b"334 ", b"354 ", b"421 ", b"535 5.7.8 ",
    b"\r\n", NEXT, REPEAT, b"250-PIPELINING\r\n", b"250-AUTH PLAIN\r\n", b"250 STARTTLS\r\n",
)  # fmt: skip

_COMMANDS: Final = (
    commands.ehlo("[192.0.2.7]"),
    commands.STARTTLS,
    commands.auth("PLAIN", b"AGRlc2sAczNjcmV0"),
    commands.auth("LOGIN"),
    commands.auth_response(b"ZGVzaw=="),
    commands.mail("ann@example.org"),
    commands.rcpt("bo@example.test"),
    commands.DATA,
    Command(Verb.END, b""),
    commands.RSET,
    commands.RSET,
    commands.QUIT,
)
_BEGIN_TLS: Final = len(_COMMANDS)
_STEPS: Final = _BEGIN_TLS + 1
_IN_CLEAR: Final = (
    ProtocolState.BANNER,
    ProtocolState.CLEAR,
    ProtocolState.OFFERED,
    ProtocolState.HANDSHAKE,
)
_SECRET: Final = frozenset({Verb.AUTH, Verb.RESPONSE, Verb.MAIL, Verb.RCPT, Verb.DATA, Verb.END})


def seeds() -> list[bytes]:
    """Whole sessions: what is sent, then what comes."""
    refused = b"535 5.7.8 no\r\n"
    ehlo = b"250-x\r\n250-PIPELINING\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"
    flight = (b"250 a\r\n", b"250 b\r\n", b"354 c\r\n", b"250 queued\r\n", b"221 bye\r\n")
    return [
        _script([0, 1, 12, 0, 2, 5, 6, 7, 8, 11],
                [b"220 x\r\n", ehlo, b"220 go\r\n", b"", ehlo, b"235 yes\r\n", *flight]),
        _script([0, 3, 4, 4, 11],
                [b"220 x\r\n", ehlo, b"334 VQ==\r\n", b"334 UA==\r\n", refused], tls=True),
        _script([0, 5, 6, 9, 10, 11], [b"220 x\r\n", ehlo, b"421 4.3.0 later\r\n"], tls=True),
        _script([], [REPEAT + b"\xff250-" + b"x" * 58 + b"\r\n"]),
        _script([0], [b"220-a\n220 b\n550 c\r\nJ\0\0"]),
    ]  # fmt: skip


def run(data: bytes) -> None:
    """Play a script: a first octet, commands up to the first piece's end, then what comes."""
    head, _, script = data.partition(NEXT)
    said = pieces(script)
    _read_alike(said)
    _drive(head, said)


def _script(steps: list[int], said: list[bytes], *, tls: bool = False) -> bytes:
    return NEXT.join([bytes([tls, *steps]), *said])


def _read_alike(said: list[bytes]) -> None:
    whole = _told([b"".join(said)])
    assert _told(said) == whole


def _told(said: list[bytes]) -> list[str]:
    reader = ReplyReader()
    told: list[str] = []
    try:
        for piece in said:
            reader.feed(piece)
            while (reply := reader.next_reply()) is not None:
                assert 200 <= reply.code <= 599
                assert reply.texts
                assert sum(map(len, reply.texts)) <= MAX_REPLY
                assert all(len(text) <= MAX_LINE for text in reply.texts)
                told.append(repr(reply))
            assert len(reader._buffer) < MAX_LINE
            assert sum(map(len, reader._texts)) <= MAX_REPLY
        told.append(str(reader.judge_rest()))
    except ViolationError as error:
        _judge(error)
        told.append(str(error.violation))
    return told


def _drive(head: bytes, said: list[bytes]) -> None:
    protocol = ClientProtocol(tls_from_start=bool(head[:1] and head[0] & 1))
    signed_in = 0
    coming = iter(said)
    try:
        _hear(protocol, next(coming, b""))
        for octet in head[1:]:
            step = octet % _STEPS
            clear, pending = protocol.state in _IN_CLEAR, protocol.pending
            try:
                if step == _BEGIN_TLS:
                    protocol.begin_tls()
                    assert not protocol.extensions.words
                else:
                    protocol.send(_COMMANDS[step])
                    verb = _COMMANDS[step].verb
                    assert not (clear and verb in _SECRET)
                    assert not pending or "PIPELINING" in protocol.extensions
                    signed_in += verb is Verb.AUTH
            except CommandError:
                continue
            if octet < 128:
                _hear(protocol, next(coming, b""))
        protocol.receive_end()
    except ViolationError as error:
        _judge(error)
        closed = protocol.state is ProtocolState.CLOSED
    else:
        closed = True
    assert closed
    assert signed_in <= 1
    if protocol.state is ProtocolState.CLOSED:
        _refuses_everything(protocol)


def _judge(error: ViolationError) -> None:
    assert len(error.evidence) <= EVIDENCE


def _hear(protocol: ClientProtocol, piece: bytes) -> None:
    protocol.receive(piece)
    while (answer := protocol.next_answer()) is not None:
        assert answer.verb is not None or answer.reply.code == 421
        assert_harmless(str(answer.reply))


def _refuses_everything(protocol: ClientProtocol) -> None:
    for command in _COMMANDS:
        try:
            protocol.send(command)
        except (CommandError, ViolationError):
            continue
        raise AssertionError(f"{command.verb} was sent on a closed session")
