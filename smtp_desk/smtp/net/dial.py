"""Connecting to the first address that answers (Happy Eyeballs, RFC 8305)."""

import contextlib
import errno
import itertools
import os
import selectors
import socket
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self, cast

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.stages import Facts, Json, Stage
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.stream import Stream

ATTEMPT_DELAY: Final = 0.25
"""Seconds that an address has for itself before the next one is tried too (RFC 8305, 5)."""
MOST_ADDRESSES: Final = 32
"""How many addresses of a host are tried: a name server can name thousands of strangers."""
TEST_PATIENCE: Final = 1.0
"""Seconds that a test leaves the losers, to know about every address."""


class Result(StrEnum):
    """How connecting to one address ended."""

    NOT_TRIED = "not tried"
    NO_ANSWER = "no answer"
    CONNECTED = "connected"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


_WORTH_TRYING: Final = (Result.NOT_TRIED, Result.NO_ANSWER, Result.CONNECTED)
# Which failure tells most when addresses differ: the host may answer on one and not be
# reachable by the other for want of IPv6 here.
_MOST_TELLING: Final = (
    (Result.NO_ANSWER, "connect.timeout"),
    (Result.REFUSED, "connect.refused"),
    (Result.FAILED, "connect.failed"),
    (Result.UNREACHABLE, "connect.unreachable"),
)
_IN_PROGRESS: Final = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY)
# Said of a connection that was accepted and cut before anybody could look at it: whoever
# reads from it learns so.
_OURS: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)
_CUT_AFTER_ACCEPT: Final = (errno.ECONNRESET, errno.EPIPE)
_RESULT_OF_ERRNO: Final = {
    errno.ECONNREFUSED: Result.REFUSED,
    errno.ETIMEDOUT: Result.NO_ANSWER,
    **dict.fromkeys(
        (
            errno.EADDRNOTAVAIL,
            errno.EAFNOSUPPORT,
            errno.EHOSTDOWN,
            errno.EHOSTUNREACH,
            errno.ENETDOWN,
            errno.ENETUNREACH,
        ),
        Result.UNREACHABLE,
    ),
}


@dataclass(slots=True)
class _Attempt:
    """One address and how connecting to it goes; `sock` exists only while it is being tried."""

    address: str
    result: Result = Result.NOT_TRIED
    reason: str = ""
    began: float = 0.0
    ms: float = 0.0
    sock: socket.socket | None = None

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    def facts(self) -> dict[str, Json]:
        facts: dict[str, Json] = {
            "address": self.address,
            "family": "IPv6" if self.family is socket.AF_INET6 else "IPv4",
            "result": self.result,
            "ms": round(self.ms),
        }
        return {**facts, "reason": self.reason} if self.reason else facts


