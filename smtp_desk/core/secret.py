"""Secrets whose repr hides them, and the mark for one that stays in the keyring."""

import hmac
from dataclasses import dataclass
from typing import Final, final


@final
class Secret:
    """A password or token that shows itself only when asked by name.

    Equality is by value and in constant time. Secrets are neither hashable nor
    picklable, so that none ends up as a key, in a cache or in a file by accident.
    """

    __slots__ = ("__value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: str) -> None:
        self.__value: Final = value

    def reveal(self) -> str:
        """Return the secret itself; the one way to get at it."""
        return self.__value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_octets(self.__value), _octets(other.__value))

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> str:
        raise TypeError("a secret is never pickled")


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """The untouched password field: the secret that the keyring holds under `key`."""

    key: str


def _octets(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")
