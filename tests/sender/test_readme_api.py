"""The examples of README for programs run as they stand; nothing leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from smtp_desk.sender import Sender
from smtp_desk.sender.testing import MemorySender, SentEmail

README: Final = Path(__file__).parents[2] / "README.md"
EXAMPLES: Final = re.findall(r"```py\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


@dataclass
class Run:
    """What came of an example."""

    sent: list[SentEmail] = field(default_factory=list)

    def example(self, about: str) -> None:
        (code,) = (each for each in EXAMPLES if about in each)
        exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})  # noqa: S102 - that is the test


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    memory = MemorySender()
    monkeypatch.setattr(Sender, "from_settings", lambda *_given: memory)
    monkeypatch.chdir(tmp_path)
    Path("rates.pdf").write_bytes(b"%PDF")
    Path("emails").mkdir()
    Path("emails/password_reset.subject.txt").write_text("A new password", "utf-8")
    Path("emails/password_reset.txt").write_text("Hello {{ name }}: {{ link }}", "utf-8")
    return Run(memory.sent)


def test_any_message(run: Run) -> None:
    run.example("EmailMessage")
    (email,) = run.sent
    assert (email["Reply-To"], email.html) == ("billing@example.org", "<p>Here it is.</p>\n")
    assert [each.get_filename() for each in email.message.iter_attachments()] == ["invoice.pdf"]


def test_once_later_and_what_came_of_it(run: Run) -> None:
    run.example("key=")
    assert [email["Subject"] for email in run.sent] == ["Paid"]


def test_asyncio(run: Run) -> None:
    run.example("asyncio")
    assert {email["To"] for email in run.sent} == {"ann@example.org", "bo@example.org"}


def test_files_and_lists_to_leave(run: Run) -> None:
    run.example("unsubscribe")
    assert {email["List-Unsubscribe"] for email in run.sent} == {
        f"<https://example.org/leave?who={name}%40example.org>" for name in ("ann", "bo")
    }
    assert all(any(email.message.iter_attachments()) for email in run.sent)


def test_a_kind_of_one_s_own(run: Run) -> None:
    run.example("PasswordReset")
    (email,) = run.sent
    assert email.text == "Hello Ann: https://example.org/k3v9\n"


def test_in_your_tests(run: Run) -> None:
    run.example("MemorySender")


def test_there_is_no_other_example() -> None:
    assert len(EXAMPLES) == 6
