"""Django's own functions, and what they send."""

from __future__ import annotations

import base64
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING, Final

import django
import pytest
from django.conf import settings
from django.core import mail
from django.test.utils import override_settings

from smtp_desk.contrib.shared_sender import shared_sender
from smtp_desk.sender import (
    EmailError,
    EmailRefusedError,
    OutboxUnavailableError,
    Receipt,
    Sender,
    Status,
)
from smtp_desk.sender.mail.addressing import Identity, addressed
from smtp_desk.sender.outbox.entries import EntryState, OutboxMessage
from smtp_desk.sender.outbox.outbox import EVERYTHING
from tests.sender.ways import Way, failing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sender.test_sender import Office

BACKEND: Final = "smtp_desk.contrib.django.EmailBackend"
HAS_MAILERS: Final = django.VERSION >= (6, 1)


def using(backend: str = BACKEND, **options: object) -> override_settings:
    """Settings under which Django sends by a back end, by the convention of its version."""
    if HAS_MAILERS:
        return override_settings(MAILERS={"default": {"BACKEND": backend, "OPTIONS": options}})
    timeout = {"EMAIL_TIMEOUT": options["timeout"]} if options else {}
    return override_settings(EMAIL_BACKEND=backend, **timeout)


@pytest.fixture(autouse=True, scope="module")
def _site() -> None:
    if not settings.configured:
        admin = "it@example.org" if django.VERSION >= (6, 0) else ("IT", "it@example.org")
        settings.configure(ADMINS=[admin], USE_I18N=False)


@pytest.fixture(autouse=True)
def _used(office: Office) -> Iterator[None]:
    with using():
        yield


def stored(office: Office) -> list[OutboxMessage]:
    """Each message in the outbox, for the first of its recipients, the oldest first."""
    entries = reversed(office.outbox.page(EVERYTHING).entries)
    keys = {entry.message_key: entry.id for entry in entries}
    return [office.outbox.message(entry_id) for entry_id in keys.values()]


