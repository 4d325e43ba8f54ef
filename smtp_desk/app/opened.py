"""What a window shows when it opens: the report of a file, or why there is none."""

from dataclasses import dataclass

from smtp_desk.core.report import CheckReport


@dataclass(frozen=True, slots=True)
class Opened:
    """A report that was read before the window opened.

    Attributes:
        report: The report; None if the file isn't one.
        source: Where it comes from, in words.
        trouble: Why there is none, as a sentence.
    """

    report: CheckReport | None
    source: str = ""
    trouble: str = ""
