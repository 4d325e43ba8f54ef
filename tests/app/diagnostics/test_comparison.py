"""Two reports compared: what changed, the earlier one first, and nothing that always differs."""

from dataclasses import replace

from smtp_desk.app.diagnostics.comparison import (
    Aspect,
    Comparison,
    compare_reports,
    comparison_lines,
)
from smtp_desk.core.report import CheckReport, StageResult
from smtp_desk.core.stages import Facts, Stage, StageStatus
from tests.app.diagnostics.hostile import hostile
from tests.ui import reports

BEFORE, AFTER = reports.WRONG_PASSWORD, reports.SENT


def changes(compared: Comparison, part: Aspect) -> dict[str, tuple[str, str]]:
    found = (each for each in compared.differences if each.aspect is part)
    return {each.name: (each.before, each.after) for each in found}


def with_facts(stage: Stage, facts: Facts, ms: int = 10) -> CheckReport:
    return replace(BEFORE, stages=(StageResult(stage, StageStatus.PASSED, ms, facts),))


def test_a_report_equals_itself() -> None:
    assert compare_reports(BEFORE, BEFORE).differences == ()


def test_what_was_fixed() -> None:
    compared = compare_reports(BEFORE, AFTER)
    assert changes(compared, Aspect.OUTCOME)[""][1] == "Test email sent successfully"
    assert changes(compared, Aspect.FINDING)["code"] == ("auth.rejected", "")
    assert changes(compared, Aspect.STAGES)["auth"] == ("failed", "passed")
    assert changes(compared, Aspect.STAGES)["message"] == ("", "passed")
    # Neither the time nor the facts of a step that only one of them reached.
    assert not any(
        name.startswith("message ")
        for name in (*changes(compared, Aspect.STAGES), *changes(compared, Aspect.FACTS))
    )


def test_the_earlier_report_comes_first_whichever_was_opened_first() -> None:
    old = replace(BEFORE, environment={"time": "2026-11-23T13:00:00+00:00"})
    new = replace(AFTER, environment={"time": "2026-11-23T14:00:00+02:00"})
    # 14:00 +02:00 is an hour earlier.
    assert compare_reports(old, new).before is new
    assert compare_reports(new, old).swapped is False
    untimed = replace(new, environment={"time": "later"})
    assert compare_reports(untimed, old).before is untimed


def test_settings_and_environment() -> None:
    changed = replace(
        BEFORE,
        settings={**BEFORE.settings, "port": 465},
        environment={**BEFORE.environment, "openssl": "4.0", "time": "2027-01-01T00:00:00+00:00"},
    )
    compared = compare_reports(BEFORE, changed)
    assert changes(compared, Aspect.SETTINGS) == {"port": ("587", "465")}
    assert set(changes(compared, Aspect.ENVIRONMENT)) == {"openssl"}


def test_addresses_extensions_and_certificate() -> None:
    one = with_facts(
        Stage.TLS,
        {
            "addresses": [{"address": "192.0.2.1", "result": "connected", "ms": 4}],
            "extensions": ["SIZE 1000", "STARTTLS"],
            "chain": [{"subject": "CN=a", "fingerprint": "aa"}],
        },
    )
    two = with_facts(
        Stage.TLS,
        {
            "addresses": [
                {"address": "192.0.2.1", "result": "timed_out", "ms": 9},
                {"address": "192.0.2.2", "result": "connected", "ms": 9},
            ],
            "extensions": ["SIZE 2000", "PIPELINING"],
            "chain": [{"subject": "CN=a", "fingerprint": "bb"}],
        },
    )
    compared = compare_reports(one, two)
    assert changes(compared, Aspect.ADDRESSES) == {
        "192.0.2.1": ("connected", "timed out"),
        "192.0.2.2": ("", "connected"),
    }
    assert changes(compared, Aspect.EXTENSIONS) == {
        "SIZE": ("1000", "2000"),
        "STARTTLS": ("yes", ""),
        "PIPELINING": ("", "yes"),
    }
    assert changes(compared, Aspect.CERTIFICATE) == {"fingerprint": ("aa", "bb")}
    assert changes(compared, Aspect.FACTS) == {}


def test_a_stage_is_slower_only_by_a_second_or_more() -> None:
    fast, slow = with_facts(Stage.CONNECT, {}, 10), with_facts(Stage.CONNECT, {}, 1010)
    assert changes(compare_reports(fast, slow), Aspect.STAGES) == {"connect ms": ("10", "1010")}
    assert compare_reports(fast, with_facts(Stage.CONNECT, {}, 1009)).differences == ()


def test_as_lines() -> None:
    lines = dict(comparison_lines(compare_reports(BEFORE, AFTER)))
    assert lines["Steps: auth"] == "failed → passed"
    assert lines["Cause: code"] == "auth.rejected → none"


def test_a_hostile_report_is_compared_like_any_other() -> None:
    assert compare_reports(hostile(), BEFORE).differences
    assert compare_reports(hostile(), hostile()).differences == ()
