"""What a person is asked to do in a sign-in; kept light, since it is loaded without one too."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

PATIENCE: Final = 300.0
"""Seconds that a person has to sign in."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a person has to do now; never logged or reported, since it belongs to this sign-in.

    Attributes:
        url: The page to open.
        user_code: The code to type there; "" if the page needs none.
        seconds: How much time there is.
    """

    url: str
    user_code: str = ""
    seconds: float = PATIENCE


Ask: TypeAlias = Callable[[Prompt], None]
"""Shows a prompt to the person; returns at once."""
