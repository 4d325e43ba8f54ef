"""TLS before Postfix's own smtp-sink: a server that takes whatever comes, at next to no cost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from tests.servers import parts
from tests.servers.ports import answers, free_port
from tests.servers.process import ServerProcess

if TYPE_CHECKING:
    import pathlib

    from tests.servers.certs import Identity

_CONFIG = """\
foreground = yes
pid =
[sink]
accept = 127.0.0.1:{tls}
connect = 127.0.0.1:{plain}
cert = {chain}
key = {key}
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
"""


class TlsSink:
    """A running sink: PIPELINING, no AUTH, TLS from the start.

    Attributes:
        host: the name its certificate is for.
        tls_port: TLS from the start.
        plain_port: the same without TLS, for clients that know none.
    """

    host = "localhost"

    def __init__(self, folder: pathlib.Path, identity: Identity) -> None:
        self.tls_port, self.plain_port = free_port(), free_port()
        config = folder / "stunnel.conf"
        config.write_text(
            _CONFIG.format(
                tls=self.tls_port,
                plain=self.plain_port,
                chain=identity.chain_file,
                key=identity.key_file,
            )
        )
        unprivileged = ["-u", "nobody"] if os.geteuid() == 0 else []
        listening = [f"127.0.0.1:{self.plain_port}", "1000"]
        self._sink = ServerProcess(
            [parts.program("smtp-sink"), *unprivileged, *listening], folder / "sink.log"
        )
        self._sink.wait_ready(lambda: answers(self.plain_port))
        self._stunnel = ServerProcess(
            [parts.program("stunnel4"), str(config)], folder / "stunnel.log"
        )
        self._stunnel.wait_ready(lambda: answers(self.tls_port))

    def stop(self) -> None:
        self._stunnel.stop()
        self._sink.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