def read(message: OutboxMessage) -> EmailMessage:
    parsed = message_from_bytes(message.payload, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def recipients(office: Office) -> list[str]:
    return [each.recipient for each in reversed(office.outbox.page(EVERYTHING).entries)]


def message(to: tuple[str, ...] = ("ann@example.org",), **values: object) -> mail.EmailMessage:
    sender = "desk@example.org"
    return mail.EmailMessage("Your order", "It is on its way.", sender, list(to), **values)


def refuses_bo(recipient: str) -> str:
    return "recipient.unknown" if recipient == "bo@example.org" else ""


def test_a_mail_arrives_as_it_was_written(office: Office, custom: Way) -> None:
    text = "Grüße aus Zürich\n.\nFrom here\n" + "long " * 300
    assert mail.send_mail("Grüße – 你好", text, "desk@example.org", ["Änn <ann@example.org>"]) == 1
    (sent,) = stored(office)
    parsed = read(sent)
    assert (parsed["Subject"], parsed["From"]) == ("Grüße – 你好", "desk@example.org")
    assert parsed["To"].addresses[0].display_name == "Änn"
    assert parsed.get_content().splitlines() == text.splitlines()
    assert custom.given == [(sent.message_id, "ann@example.org")]
    assert parsed["Message-ID"] == sent.message_id


def test_html_attachments_and_fields_of_ones_own(office: Office) -> None:
    email = mail.EmailMultiAlternatives(
        "Invoice", "See below.", to=["ann@example.org"], headers={"List-Unsubscribe": "<https://x>"}
    )
    email.attach_alternative("<p>See <b>below</b>.</p>", "text/html")
    email.attach("Rechnung für Ö.pdf", b"%PDF\x00\r\n", "application/pdf")
    assert email.send() == 1
    parsed = read(stored(office)[0])
    html = parsed.get_body(("html",))
    assert html is not None
    assert "<b>below</b>" in html.get_content()
    (attached,) = parsed.iter_attachments()
    assert attached.get_filename() == "Rechnung für Ö.pdf"
    assert base64.b64decode(str(attached.get_payload())) == b"%PDF\x00\r\n"
    assert parsed["List-Unsubscribe"] == "<https://x>"


def test_blind_copies_are_sent_and_not_shown(office: Office) -> None:
    assert message(cc=["cy@example.org"], bcc=["bo@example.org"]).send() == 1
    assert recipients(office) == ["ann@example.org", "cy@example.org", "bo@example.org"]
    assert b"bo@example.org" not in stored(office)[0].payload


def test_whom_the_fields_name_is_not_who_gets_it(office: Office) -> None:
    shown = {"To": "everyone@example.org", "Cc": "press@example.org"}
    assert message(headers=shown).send() == 1
    assert recipients(office) == ["ann@example.org"]
    assert read(stored(office)[0])["To"] == "everyone@example.org"


def test_the_sender_of_a_new_site_gets_no_answers(office: Office) -> None:
    assert mail.send_mail("Hi", "All is well.", None, ["ann@example.org"]) == 1
    assert settings.DEFAULT_FROM_EMAIL == "webmaster@localhost"
    sent = addressed(stored(office)[0], ["ann@example.org"], Identity("desk@example.org", "Desk"))
    parsed = message_from_bytes(sent.content, policy=policy.default)
    assert (parsed["From"], parsed["Reply-To"]) == ("Desk <desk@example.org>", None)
    mail.mail_admins("Disk", "It is full.")
    assert recipients(office)[-1] == "it@example.org"


def test_a_receipt_stands_with_the_message(office: Office) -> None:
    email = message()
    assert email.send() == 1
    receipt: Receipt = email.smtp_desk_receipt
    assert [each.status for each in receipt.recipients] == [Status.ACCEPTED]


def test_a_message_without_recipients_is_left_out(office: Office) -> None:
    connection = mail.mailers.default if HAS_MAILERS else mail.get_connection()
    assert connection.send_messages([message(())]) == 0
    assert connection.send_messages([]) == connection.send_messages(None) == 0
    assert stored(office) == []


def test_many_at_once_go_side_by_side_and_keep_their_receipts(office: Office, custom: Way) -> None:
    emails = [message((f"u{number}@example.org",)) for number in range(7)]
    connection = mail.mailers.default if HAS_MAILERS else mail.get_connection()
    with connection:
        assert connection.send_messages(emails) == 7
    found = [each.smtp_desk_receipt.recipients[0].recipient for each in emails]
    assert found == [f"u{number}@example.org" for number in range(7)]
    assert len(custom.given) == 7


def test_what_no_server_takes_now_counts_as_sent(office: Office) -> None:
    office.ways(failing("connect.refused"))
    assert message().send() == 1
    (entry,) = office.outbox.page(EVERYTHING).entries
    assert entry.state is EntryState.READY


def silently(email: mail.EmailMessage) -> int:
    """Send it by a back end that must not raise."""
    from smtp_desk.contrib.django import EmailBackend  # noqa: PLC0415 - once Django is set up

    alias = "default" if HAS_MAILERS else None
    return EmailBackend(fail_silently=True, alias=alias).send_messages([email])


def test_a_refusal_is_raised_unless_others_got_it(office: Office) -> None:
    office.ways(Way(answer=refuses_bo))
    with pytest.raises(EmailRefusedError) as raised:
        message(("bo@example.org",)).send()
    assert raised.value.receipt.refused
    assert silently(message(("bo@example.org",))) == 0
    email = message(("bo@example.org", "ann@example.org"))
    assert email.send() == 1
    assert [each.status for each in email.smtp_desk_receipt.recipients] == [
        Status.REFUSED,
        Status.ACCEPTED,
    ]


def test_of_several_all_are_sent_before_a_refusal_is_raised(office: Office) -> None:
    office.ways(Way(answer=refuses_bo))
    emails = [message((each,)) for each in ("bo@example.org", "ann@example.org")]
    connection = mail.mailers.default if HAS_MAILERS else mail.get_connection()
    with pytest.raises(EmailRefusedError):
        connection.send_messages(emails)
    assert emails[1].smtp_desk_receipt.recipients[0].status is Status.ACCEPTED


def test_one_that_can_not_be_sent_keeps_the_others_back_unless_it_may_fail(
    office: Office,
) -> None:
    emails = [message(), message(("no address",))]
    connection = mail.mailers.default if HAS_MAILERS else mail.get_connection()
    with pytest.raises(EmailError, match="to"):
        connection.send_messages(emails)
    assert stored(office) == []
    assert silently(message(("no address",))) == 0
    with pytest.raises(ValueError, match=r"(?i)header"):
        message(headers={"X-Other": "a\nBcc: bo@example.org"}).send()
    assert stored(office) == []


def test_an_outbox_that_is_away_is_raised(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Sender:
        raise OutboxUnavailableError("the disk is full")

    monkeypatch.setattr(shared_sender, "get", fail)
    with pytest.raises(OutboxUnavailableError):
        message().send()
    assert silently(message()) == 0


def test_the_patience_is_a_setting(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    patience: list[float] = []
    monkeypatch.setattr(Sender, "send", lambda _self, _email, *, timeout: patience.append(timeout))
    for options in ({}, {"timeout": 7}):
        with using(BACKEND, **options), pytest.raises(AttributeError):
            message().send()
    assert patience == [30.0, 7]


def test_the_other_back_end_only_stores(office: Office, custom: Way) -> None:
    with using("smtp_desk.contrib.django.QueueEmailBackend"):
        assert message().send() == 1
        mail.send_mass_mail([("Hi", "You.", None, ["bo@example.org"])] * 2)
    assert custom.given == []
    assert {entry.state for entry in office.outbox.page(EVERYTHING).entries} == {EntryState.READY}
    assert office.sender.drain() == 3


@pytest.mark.skipif(not HAS_MAILERS, reason="MAILERS came with Django 6.1")
def test_an_option_that_there_is_not_is_said(office: Office) -> None:
    with using(BACKEND, time_out=7), pytest.raises(mail.InvalidMailer, match="time_out"):
        message().send()
