"""The words a scripted server is told with.

    Script(
        greeting=(Delay(0.2), Reply("220 mail.example.test ESMTP")),
        on={
            "STARTTLS": (Raw(b"220 go ahead\\r\\n250 injected\\r\\n"), Handshake()),
            "RCPT TO:<ann@": Reply("450 4.2.0 greylisted"),
            CREDENTIALS: lambda session: Reply(f"535 no, {session.password} is wrong"),
            END_OF_DATA: Close(),
        },
    )

An action is one of the classes below, a tuple of actions, or a function of the session that gives
one. `on` is searched for the longest prefix of the command received; `"*"` matches any.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from tests.servers.session import Session

CREDENTIALS: Final = "(CREDENTIALS)"
"""The moment an AUTH exchange is complete and the answer to it is due."""

END_OF_DATA: Final = "."
"""The moment the final dot has arrived and the answer to it is due."""


class Step(Protocol):
    """What a server can do at one moment."""

    def perform(self, session: Session) -> None: ...


# The extension supported_versions (43) with 0x0304 among its versions, whatever else is there.
_OFFERS_TLS_1_3: Final = re.compile(
    rb"\x00\x2b\x00[\x03-\x1f][\x02-\x1e](?:..)*?\x03\x04", re.DOTALL
)

Action: TypeAlias = "Step | tuple[Action, ...] | Callable[[Session], Action]"


@dataclasses.dataclass(frozen=True, init=False)
class Reply:
    """Send lines, each ended by CRLF, in one segment."""

    lines: tuple[str, ...]

    def __init__(self, *lines: str) -> None:
        object.__setattr__(self, "lines", lines)

    def perform(self, session: Session) -> None:
        session.wire.send("".join(f"{line}\r\n" for line in self.lines).encode())


@dataclasses.dataclass(frozen=True)
class Raw:
    """Send exactly these bytes."""

    data: bytes

    def perform(self, session: Session) -> None:
        session.wire.send(self.data)


@dataclasses.dataclass(frozen=True)
class Drip:
    """Send `data` in pieces of `size` bytes, one `every` so many seconds; for ever if `endless`."""

    data: bytes
    every: float = 0.01
    size: int = 1
    endless: bool = False

    def perform(self, session: Session) -> None:
        pieces = [self.data[at : at + self.size] for at in range(0, len(self.data), self.size)]
        for piece in itertools.cycle(pieces) if self.endless else pieces:
            session.wire.send(piece)
            session.wire.pause(self.every)


@dataclasses.dataclass(frozen=True)
class Delay:
    """Wait, or stop waiting when the test ends."""

    seconds: float

    def perform(self, session: Session) -> None:
        session.wire.pause(self.seconds)


@dataclasses.dataclass(frozen=True)
class Silence:
    """Say nothing until the test ends; `reading=False` also lets the client's sends pile up."""

    reading: bool = True

    def perform(self, session: Session) -> None:
        session.wire.hold(reading=self.reading)


@dataclasses.dataclass(frozen=True)
class Receive:
    """Wait for `count` more bytes of the client, for instance the start of a ClientHello."""

    count: int = 1

    def perform(self, session: Session) -> None:
        session.wire.receive(self.count)


@dataclasses.dataclass(frozen=True)
class Handshake:
    """Speak TLS from here on: as the script's `tls`, or as the context given."""

    context: ssl.SSLContext | None = None

    def perform(self, session: Session) -> None:
        session.start_tls(self.context)


@dataclasses.dataclass(frozen=True)
class DropLargeHello:
    """Speak TLS, but with a firewall before it that lets no ClientHello of TLS 1.3 through.

    What tells it from a small one is its `supported_versions` (RFC 8446, 4.2.1), whatever the
    size in the OpenSSL at hand.
    """

    def perform(self, session: Session) -> None:
        large = _OFFERS_TLS_1_3.search(session.wire.peek()) is not None
        (Silence() if large else Handshake()).perform(session)


@dataclasses.dataclass(frozen=True)
class Close:
    """End the connection with a FIN; inside TLS say so first if `notify`."""

    notify: bool = False

    def perform(self, session: Session) -> None:
        session.wire.close(notify=self.notify)


