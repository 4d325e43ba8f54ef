"""What the Integrations page shows, as one value: faces render it, tests compare it.

A company CA that a refused server showed, and the digits that must be known to trust it.
"""

import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from smtp_desk.app.notice import Notice, StatusLine
from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.gate import Outcome
from smtp_desk.core.problems import Problem
from smtp_desk.core.report import CheckReport, StageResult
from smtp_desk.core.stages import Json, Stage

DIGITS: Final = 8
"""How many digits at the end of the fingerprint the person must know."""

_IGNORED: Final = str.maketrans("", "", ": \t-\N{NO-BREAK SPACE}")
_HEX: Final = frozenset("0123456789abcdef")


class Typed(StrEnum):
    """What the typed digits come to; the values are texts for the person."""

    UNFINISHED = "Type the last 8 digits that the mail administrator tells you."
    NOT_HEX = "A fingerprint has only the digits 0 to 9 and the letters A to F."
    WRONG = (
        "These digits do not match. Read them once more with the administrator. If they still "
        "differ, somebody between you and the server may be showing you a certificate of their "
        "own: do not trust it, and tell your network administrator."
    )
    RIGHT = "The digits match."


@dataclass(frozen=True, slots=True, kw_only=True)
class CaOffer:
    """A CA that can be trusted for one host.

    Attributes:
        host: The only host it would be trusted for.
        subject: Whose CA it is.
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
        """Return what a report of a test made here offers; None where it offers nothing.

        The report of a test has the CA among its facts only where it is one, and where
        nobody is known to sit in the connection.
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

    def judge(self, typed: str) -> Typed:
        """Compare digits that the person typed: the last ones, or the whole fingerprint.

        Colons, spaces and case do not count.
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


class Busy(StrEnum):
    """What runs in the background; the values are texts for the person."""

    NOTHING = ""
    LOADING = "Reading the saved settings…"
    TESTING = "Testing the values in the form…"
    CANCELLING = "Cancelling…"
    SAVING = "Saving…"
    REMOVING = "Removing…"
    SWITCHING = "Switching…"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationsState:
    """Everything on the Integrations page except the texts that the person types.

    Attributes:
        status: The status line of the card.
        enabled: Position of the switch.
        switch_reason: Why the switch can't be moved, or "".
        problems: The problems to show now, each beside its field.
        password_stored: Whether the password field stands for the stored secret.
        may_use_stored_password: Whether going back to the stored secret is offered.
        spaces_removable: Whether removing the spaces of an app password is offered.
        busy: What runs in the background.
        stages: The live list of the newest test.
        outcome: The outcome line, or None where it is empty.
        finding: The true cause under the second outcome text, or None.
        warnings: What the newest successful test noticed.
        report: The newest report, for Diagnostics, or None.
        ca_offer: The company CA that the person is asked about just now, or None.
        host: The host in the form as it stands in a report, or "" while it is none.
        may_save: Whether Save is enabled.
        save_hint: Why Save is disabled, or "".
        discard_reason: Why Discard changes is disabled, or "" where it is enabled.
        remove_reason: Why Remove configuration is disabled, or "" where it is enabled.
        test_notice: What Send test email has to say besides the outcome.
        save_notice: What Save, Discard changes, Remove or the switch has to say.
    """

    status: StatusLine
    enabled: bool = False
    switch_reason: str = ""
    problems: tuple[Problem, ...] = ()
    password_stored: bool = False
    may_use_stored_password: bool = False
    spaces_removable: bool = False
    busy: Busy = Busy.NOTHING
    stages: tuple[StageResult, ...] = ()
    outcome: Outcome | None = None
    finding: Finding | None = None
    warnings: tuple[Finding, ...] = ()
    report: CheckReport | None = None
    ca_offer: CaOffer | None = None
    host: str = ""
    may_save: bool = False
    save_hint: str = ""
    discard_reason: str = ""
    remove_reason: str = ""
    test_notice: Notice | None = None
    save_notice: Notice | None = None

    @property
    def testing(self) -> bool:
        """Whether a test runs: then Cancel is shown and Send test email is not enabled."""
        return self.busy in (Busy.TESTING, Busy.CANCELLING)
