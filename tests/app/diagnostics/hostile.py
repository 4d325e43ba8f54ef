"""A report whose every text a stranger wrote, to be read as more than text."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from smtp_desk.core.findings.finding import Remedy
from smtp_desk.core.reply import Reply, visible
from smtp_desk.core.report import CheckReport, Direction, StageResult, TranscriptLine
from smtp_desk.core.stages import Stage, StageStatus
from tests.cli.reports import REPORT, UNKNOWN_ISSUER

HTML: Final = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><a href=//evil.test>x</a>"
FENCES: Final = "```\n# not ours\n~~~ `````` [x](javascript:alert(1)) ![y](http://evil.test/y.png)"
LINKS: Final = (
    "https://evil.test/a HTTP://EVIL.TEST www.evil.test mailto:a@evil.test <https://evil.test> "
    "ftp://evil.test smb://evil.test JavaScript:alert(1) @everyone #1"
)
TURNED: Final = "safe\u202egpj.exe\u2066 \x1b[2J\x07"
ALL: Final = visible(f"{HTML} {FENCES} {LINKS} {TURNED}")


def hostile(text: str = ALL) -> CheckReport:
    """Return a report with `text` in every place that a stranger can fill."""
    finding = replace(
        UNKNOWN_ISSUER,
        code=text,
        summary=text,
        explanation=text,
        remedies=(Remedy(text, text), Remedy("ask", f"Ask the mail administrator to {text}")),
        reply=Reply(535, "5.7.8", (text,)),
    )
    return replace(
        REPORT,
        finding=finding,
        warnings=(finding,),
        stages=(
            StageResult(Stage.CONNECT, StageStatus.FAILED, 1, {"address": text, text: [text]}),
            StageResult(Stage.TLS, StageStatus.FAILED, 1, {"chain": [{"subject": text}]}),
        ),
        transcript=(TranscriptLine(1, Direction.SERVER, text),),
        settings=dict.fromkeys(("host", "port", "from_email", "username", text), text),
        environment={"time": text, text: text},
        id=text,
    )
