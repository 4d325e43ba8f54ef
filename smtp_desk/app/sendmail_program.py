"""Whether a path names a program that can be the machine's MTA, and not this one."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from smtp_desk.core.address import has_control
from smtp_desk.sender.this_program import is_this_program

USUAL_SENDMAIL: Final = "/usr/sbin/sendmail"
"""Where most systems have their MTA."""


def sendmail_problem(text: str) -> str:
    """Return what keeps a typed path from being the machine's MTA, or ""; looks at the disk."""
    for broken, said in _RULES:
        if broken(text):
            return said
    return ""


def _is_missing(text: str) -> bool:
    try:
        return not Path(text.strip()).exists()
    except OSError:  # a name that is too long, or a folder that may not be looked into
        return True


def _is_no_program(text: str) -> bool:
    path = Path(text.strip())
    return not path.is_file() or not os.access(path, os.X_OK)


_RULES: Final[tuple[tuple[Callable[[str], bool], str], ...]] = (
    (
        lambda text: not text.strip(),
        f"Enter the path of the program, on most systems {USUAL_SENDMAIL}",
    ),
    (has_control, "Contains a line break or another control character. Remove it."),
    (
        lambda text: not Path(text.strip()).is_absolute(),
        f"Enter the whole path, from the root on: {USUAL_SENDMAIL}",
    ),
    (_is_missing, "There is no such file."),
    (_is_no_program, "This is no program that can be run."),
    (
        lambda text: is_this_program(Path(text.strip())),
        "This is SMTP Desk itself: emails would go round in circles.",
    ),
)
"""What is wrong, and what to say then; each rule takes the ones before it as held."""
