"""The Diagnostics page: what it shows of a report, and what it reports of the person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QFileDialog,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QWidget,
)

from smtp_desk.app.diagnostics.presenter import FROM_TEST, DiagnosisState
from smtp_desk.app.diagnostics.support_message import Audience
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.problems import Field, Problem
from smtp_desk.core.stages import Stage, StageStatus
from smtp_desk.ui.diagnostics.view import DiagnosticsView
from smtp_desk.ui.diagnostics.words import BUSY
from tests.ui import reports
from tests.ui.fitting import lay_out

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from smtp_desk.app.diagnostics.presenter import DiagnosisPresenter
    from smtp_desk.core.findings.finding import Remedy
    from smtp_desk.core.report import CheckReport
    from smtp_desk.ui.widgets.theme import Theme

W = TypeVar("W", bound=QWidget)


class Recorder:
    """A presenter that only writes down what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def run(self, *, login: bool) -> None:
        self.calls.append(("run", login))

    def check_domain(self, selectors: str) -> None:
        self.calls.append(("check_domain", selectors))

    def cancel(self) -> None:
        self.calls.append(("cancel",))

    def apply(self, remedy: Remedy) -> None:
        self.calls.append(("apply", remedy))

    def open(self, path: Path) -> None:
        self.calls.append(("open", path))

    def compare(self, path: Path) -> None:
        self.calls.append(("compare", path))

    def end_comparison(self) -> None:
        self.calls.append(("end_comparison",))

    def hide_addresses(self, *, hide: bool) -> None:
        self.calls.append(("hide_addresses", hide))

    def save(self, path: Path, *, html: bool = False) -> None:
        self.calls.append(("save_html" if html else "save", path))

    def copy(self, audience: Audience | None = None) -> None:
        self.calls.append(("copy",) if audience is None else ("copy", audience))


class Seen:
    """The page and short ways to its parts."""

    def __init__(self, view: DiagnosticsView) -> None:
        self.view = view
        self.recorder = Recorder()
        view.attach(cast("DiagnosisPresenter", self.recorder))

    def find(self, kind: type[W], name: str) -> W:
        """Return the newest of that name: what it replaced may still wait to be deleted."""
        return self.view.page.findChildren(kind, name)[-1]

    def has(self, name: str) -> bool:
        return any(found.isVisible() for found in self.view.page.findChildren(QWidget, name))

    def render(self, state: DiagnosisState) -> None:
        """Show this, down to its last card: they come one at a time."""
        self.view.render(state)
        while self.view._slices.running:
            QApplication.processEvents()
        QApplication.processEvents()  # what was added last is shown now

    @property
    def texts(self) -> list[str]:
        labels = self.view.page.findChildren(QLabel)
        return [label.text() for label in labels if label.isVisible()]


@pytest.fixture
def page(qtbot: QtBot, theme: Theme) -> Seen:
    view = DiagnosticsView()
    qtbot.addWidget(view.page)
    seen = Seen(view)
    view.page.resize(820, 1400)
    view.page.show()
    view.page.activateWindow()
    qtbot.waitUntil(view.page.isActiveWindow)
    return seen


def own(report: CheckReport) -> DiagnosisState:
    return DiagnosisState(report=report, source=FROM_TEST, own=True)


def test_without_a_report_it_says_what_it_is_for(page: Seen) -> None:
    assert page.has("no_report")
    for name in ("save_report", "copy_report"):
        button = page.find(QPushButton, name)
        assert not button.isEnabled()
        assert button.toolTip() == "There is no report yet."
    assert page.find(QPushButton, "open_report").isEnabled()
    assert page.find(QPushButton, "run_again").isEnabled()


