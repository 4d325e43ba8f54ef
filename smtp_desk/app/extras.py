"""The optional parts of the package, and what to say if one isn't installed.

Keep this module light: the window needs it before anything else.
"""

from __future__ import annotations

from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.stages import Stage

if TYPE_CHECKING:
    from smtp_desk.core.findings.catalogue import Catalogue


class Extra(StrEnum):
    """An optional part, by its name for pip."""

    DESK = "desk"
    SANDBOX = "sandbox"
    ALERTS = "alerts"
    POSTGRES = "postgres"


_MODULES: Final = {
    Extra.DESK: "PySide6",
    Extra.SANDBOX: "aiosmtpd",
    Extra.ALERTS: "apprise",
    Extra.POSTGRES: "psycopg",
}


def installed(extra: Extra) -> bool:
    """Whether a part is installed."""
    return find_spec(_MODULES[extra]) is not None


def part_missing(extra: Extra) -> SmtpFailure:
    """Return the failure of a command whose part isn't installed."""
    return SmtpFailure(Stage.SETTINGS, "settings.part_missing", facts={"part": str(extra)})


def missing_text(extra: Extra, catalogue: Catalogue) -> str:
    """Return on one line that a part isn't installed, and how to get it."""
    finding = catalogue.find(part_missing(extra), {})
    return " ".join((finding.summary, *(remedy.text for remedy in finding.remedies)))
