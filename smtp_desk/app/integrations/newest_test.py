"""The latest test of the Integrations page: what was tested, and its result so far."""

from dataclasses import dataclass

from smtp_desk.app.proving.proving import ProofResult
from smtp_desk.core.gate import Outcome
from smtp_desk.core.report import CheckReport, fold_stages
from smtp_desk.core.settings import SettingsDraft, Snapshot
from smtp_desk.core.stages import StageEvent


@dataclass(frozen=True, slots=True)
class NewestTest:
    """The form at the click, the live stages, and the result once there is one."""

    draft: SettingsDraft
    values: Snapshot | None = None
    events: tuple[StageEvent, ...] = ()
    result: ProofResult | None = None

    @property
    def report(self) -> CheckReport | None:
        """Its report; None while it runs."""
        return self.result.report if self.result else None


def of_test(
    test: NewestTest | None, values: Snapshot | None, outcome: Outcome | None
) -> dict[str, object]:
    """Return what the page shows of a test, by field of the state.

    `values` and `outcome` are those of the form by now.
    """
    report = test.report if test else None
    told = report is not None and not report.cancelled and test and test.values is not None
    return {
        "stages": fold_stages(test.events) if test else (),
        "finding": report.finding if report and told else None,
        "last_test": bool(test and test.result and test.values != values),
        "warnings": report.warnings if report and outcome is Outcome.SUCCESS else (),
        "report": report,
    }
