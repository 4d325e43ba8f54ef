"""What the page shows if there is no report: what it is for, or what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal

from smtp_desk.core.texts import problem_text
from smtp_desk.ui.diagnostics import words
from smtp_desk.ui.widgets.buttons import button
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
            "Run again then only needs the host and port. It checks whether the server can "
            "be reached, whether the connection is encrypted and whether the certificate is "
            "valid."
        ),
    ),
    (
        "diagnostics",
        "Did someone send you a report? Open it",
        "You’ll see what they saw. A report file contains no password.",
    ),
)


class Welcome(Card):
    """The empty state.

    Signals:
        form_wanted: Open Integrations.
        open_wanted: Open a report.
    """

    form_wanted = Signal()
    open_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(
            "Why isn’t email being sent?", "There’s no report yet. Here are three ways to find out."
        )
        self.setObjectName("no_report")
        form = button("Go to the form", "go_to_form", "link")
        form.clicked.connect(self.form_wanted)
        report = button("Choose a report…", "choose_report", "link")
        report.clicked.connect(self.open_wanted)
        acts = {"integrations": form, "diagnostics": report}
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
            if icon in acts:
                said.addWidget(acts[icon], alignment=Qt.AlignmentFlag.AlignLeading)


class Missing(Panel):
    """What the form lacks for the requested test.

    Signals:
        form_wanted: Open Integrations.
    """

    form_wanted = Signal()

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("danger")
        self.setObjectName("missing")
        self.body.addWidget(Label("Before the test can run, fix this in the form:", "strong"))
        for problem in problems:
            name = words.FIELDS[problem.field]
            self.body.addWidget(Label(f"{name}: {problem_text(problem)}"))
        form = button("Open &Integrations", "open_integrations")
        form.clicked.connect(self.form_wanted)
        self.body.addWidget(form, alignment=Qt.AlignmentFlag.AlignLeading)
