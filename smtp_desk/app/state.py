"""What the Integrations page shows, as one value: faces render it, tests compare it."""

from dataclasses import dataclass
from enum import StrEnum

from smtp_desk.app.ca_offer import CaOffer
from smtp_desk.core.findings import Finding
from smtp_desk.core.gate import Outcome
from smtp_desk.core.problems import Problem
from smtp_desk.core.report import CheckReport, StageResult


class Busy(StrEnum):
    """What runs in the background; the values are texts for the person."""

    NOTHING = ""
    LOADING = "Reading the saved settings…"
    TESTING = "Testing the values in the form…"
    CANCELLING = "Cancelling…"
    SAVING = "Saving…"
    REMOVING = "Removing…"
    SWITCHING = "Switching…"


class StatusKind(StrEnum):
    """How the custom server stands."""

    NOT_CONFIGURED = "not_configured"
    OFF = "off"
    NOT_PROVEN = "not_proven"
    ACTIVE = "active"
    PASSWORD_UNAVAILABLE = "password_unavailable"  # noqa: S105 - a state's name
    UNAVAILABLE = "unavailable"
    FILE_UNREADABLE = "file_unreadable"


@dataclass(frozen=True, slots=True)
class StatusLine:
    """The status of the custom server and, where there is one, the reason."""

    kind: StatusKind
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence beside the control that caused it; an error offers what to do.

    Attributes:
        plain: Whether it tells neither of a success nor of an error: something was cancelled.
    """

    text: str
    error: bool = False
    plain: bool = False


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
