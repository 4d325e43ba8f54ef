"""An SMTP server inside the test's own process whose every behaviour is scripted.

with ScriptedServer(Script(tls=certs.good.tls)) as server:
    ...connect to server.host, server.port...
assert server.messages[0].recipients == ("ann@example.test",)
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import socket
import threading
from typing import TYPE_CHECKING, Self

from tests.servers.script import Script
from tests.servers.session import Session
from tests.servers.wire import HangupError, Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tests.servers.session import Message


class ScriptedServer:
    """Listens from `__enter__` to `__exit__`, one thread a connection.

    The n-th connection plays the n-th script; the last script stays. What happened can be read
    while it runs and afterwards.

    Attributes:
        sessions: one for each connection, in the order they came.
    """

    def __init__(self, *scripts: Script, host: str = "127.0.0.1", port: int = 0) -> None:
        self._scripts = scripts or (Script(),)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family)
        self.host: str = host
        self.port: int = self._listener.getsockname()[1]
        self.sessions: list[Session] = []
        self._over = threading.Event()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._faults: list[BaseException] = []

    @property
    def commands(self) -> list[str]:
        """All command lines of all connections."""
        return [line for session in self.sessions for line in session.commands]

    @property
    def messages(self) -> list[Message]:
        """All messages whose final dot arrived, whatever the answer."""
        return [message for session in self.sessions for message in session.messages]

    @property
    def received(self) -> bytes:
        """Every byte that clients sent outside the TLS handshakes."""
        return b"".join(bytes(session.wire.received) for session in self.sessions)

    @property
    def auth_attempts(self) -> int:
        return sum(session.auth_attempts for session in self.sessions)

    @property
    def open_connections(self) -> int:
        return sum(not session.ended for session in self.sessions)

    def forget(self) -> None:
        """Wait for all connections to end, then remember none of them."""
        self.wait_for(lambda server: not server.open_connections)
        self.sessions.clear()

    def wait_for(self, condition: Callable[[Self], bool], seconds: float = 20.0) -> None:
        """Return once `condition` of this server holds; fail the test after `seconds`."""
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self), seconds):
                raise AssertionError(f"waited in vain; commands so far: {self.commands}")

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for session in self.sessions:
            session.wire.abort()
        for thread in self._threads[1:]:
            thread.join()
        if error is None and self._faults:
            raise self._faults[0]

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=f"scripted:{self.port}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        for number in itertools.count():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(number, len(self._scripts) - 1)]
            session = Session(Wire(sock, self._over, self._notify), script, self._notify)
            self.sessions.append(session)
            self._notify()
            self._start(functools.partial(self._play, session))

    def _play(self, session: Session) -> None:
        try:
            session.run()
        except HangupError:
            pass
        except BaseException as fault:  # noqa: BLE001 - raised again in the calling thread
            self._faults.append(fault)
        finally:
            session.wire.discard()
            session.ended = True
            self._notify()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()
