"""The protocol between `sendmail` and the system-wide worker, as octets.

One connection, one request, one answer. Each side begins with the line `smtp-desk 1`, the version
of all that follows; then come frames, each preceded by its length (4 octets, the highest first). A
request is two frames: an `Order` as JSON, and the message (empty where there is none). An answer is
one frame, a `WorkerAnswer` as JSON. A reader checks a frame's length before it reads the frame.

Keep this module light: `sendmail` imports little else.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Self, TypeAlias

HEAD: Final = b"smtp-desk 1\n"
MOST_ORDER_OCTETS: Final = 4 * 1024 * 1024
"""Room for 10,000 recipients."""
MOST_ANSWER_OCTETS: Final = 4 * 1024 * 1024

_LENGTH_OCTETS: Final = 4
_CHUNK: Final = 1024 * 1024

Receive: TypeAlias = Callable[[int], bytes]
"""Returns some octets, no more than so many, or raises."""
Read: TypeAlias = Callable[[int], bytes]
"""Returns exactly so many octets, or raises."""


class HandoverError(ValueError):
    """The octets aren't a request or an answer of this version."""


class FrameTooLargeError(HandoverError):
    """The other side announced a frame that is too large; none of it was read."""


class Act(StrEnum):
    """What a request asks for."""

    SUBMIT = "submit"
    """Store a message for all its recipients."""
    CHECK = "check"
    """Say what keeps a recipient from getting mail."""
    LIST = "list"
    """List the emails of this user that wait."""
    ALIASES = "aliases"
    """Say what is wrong with the table of aliases."""


@dataclass(frozen=True, slots=True)
class Order:
    """A request without its message.

    Attributes:
        act: What it asks for.
        recipients: The recipients given on the command line; exactly one for CHECK.
        from_header: Whether To, Cc and Bcc name further recipients.
        sender: The envelope sender; `<>` for an empty one, "" where it wasn't given.
        full_name: The display name for a From without one.
    """

    act: Act
    recipients: tuple[str, ...] = ()
    from_header: bool = False
    sender: str = ""
    full_name: str = ""

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Read what `to_octets` wrote.

        Raises:
            HandoverError: It is none.
        """
        found = _parsed(octets)
        try:
            act = Act(found["act"])
        except (KeyError, ValueError) as error:
            raise HandoverError("there is no such order") from error
        recipients = found.get("recipients", [])
        texts = {name: found.get(name, "") for name in ("sender", "full_name")}
        if not isinstance(recipients, list) or not all(
            isinstance(each, str) for each in (*recipients, *texts.values())
        ):
            raise HandoverError("a text is expected")
        return cls(act, tuple(recipients), found.get("from_header") is True, **texts)

    def to_octets(self) -> bytes:
        """Return its frame's content."""
        return json.dumps(asdict(self)).encode()


@dataclass(frozen=True, slots=True)
class WorkerAnswer:
    """The result of a request.

    Attributes:
        status: The exit status: 0, 64, 65 or 75.
        remarks: For standard error, one sentence each.
        lines: For standard output.
    """

    status: int
    remarks: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Read what `to_octets` wrote.

        Raises:
            HandoverError: It is none.
        """
        found = _parsed(octets)
        status, remarks, lines = (found.get(name) for name in ("status", "remarks", "lines"))
        if not (isinstance(status, int) and isinstance(remarks, list) and isinstance(lines, list)):
            raise HandoverError("this is no answer")
        return cls(status, tuple(map(str, remarks)), tuple(map(str, lines)))

    def to_octets(self) -> bytes:
        """Return its frame's content."""
        return json.dumps(asdict(self)).encode()


def frame_length(content: bytes) -> bytes:
    """Return the length that precedes a frame's content, as octets."""
    return len(content).to_bytes(_LENGTH_OCTETS)


def read_exactly(receive: Receive, count: int) -> bytes:
    """Read exactly that many octets, however few arrive at once."""
    octets = bytearray()
    while len(octets) < count:
        octets += receive(min(count - len(octets), _CHUNK))
    return bytes(octets)


def read_head(read: Read) -> None:
    """Read the line that names the version.

    Raises:
        HandoverError: It names another version, or isn't such a line.
    """
    if read(len(HEAD)) != HEAD:
        raise HandoverError("another version of SMTP Desk, or no SMTP Desk, is at the other end")


def read_frame(read: Read, most: int) -> bytes:
    """Read a frame's content.

    Raises:
        FrameTooLargeError: It is larger than `most`.
    """
    length = int.from_bytes(read(_LENGTH_OCTETS))
    if length > most:
        raise FrameTooLargeError(f"{length} octets are announced; at most {most} are taken")
    return read(length)


def _parsed(octets: bytes) -> dict[str, Any]:
    try:
        found = json.loads(octets)
    except (ValueError, RecursionError) as error:
        raise HandoverError("this is no JSON") from error
    if not isinstance(found, dict):
        raise HandoverError("an object is expected")
    return found
