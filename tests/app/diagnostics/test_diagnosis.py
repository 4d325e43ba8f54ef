"""The Diagnostics page without a window."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from smtp_desk.app.diagnostics.presenter import (
    FROM_CHECK,
    FROM_TEST,
    DiagnosisPresenter,
    DiagnosisState,
)
from smtp_desk.app.diagnostics.report_file import load_report
from smtp_desk.app.diagnostics.report_markdown import report_markdown
from smtp_desk.app.integrations.presenter import IntegrationsPresenter
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.services import Services
from smtp_desk.core.findings.finding import Remedy
from smtp_desk.core.problems import Field
from smtp_desk.core.report_reader import MAX_BYTES
from smtp_desk.core.stages import Stage
from smtp_desk.sandbox.server import Sandbox
from tests.app.faces import DeferredRunner, RememberingView
from tests.app.page import Page
from tests.cli.reports import REPORT


@dataclass
class RememberingDiagnosis:
    """Remembers what it was told to show."""

    states: list[DiagnosisState] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def render(self, state: DiagnosisState) -> None:
        self.states.append(state)

    def focus_verdict(self) -> None:
        self.done.append("verdict")

    def focus_domain(self) -> None:
        self.done.append("domain")

    def copy_text(self, text: str) -> None:
        self.done.append(text)

    def open_integrations(self) -> None:
        self.done.append("integrations")


@dataclass
class Desk:
    """Both pages, one runner."""

    form: Page
    presenter: DiagnosisPresenter
    view: RememberingDiagnosis

    def state(self) -> DiagnosisState:
        return self.view.states[-1]

    @property
    def notice(self) -> str:
        notice = self.state().notice
        assert notice is not None
        return notice.text

    def finish(self) -> None:
        self.form.runner.finish()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    services, runner, view = (
        Services.sandbox(tmp_path / "home"),
        DeferredRunner(),
        RememberingView(),
    )
    integrations = IntegrationsPresenter(services, runner, view)
    shown = RememberingDiagnosis()
    presenter = DiagnosisPresenter(services, runner, shown, integrations)
    integrations.subscribe(presenter.follow)
    integrations.start()
    runner.finish()
    return Desk(Page(integrations, runner, view, services), presenter, shown)


def written(tmp_path: Path) -> Path:
    file = tmp_path / "customer.json"
    file.write_text(json.dumps(REPORT.to_json()), "utf-8")
    return file


def test_while_the_settings_are_read_nothing_runs(tmp_path: Path) -> None:
    services, runner = Services.sandbox(tmp_path / "home"), DeferredRunner()
    integrations = IntegrationsPresenter(services, runner, RememberingView())
    view = RememberingDiagnosis()
    presenter = DiagnosisPresenter(services, runner, view, integrations)
    integrations.subscribe(presenter.follow)
    integrations.start()
    assert [state.waits_for for state in view.states][-1:] == [Busy.LOADING]
    waiting = runner.waiting
    presenter.run(login=False)
    assert runner.waiting == waiting
    runner.finish()
    assert not view.states[-1].waits_for


def test_an_empty_form_is_not_sent_and_all_that_is_missing_is_told(desk: Desk) -> None:
    desk.presenter.run(login=True)
    assert [problem.field for problem in desk.state().problems] == [
        Field.HOST,
        Field.FROM_EMAIL,
        Field.RECIPIENT,
    ]
    assert "Nothing was sent" in desk.notice
    desk.presenter.run(login=False)
    assert [problem.field for problem in desk.state().problems] == [Field.HOST]
    assert desk.form.runner.waiting == 0
    assert desk.state().busy is Busy.NOTHING


def test_what_only_the_form_knows_is_told_as_well(
    desk: Desk, sandbox: Sandbox, ca_file: Path
) -> None:
    desk.form.fill(sandbox, ca_file.with_name("missing.pem"))
    desk.presenter.run(login=True)
    assert [problem.field for problem in desk.state().problems] == [Field.CA_FILE]
    assert desk.form.runner.waiting == 0


def test_a_check_needs_host_and_port_only_and_proves_nothing(
    desk: Desk, sandbox: Sandbox, ca_file: Path
) -> None:
    empty = dict.fromkeys(("username", "password", "from_email", "recipient"), "")
    desk.form.fill(sandbox, ca_file, **empty)
    desk.presenter.run(login=False)
    assert desk.state().busy is Busy.CHECKING
    assert desk.state().running
    desk.finish()
    report = desk.state().report
    assert report is not None
    assert (report.finding, report.sent) == (None, False)
    assert [result.stage for result in report.stages][-1] is Stage.DONE
    assert not any(result.stage is Stage.AUTH for result in report.stages)
    assert (desk.state().source, desk.state().own) == (FROM_CHECK, True)
    assert desk.state().busy is Busy.NOTHING
    assert desk.view.done == ["verdict"]
    assert any(state.stages for state in desk.view.states)
    assert not desk.form.state().may_save
    assert desk.form.state().report is None
    assert len(sandbox.inbox) == 0


def test_a_test_is_that_of_integrations_and_can_be_saved_there(
    desk: Desk, sandbox: Sandbox, ca_file: Path
) -> None:
    desk.form.fill(sandbox, ca_file)
    desk.presenter.run(login=True)
    assert desk.state().busy is Busy.TESTING
    desk.finish()
    report = desk.state().report
    assert report is desk.form.state().report
    assert report is not None
    assert report.sent
    assert desk.form.state().may_save
    assert desk.state().source == FROM_TEST


def test_a_test_sent_on_integrations_is_shown(desk: Desk, sandbox: Sandbox, ca_file: Path) -> None:
    desk.form.fill(sandbox, ca_file, password="wrong")
    desk.form.test()
    report = desk.state().report
    assert report is not None
    assert report.finding is not None
    assert report.finding.code.startswith("auth.")


@pytest.mark.parametrize("login", [True, False])
def test_cancel_answers_at_once_and_keeps_the_former_report(
    desk: Desk, sandbox: Sandbox, ca_file: Path, login: bool
) -> None:
    desk.form.fill(sandbox, ca_file)
    desk.presenter.show_report(REPORT)
    desk.presenter.run(login=login)
    desk.presenter.cancel()
    assert desk.state().busy is Busy.CANCELLING
    desk.finish()
    assert desk.state().report is REPORT
    assert desk.notice == "The test was cancelled."
    assert desk.state().busy is Busy.NOTHING


def test_one_thing_at_a_time(desk: Desk, sandbox: Sandbox, ca_file: Path, tmp_path: Path) -> None:
    desk.form.fill(sandbox, ca_file)
    desk.presenter.show_report(REPORT)
    desk.presenter.run(login=False)
    waiting = desk.form.runner.waiting
    desk.presenter.run(login=True)
    desk.presenter.open(tmp_path / "report.json")
    desk.presenter.save(tmp_path / "saved.json")
    desk.presenter.copy()
    assert desk.form.runner.waiting == waiting


def test_closing_cancels_what_runs(desk: Desk, sandbox: Sandbox, ca_file: Path) -> None:
    desk.form.fill(sandbox, ca_file)
    desk.presenter.run(login=False)
    desk.presenter.close()
    assert desk.form.runner.cancels[-1].cancelled


def test_a_remedy_changes_the_form_and_goes_there(desk: Desk) -> None:
    desk.presenter.apply(Remedy("use_port_465", "Use port 465.", {"port": "465"}))
    assert desk.form.view.draft.port == "465"
    assert desk.view.done == ["integrations"]


def test_a_report_of_somebody_else(desk: Desk, tmp_path: Path) -> None:
    desk.presenter.open(written(tmp_path))
    assert desk.state().busy is Busy.READING
    desk.finish()
    assert desk.state().report == REPORT
    assert not desk.state().own
    assert desk.state().source == "Report file customer.json"


def test_details_go_back_to_the_newest_test(
    desk: Desk, sandbox: Sandbox, ca_file: Path, tmp_path: Path
) -> None:
    desk.presenter.show_newest()
    assert desk.view.done == []
    desk.form.fill(sandbox, ca_file, password="wrong")
    desk.form.test()
    desk.presenter.open(written(tmp_path))
    desk.finish()
    desk.presenter.show_newest()
    assert desk.state().own
    assert desk.state().report is desk.form.state().report


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (json.dumps(REPORT.to_json()).encode()[:-9], "isn’t complete JSON"),
        (b'{"schema": "other/1"}', "other/1"),
        (b" " * (MAX_BYTES + 1), "larger"),
        (json.dumps(REPORT.to_json() | {"stages": [{}] * 1_000_000}).encode(), "up to 1000"),
        (b"\xff\xfe\x00", "isn’t UTF-8"),
        (None, "No such file"),
    ],
    ids=["truncated", "other_schema", "huge", "million_stages", "binary", "missing"],
)
def test_what_is_no_report_is_named_and_the_former_one_stays(
    desk: Desk, tmp_path: Path, content: bytes | None, told: str
) -> None:
    desk.presenter.show_report(REPORT)
    file = tmp_path / "odd.json"
    if content is not None:
        file.write_bytes(content)
    desk.presenter.open(file)
    desk.finish()
    assert "odd.json" in desk.notice
    assert told in desk.notice
    assert desk.state().notice == Notice(desk.notice, error=True)
    assert desk.state().report is REPORT
    assert desk.state().busy is Busy.NOTHING


def test_saving_and_a_disk_that_refuses(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "saved.json"
    desk.presenter.save(file)
    assert desk.form.runner.waiting == 0
    desk.presenter.show_report(REPORT)
    desk.presenter.save(file)
    desk.finish()
    assert load_report(file) == REPORT
    assert "Saved as saved.json" in desk.notice
    desk.presenter.save(tmp_path / "no" / "folder.json")
    desk.finish()
    assert "folder.json can’t be written: No such file" in desk.notice


def test_copying(desk: Desk) -> None:
    desk.presenter.copy()
    assert desk.form.runner.waiting == 0
    desk.presenter.show_report(REPORT)
    desk.presenter.copy()
    desk.finish()
    assert desk.view.done[-1] == report_markdown(REPORT)
    assert "Copied" in desk.notice


def test_a_fault_of_the_program_is_named_as_one(desk: Desk) -> None:
    desk.presenter.show_report(replace(REPORT, transcript=(None,)))  # type: ignore[arg-type]
    desk.presenter.copy()
    desk.finish()
    assert "SMTP Desk ran into an internal error" in desk.notice
