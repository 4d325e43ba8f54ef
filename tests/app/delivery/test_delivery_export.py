"""Emails of the outbox as files, and what is wrong with an outbox, in words."""

from __future__ import annotations

import contextlib
import email
import sqlite3
from email import policy
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.delivery.export import (
    AmbiguousEntryError,
    eml,
    entry_by_prefix,
    export,
    file_name,
)
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.entries import OutboxMessage
from smtp_desk.sender.outbox.outbox import EntryNotFoundError
from tests.app.delivery_page import Page
from tests.sender import mails

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SERVER = ServerSettings(
    host="smtp.example.org", port=587, from_name="Example Ltd", from_email="desk@example.org"
)


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page(tmp_path)


def stored(page: Page) -> str:
    return page.outbox.add([mails.mail(1, to="ann@example.org")])[0].id


def test_as_it_would_leave_by_the_custom_server(page: Page) -> None:
    page.services.store.save_server(SERVER, Security.STARTTLS, Secret(""))
    parsed = email.message_from_bytes(eml(page.services, stored(page)), policy=policy.default)
    assert parsed["From"] == "Example Ltd <desk@example.org>"
    assert parsed["To"] == "ann@example.org"
    assert parsed["Subject"] == "Bo invites you to Example Partners"


def test_without_a_custom_server_it_is_what_is_stored_and_to_whom(page: Page) -> None:
    octets = eml(page.services, stored(page))
    assert octets.startswith(b"To: ann@example.org\r\nSubject: Bo invites")
    assert b"From:" not in octets


def test_a_message_of_another_program_is_left_as_it_is(page: Page) -> None:
    octets = b"From: cron@web.example.org\r\nTo: ann@example.org\r\n\r\nreport\r\n"
    message = OutboxMessage(
        message_id="<1@web.example.org>",
        kind="foreign",
        payload=octets,
        recipients=("ann@example.org",),
    )
    assert eml(page.services, page.outbox.add([message])[0].id) == octets


def test_a_settings_file_that_can_not_be_read_keeps_no_email_back(page: Page) -> None:
    file = page.services.paths.settings_file
    file.parent.mkdir(parents=True)
    file.write_text("[[[")
    assert eml(page.services, stored(page)).startswith(b"To: ann@example.org\r\n")


def test_the_file_is_for_its_owner_only_and_nothing_is_overwritten(
    page: Page, tmp_path: Path
) -> None:
    entry_id, file = stored(page), tmp_path / "email.eml"
    export(page.services, entry_id, file)
    assert file.stat().st_mode & 0o777 == 0o600
    whole = file.read_bytes()
    file.write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        export(page.services, entry_id, file)
    assert file.read_bytes() == b"precious"
    export(page.services, entry_id, file, replace=True)
    assert file.read_bytes() == whole


def test_a_file_that_can_not_be_written_says_why(page: Page, tmp_path: Path) -> None:
    page.look()
    page.choose(stored(page))
    page.presenter.export(tmp_path / "missing" / "email.eml")
    page.runner.finish()
    assert page.state.notice is not None
    assert page.state.notice.text == "email.eml can’t be written: No such file or directory."


def test_the_page_exports_and_says_so(page: Page, tmp_path: Path) -> None:
    page.look()
    page.choose(stored(page))
    page.presenter.export(tmp_path / "email.eml")
    page.runner.finish()
    assert page.state.notice is not None
    assert (page.state.notice.text, page.state.notice.error) == ("Exported as email.eml.", False)
    assert (tmp_path / "email.eml").read_bytes().startswith(b"To: ann@example.org")


def test_the_proposed_name_has_nothing_of_a_stranger() -> None:
    assert file_name("01kjm") == "email-01kjm.eml"
    assert file_name("../../x y") == "email-xy.eml"


def test_an_entry_by_its_identifier_or_its_beginning(page: Page) -> None:
    page.clock.turn(days=300)
    later = stored(page)
    page.clock.turn(days=-300)
    entry_id = stored(page)
    assert entry_by_prefix(page.outbox, entry_id).id == entry_id
    assert entry_by_prefix(page.outbox, later[:6].upper()).id == later
    with pytest.raises(EntryNotFoundError, match="at least 6 characters"):
        entry_by_prefix(page.outbox, entry_id[:5])
    with pytest.raises(EntryNotFoundError, match="There is no email zzzzzz"):
        entry_by_prefix(page.outbox, "zzzzzz")
    stored(page)
    with pytest.raises(AmbiguousEntryError, match="give more of its ID"):
        entry_by_prefix(page.outbox, entry_id[:10])


def damage(file: Path) -> None:
    file.write_bytes(b"notes" * 1000)


def make_newer(file: Path) -> None:
    file.unlink()
    Database(file).close()
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(damage, "is damaged"), (make_newer, "Or use the newer version")],
    ids=["corrupt", "newer"],
)
def test_an_outbox_that_can_not_be_used_says_what_to_do(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    page = Page(tmp_path)
    for name in ("outbox", "health"):
        vars(page.services).pop(name)
    file = page.services.paths.outbox_file
    file.parent.mkdir(parents=True)
    file.touch()
    spoil(file)
    octets = file.read_bytes()
    page.look()
    assert words in page.state.trouble
    assert "Move it elsewhere" in page.state.trouble
    assert file.read_bytes() == octets
    file.unlink()
    page.look()
    assert page.state.trouble == ""
