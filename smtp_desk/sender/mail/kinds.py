"""The kinds of email that a platform sends, five and its own, as values that are always valid."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cache
from mimetypes import guess_type
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import (
    Annotated,
    ClassVar,
    Final,
    Literal,
    Self,
    TypeAlias,
    cast,
    get_args,
    get_type_hints,
)

from smtp_desk.core.reply import visible
from smtp_desk.sender.mail.variables import (
    COMPOSITE,
    RECIPIENT,
    EmailError,
    Variable,
    check_body,
    check_file_name,
    check_flag,
    check_line,
    check_link,
    check_mailbox,
    check_media_type,
    check_unsubscribe,
    keep_checked,
    mailbox_of,
    read_flag,
)
from smtp_desk.store.files import read_regular

__all__ = [
    "VARIANTS",
    "Attachment",
    "Audience",
    "Email",
    "EmailError",
    "Invitation",
    "Kind",
    "Message",
    "Notification",
    "WelcomeAdvertiser",
    "WelcomeAffiliate",
    "kind_from",
    "kinds",
    "sample",
]

_KINDS: Final[dict[str, "type[Email]"]] = {}
_KIND: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_TAKEN: Final = ("foreign", "test", "copy", "layout", "parts")

Audience: TypeAlias = Literal["affiliates", "advertisers"]
"""Whom a message is addressed to."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The description of one kind, for lists.

    Attributes:
        name: The name of the kind.
        label: Its name for people.
        purpose: What it does, as a sentence.
        variables: Its variables besides the recipients, by name.
    """

    name: str
    label: str
    purpose: str
    variables: Mapping[str, Variable]


MOST_OCTETS: Final = 48 * 1024 * 1024
"""Of one attachment: in base64 more than fits into the outbox (`OutboxLimits`)."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to an email.

    Attributes:
        name: The file's name, without a folder.
        content: Its content.
        media_type: Such as `application/pdf` (RFC 6838); not `message/…` or `multipart/…`.

    Raises:
        EmailError: The name or type isn't allowed in a header.
    """

    name: str
    content: bytes = field(repr=False)
    media_type: str = "application/octet-stream"

    def __post_init__(self) -> None:
        keep_checked(self, "name", check_file_name)
        keep_checked(self, "media_type", check_media_type)

    @classmethod
    def from_path(
        cls, path: str | PathLike[str], *, name: str | None = None, media_type: str | None = None
    ) -> Self:
        """Read a file.

        Args:
            path: The file.
            name: The name that recipients see; None for the name of the file.
            media_type: Its media type; None to choose it by the end of its name.

        Raises:
            EmailError: The file doesn't exist, isn't a regular file, can't be read or is larger
                than 48 MiB, or its name or type isn't allowed in a header.
        """
        file = Path(path)
        # Not of a compressed file: it is what it was compressed to, which has no type here.
        guessed, compressed = guess_type(file.name)
        if compressed or not guessed or guessed.startswith(COMPOSITE):
            guessed = "application/octet-stream"
        try:
            content = read_regular(file, MOST_OCTETS)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise EmailError("attachments", f"“{visible(file.name)}”: {why}.") from error
        return cls(name or file.name, content, media_type or guessed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """The base of all kinds; each recipient gets a message of their own.

    A kind of your own is a frozen dataclass derived from it. `kind` names it and its templates in
    the folder `templates`: `NAME.subject.txt`, `NAME.txt` and, if it has HTML, `NAME.html`
    (Jinja2, autoescaped; `{% extends "layout.html" %}` gives it the look of ours). Each of its
    fields is a variable there, and so is `company`:

        @dataclass(frozen=True, kw_only=True)
        class PasswordReset(Email):
            kind: ClassVar[str] = "password_reset"
            templates: ClassVar[Path] = Path(__file__).with_name("emails")

            name: str
            link: str

    If it defines `__post_init__`, that must call `Email.__post_init__(self)`. For a `key`, two
    emails are the same if the `repr` of their fields is, so it must not differ between processes.

    Attributes:
        to: One address or several; kept as a tuple without repetitions.
        attachments: The attached files.
        unsubscribe: The https link that unsubscribes the recipient with one click, by a POST
            (RFC 8058); mail programs show it as a button. `{recipient}` in it is replaced by
            the address, encoded. With several recipients it must be there: each needs a link
            of their own.

    Raises:
        EmailError: A value isn't valid, such as a line break in a subject or name.
        TypeError: The class's `kind` or `templates` can't be used.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    purpose: ClassVar[str]
    templates: ClassVar[Path | None] = None

    to: str | Sequence[str]
    attachments: Sequence[Attachment] = ()
    unsubscribe: str | None = None

    def __init_subclass__(cls) -> None:
        name = getattr(cls, "kind", None)
        if name is None or cls.__module__ == __name__:
            return
        if not isinstance(name, str) or not _KIND.fullmatch(name) or name in (*_KINDS, *_TAKEN):
            raise TypeError(f"kind of {cls.__name__}: must be a name like password_reset, not ours")
        if not isinstance(cls.templates, Path):
            raise TypeError(f"templates of {cls.__name__}: must be the Path of a folder")

    def __post_init__(self) -> None:
        keep_checked(self, "to", _recipients)
        keep_checked(self, "attachments", _attachments)
        if self.unsubscribe is not None:
            keep_checked(self, "unsubscribe", check_unsubscribe)
            if len(self.recipients) > 1 and RECIPIENT not in self.unsubscribe:
                raise EmailError("unsubscribe", f"Must hold {RECIPIENT} for several recipients.")
        if self.templates is not None:
            return
        for name, variable in _variables(self.kind).items():
            if variable.required or getattr(self, name) is not None:
                keep_checked(self, name, variable.check)

    @property
    def recipients(self) -> tuple[str, ...]:
        """The addresses, each once."""
        return cast("tuple[str, ...]", self.to)

    @property
    def variant(self) -> str:
        """The name of its templates."""
        return self.kind

    def variables(self) -> dict[str, object]:
        """The values that templates may use; None for an optional one that isn't given."""
        if self.templates is None:
            return {name: getattr(self, name) for name in _variables(self.kind)}
        shared = {each.name for each in fields(Email)}
        own = (each.name for each in fields(self) if each.name not in shared)
        return {name: getattr(self, name) for name in own}