class Dialer:
    """The addresses of one server, in the order in which they are tried.

    `connect` returns the first that answers; if that one fails before EHLO, `yield_address` and
    another `connect` return the next. `facts` describes every address at any moment.

    Attributes:
        cancel: Ends a `connect`, and every wait of the streams that it returns.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        port: int,
        cancel: Cancel,
        *,
        patience: float = 0.0,
    ) -> None:
        """Prepare; nothing is tried yet.

        Args:
            addresses: From `Resolver.resolve`; the first `MOST_ADDRESSES` are tried.
            port: TCP port.
            cancel: The first `cancel`.
            patience: Seconds that the other addresses still get once one has answered.
        """
        tried = interleaved(addresses)[:MOST_ADDRESSES]
        self._attempts = [_Attempt(address) for address in tried]
        self._port = port
        self.cancel = cancel
        self._patience = patience
        self._current: _Attempt | None = None

    @property
    def has_more(self) -> bool:
        """Whether `connect` has another address to try than the one at hand."""
        return any(each is not self._current for each in self._candidates())

    def connect(self, deadline: Deadline) -> Stream:
        """Return the connection to the first address that answers.

        Raises:
            SmtpFailure: `connect.refused`, `connect.timeout`, `connect.unreachable` or
                `connect.failed`, whichever says most, with `facts`.
            CancelledError: Cancelled.
        """
        self.cancel.check()
        with _Race(self._candidates(), self._port, self.cancel, deadline) as race:
            won = race.run()
            if won is None:
                facts: Facts = {"port": self._port, **self.facts()}
                raise SmtpFailure(Stage.CONNECT, self._cause(), facts=facts)
            self._current, stream = won
            try:
                race.hear_the_others(self._patience)
            except CancelledError:
                stream.abort()
                raise
        return stream

    def yield_address(self, reason: str) -> None:
        """Note that the address at hand failed before EHLO: the next `connect` skips it.

        Args:
            reason: The finding's code, for example "greeting.closed".
        """
        if self._current is not None:
            self._current.result = Result.FAILED
            self._current.reason = reason

    def facts(self) -> dict[str, Json]:
        """Return `addresses` and, if one works while others don't, `dead_addresses`.

        Each address has address, family, result (a `Result`), ms and, where known, reason.
        """
        facts: dict[str, Json] = {"addresses": [each.facts() for each in self._attempts]}
        dead: list[Json] = [
            each.address
            for each in self._attempts
            if each.result not in (Result.CONNECTED, Result.NOT_TRIED)
        ]
        if dead and any(each.result is Result.CONNECTED for each in self._attempts):
            facts["dead_addresses"] = dead
        return facts

    def _candidates(self) -> list[_Attempt]:
        return [each for each in self._attempts if each.result in _WORTH_TRYING]

    def _cause(self) -> str:
        seen = {each.result for each in self._attempts}
        return next((code for result, code in _MOST_TELLING if result in seen), "connect.timeout")


class _Race:
    """Attempts under way, until one wins."""

    def __init__(
        self, attempts: Iterable[_Attempt], port: int, cancel: Cancel, deadline: Deadline
    ) -> None:
        self._waiting = deque(attempts)
        self._port = port
        self._cancel = cancel
        self._deadline = deadline
        self._running: list[_Attempt] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(cancel, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for attempt in tuple(self._running):
            self._leave(attempt)
            # One that was never given the time to answer is not held against the address.
            fair = attempt.ms >= TEST_PATIENCE * 1000
            attempt.result = Result.NO_ANSWER if fair else Result.NOT_TRIED
        self._selector.close()

    def run(self) -> tuple[_Attempt, Stream] | None:
        """Start one after the other until one has answered; None if none does in time."""
        clock = self._deadline.clock
        next_start = clock()
        while (self._waiting or self._running) and not self._deadline.passed:
            if self._waiting and (not self._running or clock() >= next_start):
                self._start(self._waiting.popleft())
                next_start = clock() + ATTEMPT_DELAY
                continue
            until = next_start if self._waiting else self._deadline.at
            for attempt, stream in self._settled(Deadline(until, clock)):
                if stream is not None:
                    return attempt, stream
                next_start = clock()
        for attempt in tuple(self._running):
            self._fail(attempt, Result.NO_ANSWER)
        return None

    def hear_the_others(self, seconds: float) -> None:
        """Let those that lost, or were not started, tell how they would have ended."""
        if not seconds:
            return
        while self._waiting:
            self._start(self._waiting.popleft())
        until = self._deadline.within(seconds)
        while self._running and not until.passed:
            for _, stream in self._settled(until):
                if stream is not None:
                    stream.abort()

    def _start(self, attempt: _Attempt) -> None:
        attempt.began = self._deadline.clock()
        try:
            attempt.sock = socket.socket(attempt.family, socket.SOCK_STREAM)
            attempt.sock.setblocking(False)
            code = attempt.sock.connect_ex(_place(attempt.address, self._port))
        except OSError as error:
            if error.errno in _OURS:
                raise  # no descriptors, no memory: it says nothing of the server
            code = error.errno or errno.EINVAL
        self._running.append(attempt)
        if attempt.sock is None or code not in _IN_PROGRESS:
            self._fail_with(attempt, code)
        else:
            self._selector.register(attempt.sock, selectors.EVENT_WRITE, attempt)

    def _settled(self, until: Deadline) -> Iterator[tuple[_Attempt, Stream | None]]:
        events = self._selector.select(until.remaining)
        self._cancel.check()
        for key, _ in events:
            attempt: _Attempt = key.data
            yield attempt, self._settle(attempt, cast("socket.socket", key.fileobj))

    def _settle(self, attempt: _Attempt, sock: socket.socket) -> Stream | None:
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code and code not in _CUT_AFTER_ACCEPT:
            self._fail_with(attempt, code)
            return None
        attempt.sock = None
        self._leave(attempt)
        self._selector.unregister(sock)
        attempt.result = Result.CONNECTED
        return Stream(sock, self._cancel, attempt.address)

    def _fail_with(self, attempt: _Attempt, code: int) -> None:
        attempt.reason = os.strerror(code)
        self._fail(attempt, _RESULT_OF_ERRNO.get(code, Result.FAILED))

    def _fail(self, attempt: _Attempt, result: Result) -> None:
        self._leave(attempt)
        attempt.result = result

    def _leave(self, attempt: _Attempt) -> None:
        self._running.remove(attempt)
        attempt.ms = (self._deadline.clock() - attempt.began) * 1000
        if attempt.sock is not None:
            with contextlib.suppress(KeyError):
                self._selector.unregister(attempt.sock)
            attempt.sock.close()
            attempt.sock = None


def _place(address: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """Return an address as the system connects to it, its zone (RFC 4007) as a number.

    Raises:
        OSError: There is no such zone.
    """
    bare, _, zone = address.partition("%")
    if not zone:
        return address, port
    return bare, port, 0, int(zone) if zone.isdecimal() else socket.if_nametoindex(zone)


def interleaved(addresses: Iterable[str]) -> list[str]:
    """Return the addresses with the families in turn, the first one's first (RFC 8305, 4)."""
    families: dict[bool, list[str]] = {}
    for address in addresses:
        families.setdefault(":" in address, []).append(address)
    rounds = itertools.zip_longest(*families.values())
    return [address for turn in rounds for address in turn if address is not None]
