"""The fields of a sign-in by OAuth 2.0: only those that its provider and flow have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import QTextBrowser, QWidget

from smtp_desk.app.integrations.form import OF_OAUTH
from smtp_desk.app.integrations.sign_in import guide_for
from smtp_desk.app.routes.words import SIGN_IN_AGAIN
from smtp_desk.core.oauth import FLOWS, OAuthFlow, OAuthProvider, takes_client_secret
from smtp_desk.core.problems import Field
from smtp_desk.core.translation import _
from smtp_desk.ui.integrations import words
from smtp_desk.ui.widgets.buttons import button
from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.field import ChoiceField, FormField, TextField
from smtp_desk.ui.widgets.file_dialog import ask_what_to_open
from smtp_desk.ui.widgets.file_field import CERTIFICATES, FileField
from smtp_desk.ui.widgets.flow import flow
from smtp_desk.ui.widgets.fold import Fold
from smtp_desk.ui.widgets.label import enable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from smtp_desk.app.integrations.state import IntegrationsState
    from smtp_desk.core.oauth import OAuthDraft

_KEY_FILES: Final = "Key files (*.json *.pem);;All files (*)"
_CUSTOM_ONLY: Final = (Field.OAUTH_TOKEN_URL, Field.OAUTH_SCOPE, Field.OAUTH_CA_FILE)


class OAuthFields(QWidget):
    """How a token is obtained: the flow, the application, its service; and a guide to register it.

    Signals:
        key_file_chosen: The secret is in this file.
        sign_in_wanted: Sign in again for what is saved.
    """

    key_file_chosen = Signal(str)
    sign_in_wanted = Signal()

    def __init__(self, flow_field: ChoiceField, texts: Mapping[Field, TextField]) -> None:
        """Create it with the fields of `make_oauth_fields`."""
        super().__init__()
        self._flow: Final = flow_field
        self._texts: Final = texts
        self._key_file = button("Choose key file…", "choose_key_file")
        self._key_file.clicked.connect(self._choose)
        self._sign_in = button(_(SIGN_IN_AGAIN), "sign_in")
        self._sign_in.clicked.connect(self.sign_in_wanted)
        self._guide = Fold(words.GUIDE, "", "guide")
        self._guide.header.clicked.connect(self._show_guide)
        self._text: QTextBrowser | None = None
        self._provider = ""
        # It stands next to the secret.
        expires = texts[Field.CLIENT_SECRET_EXPIRES]
        others = (field for field in texts.values() if field is not expires)
        self._fields: Final = (expires, flow_field, *others)
        layout = column(self, Space.L)
        for field in self._fields:
            layout.addWidget(field)
        self._actions = flow(self._key_file, self._sign_in)
        layout.addWidget(self._actions)
        layout.addWidget(self._guide)

    @property
    def tab_chain(self) -> tuple[QWidget, ...]:
        """What Tab visits, in order."""
        stops = (stop for field in self._fields for stop in field.tab_chain)
        return (*stops, self._key_file, self._sign_in, self._guide.header)

    def show_draft(self, draft: OAuthDraft) -> None:
        """Fill in the fields without reporting edits."""
        for name, field in self._texts.items():
            field.set_text(getattr(draft, OF_OAUTH[name]))
        self._offer_flows(draft.provider)
        self._flow.set_value(draft.flow or OAuthFlow.BROWSER)

    def render_state(self, state: IntegrationsState) -> None:
        """Show what this provider and this flow need; nothing for a password."""
        oauth, busy = state.oauth, words.BUSY[state.busy]
        self.setVisible(bool(oauth.provider))
        if not oauth.provider:
            return
        self._offer_flows(oauth.provider)
        for name, field in self._texts.items():
            field.setVisible(_is_needed(name, state))
        self._flow.show_hint(words.FLOW_HINTS.get(oauth.flow, ""))
        by_key = oauth.flow in (OAuthFlow.APP, OAuthFlow.SERVICE_ACCOUNT)
        self._key_file.setVisible(by_key)
        self._sign_in.setVisible(state.may_sign_in)
        self._actions.setVisible(by_key or state.may_sign_in)
        enable(self._sign_in, busy)
        enable(self._key_file, busy)

    def _offer_flows(self, provider: str) -> None:
        if provider == self._provider or provider not in set(OAuthProvider):
            return
        self._provider = provider
        flows = FLOWS[OAuthProvider(provider)]
        self._flow.show_choices({flow: words.FLOWS[flow] for flow in flows})
        self._guide.open(opened=False)

    @Slot()
    def _show_guide(self) -> None:
        if not self._guide.opened:
            return
        if self._text is None:
            self._text = _reader(self)
            self._guide.body.addWidget(self._text)
            self._text.show()
        self._text.setMarkdown(guide_for(self._provider))
        _fit_headings(self._text)

    @Slot()
    def _choose(self) -> None:
        ask_what_to_open(self, "Key file", _KEY_FILES, self._chosen, "key_file_dialog")

    @Slot(str)
    def _chosen(self, path: str) -> None:
        self.key_file_chosen.emit(path)


def needs_secret(oauth: OAuthDraft) -> bool:
    """Whether the credential needs a secret to be entered: a password, or the application's."""
    by_key_file = oauth.flow == OAuthFlow.SERVICE_ACCOUNT
    return not oauth.provider or by_key_file or takes_client_secret(oauth.provider, oauth.flow)


