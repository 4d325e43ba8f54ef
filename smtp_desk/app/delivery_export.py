"""An email of the outbox as a file: the octets as they would leave now."""

import contextlib
import os
import re
from pathlib import Path
from typing import Final

from smtp_desk.app.services import Services
from smtp_desk.sender.addressing import addressed
from smtp_desk.sender.entries import OutboxMessage
from smtp_desk.sender.foreign import FOREIGN
from smtp_desk.sender.transport import Identity
from smtp_desk.store.atomic import write_atomic
from smtp_desk.store.settings_file import SettingsFileError

_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
_PRIVATE: Final = 0o600
_UNSAFE: Final = re.compile(r"[^a-z0-9]+")


def eml(services: Services, entry_id: str) -> bytes:
    """Return an email in the Internet Message Format (RFC 5322).

    It is built as for the custom server; where none is configured, nobody knows whom it
    would come from, and it is what is stored.

    Raises:
        EntryNotFoundError: There is no such entry.
        OutboxUnavailableError: The outbox does not work.
    """
    message = services.outbox.message(entry_id)
    identity = _custom_identity(services)
    if identity is not None:
        return addressed(message, message.recipients, identity).content
    return message.payload if message.kind == FOREIGN else _with_to(message)


def export(services: Services, entry_id: str, file: Path, *, replace: bool = False) -> None:
    """Write an email into a file that only its owner may read.

    Args:
        services: What to work with.
        entry_id: Which email.
        file: The file.
        replace: Whether somebody agreed to replace a file that is there.

    Raises:
        EntryNotFoundError: There is no such entry.
        FileExistsError: The file is there, and nobody agreed.
        OSError: It can't be written.
        OutboxUnavailableError: The outbox does not work.
    """
    octets = eml(services, entry_id)
    if replace:
        write_atomic(file, octets)
    else:
        _write_new(file, octets)


def file_name(entry_id: str) -> str:
    """Return the name to propose; nothing of a stranger's message is in it."""
    return f"email-{_UNSAFE.sub('', entry_id.lower())}.eml"


def _custom_identity(services: Services) -> Identity | None:
    try:
        server = services.store.load().server
    except SettingsFileError:
        return None
    if server is None:
        return None
    return Identity(server.settings.from_email, server.settings.from_name)


def _with_to(message: OutboxMessage) -> bytes:
    recipients = ", ".join(message.recipients)
    return f"To: {recipients}\r\n".encode() + message.payload


def _write_new(file: Path, octets: bytes) -> None:
    descriptor = os.open(file, _NEW_FILE, _PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(octets)
            opened.flush()
            os.fsync(opened.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            file.unlink()
        raise
