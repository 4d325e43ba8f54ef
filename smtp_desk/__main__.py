"""The program: without arguments the window, else the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from smtp_desk.app.startup import (
    NoWindow,
    ending_at_once,
    fill_closed_descriptors,
    missing_for_window,
    missing_library,
    take_environment,
)
from smtp_desk.core.translation import ENGLISH, language_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtp_desk.app.opened import Opened

_SENDMAIL: Final = "sendmail"
_NAMES: Final = {
    "sendmail": (_SENDMAIL,),
    "mailq": (_SENDMAIL, "-bp"),
    "newaliases": (_SENDMAIL, "-bi"),
}
"""Called by one of these names, through a link, the program is that command."""
_FOR_PROGRAMS: Final = {"--json", "--prometheus"}
"""With one of these a command prints what a program reads, which is English."""
_OF_WINDOW: Final[tuple[list[str], ...]] = ([], ["open"])
"""The second is how desktops start it, which open reports with it."""


def main() -> NoReturn:
    """Run the program and end it with its exit status."""
    fill_closed_descriptors()
    environ = take_environment()
    arguments = [*_NAMES.get(Path(sys.argv[0]).stem, ()), *sys.argv[1:]]
    _speak(ENGLISH if _FOR_PROGRAMS & set(arguments) else language_of(environ))
    if arguments in _OF_WINDOW:
        sys.exit(_open_window(environ, None))
    if arguments[0] == _SENDMAIL:
        with ending_at_once():
            # Imported here: as the next.
            from smtp_desk.cli.handover import hand_over  # noqa: PLC0415

            status = hand_over(arguments[1:], environ)
        if status is not None:
            sys.exit(status)
    with ending_at_once():
        # Imported here: the window should not wait for the command line.
        from smtp_desk.cli import main as command_line  # noqa: PLC0415

    sys.exit(command_line.main(arguments, environ, lambda opened: _open_window(environ, opened)))


def _speak(code: str) -> None:
    if code != ENGLISH:
        # Imported here: cron, which speaks English, starts the program for each email.
        from smtp_desk.store.translations import speak  # noqa: PLC0415

        speak(code)


def _open_window(environ: Mapping[str, str], opened: Opened | None) -> int:
    """Open the window, with a report or without; say what is missing where that can't be."""
    lacking = missing_for_window(environ)
    if lacking is not None:
        return _tell(lacking)
    try:
        with ending_at_once():
            from smtp_desk.ui.application import open_desk  # noqa: PLC0415 - slow, or missing
    except ImportError as error:
        return _tell(missing_library(error))
    return open_desk(environ, opened)


def _tell(lacking: NoWindow) -> int:
    if sys.stderr is not None:
        sys.stderr.write(f"smtp-desk: {lacking.text}\n")
    return lacking.status


if __name__ == "__main__":
    main()
