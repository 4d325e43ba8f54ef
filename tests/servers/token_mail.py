"""A mail server that takes the access tokens of a scripted sign-in service, while they hold."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from tests.servers.script import Action, Reply, Script

if TYPE_CHECKING:
    import ssl

    from tests.servers.session import Session


class GivesTokens(Protocol):
    """A sign-in service that tells which access tokens it gave, in order."""

    @property
    def access(self) -> Sequence[str]: ...


REFUSED: Final = "535 5.7.8 Authentication failed."


def takes_tokens(
    service: GivesTokens,
    tls: ssl.SSLContext,
    username: str,
    *,
    holds: Callable[[str], bool] = lambda _token: True,
) -> Script:
    """Return the script of a server that takes the newest token for `username`, by XOAUTH2.

    Args:
        service: Who gives tokens.
        tls: Its certificate.
        username: The only account.
        holds: Whether a token has not ended by now.
    """

    def act(session: Session) -> Action:
        words = session.line.split()
        if len(words) < 3:
            session.wire.send(b"334 \r\n")
            words += [session.wire.line().strip().decode()]
        said = base64.b64decode(words[2]).decode()
        user, _, token = said.removeprefix("user=").partition("\1auth=Bearer ")
        token = token.rstrip("\1")
        if user == username and token == service.access[-1] and holds(token):
            return Reply("235 2.7.0 welcome")
        session.wire.send(b"334 " + base64.b64encode(b'{"status":"401"}') + b"\r\n")
        session.wire.line()
        return Reply(REFUSED)

    return Script(tls=tls, extensions=("AUTH XOAUTH2",), on={"AUTH": act})
