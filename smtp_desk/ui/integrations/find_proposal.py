"""One server that was found: where it comes from, how sure it is, and what accepting it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QUrl, Signal, Slot

from smtp_desk.app.proposals.presenter import Proposal
from smtp_desk.ui.integrations import find_words
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import Panel
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.label import Label
from smtp_desk.ui.widgets.line import Line
from smtp_desk.ui.widgets.step import WebsiteButton

if TYPE_CHECKING:
    from PySide6.QtWidgets import QPushButton


class ProposalPanel(Panel):
    """A proposal, and the buttons that accept it.

    Attributes:
        proposal: What it shows.
        stops: What Tab visits, in order.

    Signals:
        accepted: Fill it in.
        accepted_by_oauth: Fill it in, and choose its sign-in by OAuth 2.0.
        accepted_instead: Fill it in, in place of what was typed.
    """

    accepted = Signal(Proposal)
    accepted_by_oauth = Signal(Proposal)
    accepted_instead = Signal(Proposal)

    def __init__(self, proposal: Proposal) -> None:
        super().__init__("plain")
        self.proposal: Final = proposal
        self.setObjectName("proposal")
        server = find_words.server(proposal.candidate)
        self.setAccessibleName(server)
        self.body.setSpacing(Space.S)
        for text, rank in (
            (server, "strong"),
            (find_words.source(proposal), ""),
            (find_words.sign_in(proposal), ""),
            (find_words.limits(proposal), ""),
            (find_words.kept(proposal), "small"),
        ):
            if text:
                self.body.addWidget(Label(text, rank))
        if proposal.warning:
            careful = Line()
            careful.show_line(proposal.warning, "warning")
            self.body.addWidget(careful)
        buttons: list[QPushButton] = []
        if proposal.credential:
            buttons.append(button(find_words.use_by_oauth(proposal), "use_by_oauth"))
            buttons[-1].clicked.connect(self._used_by_oauth)
        if proposal.changes and not proposal.needs_credential:
            buttons.append(button(find_words.use(proposal), "use_proposal"))
            buttons[-1].clicked.connect(self._used)
        if proposal.may_replace:
            buttons.append(button(find_words.REPLACE, "replace_typed"))
            buttons[-1].clicked.connect(self._replaced)
        for each in buttons:
            each.setAccessibleName(f"{each.text()}: {server}")
        if proposal.candidate.url:
            buttons.append(WebsiteButton(QUrl(proposal.candidate.url)))
        self.stops: Final = tuple(buttons)
        if buttons:
            self.body.addWidget(flow(*buttons))

    @Slot()
    def _used(self) -> None:
        self.accepted.emit(self.proposal)

    @Slot()
    def _used_by_oauth(self) -> None:
        self.accepted_by_oauth.emit(self.proposal)

    @Slot()
    def _replaced(self) -> None:
        self.accepted_instead.emit(self.proposal)