_Name: TypeAlias = Annotated[
    str, Variable("Name of the person who is welcomed.", "Ann Example", check_line)
]
_Approved: TypeAlias = Annotated[
    bool,
    Variable(
        "Whether the account is approved already, or waits for it.",
        "yes",
        check_flag,
        read_flag,
        choices=("yes", "no"),
    ),
]
_LoginLink: TypeAlias = Annotated[
    str | None,
    Variable("Where to sign in: http or https.", "https://platform.example.org/login", check_link),
]
_Contact: TypeAlias = Annotated[
    str | None,
    Variable("Address of a person who answers questions.", "bo@example.org", check_mailbox),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Welcome(Email):
    """Welcomes somebody who has signed up, approved or still pending."""

    name: _Name
    approved: _Approved
    login_link: _LoginLink = None
    contact: _Contact = None

    @property
    def variant(self) -> str:
        """The name of its templates."""
        return f"{self.kind}_{'approved' if self.approved else 'pending'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomeAffiliate(_Welcome):
    """Welcomes an affiliate, approved or still pending.

    Attributes:
        name: Whom it welcomes.
        approved: Whether the account is approved already.
        login_link: Where to sign in.
        contact: Address of a person who answers questions.
    """

    kind: ClassVar[str] = "welcome_affiliate"
    label: ClassVar[str] = "Welcome affiliate"
    purpose: ClassVar[str] = "Welcomes a new affiliate, approved or waiting for approval."


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomeAdvertiser(_Welcome):
    """Welcomes an advertiser, approved or still pending.

    Attributes:
        name: Whom it welcomes.
        approved: Whether the account is approved already.
        login_link: Where to sign in.
        contact: Address of a person who answers questions.
    """

    kind: ClassVar[str] = "welcome_advertiser"
    label: ClassVar[str] = "Welcome advertiser"
    purpose: ClassVar[str] = "Welcomes a new advertiser, approved or waiting for approval."


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(Email):
    """Invites a person to become a user of the platform.

    Attributes:
        invited_by: Name of the person who invites.
        link: Where the invitation is accepted.
        role: What the new user will be, such as `Affiliate manager`.
    """

    kind: ClassVar[str] = "invitation"
    label: ClassVar[str] = "User invitation"
    purpose: ClassVar[str] = "Invites a person to become a user of the platform."

    invited_by: Annotated[str, Variable("Name of the person who invites.", "Bo", check_line)]
    link: Annotated[
        str,
        Variable(
            "Where the invitation is accepted: http or https.",
            "https://platform.example.org/join/k3v9",
            check_link,
        ),
    ]
    role: Annotated[
        str | None, Variable("What the new user will be.", "Affiliate manager", check_line)
    ] = None


def _audience(value: object) -> object:
    if value not in get_args(Audience):
        raise ValueError("Must be affiliates or advertisers.")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Email):
    """A message to affiliates or advertisers; none of them sees the others.

    Attributes:
        subject: The subject.
        body: Plain text; an empty line ends a paragraph.
        audience: Who it is addressed to.
    """

    kind: ClassVar[str] = "message"
    label: ClassVar[str] = "Message to affiliates or advertisers"
    purpose: ClassVar[str] = "Brings what you write to affiliates or advertisers."

    subject: Annotated[
        str, Variable("The subject.", "New commission rates from 1 December", check_line)
    ]
    body: Annotated[
        str,
        Variable(
            "What to say, as plain text; an empty line ends a paragraph.",
            "From 1 December the rate for new customers is 12%.\n\n"
            "Nothing changes for you: orders are tracked as before.",
            check_body,
        ),
    ]
    audience: Annotated[
        Audience,
        Variable(
            "Whom it is addressed to.",
            "affiliates",
            _audience,
            choices=get_args(Audience),
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification(Email):
    """Tells that something has happened.

    Attributes:
        title: What has happened, in one line: the subject.
        body: Plain text; an empty line ends a paragraph.
        link: Where to see more.
    """

    kind: ClassVar[str] = "notification"
    label: ClassVar[str] = "Notification"
    purpose: ClassVar[str] = "Tells one person that something has happened."

    title: Annotated[
        str,
        Variable("What has happened, in one line.", "Your payout is on its way", check_line),
    ]
    body: Annotated[
        str,
        Variable(
            "What to say about it, as plain text; an empty line ends a paragraph.",
            "We have sent 1,250.00 EUR to your bank account. It takes up to two working days.",
            check_body,
        ),
    ]
    link: Annotated[
        str | None,
        Variable(
            "Where to see more: http or https.",
            "https://platform.example.org/payouts",
            check_link,
        ),
    ] = None


_KINDS.update(
    (each.kind, each)
    for each in (WelcomeAffiliate, WelcomeAdvertiser, Invitation, Message, Notification)
)
_VARIANTS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = MappingProxyType(
    {
        "welcome_affiliate_approved": ("welcome_affiliate", {"approved": "yes"}),
        "welcome_affiliate_pending": ("welcome_affiliate", {"approved": "no"}),
        "welcome_advertiser_approved": ("welcome_advertiser", {"approved": "yes"}),
        "welcome_advertiser_pending": ("welcome_advertiser", {"approved": "no"}),
        "invitation": ("invitation", {}),
        "message": ("message", {}),
        "notification": ("notification", {}),
    }
)

VARIANTS: Final = tuple(_VARIANTS)
"""The names of all templates, as `Email.variant` gives them."""


@cache
def kinds() -> tuple[Kind, ...]:
    """Return the five kinds and their variables."""
    return tuple(
        Kind(name, each.label, each.purpose, _variables(name)) for name, each in _KINDS.items()
    )


def kind_from(name: str, variables: Mapping[str, str], *, to: str | Sequence[str]) -> Email:
    """Create an email from texts, as a person types them on the command line.

    Args:
        name: One of the five kinds.
        variables: Its variables as texts, with `yes` and `no` for True and False.
        to: One address or several.

    Raises:
        EmailError: A kind or variable is unknown, a variable is missing, or a value is wrong.
    """
    if name not in _KINDS:
        raise EmailError("kind", f"There is no kind “{name}”, only {', '.join(_KINDS)}.")
    known = _variables(name)
    for variable in variables:
        if variable not in known:
            raise EmailError(variable, f"Not used by {name}, which takes {', '.join(known)}.")
    for variable, info in known.items():
        if info.required and variable not in variables:
            raise EmailError(variable, f"Missing. {info.help}")
    values = {variable: known[variable].read(text) for variable, text in variables.items()}
    make = cast("Callable[..., Email]", _KINDS[name])
    return make(to=to, **values)


def sample(variant: str, *, to: str = "ann@example.org") -> Email:
    """Return an email of one variant with sample values, to look at.

    Raises:
        EmailError: `to` isn't an address.
    """
    name, fixed = _VARIANTS[variant]
    samples = {key: each.sample for key, each in _variables(name).items()}
    return kind_from(name, {**samples, **fixed}, to=to)


@cache
def _variables(name: str) -> Mapping[str, Variable]:
    kind = _KINDS[name]
    optional = {each.name for each in fields(kind) if each.default is not MISSING}
    return MappingProxyType(
        {
            key: replace(marks[0], required=key not in optional)
            for key, hint in get_type_hints(kind, include_extras=True).items()
            if (marks := [mark for mark in get_args(hint)[1:] if isinstance(mark, Variable)])
        }
    )


def _recipients(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (mailbox_of(value).address,)
    if not isinstance(value, Sequence) or isinstance(value, bytes):
        raise ValueError("Must be one address or several.")  # noqa: TRY004 - as in `variables`
    # Not twice to one person, whichever spelling of the domain.
    boxes = {box.wire: box.address for box in map(mailbox_of, value)}
    if not boxes:
        raise ValueError("There is no recipient.")
    return tuple(boxes.values())


def _attachments(value: object) -> tuple[Attachment, ...]:
    if not isinstance(value, Sequence) or not all(isinstance(each, Attachment) for each in value):
        raise ValueError("Must be attachments.")
    return tuple(value)
