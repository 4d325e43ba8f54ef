"""The fields of the SMTP settings, in their groups."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeVar

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QBoxLayout, QWidget

from smtp_desk.app.integrations.form import OF_OAUTH
from smtp_desk.app.integrations.form_offers import Offer
from smtp_desk.app.integrations.sign_in import from_key_file
from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.problems import Field, Severity
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import OAUTH, AuthMethod, SettingsDraft
from smtp_desk.ui.integrations import find_words, words
from smtp_desk.ui.integrations.managed_note import ManagedNote
from smtp_desk.ui.integrations.oauth_fields import OAuthFields, make_oauth_fields, needs_secret
from smtp_desk.ui.integrations.offer_button import OfferButton
from smtp_desk.ui.integrations.password import PasswordField
from smtp_desk.ui.integrations.sender_card import SenderCard
from smtp_desk.ui.widgets.card import Card, column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.field import ChoiceField, FieldPair, FormField, TextField
from smtp_desk.ui.widgets.file_field import CERTIFICATES, FileField
from smtp_desk.ui.widgets.fold import Fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from smtp_desk.app.integrations.state import IntegrationsState
    from smtp_desk.core.problems import Problem

_ADVANCED: Final = (
    Field.SECURITY,
    Field.AUTH_METHOD,
    Field.CA_FILE,
    Field.EHLO_NAME,
    Field.PER_HOUR,
)
_UPPER: Final = (Field.HOST, Field.PORT, Field.OAUTH_PROVIDER, Field.USERNAME, Field.PASSWORD)
_ADVANCED_DETAIL: Final = "Security, company CA, EHLO name, sign-in method, pace"
_LEADING: Final = 1
"""Behind what is managed: where Sender information stands while it leads."""
_FOLLOWING: Final = 3
"""Behind Authentication: its usual place."""
_STACKED_BELOW: Final = 480

F = TypeVar("F", bound=FormField)


class SettingsForm(QWidget):
    """Server connection, Authentication, Sender information and Advanced.

    Signals:
        edited: The person changed a field.
        finished: The person left a field.
        offer_accepted: The person accepts this offer.
        key_file_chosen: The secret is in this file.
        sign_in_wanted: Sign in again for the saved settings.
    """

    edited = Signal(str, str)
    finished = Signal(str)
    offer_accepted = Signal(Offer)
    key_file_chosen = Signal(str)
    sign_in_wanted = Signal()

    def __init__(self, fields: Iterable[FormField] | None = None, *, finds: bool = True) -> None:
        """Create it.

        Args:
            fields: The result of `make_fields`, if it was called before.
            finds: Whether the server of the From email can be found.
        """
        super().__init__()
        self._host_offer = OfferButton(Offer.HOST_AND_PORT)
        self._host_offer.accepted.connect(self.offer_accepted)
        self.fields: Final = {Field(field.key): field for field in fields or make_fields()}
        self._texts: Final = _of_kind(self.fields, TextField)
        self._choices: Final = _of_kind(self.fields, ChoiceField)
        self.password: Final = _of_kind(self.fields, PasswordField)[Field.PASSWORD]
        self._credential: Final = self._choices.pop(Field.OAUTH_PROVIDER)
        self._credential.control.setObjectName("credential")
        self._oauth = OAuthFields(self._choices.pop(Field.OAUTH_FLOW), _taken(self._texts))
        self._oauth.key_file_chosen.connect(self.key_file_chosen)
        self._oauth.sign_in_wanted.connect(self.sign_in_wanted)
        self.sender_card: Final = SenderCard(
            self.fields[Field.FROM_NAME], self.fields[Field.FROM_EMAIL], finds=finds
        )
        self.sender_card.straight_wanted.connect(self._go_straight)
        self.sender_card.finder.rearranged.connect(self._order_tabs)
        self._managed = ManagedNote()
        self._managed.offer_accepted.connect(self.offer_accepted)
        self._advanced = Fold("&Advanced", _ADVANCED_DETAIL, "advanced")
        self._troubles: tuple[Problem, ...] = ()
        self.password.offer_accepted.connect(self.offer_accepted)
        self._texts[Field.HOST].below.addWidget(
            self._host_offer, alignment=Qt.AlignmentFlag.AlignLeading
        )
        self.last_stop: Final = self.fields[Field.PER_HOUR].tab_chain[-1]
        self._lay_out()
        for field in self.fields.values():
            field.edited.connect(self.edited)
            field.finished.connect(self.finished)
        for name in _ADVANCED:
            self.fields[name].edited.connect(self._open_advanced)

    def show_draft(self, draft: SettingsDraft) -> None:
        """Fill in the fields without reporting edits."""
        for name, text_field in self._texts.items():
            if text_field is not self.password:
                text_field.set_text(getattr(draft, name))
        if draft.auth_method == OAUTH:
            draft = replace(draft, auth_method=AuthMethod.AUTO)
        for name, choice in self._choices.items():
            choice.set_value(getattr(draft, name))
        self._credential.set_value(draft.oauth.provider)
        self._oauth.show_draft(draft.oauth)
        typed = Secret("") if from_key_file(draft) else draft.secret
        self.password.set_text(typed.reveal() if isinstance(typed, Secret) else "")
        default = SettingsDraft()
        if any(getattr(draft, name) != getattr(default, name) for name in _ADVANCED):
            self._advanced.open()

    def render_state(self, state: IntegrationsState) -> None:
        """Show problems and offers beside their fields."""
        if self.sender_card.lead(leads=state.leads):
            self._place_sender(first=self.sender_card.leads)
        self._managed.render_state(state)
        self.set_read_only(state.locked, loading=state.busy is Busy.LOADING)
        oauth = state.oauth
        stored, from_file = state.secret_stored, state.from_key_file
        self.password.speak_of(words.SECRETS[oauth.flow if oauth.provider else ""])
        self.password.show_state(stored=stored, offers=state.offers, from_file=from_file)
        self.password.setVisible(needs_secret(oauth))
        self._credential.show_hint(words.credential_hint(state))
        self._oauth.render_state(state)
        self._choices[Field.AUTH_METHOD].setVisible(not oauth.provider)
        host, port = state.host_and_port
        self._host_offer.setText(words.use_host(host, port))
        self._host_offer.setVisible(Offer.HOST_AND_PORT in state.offers)
        self.fields[Field.PER_HOUR].show_hint(words.per_hour_hint(state.provider))
        self.show_problems(state.problems)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show each problem beside its field; Advanced opens for a new one inside."""
        for name, field in self.fields.items():
            field.show_problems([problem for problem in problems if problem.field is name])
        inside = tuple(
            problem
            for problem in problems
            if problem.field in _ADVANCED and problem.severity is Severity.ERROR
        )
        if any(problem not in self._troubles for problem in inside):
            self._advanced.open()
        self._troubles = inside
        several = f"{len(inside)} problems" if len(inside) > 1 else "1 problem"
        self._advanced.show_trouble(several if inside else "")

    def set_read_only(self, locked: frozenset[Field], *, loading: bool) -> None:
        """Refuse edits of locked fields, and of all while the saved settings are being read."""
        for name, field in self.fields.items():
            managed = name in locked
            field.show_managed(find_words.MANAGED if managed else "")
            field.set_read_only(loading or managed)

    def focus(self, field: Field) -> FormField:
        """Move the focus to `field`, unfolding what hides it."""
        if field in _ADVANCED:
            self._advanced.open()
        found = self.fields[field]
        found.take_focus()
        return found

    @Slot()
    def _open_advanced(self) -> None:
        """What was typed for the person, or by a screen reader's command, can be seen."""
        self._advanced.open()

    def _lay_out(self) -> None:
        fields = self.fields
        layout = column(self, Space.L)
        server, sign_in, advanced = (
            Card("Server connection"),
            Card("Authentication"),
            self._advanced,
        )
        # Before they are filled: what is moved gets its style anew, with all that it holds.
        for card in (self._managed, server, sign_in, self.sender_card, advanced):
            layout.addWidget(card)
        server.body.addWidget(_pair(fields[Field.HOST], fields[Field.PORT], 3, 1))
        sign_in.body.addWidget(self._credential)
        sign_in.body.addWidget(_pair(fields[Field.USERNAME], self.password, 1, 1))
        sign_in.body.addWidget(self._oauth)
        advanced.body.addWidget(_pair(fields[Field.SECURITY], fields[Field.AUTH_METHOD], 1, 1))
        advanced.body.addWidget(fields[Field.CA_FILE])
        advanced.body.addWidget(_pair(fields[Field.EHLO_NAME], fields[Field.PER_HOUR], 1, 1))
        self._order_tabs()

    def _place_sender(self, *, first: bool) -> None:
        """Put Sender information first, or behind Authentication."""
        layout = self.layout()
        if isinstance(layout, QBoxLayout):
            layout.removeWidget(self.sender_card)
            layout.insertWidget(_LEADING if first else _FOLLOWING, self.sender_card)
        self._order_tabs()

    @Slot()
    def _go_straight(self) -> None:
        self.focus(Field.HOST)

    @Slot()
    def _order_tabs(self) -> None:
        """Let Tab go through the fields as they stand."""
        fields, advanced = self.fields, self._advanced
        upper = [stop for name in _UPPER for stop in fields[name].tab_chain]
        upper += self._oauth.tab_chain
        sender = self.sender_card.tab_chain
        both = (*sender, *upper) if self.sender_card.leads else (*upper, *sender)
        lower = [stop for name in _ADVANCED for stop in fields[name].tab_chain]
        chain = (self._managed.use, *both, advanced.header, *lower)
        for before, after in pairwise(chain):
            QWidget.setTabOrder(before, after)


