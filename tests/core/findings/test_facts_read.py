"""Facts as the wire tells them read well in a sentence."""

from smtp_desk.core.findings.wording import fill
from smtp_desk.core.stages import Json
from tests.table import each_row


@each_row(
    ("placeholder", "value", "reads"),
    [
        ("{x:day}", "2026-01-02T03:04:05+00:00", "2026-01-02"),
        ("{x:minute}", "2026-09-01T10:02:33+00:00", "2026-09-01 10:02 UTC"),
        ("{x:name}", "CN=Example CA,O=Example Ltd", "Example CA (Example Ltd)"),
        ("{x:plain}", "mixed_codes", "mixed codes"),
        ("{x.days}", {"days": 3}, "3"),
        ("{x.not_after:day}", {"not_after": "2026-01-02T00:00:00"}, "2026-01-02"),
        ("{x.days}", {}, None),
        ("{x.days}", "3", None),
        (
            "{x}",
            [{"address": "192.0.2.1", "result": "refused", "ms": 3}, "192.0.2.2"],
            "192.0.2.1 (refused), 192.0.2.2",
        ),
        (
            "{x}",
            [{"address": "192.0.2.1", "result": "failed", "reason": "Permission denied"}],
            "192.0.2.1 (Permission denied)",
        ),
        (
            "{x}",
            [{"certificate": "CN=a", "problem": "key_usage_missing"}, "CN=b"],
            "key usage missing (CN=a), CN=b",
        ),
        ("{x}", [{"odd": 1}], None),
    ],
)
def test_facts_read_well(placeholder: str, value: Json, reads: str | None) -> None:
    assert fill(placeholder, {"x": value}) == reads