@pytest.mark.parametrize("name", [name for name, each in reports.REPORTS.items() if each.finding])
def test_the_verdict_is_the_true_cause_and_takes_the_focus(page: Seen, name: str) -> None:
    report = reports.REPORTS[name]
    assert report.finding is not None
    page.render(own(report))
    page.view.focus_verdict()
    verdict = page.find(QLabel, "verdict")
    assert verdict.text() == report.finding.summary
    assert verdict.hasFocus()
    assert any(each.startswith("Who can fix this: ") for each in page.texts)
    assert not page.has("no_report")


def test_a_success_and_a_check_say_what_they_are_worth(page: Seen) -> None:
    page.render(own(reports.SENT))
    assert page.find(QLabel, "verdict").text() == "Test email sent successfully"
    page.render(own(reports.CHECKED))
    assert "isn’t proof" in page.find(QLabel, "verdict").text()
    assert any("Only a test email can show" in text for text in page.texts)


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (reports.UNCONFIRMED, {"What happened", "No reply came in time."}),
        (reports.EXPIRED, {"Valid until", "2026-11-20 23:59 UTC", "This computer’s clock"}),
        (reports.TIMEOUT, {"Addresses tried"}),
    ],
)
def test_what_failed_is_told_in_words(page: Seen, report: CheckReport, told: set[str]) -> None:
    page.render(own(report))
    texts = page.texts
    assert told <= set(texts)
    codes = ("session.timeout", "T23:59", "15000", "no_answer")
    assert not [text for text in texts for code in codes if code in text]


def test_words_of_the_server_that_fit_need_no_scroll_bar(page: Seen) -> None:
    page.render(own(reports.APP_PASSWORD))
    words = page.find(QPlainTextEdit, "words")
    assert words.document().size().height() > 1
    assert not words.verticalScrollBar().isVisible()


def test_a_long_reply_of_the_server_unfolds(page: Seen) -> None:
    page.render(own(reports.LONG))
    words, unfold = page.find(QPlainTextEdit, "words"), page.find(QPushButton, "unfold_reply")
    folded = words.height()
    assert not words.verticalScrollBar().isVisible()
    block = words.document().begin()
    third = words.blockBoundingGeometry(block).translated(words.contentOffset()).top() + sum(
        block.layout().lineAt(number).height() for number in range(2)
    )
    assert words.viewport().height() <= third + 1, "no part of the third line is seen"
    unfold.click()
    lay_out()
    assert words.height() > 2 * folded
    assert words.verticalScrollBar().isVisible()
    assert not unfold.isVisible()
    assert words.hasFocus()
    page.render(own(reports.APP_PASSWORD))
    assert not page.find(QPushButton, "unfold_reply").isVisible()


def test_a_button_says_what_it_is_for_or_why_it_can_not_be_used(page: Seen) -> None:
    for name in ("check_domain", "copy_report"):
        button = page.find(QPushButton, name)
        page.render(own(reports.SENT))
        purpose = button.toolTip()
        page.render(DiagnosisState(report=reports.SENT, busy=Busy.WRITING))
        assert button.toolTip() == BUSY[Busy.WRITING]
        page.render(own(reports.SENT))
        assert button.toolTip() == purpose != ""


def test_everything_is_plain_text(page: Seen) -> None:
    page.render(own(reports.LONG))
    for button in page.view.page.findChildren(QPushButton):
        if button.isCheckable():
            button.setChecked(True)
    labels = page.view.page.findChildren(QLabel)
    assert {label.textFormat() for label in labels if label.text()} == {Qt.TextFormat.PlainText}
    assert "<b>BadCredentials</b>" in page.find(QPlainTextEdit, "words").toPlainText()


@pytest.mark.parametrize(("mine", "buttons"), [(True, 1), (False, 0)])
def test_remedies_reach_the_form_only_from_tests_made_here(
    page: Seen, mine: bool, buttons: int
) -> None:
    page.render(DiagnosisState(report=reports.REFUSED, source="x", own=mine))
    assert reports.REFUSED.finding is not None
    remedies = reports.REFUSED.finding.remedies
    found = [
        button
        for button in page.view.page.findChildren(QPushButton)
        if button.objectName().startswith("remedy_")
    ]
    assert len(found) == buttons
    for remedy in remedies:
        assert remedy.text in page.texts
    for button in found:
        button.click()
    assert page.recorder.calls == [("apply", remedies[0])] * buttons


