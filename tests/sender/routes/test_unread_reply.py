"""Every answer is read and honoured: none takes the place of another, and what is over is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.sender.ways_out import (
    ACCEPTED,
    REFUSED,
    Dots,
    WaysOut,
    foreign,
    patience,
    send,
    statuses,
)
from tests.servers.script import (
    PIPELINING_SERVER,
    Action,
    Close,
    CutBody,
    Default,
    Raw,
    Reply,
    Script,
    Turns,
)
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    import ssl

# More than the sockets between them hold: the last of it is written after the reply came.
BODY: Final = b"From: desk@example.test\r\n\r\n" + (b"0123456789abcdef" * 4 + b"\r\n") * 140_000
CLOSING: Final = Reply("421 4.3.2 closing")


@pytest.fixture(params=[True, False], ids=["pipelining", "one_by_one"])
def extensions(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return PIPELINING_SERVER if request.param else ("AUTH PLAIN LOGIN",)


@pytest.mark.parametrize(
    "answer", [CLOSING, (CLOSING, Close()), Close(), Reply("502 5.5.1 what?"), Reply("451 4.3.0 x")]
)
@pytest.mark.parametrize("refused_at", ["MAIL", "DATA"])
def test_a_reset_that_is_refused_ends_the_connection_and_the_email_goes_by_another(
    ways_out: WaysOut,
    tls: ssl.SSLContext,
    extensions: tuple[str, ...],
    refused_at: str,
    answer: Action,
) -> None:
    """The transaction before is refused, so the next one begins with RSET."""
    first = Script(
        tls=tls,
        extensions=extensions,
        on={refused_at: Turns(Reply("451 4.3.0 not now"), Default()), "RSET": answer},
    )
    with ScriptedServer(first, Script(tls=tls)) as server:
        route = ways_out.route(server)
        assert statuses(send(route)) == [REFUSED]
        dots = Dots()
        assert statuses(send(route, before_dot=dots)) == [ACCEPTED]
        assert dots.announced == 1
        assert len(server.sessions) == 2
        assert [message.accepted for message in server.messages] == [True]
        route.close()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (b"421 4.3.2 closing\r\n", "421"),
        (b"552 5.3.4 too big\r\n", "552"),
        (b"451-4.3.0 two\r\n451 4.3.0 lines\r\n", "451"),
        (b"250 2.0.0 queued\r\n", ""),
        (b"354 again\r\n", ""),
        (b"421 4.3.2", ""),
    ],
)
def test_no_dot_goes_out_while_a_reply_is_unread(
    ways_out: WaysOut, tls: ssl.SSLContext, extensions: tuple[str, ...], words: bytes, code: str
) -> None:
    """It came with the reply to DATA, in one packet."""
    early = {"DATA": Raw(b"354 go\r\n" + words)}
    with ScriptedServer(Script(tls=tls, extensions=extensions, on=early)) as server:
        route = ways_out.route(server)
        dots = Dots()
        (result,) = send(route, before_dot=dots)
        assert result.status is REFUSED, "it was surely not accepted"
        assert result.reply.startswith(code)
        assert dots.announced == 0
        server.wait_for(lambda s: s.open_connections == 0)
        assert not server.messages
        route.close()


@pytest.mark.parametrize("line", ["421 4.3.2 closing", "552 5.3.4 too big", "451 4.3.0 not now"])
def test_a_reply_in_the_middle_of_the_message_is_read_before_the_dot(
    ways_out: WaysOut, tls: ssl.SSLContext, extensions: tuple[str, ...], line: str
) -> None:
    played = Script(tls=tls, extensions=extensions, cut_body=CutBody(1000, Reply(line)))
    with ScriptedServer(played) as server:
        route, dots = ways_out.route(server), Dots()
        (result,) = route.send(foreign(BODY), ("bo@example.test",), dots, patience())
        assert (result.status, result.reply) == (REFUSED, line)
        server.wait_for(lambda s: s.open_connections == 0)
        assert not server.messages
        assert dots.announced == 0
        route.close()


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_a_goodbye_is_one_at_whatever_command(
    ways_out: WaysOut, tls: ssl.SSLContext, extensions: tuple[str, ...], verb: str
) -> None:
    """It says so to the second email of a connection: that goes by a new one, once."""
    says = {verb: Turns(Default(), CLOSING)}
    first = Script(tls=tls, extensions=extensions, on=says)
    with ScriptedServer(first, Script(tls=tls)) as server:
        route = ways_out.route(server)
        assert statuses(send(route)) == [ACCEPTED]
        assert statuses(send(route)) == [ACCEPTED]
        assert [message.accepted for message in server.messages] == [True, True]
        assert len(server.sessions) == 2
        route.close()
