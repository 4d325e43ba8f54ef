"""One mail: as its recipient sees it, as text, its headers, and as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QUrl
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QPlainTextEdit, QTabWidget, QTextBrowser, QWidget

from smtp_desk.core.reply import decode_text
from smtp_desk.sandbox.mail_view import VIEW_LIMIT
from smtp_desk.ui.sandbox.mail_list import author_of, subject_of, time_of
from smtp_desk.ui.widgets.card import column
from smtp_desk.ui.widgets.colours import LIGHT, Space
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from smtp_desk.sandbox.inbox import ReceivedMail

# Mails are written for white paper: their own colours would vanish on a dark ground.
_PAPER: Final = f"background: {LIGHT.surface}; color: {LIGHT.text};"
_TITLE_LENGTH: Final = 120
"""Characters of a subject in the title; all of it stands in the headers."""


class _SealedDocument(QTextDocument):
    """Shows only what is in the mail itself: Qt's own would read any file of this machine."""

    def loadResource(self, kind: int, url: QUrl | str) -> Any:  # noqa: ANN401 - Qt's QVariant
        """Give images that are part of the HTML, and nothing else."""
        return super().loadResource(kind, url) if QUrl(url).scheme() == "data" else None


class MailBrowser(QTextBrowser):
    """Shows a mail's sanitised HTML; it loads nothing and leads nowhere."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setStyleSheet(_PAPER)
        self.setDocument(_SealedDocument(self))
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setTabChangesFocus(True)

    def loadResource(self, kind: int, url: QUrl | str) -> Any:  # noqa: ANN401 - Qt's QVariant
        """Load nothing, from wherever."""
        del kind, url


class MailReader(QWidget):
    """The chosen mail."""

    def __init__(self) -> None:
        super().__init__()
        self._subject = Label(rank="heading")
        self._subject.setObjectName("mail_subject")
        self._envelope = Label(rank="muted")
        self._envelope.setObjectName("mail_envelope")
        self._message = MailBrowser("mail_message")
        self._text = _plain("mail_text", "This email has no plain-text part.")
        self._headers = _plain("mail_headers", "This email has no headers.")
        self._raw = _plain("mail_raw", "This email is empty.")
        self._tabs = QTabWidget()
        self._tabs.setObjectName("mail_tabs")
        self._tabs.setAccessibleName("Views of the email")
        self._tabs.setUsesScrollButtons(True)
        for title, view in (
            ("&Message", self._message),
            ("Te&xt", self._text),
            ("H&eaders", self._headers),
            ("&Raw", self._raw),
        ):
            view.setAccessibleName(title.replace("&", ""))
            self._tabs.addTab(view, title)
        head = column(space=Space.XS)
        head.addWidget(self._subject)
        head.addWidget(self._envelope)
        layout = column(self, Space.M)
        layout.addLayout(head)
        layout.addWidget(self._tabs, 1)

    def show_mail(self, mail: ReceivedMail) -> None:
        """Show `mail`; the tab stays the one that was chosen."""
        lines = [
            f"From {author_of(mail)}",
            f"To {', '.join(mail.recipients)}",
            f"Received {time_of(mail)}",
        ]
        if mail.attachments:
            lines.append(f"Attachments: {', '.join(mail.attachments)}")
        self._subject.show_text(_title(subject_of(mail)))
        self._envelope.show_text("\n".join(lines))
        if mail.html:
            self._message.setHtml(mail.html)
        else:
            self._message.setPlainText(mail.text)
        self._text.setPlainText(mail.text)
        self._headers.setPlainText("\n".join(f"{name}: {value}" for name, value in mail.headers))
        self._raw.setPlainText(raw_text(mail.raw))


def raw_text(raw: bytes) -> str:
    """Return the mail as it came, line by line, control and bidi characters visible."""
    lines = [
        "\t".join(decode_text(part) for part in line.removesuffix(b"\r").split(b"\t"))
        for line in raw[:VIEW_LIMIT].split(b"\n")
    ]
    if len(raw) > VIEW_LIMIT:
        lines.append(f"[{len(raw) - VIEW_LIMIT} more bytes are not shown]")
    return "\n".join(lines)


def _title(subject: str) -> str:
    return subject if len(subject) <= _TITLE_LENGTH else f"{subject[: _TITLE_LENGTH - 1]}…"


def _plain(name: str, placeholder: str) -> QPlainTextEdit:
    view = QPlainTextEdit()
    view.setObjectName(name)
    view.setReadOnly(True)
    view.setTabChangesFocus(True)
    view.setPlaceholderText(placeholder)
    view.setProperty("face", "fixed")
    return view
