"""The ways in which a custom server fails, and what must come of an email that meets each."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tests.servers.script import (
    CREDENTIALS,
    END_OF_DATA,
    Action,
    Close,
    CutBody,
    Default,
    Raw,
    Receive,
    Reply,
    Reset,
    Script,
    Silence,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from tests.servers.session import Session


class Next(StrEnum):
    """What must come next."""

    DEFAULT = "the default service takes it"
    REFUSED = "it is refused"
    UNCERTAIN = "nobody knows"


@dataclasses.dataclass(frozen=True)
class Fault:
    """One way to fail.

    Attributes:
        name: of the test.
        script: of the custom server; `healed()` says whether it behaves well by now.
        next: what must come of the email.
        blocks: so many times `BODY` is the message: more than fits into the buffers between
            two programs where the connection must break before the dot was written.
        soak: whether one much like it stands for it in `make test`: such messages are costly.
    """

    name: str
    script: Callable[[ssl.SSLContext, Callable[[], bool]], Script]
    next: Next
    blocks: int = 1
    soak: bool = False


_WAYS: Final[dict[str, Action]] = {
    "4xx": Reply("451 4.3.0 not now"),
    "5xx": Reply("554 5.0.0 no"),
    "421": (Reply("421 4.3.2 closing"), Close()),
    "close": Close(),
    "reset": Reset(),
    "silence": Silence(),
    "garbage": Raw(b"\x00\xff no reply at all\r\n"),
}
_KNOWN: Final[dict[str, Action]] = {
    "unknown mailbox": Reply("550 5.1.1 No such user here"),
    "spam": Reply("554 5.7.1 Message rejected as spam"),
}
_MOMENTS: Final = ("EHLO", "AUTH", CREDENTIALS, "MAIL", "RCPT", "DATA", END_OF_DATA)
_LAST_WORD: Final = {
    # A refusal of the recipient or the message is final where its words tell why.
    ("RCPT", "unknown mailbox"): Next.REFUSED,
    (END_OF_DATA, "unknown mailbox"): Next.REFUSED,
    (END_OF_DATA, "spam"): Next.REFUSED,
    # Only a reply to the dot tells what came of the message.
    (END_OF_DATA, "close"): Next.UNCERTAIN,
    (END_OF_DATA, "reset"): Next.UNCERTAIN,
    (END_OF_DATA, "silence"): Next.UNCERTAIN,
    (END_OF_DATA, "garbage"): Next.UNCERTAIN,
}
_CUTS: Final = (0, 1, 1000, 100_000, 3_000_000)
_FEWER: Final = {"close": (0, 100_000), "reset": (1, 3_000_000)}
_BIG: Final = 130


def faults() -> Iterator[Fault]:
    """Every fault."""
    for moment in _MOMENTS:
        for way, action in _WAYS.items():
            name = f"{moment}: {way}"
            yield Fault(name, _at(moment, action), _LAST_WORD.get((moment, way), Next.DEFAULT))
    for (moment, way), following in _LAST_WORD.items():
        if way in _KNOWN:
            yield Fault(f"{moment}: {way}", _at(moment, _KNOWN[way]), following)
    for way, action in _WAYS.items():
        yield Fault(f"greeting: {way}", _at_greeting(action), Next.DEFAULT)
        yield Fault(f"STARTTLS: {way}", _at_starttls(action), Next.DEFAULT)
        yield Fault(f"plain EHLO: {way}", _before_tls("EHLO", action), Next.DEFAULT)
    for way in ("close", "reset", "silence", "garbage"):
        hello: Action = (Reply("220 go ahead"), Receive(), _WAYS[way])
        yield Fault(f"handshake: {way}", _before_tls("STARTTLS", hello), Next.DEFAULT)
    for way in ("close", "reset"):
        yield Fault(f"accept: {way}", _at_accept(_WAYS[way]), Next.DEFAULT)
        for after in _CUTS:
            name = f"message after {after} octets: {way}"
            soak = after not in _FEWER[way]
            yield Fault(name, _in_body(after, _WAYS[way]), Next.DEFAULT, _BIG, soak)


def _once(action: Action, healed: Callable[[], bool], well: Action) -> Action:
    def choose(_session: Session) -> Action:
        return well if healed() else action

    return choose


def _at(moment: str, action: Action) -> Callable[[ssl.SSLContext, Callable[[], bool]], Script]:
    def script(tls: ssl.SSLContext, healed: Callable[[], bool]) -> Script:
        plain = {"EHLO": Default()} if moment == "EHLO" else {}
        return Script(tls=tls, on={moment: _once(action, healed, Default())}, before_tls=plain)

    return script


def _before_tls(
    moment: str, action: Action
) -> Callable[[ssl.SSLContext, Callable[[], bool]], Script]:
    return lambda tls, healed: Script(
        tls=tls, before_tls={moment: _once(action, healed, Default())}
    )


def _at_starttls(action: Action) -> Callable[[ssl.SSLContext, Callable[[], bool]], Script]:
    return _before_tls("STARTTLS", action)


def _at_greeting(action: Action) -> Callable[[ssl.SSLContext, Callable[[], bool]], Script]:
    well = Reply("220 mail.example.test ESMTP")
    return lambda tls, healed: Script(tls=tls, greeting=_once(action, healed, well))


def _at_accept(action: Action) -> Callable[[ssl.SSLContext, Callable[[], bool]], Script]:
    return lambda tls, healed: Script(tls=tls, connect=_once(action, healed, ()))


def _in_body(after: int, action: Action) -> Callable[[ssl.SSLContext, Callable[[], bool]], Script]:
    return lambda tls, healed: Script(tls=tls, cut_body=CutBody(after, _once(action, healed, ())))
