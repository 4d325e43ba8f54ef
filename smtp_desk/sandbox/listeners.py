"""Listening sockets that only this machine can reach."""

import errno
import socket

_ATTEMPTS = 16


def listen_on_loopback() -> list[socket.socket]:
    """Listen on a free port of 127.0.0.1 and, where the machine has IPv6, the same of ::1.

    Both, so that "localhost" leads here whichever way a client takes.

    Raises:
        OSError: The machine gives no loopback port.
    """
    for _ in range(_ATTEMPTS):
        over_ipv4 = socket.create_server(("127.0.0.1", 0))
        port = over_ipv4.getsockname()[1]
        try:
            return [over_ipv4, socket.create_server(("::1", port), family=socket.AF_INET6)]
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return [over_ipv4]
            over_ipv4.close()
    raise OSError(errno.EADDRINUSE, "no port is free on both 127.0.0.1 and ::1")
