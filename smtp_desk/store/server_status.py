"""What a saved server is good for, before anything is sent."""

from dataclasses import dataclass
from enum import StrEnum

from smtp_desk.core.proof import verify
from smtp_desk.core.secret import Secret
from smtp_desk.store.stored import StoredServer


class ServerState(StrEnum):
    """What can be said of a saved server before anything is sent."""

    NOT_CONFIGURED = "not_configured"
    OFF = "off"
    UNPROVEN = "unproven"
    ACTIVE = "active"
    SECRET_UNAVAILABLE = "secret_unavailable"  # noqa: S105 - a state's name


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The state of a saved server.

    Attributes:
        state: The state.
        reason: Why, for people, where it is UNPROVEN or SECRET_UNAVAILABLE.
    """

    state: ServerState
    reason: str = ""


class NotProvenError(Exception):
    """The switch goes on only with proven settings.

    Attributes:
        status: What they are instead.
    """

    def __init__(self, status: ServerStatus) -> None:
        super().__init__(status.reason or status.state)
        self.status = status


def judged(server: StoredServer, secret: Secret | None) -> ServerStatus:
    """Judge a server that is switched on by its proof."""
    if server.key and secret is None:
        text = "The keyring no longer holds the password. Type it again and test."
        return ServerStatus(ServerState.SECRET_UNAVAILABLE, text)
    if server.proof is None:
        return ServerStatus(ServerState.UNPROVEN, "The settings were never tested.")
    if not verify(server.proof, server.settings, server.mode, secret):
        text = (
            "The settings were changed outside SMTP Desk since their last successful test,"
            " or the password is another."
        )
        return ServerStatus(ServerState.UNPROVEN, text)
    return ServerStatus(ServerState.ACTIVE)
