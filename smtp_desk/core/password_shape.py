"""What a password looks like: a fact for findings that tells nothing of the password."""

import re
from enum import StrEnum
from typing import Final

from smtp_desk.core.secret import Secret


class PasswordShape(StrEnum):
    """The look of a secret, as far as it helps to name a cause."""

    NONE = "none"
    GROUPED = "grouped"
    """Four groups of four letters with spaces: an app password as Google and Yahoo show it."""
    APP_PASSWORD = "app_password"  # noqa: S105 - the name of a shape
    """Sixteen letters, or four groups of four with hyphens as Apple shows it."""
    SURROUNDED = "surrounded"
    """A space at its beginning or end, surely pasted."""
    IAM_SECRET = "iam_secret"  # noqa: S105 - the name of a shape
    """Forty characters of base64: a secret key of AWS, not an SMTP password of SES."""
    TOKEN = "token"  # noqa: S105 - the name of a shape
    """An OAuth access token."""
    OTHER = "other"


_SHAPES: Final = (
    (re.compile(r"\s*[A-Za-z]{4}(?:\s+[A-Za-z]{4}){3}\s*"), PasswordShape.GROUPED),
    (re.compile(r"\s.*|.*\s", re.DOTALL), PasswordShape.SURROUNDED),
    (re.compile(r"[a-z]{16}|[a-z]{4}(?:-[a-z]{4}){3}"), PasswordShape.APP_PASSWORD),
    (re.compile(r"ya29\..+|eyJ[\w-]+\.[\w-]+\.[\w-]*|EwB\S{200,}"), PasswordShape.TOKEN),
    (re.compile(r"[A-Za-z0-9/+]{40}"), PasswordShape.IAM_SECRET),
)


def password_shape(password: Secret | None) -> PasswordShape:
    """Return what `password` looks like."""
    typed = password.reveal() if password is not None else ""
    if not typed:
        return PasswordShape.NONE
    shapes = (shape for pattern, shape in _SHAPES if pattern.fullmatch(typed))
    return next(shapes, PasswordShape.OTHER)
