"""Kinds of email that a program has beside the five, files that go along, and lists to leave."""

from __future__ import annotations

import os
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import ClassVar

import pytest

from smtp_desk.sender import Attachment, Email, EmailError, Message, Notification
from smtp_desk.sender.mail import kinds
from smtp_desk.sender.mail.addressing import Identity, addressed
from smtp_desk.sender.mail.message import outbox_message
from smtp_desk.sender.mail.personal_copy import personal_copy
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.clock import utc_now
from smtp_desk.sender.testing import MemorySender
from tests.table import each_row

EMAILS = Path(__file__).with_name("emails")


@dataclass(frozen=True, kw_only=True)
class PasswordReset(Email):
    """A kind as a program writes it."""

    kind: ClassVar[str] = "password_reset"
    templates: ClassVar[Path] = EMAILS

    name: str
    link: str


@dataclass(frozen=True, kw_only=True)
class TextOnly(PasswordReset):
    kind: ClassVar[str] = "text_only"


def reset(name: str = "Ann", **more: object) -> PasswordReset:
    link = "https://example.org/reset?a=1&b=2"
    return PasswordReset(to="ann@example.org", name=name, link=link, **more)  # type: ignore[arg-type]


def test_a_program_s_own_kind() -> None:
    sender = MemorySender()
    receipt = sender.send(reset("Ann <b>"))
    (email,) = sender.sent
    assert (email.kind, email["Subject"]) == ("password_reset", "Ann <b>, your new password")
    assert "https://example.org/reset?a=1&b=2" in email.text
    assert "Ann &lt;b&gt;" in email.html
    assert "Example" in email.text  # the company
    assert receipt.recipients[0].entry_id


def test_its_own_company_is_its_own() -> None:
    @dataclass(frozen=True, kw_only=True)
    class OfAnother(PasswordReset):
        kind: ClassVar[str] = "password_reset_of_another"
        company: str

        @property
        def variant(self) -> str:
            return "password_reset"

    sender = MemorySender()
    sender.send(OfAnother(to="ann@example.org", name="A", link="x", company="Another & Co"))
    assert "Another & Co" in sender.sent[0].text


def test_one_that_checks_its_fields_itself() -> None:
    @dataclass(frozen=True, kw_only=True, slots=True)
    class Checked(PasswordReset):
        kind: ClassVar[str] = "checked"

        def __post_init__(self) -> None:
            Email.__post_init__(self)
            if not self.name:
                raise EmailError("name", "Must not be empty.")

    with pytest.raises(EmailError, match="name"):
        Checked(to="ann@example.org", name="", link="x")
    with pytest.raises(EmailError, match="to"):
        Checked(to="ann", name="Ann", link="x")


def test_one_without_html() -> None:
    sender = MemorySender()
    sender.send(TextOnly(to="ann@example.org", name="Ann", link="https://example.org"))
    (email,) = sender.sent
    assert (email["Subject"], email.text, email.html) == ("Only text", "Hello Ann\n", "")


def test_it_has_what_all_emails_have() -> None:
    sender = MemorySender()
    sender.send(reset(attachments=[Attachment("a.txt", b"x")], unsubscribe="https://example.org/u"))
    (email,) = sender.sent
    assert [each.get_filename() for each in email.message.iter_attachments()] == ["a.txt"]
    assert email["List-Unsubscribe"] == "<https://example.org/u>"


@pytest.mark.parametrize("name", ["Ann\r\nBcc: eve@example.org", "Ann\x00", "Ann\u2028x"])
def test_no_value_breaks_the_subject(name: str) -> None:
    sender = MemorySender()
    with pytest.raises(EmailError, match="line break or a control character"):
        sender.send(reset(name))
    assert sender.sent == []


def test_what_is_wrong_with_its_templates_is_told(tmp_path: Path) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Broken(Email):
        kind: ClassVar[str] = "broken"
        templates: ClassVar[Path] = tmp_path

    email = Broken(to="ann@example.org")
    templates = Templates(None)
    (tmp_path / "broken.txt").write_text("Hello", "utf-8")
    with pytest.raises(EmailError, match=r"there is no template “broken\.subject\.txt”"):
        templates.render(email)
    for file, text, told in (
        ("broken.subject.txt", "{{ nobody }}", r"broken\.subject\.txt, line 1: .*nobody"),
        ("broken.subject.txt", " \n", "the subject is empty"),
        ("broken.subject.txt", "{% if %}", r"broken\.subject\.txt, line 1"),
    ):
        (tmp_path / file).write_text(text, "utf-8")
        os.utime(tmp_path / file, (len(told), len(told)))  # or jinja2 would not look again
        with pytest.raises(EmailError, match=told):
            templates.render(email)
    (tmp_path / "broken.subject.txt").write_bytes(b"\xff")
    with pytest.raises(EmailError, match="not UTF-8"):
        Templates(None).render(email)


