"""A company CA that a refused server presented, and the digits one must know to trust it."""

import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, Self

from smtp_desk.core.report import CheckReport
from smtp_desk.core.stages import Json, Stage

DIGITS: Final = 8
"""How many digits at the end of the fingerprint the person must know."""

_IGNORED: Final = str.maketrans("", "", ": \t-\N{NO-BREAK SPACE}")
_HEX: Final = frozenset("0123456789abcdef")


class Typed(Enum):
    """How the typed digits compare."""

    UNFINISHED = auto()
    NOT_HEX = auto()
    WRONG = auto()
    RIGHT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaOffer:
    """A CA that can be trusted for one host.

    Attributes:
        host: The only host it would be trusted for.
        subject: The owner of the CA.
        issuer: Who signed it.
        not_before: When it becomes valid, a date.
        not_after: When it expires, a date.
        pem: The certificate.
    """

    host: str
    subject: str
    issuer: str
    not_before: str
    not_after: str
    pem: str = field(repr=False)

    @classmethod
    def of(cls, report: CheckReport | None) -> Self | None:
        """Return the CA that a report of a test made here offers; None if there is none.

        A report contains the CA among its facts only if it is one, and if nobody is known to
        intercept the connection.
        """
        if report is None or report.finding is None:
            return None
        facts = next((each.facts for each in report.stages if each.stage is Stage.TLS), {})
        ca, host = facts.get("ca"), report.settings.get("host")
        if not isinstance(ca, Mapping) or not isinstance(host, str) or "interceptor" in facts:
            return None
        return cls(
            host=host,
            subject=_text(ca, "subject"),
            issuer=_text(ca, "issuer"),
            not_before=_text(ca, "not_before").partition("T")[0],
            not_after=_text(ca, "not_after").partition("T")[0],
            pem=_text(ca, "pem"),
        )

    @property
    def fingerprint_start(self) -> str:
        """The SHA-256 fingerprint without its last digits, in pairs, as it is read aloud."""
        start = self._fingerprint[:-DIGITS].upper()
        return " ".join(start[at : at + 2] for at in range(0, len(start), 2))

    def compare(self, typed: str) -> Typed:
        """Compare digits that the person typed: the last ones, or the whole fingerprint.

        Colons, spaces and case don't matter.
        """
        digits = typed.translate(_IGNORED).lower()
        if not _HEX.issuperset(digits):
            return Typed.NOT_HEX
        if len(digits) < DIGITS:
            return Typed.UNFINISHED
        whole = self._fingerprint
        return Typed.RIGHT if digits in (whole[-DIGITS:], whole) else Typed.WRONG

    @property
    def _fingerprint(self) -> str:
        # Of the very certificate that would be trusted, not as a report tells it.
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.pem)).hexdigest()


def _text(facts: Mapping[str, Json], name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""