def test_steps_open_and_close_and_the_failed_one_is_open(page: Seen) -> None:
    page.render(own(reports.REFUSED))
    failed = page.find(QPushButton, "stage_connect")
    assert failed.isChecked()
    assert failed.accessibleName() == "Connect: failed here, 24 ms"
    assert "192.0.2.10: refused (Connection refused)" in page.texts
    found = page.find(QPushButton, "stage_resolve")
    assert not found.isChecked()
    assert "192.0.2.10, 2001:db8::10" not in page.texts
    found.setFocus()
    QTest.keyClick(found, Qt.Key.Key_Space)
    assert "192.0.2.10, 2001:db8::10" in page.texts
    QTest.keyClick(found, Qt.Key.Key_Space)
    assert "192.0.2.10, 2001:db8::10" not in page.texts


def test_the_digits_that_prove_a_ca_are_not_told_by_the_program(page: Seen) -> None:
    page.render(own(reports.COMPANY_CA))
    told = "".join(page.texts).replace(" ", "").replace("\u200b", "")
    whole, leaf = str(reports.ROOT["fingerprint"]), str(reports.LEAF["fingerprint"])
    assert leaf in told
    assert whole[:-8] + "•" * 8 in told
    assert whole[-8:] not in told


def test_other_ports_and_certificates(page: Seen) -> None:
    page.render(own(reports.REFUSED))
    assert "Port 465: Works with Security set to TLS from the start" in page.texts
    assert "Port 2525: Nothing is listening" in page.texts
    assert not page.has("certificates")
    page.render(own(reports.EXPIRED))
    assert not page.has("other_ports")
    for text in (
        "2026-11-20 23:59 UTC",
        "Example Company CA (Example Ltd)",
        "RSA 2048",
        "Issuer 1",
    ):
        assert text in page.texts
    assert any(text.startswith("319b ee0e ef6f") for text in page.texts)


def test_transcript_settings_and_environment(page: Seen) -> None:
    page.render(own(reports.WRONG_PASSWORD))
    assert not page.has("transcript")
    page.find(QPushButton, "transcript_fold").click()
    transcript = page.find(QPlainTextEdit, "transcript")
    assert transcript.isVisible()
    assert transcript.isReadOnly()
    assert "> AUTH PLAIN ‹hidden›" in transcript.toPlainText()
    page.find(QPushButton, "environment_fold").click()
    assert "desk@example.org" in page.texts
    assert "Debian 12" in page.texts


def test_a_hostile_report_has_bounds(page: Seen) -> None:
    page.render(DiagnosisState(report=reports.HOSTILE, source="x"))
    page.find(QPushButton, "transcript_fold").click()
    assert len(page.view.page.findChildren(QWidget)) < 1500
    assert "Steps not shown: 860. They are in the report file." in page.texts
    text = page.find(QPlainTextEdit, "transcript").toPlainText()
    assert text.count("\n") == 2000
    assert "Lines not shown: 3000." in text
    page.find(QPushButton, "save_report").click()
    dialog = page.find(QFileDialog, "save_report_dialog")
    assert [Path(name).name for name in dialog.selectedFiles()] == ["smtp-report-betc.smtpdesk"]
    dialog.close()


@pytest.mark.parametrize("width", [520, 820, 1400])
def test_nothing_is_wider_than_the_window(page: Seen, width: int) -> None:
    page.view.page.resize(width, 700)
    page.render(own(reports.LONG))
    for button in page.view.page.findChildren(QPushButton):
        if button.isCheckable():
            button.setChecked(True)
    QGuiApplication.processEvents()
    area = page.view.page.findChild(QScrollArea)
    assert isinstance(area, QScrollArea)
    assert area.horizontalScrollBar().maximum() == 0


