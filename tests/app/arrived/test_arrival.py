"""The page What arrived without a window: files of any size and kind, and pasted headers."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.arrived.email_file import load_header
from smtp_desk.app.arrived.presenter import PASTED, ArrivalPresenter, ArrivalState
from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.arrived import MAX_BYTES, Belief
from smtp_desk.smtp.net.deadline import Cancel
from tests.app.faces import DeferredRunner
from tests.core.test_arrived import GMAIL

if TYPE_CHECKING:
    from pathlib import Path

LARGE = 100 * 1024**2


@dataclass
class Seen:
    """Remembers what it was told to show."""

    states: list[ArrivalState] = field(default_factory=list)
    focused: int = 0

    def render(self, state: ArrivalState) -> None:
        self.states.append(state)

    def focus_result(self) -> None:
        self.focused += 1


class Arrived:
    """The page, its runner and its face."""

    def __init__(self) -> None:
        self.runner, self.view = DeferredRunner(), Seen()
        self.presenter = ArrivalPresenter(self.runner, self.view)

    def state(self) -> ArrivalState:
        return self.view.states[-1]

    @property
    def told(self) -> str:
        notice = self.state().notice
        assert notice is not None
        return notice.text


@pytest.fixture
def page() -> Arrived:
    return Arrived()


def test_an_email_is_explained_in_the_background(page: Arrived, tmp_path: Path) -> None:
    file = tmp_path / "test.eml"
    file.write_bytes(GMAIL)
    page.presenter.open(file)
    assert page.state().busy is Busy.READING
    assert page.state().arrival is None
    page.runner.finish()
    found = page.state().arrival
    assert found is not None
    assert (found.belief, page.state().source) == (Belief.BELIEVED, "test.eml")
    assert (page.state().busy, page.view.focused) == (Busy.NOTHING, 1)


@pytest.mark.parametrize(
    "above", ["", "\n\n  \n", "Message ID\t<x@example.org>\nSPF:\tPASS with IP 192.0.2.7\n\n"]
)
def test_a_pasted_header_is_explained(page: Arrived, above: str) -> None:
    page.presenter.explain(above + GMAIL.decode())
    page.runner.finish()
    assert page.state().arrival is not None
    assert page.state().source == PASTED


def test_of_a_huge_email_only_the_header_is_read(page: Arrived, tmp_path: Path) -> None:
    file = tmp_path / "huge.eml"
    with file.open("wb") as writing:
        writing.write(GMAIL)
        writing.truncate(LARGE)  # sparse
    assert len(load_header(file, Cancel())) <= 64 * 1024
    page.presenter.open(file)
    page.runner.finish()
    assert page.state().arrival is not None


def test_a_header_without_an_end_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "endless.eml"
    file.write_bytes(GMAIL.partition(b"\n\n")[0] + b"\nX-Pad: " + b"x" * 2 * MAX_BYTES)
    assert len(load_header(file, Cancel())) == MAX_BYTES


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "odd.eml isn’t an email."),
        (b"\x00\x01\x02" * 1000, "odd.eml isn’t an email."),
        (b"%PDF-1.7", "odd.eml isn’t an email."),
        (b"<!DOCTYPE html><title>Inbox</title>", "is a web page, not an email"),
        (b"\xef\xbb\xbf\n<html>Received: from a by b; x", "is a web page, not an email"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "is in Outlook’s own format"),
        (b"From: a@example.org\nSubject: x\n\nReceived: from a by b; x", "No server added"),
        (None, "is a folder"),
    ],
)
def test_what_is_no_received_email_is_told_and_the_former_one_stays(
    page: Arrived, tmp_path: Path, content: bytes | None, told: str
) -> None:
    page.presenter.explain(GMAIL.decode())
    page.runner.finish()
    former = page.state().arrival
    file = tmp_path / "odd.eml"
    file.mkdir() if content is None else file.write_bytes(content)
    page.presenter.open(file)
    page.runner.finish()
    assert told in page.told
    assert page.state().arrival is former
    assert page.state().busy is Busy.NOTHING


def test_a_missing_file_and_a_pipe(page: Arrived, tmp_path: Path) -> None:
    page.presenter.open(tmp_path / "missing.eml")
    page.runner.finish()
    assert page.told == "missing.eml can’t be read: No such file or directory."
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.eml")
        page.presenter.open(tmp_path / "pipe.eml")
        page.runner.finish()
        assert page.told == "pipe.eml can’t be read: not a regular file."


def test_nothing_pasted(page: Arrived) -> None:
    page.presenter.explain(" \n")
    assert page.told == "Paste the headers first."
    assert page.runner.waiting == 0


def test_cancel_answers_at_once(page: Arrived, tmp_path: Path) -> None:
    file = tmp_path / "test.eml"
    file.write_bytes(GMAIL)
    page.presenter.open(file)
    page.presenter.open(file)  # one at a time
    page.presenter.cancel()
    assert page.state().busy is Busy.CANCELLING
    page.runner.finish()
    assert page.told.startswith("Cancelled.")
    assert page.state().arrival is None
    page.presenter.cancel()
    assert page.state().busy is Busy.NOTHING