@dataclasses.dataclass(frozen=True)
class Reset:
    """End the connection with a RST."""

    def perform(self, session: Session) -> None:
        session.wire.reset()


@dataclasses.dataclass(frozen=True)
class Default:
    """Do what a well-behaved server does with the command at hand."""

    def perform(self, session: Session) -> None:
        session.behave()


@dataclasses.dataclass(init=False)
class Turns:
    """The first time the first action, then the second; the last one stays."""

    actions: tuple[Action, ...]
    taken: int = 0

    def __init__(self, *actions: Action) -> None:
        self.actions = actions

    def perform(self, session: Session) -> None:
        action = self.actions[min(self.taken, len(self.actions) - 1)]
        self.taken += 1
        session.perform(action)


@dataclasses.dataclass(frozen=True)
class CutBody:
    """Act in the middle of a message: once `after` bytes of it have been read."""

    after: int
    then: Action


PIPELINING_SERVER: Final = (
    "PIPELINING",
    "SIZE 10240000",
    "8BITMIME",
    "ENHANCEDSTATUSCODES",
    "SMTPUTF8",
    "AUTH PLAIN LOGIN",
)
ONE_BY_ONE: Final = tuple(word for word in PIPELINING_SERVER if word != "PIPELINING")


def once(on: Mapping[str, Action]) -> dict[str, Action]:
    """These actions at the first of their moments only."""
    return {moment: Turns(action, Default()) for moment, action in on.items()}


"""What a common submission server offers inside TLS."""


@dataclasses.dataclass(frozen=True)
class Script:
    """How one connection goes.

    Attributes:
        tls: certificate and TLS settings; without it STARTTLS is neither offered nor possible.
        implicit_tls: TLS from the first byte.
        connect: done before anything else, TLS included.
        greeting: the banner.
        extensions: EHLO keywords inside TLS, or at any time where `tls` is None.
        extensions_before_tls: EHLO keywords in plain; None means `extensions` without AUTH, with
            STARTTLS.
        users: the passwords (or OAuth tokens) by username that AUTH accepts.
        login_required: answer 530 to MAIL before a successful AUTH.
        on: what to do instead of the default, by command prefix.
        before_tls: the same, looked at first while the connection is in plain.
        cut_body: an action in the middle of a message.
    """

    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    connect: Action = ()
    greeting: Action = Reply("220 mail.example.test ESMTP")
    extensions: tuple[str, ...] = PIPELINING_SERVER
    extensions_before_tls: tuple[str, ...] | None = None
    users: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"desk": "s3cret"})
    login_required: bool = False
    on: Mapping[str, Action] = dataclasses.field(default_factory=dict)
    before_tls: Mapping[str, Action] = dataclasses.field(default_factory=dict)
    cut_body: CutBody | None = None

    def keywords(self, *, in_tls: bool) -> tuple[str, ...]:
        """The EHLO keywords for the state the connection is in."""
        if in_tls or self.tls is None:
            return self.extensions
        if self.extensions_before_tls is not None:
            return self.extensions_before_tls
        return (*(word for word in self.extensions if not word.startswith("AUTH")), "STARTTLS")

    def action(self, command: str, *, in_tls: bool) -> Action:
        """What to do on `command`: the longest prefix wins, without one the default."""
        for table in ({} if in_tls else self.before_tls, self.on):
            prefixes = [
                key for key in table if command.upper().startswith(key.upper()) or key == "*"
            ]
            if prefixes:
                return table[max(prefixes, key=lambda key: (key != "*", len(key)))]
        return Default()


HTTP: Final = Script(
    greeting=(
        Receive(),
        Raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        Close(),
    )
)
IMAP: Final = Script(
    greeting=Reply("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] Dovecot ready."),
    on={"*": Reply("* BAD Error in IMAP command received by server.")},
)
POP3: Final = Script(greeting=Reply("+OK Dovecot ready."), on={"*": Reply("-ERR Unknown command.")})
SSH: Final = Script(
    greeting=Reply("SSH-2.0-OpenSSH_9.2p1 Debian-2"),
    on={"*": (Reply("Invalid SSH identification string."), Close())},
)
FTP: Final = Script(
    greeting=Reply("220 (vsFTPd 3.0.3)"),
    on={"*": Reply("530 Please login with USER and PASS.")},
)