def make_fields() -> Iterator[FormField]:
    """Create the fields of a form one at a time, since all at once would be noticeable."""
    yield TextField(Field.HOST, "SMTP ser&ver host", placeholder="smtp.example.com")
    yield TextField(Field.PORT, "&Port")
    yield TextField(Field.USERNAME, "&Username", hint="Often the full email address.")
    yield TextField(Field.FROM_NAME, "From &name", hint="Shown to recipients next to the address.")
    yield TextField(Field.FROM_EMAIL, "From &email", hint="The server must allow this address.")
    yield FileField(
        Field.CA_FILE,
        "&CA certificate file",
        CERTIFICATES,
        hint="Only for a server whose certificate comes from your company’s own CA.",
    )
    yield TextField(
        Field.EHLO_NAME,
        "EH&LO name",
        hint="How this machine introduces itself. Leave empty to use its network address.",
    )
    yield TextField(Field.PER_HOUR, "Emails per hour at most", hint=words.per_hour_hint(None))
    yield PasswordField("Pass&word")
    yield ChoiceField(
        Field.SECURITY,
        "Securit&y",
        words.SECURITY,
        hint="Automatic follows the port. Always encrypted.",
    )
    yield ChoiceField(Field.AUTH_METHOD, "S&ign-in method", words.AUTH_METHOD)
    yield ChoiceField(Field.OAUTH_PROVIDER, "Credential", words.CREDENTIALS)
    yield from make_oauth_fields()


def _taken(texts: dict[Field, TextField]) -> dict[Field, TextField]:
    """Take those of the sign-in by OAuth 2.0 out of the texts."""
    return {name: texts.pop(name) for name in OF_OAUTH if name in texts}


def _of_kind(fields: Mapping[Field, FormField], kind: type[F]) -> dict[Field, F]:
    return {name: field for name, field in fields.items() if isinstance(field, kind)}


def _pair(first: FormField, second: FormField, share: int, other: int) -> FieldPair:
    return FieldPair(_STACKED_BELOW, (first, share), (second, other))
