"""The values that an email's variables may have.

Each `check_` function returns the value to keep; its ValueError says in a sentence what is wrong.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from smtp_desk.core.address import AddressError, Mailbox, has_control, parse_mailbox
from smtp_desk.core.texts import PROBLEMS

MAX_LINE: Final = 255
"""Code points of a name or subject."""

MAX_LINK: Final = 2048
"""Code points of a link; longer ones break in many mail programs."""

COMPOSITE: Final = ("message/", "multipart/")
"""Media types that are no single file's (RFC 2045, 6.4)."""

RECIPIENT: Final = "{recipient}"
"""Stands in a link for the address of the recipient."""

LATEST: Final = timedelta(days=366)
"""An email may be stored so long before it is sent."""

_MEDIA_TYPE: Final = re.compile(
    r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}"
)
_FLAGS: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class EmailError(ValueError):
    """No email can be made from these values.

    Attributes:
        field: The variable that is wrong, `to` for the recipients, or `kind`.
        problem: What is wrong with it, as a sentence.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Variable:
    """The rules of one variable of a kind.

    Attributes:
        help: What it is for, as a sentence.
        sample: A value for the preview, as a person would type it.
        check: Returns the value to keep; its ValueError says what is wrong.
        read: Converts what a person typed into what `check` takes.
        choices: The allowed texts; () for everything that `check` accepts.
        required: Whether every email of the kind needs it.
    """

    help: str
    sample: str
    check: Callable[[object], object]
    read: Callable[[str], object] = str
    choices: tuple[str, ...] = ()
    required: bool = True


def keep_checked(target: object, name: str, check: Callable[[object], object]) -> None:
    """Replace a value of a frozen object with the one that `check` returns.

    Raises:
        EmailError: `check` refused the value; it says why.
    """
    try:
        kept = check(getattr(target, name))
    except ValueError as error:
        raise EmailError(name, str(error)) from error
    object.__setattr__(target, name, kept)


def check_line(value: object) -> str:
    """A name or subject: one line that isn't empty, without spaces around it."""
    text = _text(value)
    if has_control(text):
        raise ValueError(PROBLEMS["control_character"])
    line = text.strip()
    if not line:
        raise ValueError("Must not be empty.")
    if len(line) > MAX_LINE:
        raise ValueError(PROBLEMS["too_long"].format(limit=MAX_LINE, length=len(line)))
    return line


def check_body(value: object) -> str:
    r"""Plain text of any length; line ends become `\n`."""
    text = "\n".join(_text(value).splitlines()).strip("\n")
    if has_control(text.replace("\n", "").replace("\t", "")):
        raise ValueError("Contains a control character. Remove it.")
    if not text.strip():
        raise ValueError("Must not be empty.")
    return text


def check_link(value: object) -> str:
    """An absolute http or https address."""
    link = _text(value).strip()
    if has_control(link) or re.search(r'[\s<>"\\^`{|}]', link):
        raise ValueError("A link contains no spaces, quotes, brackets or control characters.")
    if len(link) > MAX_LINK:
        raise ValueError(PROBLEMS["too_long"].format(limit=MAX_LINK, length=len(link)))
    try:
        parts = urlsplit(link)
        complete = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise ValueError(f"Not a valid link: {error}.") from error
    if parts.scheme not in ("http", "https") or not complete:
        raise ValueError("A link begins with https:// or http:// and a host name.")
    if parts.username is not None:
        raise ValueError("A link contains no username or password.")
    return link


def check_unsubscribe(value: object) -> str:
    """An https link in which `{recipient}` may stand for the recipient (RFC 8058, 3.1)."""
    link = _text(value).strip()
    check_link(link.replace(RECIPIENT, "recipient"))
    if not link.startswith("https://"):
        raise ValueError("Must begin with https://.")
    if not link.isascii():
        raise ValueError("Must be written in ASCII: encode other characters.")
    if RECIPIENT in urlsplit(link).netloc:
        raise ValueError(f"{RECIPIENT} can’t stand in the name of the host.")
    return link


def check_mailbox(value: object) -> str:
    """One email address, as people write it."""
    return mailbox_of(value).address


def mailbox_of(value: object) -> Mailbox:
    """One email address."""
    try:
        return parse_mailbox(_text(value))
    except AddressError as error:
        raise ValueError(PROBLEMS[error.code].format_map(error.params)) from error


def check_flag(value: object) -> bool:
    """True or False, and nothing that only resembles them."""
    if not isinstance(value, bool):
        raise ValueError("Must be yes or no.")  # noqa: TRY004 - one error for all that is wrong
    return value


def read_flag(text: str) -> object:
    """Convert what a person typed to True or False; leave anything else to `check_flag`."""
    return _FLAGS.get(text.strip().lower(), text)


def key_name(key: object) -> str:
    """Return a digest of a program's own name for an email, which may contain personal data.

    Raises:
        EmailError: It isn't a text, or is empty.
    """
    if not isinstance(key, str) or not key.strip():
        raise EmailError("key", "Must be text that is not empty.")
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def later(moment: object, now: datetime) -> datetime | None:
    """Return the moment at which to send an email; None if it has passed.

    Raises:
        EmailError: It isn't a `datetime`, has no time zone, or is too far ahead.
    """
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise EmailError("send_at", "Must be a datetime with a time zone, such as datetime.UTC.")
    if moment > now + LATEST:
        raise EmailError("send_at", f"Must be at most {LATEST.days} days ahead.")
    return moment if moment > now else None


def check_file_name(value: object) -> str:
    """The name of a file, without a folder."""
    name = check_line(value)
    if re.search(r"[/\\]", name) or name in (".", ".."):
        raise ValueError("Must be the file’s name without a folder.")
    return name


def check_media_type(value: object) -> str:
    """The media type of one file (RFC 6838, 4.2), not a composite one (RFC 2045, 6.4)."""
    media_type = _text(value).lower()
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise ValueError("Must be a media type such as application/pdf.")
    if media_type.startswith(COMPOSITE):
        raise ValueError("Must be the media type of one file, not of a message.")
    return media_type


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("Must be text.")  # noqa: TRY004 - one error for all that is wrong
    return value