def _is_needed(name: Field, state: IntegrationsState) -> bool:
    oauth = state.oauth
    custom = oauth.provider == OAuthProvider.CUSTOM
    if name is Field.CLIENT_SECRET_EXPIRES:
        # A certificate says it itself.
        return takes_client_secret(oauth.provider, oauth.flow) and not state.from_key_file
    if name is Field.CLIENT_ID:
        return oauth.flow != OAuthFlow.SERVICE_ACCOUNT
    if name is Field.TENANT:
        return oauth.provider == OAuthProvider.MICROSOFT
    if name is Field.OAUTH_AUTHORIZE_URL:
        return custom and oauth.flow == OAuthFlow.BROWSER
    if name is Field.OAUTH_DEVICE_URL:
        return custom and oauth.flow == OAuthFlow.DEVICE
    return custom and name in _CUSTOM_ONLY


def make_oauth_fields() -> Iterator[FormField]:
    """Create the fields one at a time, since all at once would be noticeable."""
    yield ChoiceField(Field.OAUTH_FLOW, "How the sign-in works", words.FLOWS)
    yield TextField(Field.CLIENT_ID, "Client ID", hint="Of the application you registered.")
    yield TextField(Field.TENANT, "Tenant", hint="Your organization’s tenant ID or domain.")
    yield TextField(Field.OAUTH_AUTHORIZE_URL, "Authorization address")
    yield TextField(Field.OAUTH_TOKEN_URL, "Token address")
    yield TextField(Field.OAUTH_DEVICE_URL, "Device authorization address")
    yield TextField(
        Field.OAUTH_SCOPE,
        "Scope",
        hint="What the token allows. Separate several scopes with spaces.",
    )
    yield FileField(
        Field.OAUTH_CA_FILE,
        "CA certificate file of the sign-in",
        CERTIFICATES,
        hint="Only for a sign-in service whose certificate comes from your company’s own CA.",
        browse="Browse…",
    )
    yield TextField(
        Field.CLIENT_SECRET_EXPIRES,
        "Client secret expires",
        placeholder="YYYY-MM-DD",
        hint="Optional. The provider shows this day when you create the secret. You’ll be warned "
        "30 days before.",
    )


def _fit_headings(reader: QTextBrowser) -> None:
    """Let headings be bold and no larger than those of the page: the guide is a part of it."""
    shape = QTextCharFormat()
    shape.setProperty(QTextFormat.Property.FontSizeAdjustment, 0)
    block = reader.document().begin()
    while block.isValid():
        if block.blockFormat().headingLevel():
            cursor = QTextCursor(block)
            cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
            cursor.mergeCharFormat(shape)
        block = block.next()


def _reader(parent: QWidget) -> QTextBrowser:
    text = QTextBrowser(parent)
    text.setObjectName("guide_text")
    text.setAccessibleName(words.GUIDE)
    text.setOpenExternalLinks(True)
    return text
