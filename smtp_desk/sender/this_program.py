"""Whether a program is this one: emails handed to it would go round in circles."""

import shutil
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_NAME: Final = "smtp-desk"
_SPELLINGS: Final = (b"smtp-desk", b"smtp_desk")
_SCRIPT: Final = b"#!"
_SCRIPT_OCTETS: Final = 64 * 1024


def is_this_program(path: Path) -> bool:
    """Whether `path` is this program, by whatever link, or a script that starts it."""
    for own in _own():
        with suppress(OSError):
            if path.samefile(own):
                return True
    try:
        with path.open("rb") as file:
            text = file.read(_SCRIPT_OCTETS)
    except OSError:
        return False
    return text.startswith(_SCRIPT) and any(name in text for name in _SPELLINGS)


def _own() -> Iterator[Path]:
    yield Path(sys.argv[0])
    yield Path(sysconfig.get_path("scripts")) / _NAME
    if found := shutil.which(_NAME):
        yield Path(found)