@each_row(
    "name", ["", "../etc/passwd", "Reset", "reset-me", "invitation", "foreign", "layout", "_x", 7]
)
def test_a_name_that_no_kind_may_have(name: str) -> None:
    with pytest.raises(TypeError, match="kind of Own"):
        type("Own", (Email,), {"kind": name, "templates": EMAILS})


@pytest.mark.parametrize("folder", [None, "emails"])
def test_a_kind_without_a_folder(folder: object) -> None:
    with pytest.raises(TypeError, match="templates of Own"):
        type("Own", (Email,), {"kind": "own", "templates": folder})


def test_a_base_of_own_kinds_needs_no_name() -> None:
    assert issubclass(type("Base", (Email,), {}), Email)


def test_a_file_is_attached_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "Rates für März.pdf"
    file.write_bytes(b"%PDF")
    assert Attachment.from_path(file) == Attachment(file.name, b"%PDF", "application/pdf")
    given = Attachment.from_path(str(file), name="rates.bin", media_type="application/x-own")
    assert given == Attachment("rates.bin", b"%PDF", "application/x-own")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.csv", "text/csv"),
        ("a.csv.gz", "application/octet-stream"),
        ("a.eml", "application/octet-stream"),
        ("noend", "application/octet-stream"),
        (".pdf", "application/octet-stream"),
        ("A.PNG", "image/png"),
    ],
)
def test_what_a_file_is(tmp_path: Path, name: str, media_type: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert Attachment.from_path(tmp_path / name).media_type == media_type


def test_a_file_that_can_not_be_attached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "MOST_OCTETS", 1000)
    (tmp_path / "large").write_bytes(bytes(1001))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (
        tmp_path / "nothing",
        tmp_path,
        tmp_path / "large",
        tmp_path / "pipe",
        tmp_path / "loop",
        Path("/dev/zero"),
        Path("a\0b"),
    ):
        with pytest.raises(EmailError, match="attachments"):
            Attachment.from_path(path)


def test_a_name_that_breaks_a_header(tmp_path: Path) -> None:
    (tmp_path / "a\nb.pdf").write_bytes(b"x")
    with pytest.raises(EmailError, match="name"):
        Attachment.from_path(tmp_path / "a\nb.pdf")


def news(to: str | tuple[str, ...], link: str) -> Message:
    return Message(to=to, subject="News", body="x", audience="affiliates", unsubscribe=link)


def test_each_recipient_leaves_the_list_by_a_link_of_their_own() -> None:
    sender = MemorySender()
    people = ("ann+x@example.org", "jörg@bücher.example")
    sender.send(news(people, "https://example.org/u?who={recipient}&l=1"))
    links = {email["List-Unsubscribe"] for email in sender.sent}
    assert links == {
        "<https://example.org/u?who=ann%2Bx%40example.org&l=1>",
        "<https://example.org/u?who=j%C3%B6rg%40b%C3%BCcher.example&l=1>",
    }
    posts = {email["List-Unsubscribe-Post"] for email in sender.sent}
    assert posts == {"List-Unsubscribe=One-Click"}


@each_row(
    "link",
    [
        "http://example.org/u",
        "mailto:leave@example.org",
        "https://{recipient}.example.org/u",
        "https://example.org/u\r\nBcc: eve@example.org",
        "https://example.org/u>, <https://evil.example",
        "https://user:pw@example.org/",
        "https://example.org/ü",
        "https://example.org/{other}",
        "",
    ],
)
def test_a_link_that_can_not_stand_there(link: str) -> None:
    with pytest.raises(EmailError, match="unsubscribe"):
        news("ann@example.org", link)


def test_several_recipients_need_links_of_their_own() -> None:
    with pytest.raises(EmailError, match=r"\{recipient\}"):
        news(("ann@example.org", "bo@example.org"), "https://example.org/u")
    news("ann@example.org", "https://example.org/u/token-of-ann")


def test_a_long_link_stays_whole() -> None:
    sender = MemorySender()
    link = f"https://example.org/u/{'x' * 900}"
    sender.send(news("ann@example.org", link))
    assert sender.sent[0]["List-Unsubscribe"] == f"<{link}>"


def test_a_copy_for_somebody_else_unsubscribes_nobody() -> None:
    email = news("ann@example.org", "https://example.org/u/ann")
    stored = outbox_message(
        email, Templates(None).render(email), message_id="<1@example.org>", now=utc_now()
    )
    copy = personal_copy(stored, "me@example.org", message_id="<2@example.org>", now=utc_now())
    content = addressed(copy, ("me@example.org",), Identity("desk@example.org")).content
    assert message_from_bytes(content, policy=policy.default)["List-Unsubscribe"] is None


def test_an_email_without_a_list_has_no_such_field() -> None:
    sender = MemorySender()
    sender.send(Notification(to="ann@example.org", title="Hi", body="x"))
    assert sender.sent[0]["List-Unsubscribe"] == ""
