"""What the page shows when there is no report to show: what it is for, or what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton

from smtp_desk.core.texts import problem_text
from smtp_desk.ui.diagnostics import words
from smtp_desk.ui.widgets.card import Card, Panel, column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.icons import IconLabel
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from smtp_desk.core.problems import Problem

_WAYS: Final = (
    (
        "integrations",
        "Send a test email on Integrations",
        (
            "The result is explained here, step by step: what went well, what failed, why, "
            "and who can fix it."
        ),
    ),
    (
        "key",
        "No password? Tick “Without signing in”",
        (
            "Run again then needs only the host and the port. It tells whether the server can be "
            "reached, whether the connection is encrypted and whether its certificate is in order."
        ),
    ),
    (
        "diagnostics",
        "Somebody sent you a report? Open it",
        "You see what they saw. A report file holds no password.",
    ),
)


class Welcome(Card):
    """The empty state."""

    def __init__(self) -> None:
        super().__init__(
            "Why isn’t email being sent?", "Three ways to find out. There is no report yet."
        )
        self.setObjectName("no_report")
        for icon, title, text in _WAYS:
            line = row(space=Space.M)
            mark = IconLabel()
            mark.show_icon(icon, "accent")
            line.addWidget(mark, alignment=Qt.AlignmentFlag.AlignTop)
            said = column(space=2)
            said.addWidget(Label(title, "strong"))
            said.addWidget(Label(text, "muted"))
            line.addLayout(said, 1)
            self.body.addLayout(line)


class Missing(Panel):
    """What the form lacks for the test that was asked for.

    Signals:
        form_wanted: Open Integrations.
    """

    form_wanted = Signal()

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("danger")
        self.setObjectName("missing")
        self.body.addWidget(Label("Before this test can run, the form needs:", "strong"))
        for problem in problems:
            name = words.FIELDS[problem.field]
            self.body.addWidget(Label(f"{name}: {problem_text(problem)}"))
        button = QPushButton("Open &Integrations")
        button.setObjectName("open_integrations")
        button.clicked.connect(self.form_wanted)
        self.body.addWidget(button, alignment=Qt.AlignmentFlag.AlignLeading)
