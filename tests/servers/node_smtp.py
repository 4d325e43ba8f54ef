"""nodemailer's SMTP server, run by Node.js."""

from __future__ import annotations

import base64
import dataclasses
from typing import TYPE_CHECKING, Final

import pytest

from tests.servers import parts
from tests.servers.node_process import NodeProcess
from tests.servers.process import server_folder
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.servers.certs import Certificates, Identity

USERNAME: Final = "desk"
PASSWORD: Final = "s3cret"


@dataclasses.dataclass(frozen=True)
class NodeMessage:
    """A message the server accepted."""

    mail_from: str
    recipients: tuple[str, ...]
    content: bytes
    username: str | None
    in_tls: bool


class NodeSmtp(NodeProcess):
    """A running server: STARTTLS offered, AUTH wanted.

    Attributes:
        host: the name its certificate is for.
        starttls_port: with STARTTLS.
        tls_port: with TLS from the start.
    """

    host: Final = "localhost"

    def __init__(self, folder: pathlib.Path, identity: Identity) -> None:
        self._forgotten = 0
        super().__init__(
            "server.js", identity.key_file, identity.chain_file, log=folder / "node.log"
        )
        self._process.wait_ready(lambda: len(self._ports()) == 2)
        ports = self._ports()
        self.starttls_port, self.tls_port = ports["starttls"], ports["tls"]

    @property
    def messages(self) -> list[NodeMessage]:
        """The messages accepted so far."""
        return [
            NodeMessage(
                mail_from=event["mail_from"],
                recipients=tuple(event["recipients"]),
                content=base64.b64decode(event["content"]),
                username=event.get("username"),
                in_tls=event["secure"],
            )
            for event in self._events("message")[self._forgotten :]
        ]

    @property
    def auth_attempts(self) -> int:
        """How many AUTH exchanges were completed since the server started."""
        return len(self._events("auth"))

    def wait_for_messages(self, at_least: int) -> list[NodeMessage]:
        """The messages accepted, once there are so many."""
        wait_until(lambda: len(self.messages) >= at_least, f"{at_least} messages")
        return self.messages

    def forget(self) -> None:
        """Leave the messages accepted so far out of `messages`."""
        self._forgotten = len(self._events("message"))

    def _ports(self) -> dict[str, int]:
        return {event["name"]: event["port"] for event in self._events("listening")}


@pytest.fixture(scope="session")
def _node_server(certs: Certificates) -> Iterator[NodeSmtp]:
    parts.require("node")
    with server_folder("node") as folder, NodeSmtp(folder, certs.good) as server:
        yield server


@pytest.fixture
def node_smtp(_node_server: NodeSmtp) -> NodeSmtp:
    """A running server without messages."""
    _node_server.forget()
    return _node_server
