"""A report with something of everything in it, some of it hostile."""

from __future__ import annotations

from smtp_desk.core.findings.finding import Finding, FindingSeverity, Remedy, Scope, Who
from smtp_desk.core.reply import Reply
from smtp_desk.core.report import (
    CheckReport,
    Direction,
    ReportOutcome,
    StageResult,
    TranscriptLine,
)
from smtp_desk.core.stages import Json, Stage, StageStatus

MARKUP = "[bold red]not bold[/] ``` <b>x</b> | *y*"
"""What a server can say to be read as markup."""

_CHAIN: list[Json] = [
    {
        "subject": "CN=mail.example.test",
        "issuer": "CN=Example CA",
        "names": ["mail.example.test"],
        "not_before": "2026-01-01T00:00:00+00:00",
        "not_after": "2027-01-01T00:00:00+00:00",
        "key": "EC secp256r1",
        "fingerprint": "00ff" * 16,
    },
    {"subject": "CN=Example CA"},
]

UNKNOWN_ISSUER = Finding(
    code="tls.unknown_issuer",
    stage=Stage.TLS,
    severity=FindingSeverity.ERROR,
    summary="This machine does not trust the issuer of the certificate.",
    explanation="A company often has a CA of its own.",
    who=Who.YOU,
    scope=Scope.NONE,
    remedies=(
        Remedy("choose_ca", "Choose the company's CA file.", {}),
        Remedy("ask", "Ask the mail administrator for it."),
    ),
    reply=Reply(454, "4.7.0", (MARKUP,)),
)
SLOW = Finding(
    code="connect.one_family_only",
    stage=Stage.CONNECT,
    severity=FindingSeverity.WARNING,
    summary="IPv6 does not work.",
    explanation="",
    who=Who.NETWORK_ADMINISTRATOR,
    scope=Scope.NONE,
)
REPORT = CheckReport(
    outcome=ReportOutcome.UNREACHABLE,
    finding=UNKNOWN_ISSUER,
    warnings=(SLOW,),
    stages=(
        StageResult(Stage.RESOLVE, StageStatus.PASSED, 3, {"found": ["192.0.2.1"]}),
        StageResult(
            Stage.CONNECT,
            StageStatus.WARNED,
            1200,
            {"addresses": [{"address": "192.0.2.1", "result": "connected", "ms": 4}]},
        ),
        StageResult(Stage.GREETING, StageStatus.PASSED, 2, {"reply_code": 220, "words": MARKUP}),
        StageResult(Stage.TLS, StageStatus.FAILED, 9, {"chain": _CHAIN}),
        StageResult(Stage.AUTH, StageStatus.SKIPPED, 0, {"reason": "not asked for"}),
    ),
    transcript=(
        TranscriptLine(1, Direction.CLIENT, "STARTTLS"),
        TranscriptLine(2, Direction.SERVER, f"220 {MARKUP}"),
    ),
    settings={"host": "mail.example.test", "port": 587},
    environment={"python": "3.11.2"},
    id="0123456789abcdef",
)
