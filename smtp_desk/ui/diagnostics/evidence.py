"""The cards with the evidence: certificates, other ports, transcript, settings."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from smtp_desk.app.diagnostics.report_text import certificates, shown, transcript_lines
from smtp_desk.app.integrations.ca_offer import DIGITS
from smtp_desk.core.findings.finding import TRUST_CA
from smtp_desk.ui.diagnostics import words
from smtp_desk.ui.diagnostics.fact_table import FactTable, facts_in_words
from smtp_desk.ui.integrations.words import cut
from smtp_desk.ui.widgets.card import Card, column, row
from smtp_desk.ui.widgets.colours import Space
from smtp_desk.ui.widgets.fold import Fold
from smtp_desk.ui.widgets.icons import IconLabel
from smtp_desk.ui.widgets.label import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtp_desk.core.report import CheckReport
    from smtp_desk.core.stages import Facts, Json

_MOST_CERTIFICATES: Final = 8
_MOST_PORTS: Final = 12
_MOST_LINES: Final = 2000
_LONGEST_LINE: Final = 1000
_TRANSCRIPT_HEIGHT: Final = 16
_ICON: Final = 18
_FINGERPRINT: Final = "SHA-256 fingerprint"
_GROUP: Final = 4


def evidence(report: CheckReport) -> Iterator[QWidget]:
    """Build the cards that have something to show."""
    ports = [port for result in report.stages for port in _ports(result.facts)]
    if ports:
        yield _ports_card(ports[:_MOST_PORTS])
    chain = [each for result in report.stages for each in certificates(result.facts)]
    if chain:
        yield _certificates_card(chain[:_MOST_CERTIFICATES], offered=_offers_ca(report))
    if report.transcript:
        yield _transcript_card(report)
    yield _setting_card(report)


def _ports(facts: Facts) -> list[dict[str, Json]]:
    ports = facts.get("other_ports")
    return [each for each in ports if isinstance(each, dict)] if isinstance(ports, list) else []


def _ports_card(ports: list[dict[str, Json]]) -> QWidget:
    card = Card(
        "Other ports of this server",
        (
            "A server can be reached on several ports. We also tried the other usual ones for "
            "sending email, without signing in."
        ),
    )
    card.setObjectName("other_ports")
    layout = column(space=Space.S)
    for port in ports:
        answer = shown(port.get("answer", ""))
        meaning, icon, tone = words.PORTS.get(answer, words.PORTS["other"])
        mark = IconLabel(size=_ICON)
        mark.show_icon(icon, tone)
        line = row()
        line.addWidget(mark, alignment=Qt.AlignmentFlag.AlignTop)
        text = f"Port {cut(shown(port.get('port', '')), 20)}: {meaning}"
        line.addWidget(Label(text, "strong" if tone == "success" else ""), 1)
        layout.addLayout(line)
    card.body.addLayout(layout)
    return card


def _offers_ca(report: CheckReport) -> bool:
    """Return whether the person may be asked to trust an issuer."""
    remedies = report.finding.remedies if report.finding is not None else ()
    return any(remedy.id == TRUST_CA for remedy in remedies)


def _certificates_card(chain: list[dict[str, Json]], *, offered: bool) -> QWidget:
    card = Card(
        "Certificates",
        (
            "The server proves its identity with these. Each one is signed by the next. SMTP "
            "Desk trusts the chain if it ends at an issuer that this computer or the CA "
            "certificate file trusts."
        ),
    )
    card.setObjectName("certificates")
    for number, certificate in enumerate(chain):
        part = column(space=Space.S)
        title = "The server’s own certificate" if number == 0 else f"Issuer {number}"
        part.addWidget(Label(title, "strong"))
        # Whoever is to trust a CA must get the end of its fingerprint from somebody else.
        hidden = DIGITS if offered and (number or len(chain) == 1) else 0
        rows = list(_certificate_rows(certificate, hidden))
        part.addWidget(FactTable(rows, fixed_width=frozenset({_FINGERPRINT})))
        card.body.addLayout(part)
    return card


def _certificate_rows(certificate: dict[str, Json], hidden: int) -> Iterator[tuple[str, str]]:
    for title, name in (
        ("Issued to", "subject"),
        ("Valid for the hosts", "names"),
        ("Issued by", "issuer"),
    ):
        if certificate.get(name):
            yield title, words.value(name, certificate[name])
    for title, name in (("Valid from", "not_before"), ("Valid until", "not_after")):
        if certificate.get(name):
            yield title, words.value("time", certificate[name])
    if certificate.get("key"):
        yield "Key", words.value("key", certificate["key"])
    if certificate.get("fingerprint"):
        digits = cut(shown(certificate["fingerprint"]), 128)
        digits = digits[: len(digits) - hidden] + "•" * hidden
        groups = (digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))
        yield _FINGERPRINT, " ".join(groups)


def _transcript_card(report: CheckReport) -> QWidget:
    card = Fold(
        "&Transcript",
        "Exactly what SMTP Desk (>) and the server (<) said. Passwords are hidden.",
        "transcript_fold",
    )
    shown_lines = [
        cut(line, _LONGEST_LINE) for line in islice(transcript_lines(report), _MOST_LINES)
    ]
    if len(report.transcript) > _MOST_LINES:
        shown_lines.append(
            f"… Lines not shown: {len(report.transcript) - _MOST_LINES}. They are in the file."
        )
    text = QPlainTextEdit("\n".join(shown_lines))
    text.setObjectName("transcript")
    text.setAccessibleName("Transcript")
    text.setReadOnly(True)
    text.setTabChangesFocus(True)
    text.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    text.setProperty("face", "fixed")
    text.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    lines = min(len(shown_lines) + 1, _TRANSCRIPT_HEIGHT)
    text.setMinimumHeight(lines * text.fontMetrics().lineSpacing() + 2 * Space.M)
    card.body.addWidget(text)
    return card


def _setting_card(report: CheckReport) -> QWidget:
    card = Fold(
        "Settings and en&vironment",
        "What was tested (without the password), and on which system.",
        "environment_fold",
    )
    for title, facts in (("Settings", report.settings), ("Environment", report.environment)):
        part = column(space=Space.S)
        part.addWidget(Label(title, "strong"))
        part.addWidget(FactTable(facts_in_words(facts)))
        card.body.addLayout(part)
    return card
