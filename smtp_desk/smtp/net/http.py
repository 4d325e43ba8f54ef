"""One HTTP exchange on a stream, limited in size and time; following redirects is up to the caller.

`http.client` reads the answer. The connection is ours, so that the certificate is verified like a
mail server's, and a peer that sends drop by drop can't extend a deadline.
"""

import http.client
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.smtp.net.deadline import Deadline
from smtp_desk.smtp.net.stream import ClosedError, Stream, StreamError, TimedOutError

if TYPE_CHECKING:
    import socket

    from _typeshed import WriteableBuffer

MOST_OCTETS: Final = 64 * 1024
"""Where the caller doesn't say otherwise, a larger answer isn't read to its end."""


class NotHttpError(Exception):
    """The octets aren't an HTTP answer, or only part of one.

    Attributes:
        silent: Whether the connection ended before the answer began.
    """

    def __init__(self, message: str, *, silent: bool = False) -> None:
        super().__init__(message)
        self.silent = silent


class TooLargeError(Exception):
    """The answer is larger than the caller takes."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer.

    Attributes:
        status: The status code.
        headers: Its headers.
        content: Its body.
    """

    status: int
    headers: http.client.HTTPMessage
    content: bytes


def ask(
    stream: Stream,
    request: str,
    deadline: Deadline,
    *,
    wants: int | None = None,
    most: int = MOST_OCTETS,
) -> HttpAnswer:
    """Send a request and return its answer.

    Args:
        stream: The connection to the server.
        request: The whole request, in ASCII.
        deadline: When to give up.
        wants: The status with which the body is read; by default it always is, with 0 never.
        most: So many octets the body may have.

    Raises:
        NotHttpError: The answer isn't one of HTTP.
        TooLargeError: Its body is larger than `most`.
        TimedOutError: The deadline passed.
        CancelledError: Cancelled.
    """
    try:
        stream.write(request.encode("ascii"), deadline)
        reader = cast("socket.socket", _Reader(stream, deadline))
        method = request.partition(" ")[0]
        response = http.client.HTTPResponse(reader, method=method)
        response.begin()
        headers = response.headers
        if wants not in (None, response.status):
            return HttpAnswer(response.status, headers, b"")
        content = response.read(most + 1)
    except TimedOutError:
        raise
    except (http.client.RemoteDisconnected, StreamError, SmtpFailure) as error:
        raise NotHttpError("the connection ended", silent=True) from error
    except (http.client.HTTPException, ValueError) as error:
        raise NotHttpError("it is none") from error
    if len(content) > most:
        raise TooLargeError
    if response.length:
        raise NotHttpError("it promised more, and closed")
    return HttpAnswer(response.status, headers, content)


class _Reader(io.RawIOBase):
    """The bytes of a stream, for `http.client`; it wants no other part of a socket."""

    def __init__(self, stream: Stream, deadline: Deadline) -> None:
        super().__init__()
        self._stream = stream
        self._deadline = deadline

    def readable(self) -> bool:
        """Return true, as `io` asks."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Wait for some bytes; 0 at the end."""
        view = memoryview(buffer).cast("B")
        try:
            data = self._stream.read(self._deadline, len(view))
        except ClosedError:
            return 0
        view[: len(data)] = data
        return len(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return it as `http.client` reads it."""
        return io.BufferedReader(self)
