"""The log: what failed and when, without secrets, in a private file of limited size."""

import contextlib
import copy
import itertools
import logging
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smtp_desk.core.reply import visible
from smtp_desk.core.secret import Secret
from smtp_desk.core.system import flag
from smtp_desk.core.translation import _
from smtp_desk.smtp.net.redaction import Redactor
from smtp_desk.store.ownership import make_private_folder

if TYPE_CHECKING:
    from smtp_desk.core.report import CheckReport

LOG_FILE: Final = "smtp-desk.log"
MAX_BYTES: Final = 1024 * 1024
"""Size at which the file becomes `.1`, the one before `.2` and so on."""
KEPT: Final = 3
"""Number of older files."""

_APPEND: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_APPEND
    | flag(os, "O_NOFOLLOW")
    | flag(os, "O_CLOEXEC")
    | flag(os, "O_BINARY")
)

_log = logging.getLogger(__name__)


class _Hidden:
    """The secrets used so far: none is ever logged, so this should find nothing to hide."""

    def __init__(self) -> None:
        self._secrets: list[Secret] = []
        self._redactor = Redactor()

    def add(self, secret: Secret) -> None:
        if secret and secret not in self._secrets:
            self._secrets.append(secret)
            self._redactor = Redactor(*(each.reveal() for each in self._secrets))

    def text(self, text: str) -> str:
        return self._redactor.text(text)


_hidden = _Hidden()


def hide_in_log(secret: Secret | None) -> None:
    """From now on hide `secret` in the log, in any encoding."""
    if secret is not None:
        _hidden.add(secret)


def log_report(report: "CheckReport") -> None:
    """Log how a test ended: only its id, and the code and stage of its finding."""
    finding = report.finding
    if finding is None:
        _log.info("report %s: %s", report.id, "sent" if report.sent else "nothing failed")
    else:
        found = (report.id, finding.code, finding.stage)
        if finding.alarm:
            _log.warning("report %s: %s at %s, which can be an attack", *found)
        else:
            _log.info("report %s: %s at %s", *found)
    for warning in report.warnings:
        _log.info("report %s: warning %s at %s", report.id, warning.code, warning.stage)


@contextlib.contextmanager
def logging_to(folder: Path, *, terminal: bool = False) -> Iterator[None]:
    """Write the log to `folder` while the context lasts; create nothing before the first line.

    Args:
        folder: Created if it is missing, accessible to this user only.
        terminal: Whether warnings go to standard error too, without tracebacks.
    """
    handlers: list[logging.Handler] = [_PrivateFile(folder / LOG_FILE)]
    if terminal:
        handlers.append(_warnings_on_standard_error())
    root, ours = logging.getLogger(), logging.getLogger("smtp_desk")
    level = ours.level
    ours.setLevel(logging.INFO)
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        ours.setLevel(level)


def spelled(texts: Iterable[str]) -> "re.Pattern[bytes]":
    """Return a pattern that finds these addresses, in any case, but not within longer ones."""
    alternatives = b"|".join(sorted((re.escape(each.encode()) for each in texts), reverse=True))
    return re.compile(
        rb"(?<![\w.%+\x80-\xff-])(?:" + alternatives + rb")(?![\w\x80-\xff-]|\.\w)", re.IGNORECASE
    )


def log_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of the log, whether or not they exist, the latest first."""
    return (folder / LOG_FILE, *(folder / f"{LOG_FILE}.{n}" for n in range(1, KEPT + 1)))


def blot_out(files: Iterable[Path], addresses: Iterable[str]) -> int:
    """Make addresses in files illegible; return how often they were found.

    Each keeps its length, so that other processes may go on writing meanwhile.

    Raises:
        OSError: A file can't be read or written.
    """
    known, count = tuple(addresses), 0
    pattern = spelled(known)
    for path in files if known else ():
        with contextlib.suppress(FileNotFoundError), path.open("r+b") as file:
            for found in pattern.finditer(file.read()):
                file.seek(found.start())
                file.write(b"*" * (found.end() - found.start()))
                count += 1
    return count


class _LineFormatter(logging.Formatter):
    """One record, one line; a traceback follows indented. No message can forge a line."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s[%(process)d] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        own = copy.copy(record)
        own.exc_text = None  # what another formatter left there is not indented
        return super().format(own)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = visible(_hidden.text(record.message))
        return super().formatMessage(record)

    def formatException(self, ei: "logging._SysExcInfoType") -> str:  # noqa: N802 - as above
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - as above
        return _indented(stack_info)


class _MessageFormatter(logging.Formatter):
    """The message alone, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        return f"smtp-desk: {visible(_hidden.text(record.getMessage()))}"


def _indented(lines: str) -> str:
    return "\n".join(f"    {visible(line)}" for line in _hidden.text(lines).splitlines())


def _warnings_on_standard_error() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_MessageFormatter())
    return handler


class _PrivateFile(logging.Handler):
    """Appends to a file of mode 0600, which other processes of ours write too.

    It is opened for each record: so nobody goes on writing into a file that another has
    renamed, and on Windows renaming works at all.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._complained = False
        self.setFormatter(_LineFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._append(f"{self.format(record)}\n".encode("utf-8", "backslashreplace"))
        except OSError as error:
            self._complain(error)
        except Exception:  # noqa: BLE001 - a log that fails must not stop the program
            self.handleError(record)

    def _append(self, line: bytes) -> None:
        make_private_folder(self._path.parent)
        with os.fdopen(os.open(self._path, _APPEND, 0o600), "ab", buffering=0) as file:
            file.write(line)
            full = file.tell() >= MAX_BYTES
        if full:
            self._rotate()

    def _rotate(self) -> None:
        newest_first = log_files(self._path.parent)
        for newer, older in reversed(tuple(itertools.pairwise(newest_first))):
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)

    def _complain(self, error: OSError) -> None:
        if not self._complained and sys.stderr is not None:
            self._complained = True
            sys.stderr.write(f"smtp-desk: {_('the log can’t be written: {why}', why=error)}\n")
