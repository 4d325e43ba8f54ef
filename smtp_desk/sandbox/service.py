"""The thread, the event loop and the loopback sockets of the sandbox's conversations."""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final

from smtp_desk.sandbox.conversation import Conversation, Postmaster
from smtp_desk.sandbox.published import WebConversation

_ATTEMPTS: Final = 16

_log = logging.getLogger(__name__)


class Service:
    """Serves its ports until it is told to stop; of one use."""

    def __init__(
        self,
        postmaster: Postmaster,
        context: ssl.SSLContext,
        *,
        starttls: Sequence[socket.socket],
        tls: Sequence[socket.socket],
        https: Sequence[socket.socket] = (),
        document: bytes = b"",
    ) -> None:
        """Take over the listening sockets: they are closed at the end, also of a failed start.

        Args:
            postmaster: Takes the mails.
            context: The server's side of TLS.
            starttls: Where STARTTLS is wanted.
            tls: Where TLS is spoken from the start.
            https: Where the mail configuration is published.
            document: That configuration.
        """
        self._postmaster = postmaster
        self._context = context
        self._starttls = starttls
        self._tls = tls
        self._https = https
        self._document = document
        self._web: set[WebConversation] = set()
        self._connections: set[Conversation] = set()
        # Resolved when both ports are served, to what ends the service from any thread.
        self._ready: Future[Callable[[], object]] = Future()
        self._thread = threading.Thread(target=self._run, name="smtp-sandbox", daemon=True)

    def start(self) -> None:
        """Return when both ports are served.

        Raises:
            OSError: They can't be served.
        """
        self._thread.start()
        try:
            self._ready.result()
        except BaseException:
            self._thread.join()
            raise

    def stop(self) -> None:
        """End every conversation where it is, close both ports, wait for the thread's end."""
        end_service = self._ready.result()
        end_service()
        self._thread.join()

    def _run(self) -> None:
        try:
            # Not in debug mode, whatever the environment says: it writes down what is sent.
            asyncio.run(self._serve(), debug=False)
        except Exception as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)
        finally:
            for listener in (*self._starttls, *self._tls, *self._https):
                listener.close()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_note)
        stopping = asyncio.Event()
        async with contextlib.AsyncExitStack() as servers:
            servers.push_async_callback(self._end_conversations)
            for listener in self._starttls:
                server = await loop.create_server(self._starttls_conversation, sock=listener)
                servers.callback(server.close)
            for listener in self._tls:
                server = await loop.create_server(
                    self._tls_conversation, sock=listener, ssl=self._context
                )
                servers.callback(server.close)
            for listener in self._https:
                server = await loop.create_server(
                    self._web_conversation, sock=listener, ssl=self._context
                )
                servers.callback(server.close)
            self._ready.set_result(lambda: loop.call_soon_threadsafe(stopping.set))
            await stopping.wait()

    def _starttls_conversation(self) -> Conversation:
        return Conversation(self._postmaster, self._connections, starttls=self._context)

    def _tls_conversation(self) -> Conversation:
        return Conversation(self._postmaster, self._connections, starttls=None)

    def _web_conversation(self) -> WebConversation:
        return WebConversation(self._document, self._web)

    async def _end_conversations(self) -> None:
        for web in tuple(self._web):
            web.abort()
        conversations = tuple(self._connections)
        for conversation in conversations:
            conversation.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while self._web or not all(each.socket_closed for each in conversations):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0)


def _note(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Pass over what a client did to its connection: aborted handshakes, resets, probes."""
    error = context.get("exception")
    _log.debug("a connection to the sandbox ended by %s", type(error).__name__)


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
