"""Sending emails from a program that runs on asyncio."""

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Final, Self, TypeVar, final

from smtp_desk.sender.composer import AnyEmail, KeyedEmail
from smtp_desk.sender.dispatcher import PATIENCE_S
from smtp_desk.sender.receipts import Receipt
from smtp_desk.sender.sender import Sender
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.smtp.net.forks import run_after_fork

T = TypeVar("T")

_THREADS: Final = 16
"""More than there are connections: those that only store need not wait for those that send."""


@final
class AsyncSender:
    """A `Sender` for asyncio: the same calls, awaited. None of them blocks the loop.

        async with AsyncSender.from_settings() as sender:
            receipt = await sender.send(Invitation(to="ann@example.org", invited_by="Bo", link="…"))

    Keep one for all tasks; you can use it on several loops, and after a fork. If a task is
    cancelled while it waits, its email may or may not be stored; one that is stored will still be
    sent. If that matters, give the email a `key`, and send it again with the same key.

    Args:
        sender: The sender to use, or a function that opens it, called at the first use.
    """

    def __init__(self, sender: Sender | Callable[[], Sender]) -> None:
        self._sender = sender
        self.after_fork()
        run_after_fork(self.after_fork)

    def after_fork(self) -> None:
        """Forget the parent's threads: after a fork the child has none of them."""
        self._lock = threading.Lock()  # never held for long: the loop takes it, too
        self._opening = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None

    @classmethod
    def from_settings(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return a sender that uses the saved settings, as `Sender.from_settings` does.

        Nothing is opened until `async with` or the first call, which raises what
        `Sender.from_settings` raises.
        """
        return cls(partial(Sender.from_settings, environ))

    async def __aenter__(self) -> Self:
        await self._call(lambda sender: sender)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def send(
        self,
        email: AnyEmail,
        *,
        key: str | None = None,
        send_at: datetime | None = None,
        timeout: float = PATIENCE_S,  # noqa: ASYNC109 - that of `Sender.send`: nothing is cut off
    ) -> Receipt:
        """Do what `Sender.send` does, and raise what it raises.

        Time spent waiting for a free thread counts toward `timeout`.
        """
        give_up_at = time.monotonic() + timeout

        def send(sender: Sender) -> Receipt:
            left = max(give_up_at - time.monotonic(), 0.0)
            return sender.send(email, key=key, send_at=send_at, timeout=left)

        return await self._call(send)

    async def queue(
        self, email: AnyEmail, *, key: str | None = None, send_at: datetime | None = None
    ) -> Receipt:
        """Do what `Sender.queue` does, and raise what it raises."""
        return await self._call(lambda sender: sender.queue(email, key=key, send_at=send_at))

    async def send_many(self, emails: Iterable[AnyEmail | KeyedEmail]) -> AsyncIterator[Receipt]:
        """Do what `Sender.send_many` does, and raise what it raises.

        Other threads iterate over `emails`, one at a time.
        """
        receipts = await self._call(lambda sender: sender.send_many(emails))
        while (receipt := await self._call(lambda _: next(receipts, None))) is not None:
            yield receipt

    async def status(self, message_id: str) -> Receipt | None:
        """Do what `Sender.status` does, and raise what it raises."""
        return await self._call(lambda sender: sender.status(message_id))

    async def cancel(
        self,
        message_id: str | None = None,
        *,
        key: str | None = None,
        entry_id: str | None = None,
    ) -> Receipt | None:
        """Do what `Sender.cancel` does, and raise what it raises."""
        return await self._call(
            lambda sender: sender.cancel(message_id, key=key, entry_id=entry_id)
        )

    async def drain(self, *, once: bool = True) -> int:
        """Do what `Sender.drain` does, and raise what it raises; cancelling the task ends it."""
        cancel = Cancel()
        try:
            return await self._call(lambda sender: sender.drain(cancel, once=once))
        finally:
            cancel.cancel()

    async def close(self) -> None:
        """Do what `Sender.close` does. Emails sent afterwards are stored, for a worker."""
        with self._lock:
            threads, self._threads = self._threads, None
        if isinstance(self._sender, Sender):
            # A thread of its own: all others may be busy with what this cuts.
            closer = ThreadPoolExecutor(1, "async sender closes")
            closing = asyncio.get_running_loop().run_in_executor(closer, self._sender.close)
            closer.shutdown(wait=False)
            await asyncio.shield(closing)
        if threads is not None:
            threads.shutdown(wait=False)

    async def _call(self, work: Callable[[Sender], T]) -> T:
        context = contextvars.copy_context()
        with self._lock:
            self._threads = self._threads or ThreadPoolExecutor(_THREADS, "async sender")
            threads = self._threads
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads, context.run, lambda: work(self._opened()))

    def _opened(self) -> Sender:
        with self._opening:
            if not isinstance(self._sender, Sender):
                self._sender = self._sender()
            return self._sender
