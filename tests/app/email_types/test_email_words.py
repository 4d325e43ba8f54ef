"""What is said of who an email comes from, and of what came of it."""

from smtp_desk.app.delivery.words import receipt_notice
from smtp_desk.app.email_types.words import answers_to, sender_of
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.receipts import Receipt, RecipientReceipt
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.stored import (
    DefaultKind,
    DefaultService,
    Preferences,
    StoredServer,
    StoredSettings,
)
from tests.sender.ways import finding
from tests.table import each_row

SERVER = StoredServer(
    settings=ServerSettings(
        host="smtp.example.org", port=587, from_email="desk@example.org", from_name="Desk"
    ),
    mode=Security.STARTTLS,
    key="",
    proof=None,
)
RELAY = StoredServer(
    settings=ServerSettings(host="relay.example.test", port=25, from_email="relay@example.test"),
    mode=Security.STARTTLS,
    key="",
    proof=None,
)
SENDMAIL = DefaultService(
    kind=DefaultKind.SENDMAIL, sendmail_path="/usr/sbin/sendmail", from_email="mta@example.test"
)
COMPANY = Preferences(company_name="Company")


@each_row(
    ("stored", "sender", "answers"),
    [
        (StoredSettings(), "Nobody yet. Emails wait", ""),
        (StoredSettings(server=SERVER, enabled=True), "Desk <desk@example.org>", ""),
        (StoredSettings(server=SERVER, enabled=False), "Nobody yet. Emails wait", ""),
        (
            StoredSettings(server=SERVER, enabled=False, default=SENDMAIL),
            "Desk <mta@example.test>",
            "",
        ),
        (StoredSettings(preferences=COMPANY, default=SENDMAIL), "Company <mta@example.test>", ""),
        (
            StoredSettings(
                server=SERVER,
                enabled=True,
                default=DefaultService(kind=DefaultKind.SMTP, server=RELAY),
            ),
            "Desk <desk@example.org>",
            (
                "While your own server isn’t available: Desk <relay@example.test>, with replies to "
                "desk@example.org"
            ),
        ),
        (
            StoredSettings(default=DefaultService(kind=DefaultKind.SMTP, server=RELAY)),
            "relay@example.test",
            "",
        ),
        (
            StoredSettings(
                server=SERVER,
                enabled=True,
                default=DefaultService(
                    kind=DefaultKind.SENDMAIL, sendmail_path="/x", from_email="desk@example.org"
                ),
            ),
            "Desk <desk@example.org>",
            "",
        ),
    ],
)
def test_from_is_that_of_the_route_in_use(
    stored: StoredSettings, sender: str, answers: str
) -> None:
    assert sender_of(stored).startswith(sender)
    assert answers_to(stored) == answers


REFUSED = finding("recipient.unknown")
DOWN = finding("connect.refused")


@each_row(
    ("receipt", "fallback", "text", "error"),
    [
        (
            RecipientReceipt("ann@example.org", Status.ACCEPTED, "custom"),
            None,
            "Accepted for ann@example.org by: Custom SMTP server.",
            False,
        ),
        (
            RecipientReceipt("ann@example.org", Status.ACCEPTED, "default", DOWN),
            DOWN,
            (
                "Accepted for ann@example.org by: Default email service. "
                f"Your own server didn’t send it: {DOWN.summary}"
            ),
            False,
        ),
        (
            RecipientReceipt("ann@example.org", Status.REFUSED, "custom", REFUSED),
            None,
            f"Refused. {REFUSED.summary}",
            True,
        ),
        (
            RecipientReceipt("ann@example.org", Status.QUEUED, "", DOWN),
            DOWN,
            f"The email waits in the outbox, because no server is available. {DOWN.summary}",
            True,
        ),
        (
            RecipientReceipt("ann@example.org", Status.QUEUED),
            None,
            "The email waits in the outbox, because no server is available.",
            False,
        ),
        (
            RecipientReceipt("ann@example.org", Status.UNCERTAIN, "custom"),
            None,
            "The server didn’t say whether it accepted the email.",
            True,
        ),
    ],
)
def test_every_fate_has_words(
    receipt: RecipientReceipt, fallback: object, text: str, error: bool
) -> None:
    whole = Receipt("<1@example.org>", (receipt,), DOWN if fallback else None)
    notice = receipt_notice(whole)
    assert notice.text.startswith(text)
    assert notice.error is error