def test_run_again_with_and_without_signing_in(page: Seen) -> None:
    run = page.find(QPushButton, "run_again")
    line = page.find(QLabel, "diagnostics_line")
    run.click()
    assert "real test email" in line.text()
    box = page.find(QCheckBox, "without_signing_in")
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Space)
    assert "proves nothing" in line.text()
    run.click()
    assert page.recorder.calls == [("run", True), ("run", False)]


def test_while_a_test_runs_its_steps_are_seen_and_it_can_be_cancelled(page: Seen) -> None:
    page.render(own(reports.REFUSED))
    run = page.find(QPushButton, "run_again")
    run.setFocus()
    stages = reports.stages(Stage.TLS, StageStatus.STARTED)
    busy = Busy.CHECKING
    page.render(DiagnosisState(report=reports.REFUSED, busy=busy, stages=stages))
    assert page.has("running_stages")
    assert not page.has("verdict")
    assert "Sign in" not in page.texts
    assert not run.isEnabled()
    assert run.toolTip() == BUSY[busy]
    cancel = page.find(QPushButton, "cancel_run")
    assert cancel.hasFocus()
    page.view.cancel()
    cancel.click()
    assert page.recorder.calls == [("cancel",)] * 2
    page.render(own(reports.REFUSED))
    assert page.has("verdict")
    assert not page.has("cancel_run")


def test_what_the_form_lacks_is_told_with_a_way_there(page: Seen, qtbot: QtBot) -> None:
    problems = (Problem(Field.HOST, "host.empty"), Problem(Field.RECIPIENT, "email.empty"))
    notice = Notice("Nothing was sent.", error=True)
    page.render(DiagnosisState(problems=problems, notice=notice))
    assert any(text.startswith("SMTP server host: Enter") for text in page.texts)
    assert any(text.startswith("Send test email to: ") for text in page.texts)
    assert page.find(QLabel, "diagnostics_line").text() == "Nothing was sent."
    with qtbot.waitSignal(page.view.integrations_wanted):
        page.find(QPushButton, "open_integrations").click()
    page.render(DiagnosisState())
    assert not page.has("missing")


def test_files_are_asked_for(page: Seen, tmp_path: Path) -> None:
    page.render(own(reports.REFUSED))
    page.find(QPushButton, "open_report").click()
    opening = page.find(QFileDialog, "open_report_dialog")
    opening.fileSelected.emit(str(tmp_path / "in.json"))
    opening.close()
    page.find(QPushButton, "save_report").click()
    saving = page.find(QFileDialog, "save_report_dialog")
    assert saving.selectedFiles()[0].endswith("smtp-report-793935dbd88c14a7.smtpdesk")
    saving.fileSelected.emit(str(tmp_path / "out.json"))
    saving.close()
    page.find(QPushButton, "copy_report").click()
    assert page.recorder.calls == [
        ("open", tmp_path / "in.json"),
        ("save", tmp_path / "out.json"),
        ("copy",),
    ]


def test_the_clipboard(page: Seen) -> None:
    page.view.copy_text("# Report")
    assert QGuiApplication.clipboard().text() == "# Report"


def test_what_nobody_sees_is_not_built_until_it_is_seen(qtbot: QtBot, theme: Theme) -> None:
    view = DiagnosticsView()
    qtbot.addWidget(view.page)
    view.render(own(reports.REFUSED))
    view.focus_verdict()
    assert view.page.findChild(QWidget, "verdict") is None
    view.page.show()
    view.page.activateWindow()
    qtbot.waitUntil(view.page.isActiveWindow)
    verdict = view.page.findChild(QLabel, "verdict")
    assert isinstance(verdict, QLabel)
    qtbot.waitUntil(verdict.hasFocus)
