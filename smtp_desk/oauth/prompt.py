"""What a person is asked for in a sign-in; light, for it is there where nobody signs in too."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

PATIENCE: Final = 300.0
"""Seconds that a person has to sign in."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a person has to do now; not for logs and reports, since it belongs to this sign-in.

    Attributes:
        url: The page to open.
        user_code: What to type there; "" where the page needs none.
        seconds: How long there is for it.
    """

    url: str
    user_code: str = ""
    seconds: float = PATIENCE


Ask: TypeAlias = Callable[[Prompt], None]
"""Shows a prompt to the person; returns at once."""
