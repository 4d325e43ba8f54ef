"""Erasing a recipient: nothing of the address stays in any file, and nothing else goes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.delivery.erasing import Erasure, erase, find_stored
from smtp_desk.app.delivery.overview_words import erased, found_text
from smtp_desk.app.delivery.words import DeliveryStatus
from smtp_desk.app.logs import LOG_FILE, blot_out, log_files
from smtp_desk.app.services import Services
from smtp_desk.sender.mail.kinds import Notification
from smtp_desk.sender.mail.message import outbox_message
from smtp_desk.sender.mail.templates import Rendered
from smtp_desk.sender.outbox.entries import (
    NOTICES,
    Accept,
    Attempt,
    EntryState,
    MarkInDoubt,
    OutboxMessage,
    Refuse,
)
from smtp_desk.store.stored import Preferences
from tests.sender.outboxes import message

if TYPE_CHECKING:
    from pathlib import Path

ANN = "ann.unique@example.org"
LEASE = timedelta(minutes=2)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    made = Services.sandbox(tmp_path)
    made.paths.logs.mkdir(parents=True)
    return made


def store(services: Services, *recipients: str, body: str = "Hi") -> None:
    services.outbox.add([message(*recipients, payload=body.encode())])


def accept(services: Services) -> None:
    (claim,) = services.outbox.claim("test", 1, LEASE)
    services.outbox.apply([MarkInDoubt(claim, "custom")])
    services.outbox.apply([Accept(claim, (Attempt(services.now(), "custom", "", "250 ok"),))])


def refuse(services: Services) -> None:
    (claim,) = services.outbox.claim("test", 1, LEASE)
    said = Attempt(services.now(), "custom", "recipient.unknown", f"550 <{ANN}> unknown")
    services.outbox.apply([Refuse(claim, (said,))])


def notice(services: Services, text: str) -> OutboxMessage:
    rendered = Rendered("Stored emails were refused", text, "")
    email = Notification(to="admin@example.org", title="x", body=text)
    made = outbox_message(email, rendered, message_id="<n@example.org>", now=services.now())
    return OutboxMessage(
        message_id=made.message_id,
        kind=made.kind,
        payload=made.payload,
        recipients=made.recipients,
        subject=made.subject,
        submitter=NOTICES,
    )


def octets_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_no_octet_of_the_address_stays_in_any_file(services: Services, tmp_path: Path) -> None:
    for number in range(60):
        store(services, ANN, body=f"Dear {ANN}, {number} " + "x" * 4000)
        accept(services)
        store(services, "bo@example.org", body="Dear Bo " + "y" * 4000)
        accept(services)
    store(services, ANN)
    refuse(services)
    services.health.record_refusal("custom", "recipient.refused", ANN, "<1@example.org>")
    services.outbox.add([notice(services, f"{ANN.upper()}: Hello (the server said: no)\n")])
    log = services.paths.logs / LOG_FILE
    log.write_text(f"2026 INFO {ANN.upper()} refused <{ANN}>\n2026 INFO jo{ANN} stays\n")
    assert ANN.encode() in octets_below(tmp_path)
    done = erase(services, "Ann.Unique@EXAMPLE.org")
    assert done.emails == {DeliveryStatus.SENT: 60, DeliveryStatus.REFUSED: 1}
    assert (done.notices, done.in_flight, done.shared, done.log_lines) == (1, 0, 0, 2)
    left = octets_below(tmp_path).lower().replace(b"jo" + ANN.encode(), b"")
    assert ANN.encode() not in left
    assert services.outbox.counts().of(EntryState.ACCEPTED) == 60
    assert b"dear bo" in left
    assert log.read_text().endswith(f"jo{ANN} stays\n")


def test_looking_changes_nothing(services: Services) -> None:
    store(services, ANN)
    accept(services)
    store(services, ANN, "bo@example.org")
    services.outbox.add([notice(services, f"{ANN}: Hello")])
    found = find_stored(services, ANN)
    assert found.emails == {DeliveryStatus.SENT: 1, DeliveryStatus.WAITING: 1}
    assert found.notices == 1
    assert services.outbox.counts().total == 4
    assert found_text(found) == (
        f"2 emails to {ANN} (1 waiting, 1 sent) stored. Of these, 1 email will never be sent. "
        "Notices to you that mention the address will be erased too: 1."
    )


def test_a_notice_that_names_another_stays(services: Services) -> None:
    services.outbox.add([notice(services, f"jo{ANN}: Hello. {ANN}.au: Hello")])
    assert find_stored(services, ANN).notices == 0
    assert erase(services, ANN).notices == 0
    assert services.outbox.counts().total == 1


def test_what_is_being_sent_stays_and_is_told(services: Services) -> None:
    store(services, ANN)
    (claim,) = services.outbox.claim("test", 1, LEASE)
    done = erase(services, ANN)
    assert (done.total, done.in_flight) == (0, 1)
    assert erased(done).error
    assert services.outbox.get(claim.entry.id).state is EntryState.SENDING


def test_what_others_got_too_is_told(services: Services) -> None:
    store(services, ANN, "bo@example.org")
    assert "other recipients" in erased(erase(services, ANN)).text
    assert [each.recipient for each in services.outbox.page().entries] == ["bo@example.org"]


def test_the_address_that_is_notified_is_told_and_stays(services: Services) -> None:
    services.store.save_preferences(Preferences(notify=ANN))
    assert "Notify this address" in found_text(find_stored(services, ANN.upper()))
    assert "Notify this address" in erased(erase(services, ANN)).text
    assert services.store.load().preferences.notify == ANN


def test_both_spellings_of_a_domain_go_from_the_log(services: Services) -> None:
    store(services, "ann@münchen.example")
    log = services.paths.logs / LOG_FILE
    log.write_text("to ann@xn--mnchen-3ya.example\nto ann@münchen.example\n", "utf-8")
    (services.paths.logs / f"{LOG_FILE}.2").write_text("old ann@münchen.example", "utf-8")
    size = log.stat().st_size
    done = erase(services, "ann@xn--mnchen-3ya.example")
    assert (done.total, done.log_lines) == (1, 3)
    assert "nchen" not in log.read_text("utf-8")
    assert log.stat().st_size == size


def test_no_address_is_found_in_no_log(tmp_path: Path) -> None:
    (tmp_path / LOG_FILE).write_text("text")
    assert blot_out(log_files(tmp_path), ()) == 0
    assert blot_out(log_files(tmp_path / "missing"), (ANN,)) == 0
    assert (tmp_path / LOG_FILE).read_text() == "text"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_numbers_are_written_as_english_does(count: int) -> None:
    words = erased(Erasure(address=ANN, emails={DeliveryStatus.SENT: count}, notices=count)).text
    assert {0: "no emails to", 1: "1 email to", 2: "2 emails to"}[count] in words


def test_a_hostile_address_is_shown_as_it_is() -> None:
    assert "\\u202e" in erased(Erasure(address="a\u202eb@example.org")).text
