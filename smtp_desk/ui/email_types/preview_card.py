"""The chosen variant as its recipient would see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QTabWidget,
    QWidget,
)

from smtp_desk.ui.diagnostics.fact_table import FactTable
from smtp_desk.ui.sandbox.reader import MailBrowser
from smtp_desk.ui.widgets.card import Card, Panel, column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.fold import Fold
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QVBoxLayout

    from smtp_desk.app.email_types.presenter import EmailType, EmailTypesState, Preview

_OWN: Final = "Your own templates are used: {files}."
_BROKEN: Final = (
    "Your own template can’t be used, so the built-in one is sent instead. {problem} Fix or "
    "remove it in {folder}."
)
_HINT: Final = "To change an email, put a template with the same name in {folder}."


class PreviewCard(Card):
    """From, subject, HTML, text, and the templates they come from.

    Signals:
        browser_wanted: Open in browser.
    """

    browser_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._title = Label(rank="heading")
        self._purpose = Label(rank="muted")
        self._override = Panel("success")
        self._override_text = Label()
        self._override_text.setObjectName("template_notice")
        self._override.body.addWidget(self._override_text)
        self._head = _Head()
        self._html = MailBrowser("email_html")
        self._text = QPlainTextEdit()
        self._text.setObjectName("email_text")
        self._text.setReadOnly(True)
        self._text.setTabChangesFocus(True)
        self._text.setProperty("face", "fixed")
        self._tabs = QTabWidget()
        self._tabs.setObjectName("email_tabs")
        self._tabs.setAccessibleName("Views of the email")
        for title, view in (("HT&ML", self._html), ("&Text", self._text)):
            view.setAccessibleName(title.replace("&", ""))
            self._tabs.addTab(view, title)
        self._browser = QPushButton("Open in &browser")
        self._browser.setObjectName("open_in_browser")
        self._browser.clicked.connect(self.browser_wanted)
        self._values = Fold("Sample &data", "The values used in this preview", "sample_data")
        self._hint = Label(rank="small")
        self._shown: Preview | None = None
        self._fill()

    def render_state(self, state: EmailTypesState) -> None:
        """Show the preview once it is ready."""
        chosen = next(each for each in state.types if each.variant == state.chosen)
        self._describe(chosen)
        preview = state.preview
        for part in (self._head, self._tabs, self._browser, self._values):
            part.setVisible(preview is not None)
        self._show_override(state)
        if preview is None or preview == self._shown:
            return
        self._shown = preview
        self._head.show_preview(preview)
        self._html.setHtml(preview.html)
        self._text.setPlainText(preview.text)
        _replace(self._values.body, FactTable(preview.values))

    def _fill(self) -> None:
        words = column(space=4)
        words.addWidget(self._title)
        words.addWidget(self._purpose)
        self.body.addLayout(words)
        self.body.addWidget(self._override)
        self.body.addWidget(self._head)
        self.body.addWidget(self._tabs, 1)
        self.body.addWidget(self._browser, alignment=Qt.AlignmentFlag.AlignLeading)
        self.body.addWidget(self._values)
        self.body.addWidget(self._hint)
        # Else the texts above spread over the whole card until the preview is there.
        self.body.addStretch()

    def _describe(self, chosen: EmailType) -> None:
        self._title.show_text(chosen.title)
        self._purpose.show_text(chosen.purpose)
        self.setAccessibleName(chosen.title)

    def _show_override(self, state: EmailTypesState) -> None:
        preview = state.preview
        if state.trouble:
            tone, text = "danger", state.trouble
        elif preview is None:
            tone, text = "plain", ""
        elif preview.problem:
            tone = "danger"
            text = _BROKEN.format(problem=preview.problem, folder=state.folder)
        elif preview.overrides:
            tone, text = "success", _OWN.format(files=", ".join(preview.overrides))
        else:
            tone, text = "plain", ""
        self._hint.show_text(_HINT.format(folder=state.folder))
        self._override.set_tone(tone)
        self._override_text.show_text(text)
        self._override.setVisible(bool(text))


class _Head(QWidget):
    """Who writes, and about what."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(Space.L)
        self._layout.setVerticalSpacing(Space.XS)
        self._layout.setColumnStretch(1, 1)
        self._sender = self._row("From", "email_from")
        self._answers = self._row("", "email_answers", "muted")
        self._subject = self._row("Subject", "email_subject")

    def show_preview(self, preview: Preview) -> None:
        """Show the header of this email."""
        self._sender.show_text(preview.sender)
        self._answers.show_text(preview.answers)
        self._answers.setVisible(bool(preview.answers))
        self._subject.show_text(preview.subject)

    def _row(self, name: str, object_name: str, rank: str = "") -> Label:
        number = self._layout.rowCount()
        if name:
            what = Label(name, "small")
            what.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Minimum)
            what.setWordWrap(False)
            self._layout.addWidget(what, number, 0, Qt.AlignmentFlag.AlignTop)
        value = Label(rank=rank)
        value.setObjectName(object_name)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._layout.addWidget(value, number, 1)
        return value


def _replace(layout: QVBoxLayout, widget: QWidget) -> None:
    """Make `widget` the only one in `layout`."""
    while (item := layout.takeAt(0)) is not None:
        if (old := item.widget()) is not None:
            old.hide()
            old.deleteLater()
    layout.addWidget(widget)
