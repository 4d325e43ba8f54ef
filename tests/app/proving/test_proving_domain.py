"""A test that also asks about the From domain: its own outcome is never changed by that."""

from dataclasses import replace

from smtp_desk.app.proving.proving import ProofRequest, ProofResult, prove
from smtp_desk.app.services import Services
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.stages import Facts, Stage, StageEvent, StageStatus
from smtp_desk.smtp.check.check import Steps
from smtp_desk.smtp.net.deadline import Cancel
from tests.servers.dns import SILENCE, NameServer, Zone

ZONE: Zone = {"localhost": ["A 127.0.0.1"], "sandbox.test": ["MX 0 ."]}


class Watch:
    """Remembers the events, and cancels where it is told to."""

    def __init__(self, cancel: Cancel, cancel_at: int = 0) -> None:
        self.events: list[StageEvent] = []
        self._cancel = cancel
        self._cancel_at = cancel_at

    def __call__(self, event: StageEvent) -> None:
        self.events.append(event)
        begun = [each for each in self.of(Stage.RESOLVE) if each.status is StageStatus.STARTED]
        if self._cancel_at and len(begun) == self._cancel_at:
            self._cancel.cancel()

    def of(self, stage: Stage) -> list[StageEvent]:
        return [event for event in self.events if event.stage is stage]


def run(
    services: Services,
    draft: SettingsDraft,
    zone: Zone,
    *,
    steps: Steps = Steps.FULL,
    cancel_at: int = 0,
) -> tuple[ProofResult, Watch]:
    cancel = Cancel()
    watch = Watch(cancel, cancel_at)
    with NameServer(zone) as server:
        request = ProofRequest(
            draft=draft,
            recipient="ann@sandbox.test",
            steps=steps,
            resolver=f"{server.host}:{server.port}",
            domain=True,
        )
        return prove(services, request, watch, cancel), watch


def dns_facts(result: ProofResult) -> Facts:
    (resolve,) = (each for each in result.report.stages if each.stage is Stage.RESOLVE)
    return resolve.facts


def codes(result: ProofResult) -> list[str]:
    return [warning.code for warning in result.report.warnings]


WARNINGS = ["domain.no_mail_exchanger", "domain.spf_missing", "domain.dmarc_missing"]


def test_a_proof_stays_one(services: Services, draft: SettingsDraft) -> None:
    result, watch = run(services, draft, ZONE)
    assert (result.proven, result.report.finding) == (True, None)
    assert codes(result) == WARNINGS
    assert dns_facts(result)["mx"] == ["0 ."]
    assert dns_facts(result)["found"] == ["127.0.0.1"]
    last = watch.events[-1]
    assert (last.stage, last.status) == (Stage.RESOLVE, StageStatus.PASSED)


def test_a_failure_stays_one(services: Services, draft: SettingsDraft) -> None:
    result, watch = run(services, replace(draft, host="nowhere.test"), ZONE, steps=Steps.NO_LOGIN)
    assert result.report.finding is not None
    assert result.report.finding.code == "resolve.not_found"
    assert codes(result) == WARNINGS
    assert watch.events[-1].status is StageStatus.FAILED


def test_a_cancelled_test_asks_no_more(services: Services, draft: SettingsDraft) -> None:
    result, _ = run(services, draft, ZONE, cancel_at=1)
    assert result.report.cancelled
    assert "from_domain" not in dns_facts(result)


def test_cancelling_the_questions_keeps_the_proof(services: Services, draft: SettingsDraft) -> None:
    silent: Zone = {**ZONE, "sandbox.test": SILENCE}
    result, _ = run(services, draft, silent, cancel_at=2)
    assert result.proven
    assert codes(result) == []
    assert dns_facts(result)["not_checked"] == ["MX, SPF, DMARC, MTA-STS, TLS-RPT: cancelled"]


def test_a_form_that_can_not_be_tested_asks_nothing(
    services: Services, draft: SettingsDraft
) -> None:
    result, watch = run(services, replace(draft, port="0"), ZONE)
    assert [event.stage for event in watch.events] == [Stage.SETTINGS, Stage.SETTINGS]
    assert codes(result) == []
