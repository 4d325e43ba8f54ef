"""What a window opens with: the report of a file, or why there is none."""

from dataclasses import dataclass

from smtp_desk.core.report import CheckReport


@dataclass(frozen=True, slots=True)
class Opened:
    """A report that was read before the window was there.

    Attributes:
        report: The report; None where the file holds none.
        source: Where it comes from, in words.
        trouble: Why there is none, as a sentence.
    """

    report: CheckReport | None
    source: str = ""
    trouble: str = ""
