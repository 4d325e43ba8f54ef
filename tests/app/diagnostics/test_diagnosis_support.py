"""Reports of others: several at once, hidden, compared, passed on; nothing is lost."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.diagnostics.report_file import load_report, save_report
from smtp_desk.app.diagnostics.report_html import report_html
from smtp_desk.app.diagnostics.support_message import Audience, message_text
from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.hiding import without_addresses
from tests.app.diagnostics.test_diagnosis import Desk, desk, written
from tests.cli.reports import REPORT

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.sandbox.server import Sandbox

__all__ = ["desk"]
NAMED = replace(REPORT, settings={**REPORT.settings, "username": "ann.lee@example.org"})


@pytest.mark.parametrize("audience", Audience)
def test_the_message_goes_to_the_clipboard(desk: Desk, audience: Audience) -> None:
    desk.presenter.show_report(NAMED)
    desk.presenter.copy(audience)
    desk.finish()
    assert desk.view.done[-1] == message_text(NAMED, audience)
    assert "Copied the message to the" in desk.notice
    assert desk.notice.endswith("It contains no password.")


def test_html_is_saved(desk: Desk, tmp_path: Path) -> None:
    desk.presenter.show_report(NAMED)
    desk.presenter.save(tmp_path / "a.html", html=True)
    desk.finish()
    assert (tmp_path / "a.html").read_text("utf-8") == report_html(NAMED)


def test_what_is_hidden_is_hidden_wherever_it_goes(desk: Desk, tmp_path: Path) -> None:
    desk.presenter.show_report(NAMED)
    desk.presenter.hide_addresses(hide=True)
    assert desk.state().busy is Busy.HIDING
    desk.finish()
    assert desk.state().shown == without_addresses(NAMED)[0]
    desk.presenter.save(tmp_path / "a.smtpdesk")
    desk.finish()
    assert desk.notice == "Saved as a.smtpdesk. Addresses and usernames are hidden."
    assert load_report(tmp_path / "a.smtpdesk").settings["username"] == "address 1"
    for audience in (None, *Audience):
        desk.presenter.copy(audience)
        desk.finish()
        assert "ann.lee" not in desk.view.done[-1]
    # The next report is hidden from its first moment on.
    seen = len(desk.view.states)
    desk.presenter.open(written(tmp_path))
    desk.finish()
    assert all(state.shown in (None, without_addresses(NAMED)[0]) or state.hiding
               for state in desk.view.states[seen:])  # fmt: skip
    assert desk.state().shown == without_addresses(REPORT)[0]
    desk.presenter.hide_addresses(hide=False)
    assert desk.state().shown is desk.state().report


def test_two_reports_are_compared_and_hidden(desk: Desk, tmp_path: Path) -> None:
    other = tmp_path / "other.smtpdesk"
    save_report(other, replace(NAMED, settings={**NAMED.settings, "port": 465}))
    desk.presenter.open_two(written(tmp_path), other)
    desk.finish()
    desk.finish()
    desk.finish()
    state = desk.state()
    assert state.comparison is not None
    assert (state.source, state.other_source) == (
        "Report file customer.json",
        "Report file other.smtpdesk",
    )
    changed = {each.name: each.after for each in state.comparison.differences}
    assert changed == {"port": "465", "username": "ann.lee@example.org"}
    desk.presenter.hide_addresses(hide=True)
    desk.finish()
    assert desk.state().comparison is not None
    assert "ann.lee" not in repr(desk.state().comparison)
    desk.presenter.end_comparison()
    assert desk.state().comparison is None
    desk.presenter.open(other)
    desk.finish()
    assert desk.state().comparison is None


def test_a_second_report_that_is_none_leaves_the_first(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "b.smtpdesk").write_text("{}")
    desk.presenter.open_two(written(tmp_path), tmp_path / "b.smtpdesk")
    desk.finish()
    desk.finish()
    assert desk.state().report == REPORT
    assert desk.notice.startswith("b.smtpdesk isn’t a report")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"schema": "smtp-desk/report/3"}', "odd.smtpdesk comes from a newer SMTP Desk"),
        (b"", "odd.smtpdesk isn’t a report: it’s empty."),
        (b"<html>", "it’s a web page"),
        (None, "odd.smtpdesk is a folder."),
    ],
)
def test_what_cannot_be_opened_is_told_in_a_sentence(
    desk: Desk, tmp_path: Path, content: bytes | None, told: str
) -> None:
    file = tmp_path / "odd.smtpdesk"
    file.mkdir() if content is None else file.write_bytes(content)
    desk.presenter.show_report(REPORT)
    desk.presenter.open(file)
    desk.finish()
    assert told in desk.notice
    assert desk.state().report is REPORT


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in the file system")
def test_a_pipe_is_refused_at_once(desk: Desk, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    desk.presenter.open(tmp_path / "pipe")
    desk.finish()
    assert "not a regular file" in desk.notice


def test_a_report_dropped_while_a_test_runs_is_opened_after_it(
    desk: Desk, sandbox: Sandbox, ca_file: Path, tmp_path: Path
) -> None:
    desk.form.fill(sandbox, ca_file)
    desk.presenter.run(login=True)
    desk.presenter.open(written(tmp_path))
    desk.presenter.show_trouble("3 files were dropped.")
    assert desk.state().busy is Busy.TESTING
    desk.finish()
    desk.finish()
    assert desk.form.state().may_save
    assert desk.state().report == REPORT
    assert not desk.state().own
    assert desk.notice == "3 files were dropped."
