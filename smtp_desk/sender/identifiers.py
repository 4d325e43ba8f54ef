"""Names for entries: unique across processes and machines, sorted by the time of their making."""

import secrets
import threading
from collections.abc import Callable
from typing import Final, final

from smtp_desk.sender.forks import start_anew_in_children

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's, as ULIDs have
_LENGTH: Final = 26
_RANDOM_BITS: Final = 80
_DRAWN_BITS: Final = _RANDOM_BITS - 1  # room to count on without a carry into the time


@final
class IdentifierSource:
    """Makes identifiers: 48 bits of milliseconds since 1970, 80 of chance (a ULID).

    Those of one millisecond count on, so that the identifiers of one source sort in the
    order of their making as long as the clock does not turn back.
    """

    def __init__(self, draw: Callable[[int], int] = secrets.randbits) -> None:
        self._draw = draw
        self.start_anew()
        start_anew_in_children(self)

    def start_anew(self) -> None:
        """Make others than the parent process does; see `forks`."""
        self._lock = threading.Lock()
        self._last = (-1, 0)

    def next(self, milliseconds: int) -> str:
        """Return an identifier made at `milliseconds` since 1970."""
        with self._lock:
            time, chance = self._last
            chance = chance + 1 if time == milliseconds else self._draw(_DRAWN_BITS)
            self._last = (milliseconds, chance)
        return _encode(milliseconds, chance)


def first_identifier(milliseconds: int) -> str:
    """Return what no identifier made at `milliseconds` or later sorts before."""
    return _encode(milliseconds, 0)


def new_token() -> str:
    """Return a name for a claim; no two are equal."""
    return secrets.token_hex(8)


def _encode(milliseconds: int, chance: int) -> str:
    number = max(milliseconds, 0) << _RANDOM_BITS | chance
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))
