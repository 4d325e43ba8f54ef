"""The header of an email that somebody saved or pasted; the rest of it is never read."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from smtp_desk.core.arrived import (
    MAX_BYTES,
    Arrival,
    NotAnEmailError,
    NothingToldError,
    read_arrival,
)
from smtp_desk.core.reply import visible
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.files import read_start

_END: Final = re.compile(rb"\r?\n\r?\n")
_CHUNK: Final = 64 * 1024
_OUTLOOK: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FIRST_FIELD: Final = re.compile(
    r"^(?:Received|Delivered-To|Return-Path|Authentication-Results|ARC-[A-Za-z-]+|X-[A-Za-z0-9-]+"
    r"|Received-SPF|DKIM-Signature|From|Date|Message-ID|MIME-Version)[ \t]*:[ \t]*\S",
    re.IGNORECASE | re.MULTILINE,
)


class WebPageError(NotAnEmailError):
    """The file is a web page, for example a mailbox saved from the browser."""


class OutlookFileError(NotAnEmailError):
    """The file has Outlook's own format, not that of an email as it was sent."""


_UNEXPLAINED: Final[Mapping[type[Exception], str]] = {
    WebPageError: (
        "{name} is a web page, not an email. Save the email itself (.eml). In Gmail, use “Show "
        "original” and “Download original”."
    ),
    OutlookFileError: "{name} is in Outlook’s own format. Open it in Outlook, copy the internet "
    "headers from File > Properties, and paste them.",
    NotAnEmailError: "{name} isn’t an email.",
    NothingToldError: "No server added anything to {name}. Save the email from the inbox that "
    "received it.",
    IsADirectoryError: "{name} is a folder. Open one of the emails in it.",
    OSError: "{name} can’t be read: {reason}.",
}


def load_header(path: Path, cancel: Cancel) -> bytes:
    """Read the header of an email from its file, however large that is.

    Raises:
        OSError: It can't be read, or is no regular file.
        CancelledError: The person ended it.
    """
    header = b""
    for chunk in read_start(path, MAX_BYTES, _CHUNK):
        cancel.check()
        header += chunk
        if _END.search(header.lstrip()):
            break
    return header


def arrival_of(octets: bytes) -> Arrival:
    """Explain an email by its header.

    Raises:
        WebPageError, OutlookFileError, NotAnEmailError: It isn't one.
        NothingToldError: No server wrote anything into it.
    """
    start = octets.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(_OUTLOOK):
        raise OutlookFileError
    if start.startswith(b"<"):
        raise WebPageError
    return read_arrival(start)


def pasted_header(text: str) -> bytes:
    """Return the pasted text as octets, from its first field on: web pages put a summary above."""
    found = _FIRST_FIELD.search(text)
    kept = text[found.start() :] if found is not None else text
    return kept.encode("utf-8", "surrogateescape")[:MAX_BYTES]


def unexplained_text(name: str, error: Exception) -> str:
    """Return why an email of this name could not be explained; "" for another error."""
    for kind, text in _UNEXPLAINED.items():
        if isinstance(error, kind):
            reason = error.strerror if isinstance(error, OSError) else ""
            return text.format(name=visible(name), reason=reason)
    return ""
