"""The Integrations page without its widgets: edit, test, cancel, save, discard, remove, switch.

The view of the Integrations page whose status line tells what happened elsewhere meanwhile.

One page's states, read by others as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

from smtp_desk.app.integrations.form import Form
from smtp_desk.app.integrations.state import Busy, IntegrationsState
from smtp_desk.app.integrations.trust import CaTrust
from smtp_desk.app.notice import Notice
from smtp_desk.app.proving.proving import ProofRequest, ProofResult, prove, save
from smtp_desk.app.routes.custom import (
    Saved,
    failure_text,
    load_saved,
    remove_saved,
    switch_saved,
)
from smtp_desk.app.runner import Emit, Runner
from smtp_desk.app.services import Services
from smtp_desk.core.findings.finding import REMOVE_PASSWORD_SPACES, TRUST_CA, Remedy
from smtp_desk.core.gate import Outcome, SaveGate
from smtp_desk.core.problems import Field
from smtp_desk.core.report import CheckReport, fold_stages
from smtp_desk.core.secret import StoredSecret
from smtp_desk.core.settings import CaFile, SettingsDraft, Snapshot
from smtp_desk.core.stages import StageEvent
from smtp_desk.core.texts import SAVE_HINTS
from smtp_desk.smtp.check.check import Steps
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.company_ca import read_ca_file

R = TypeVar("R")


class View(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def show_draft(self, draft: SettingsDraft, recipient: str) -> None:
        """Put these texts into the fields without reporting them as edits."""

    def render(self, state: IntegrationsState) -> None:
        """Show everything else."""

    def focus_field(self, field: Field) -> None:
        """Move the focus to the field."""

    def focus_outcome(self) -> None:
        """Move the focus to the outcome line."""


@dataclass(frozen=True, slots=True)
class _Test:
    """The newest test: the form at the click, the live stages, the result when there is one."""

    draft: SettingsDraft
    values: Snapshot | None = None
    events: tuple[StageEvent, ...] = ()
    result: ProofResult | None = None


class IntegrationsPresenter:
    """Decides what the page shows; every rule of it can be tested without a window.

    One thing runs in the background at a time. Its result is judged against the values
    that were in the form at the click, never against those that stand there by then.
    """

    def __init__(
        self, services: Services, runner: Runner, view: View, *, default: bool = False
    ) -> None:
        """Create it; `default` for the relay of the default email service."""
        self._services = services
        self._default = default
        self._runner = runner
        self._view = view
        self._form = Form()
        self._gate = SaveGate()
        self._saved = Saved()
        self._busy = Busy.NOTHING
        self._cancel: Cancel | None = None
        self._test: _Test | None = None
        self._proof: ProofResult | None = None
        self._test_notice: Notice | None = None
        self._save_notice: Notice | None = None
        self.trust: Final = CaTrust(services.trusted_cas, runner, self._form, self._trust_changed)

    @property
    def report(self) -> CheckReport | None:
        """The newest report of this session."""
        return self._test.result.report if self._test and self._test.result else None

    def request(self, steps: Steps = Steps.FULL) -> ProofRequest:
        """Return a test of what stands in the form at this moment."""
        return ProofRequest(draft=self._form.testable, recipient=self._form.recipient, steps=steps)

    def start(self) -> None:
        """Read what is saved and show it."""
        services, default = self._services, self._default

        def job(_emit: Emit, _cancel: Cancel) -> Saved:
            return load_saved(services, default=default)

        self._run(Busy.LOADING, job, self._loaded)

    def edit(self, field: Field, text: str) -> None:
        """Take a keystroke."""
        changed = self._form.edit(field, text)
        self._test_notice = self._save_notice = None
        if changed:
            self._gate = self._gate.edited()
        if field is Field.CA_FILE and text.strip():
            self._read_ca(text.strip())
        self._render()

    def finish_editing(self, field: Field) -> None:
        """The person left the field: from now on it complains; host and username are trimmed."""
        if self._form.leave(field):
            self._view.show_draft(self._form.draft, self._form.recipient)
        self._render()

    def use_stored_password(self) -> None:
        """Go back to the secret in the keyring."""
        stored = self._form.stored_password
        if stored is not None:
            self._form.fill(replace(self._form.draft, password=stored))
            self._form_changed_by_us()

    def remove_password_spaces(self) -> None:
        """Take the offer to remove the cosmetic spaces of an app password."""
        password = self._form.password_without_spaces
        if password is not None:
            self._form.fill(replace(self._form.draft, password=password))
            self._form_changed_by_us()

    def apply(self, remedy: Remedy, report: CheckReport | None = None) -> None:
        """Make the changes of a remedy in the form; the person tests them then.

        Args:
            remedy: What to do; to trust a CA needs an answer in `trust` first.
            report: Where the remedy stands; by default in the newest one.
        """
        if remedy.id == TRUST_CA:
            self.trust.ask(report or self.report)
            return
        if remedy.id == REMOVE_PASSWORD_SPACES:
            self.remove_password_spaces()
            return
        for name, value in remedy.changes.items():
            self._form.edit(Field(name), value)
        self._form_changed_by_us()
        if Field.CA_FILE in remedy.changes:
            self._read_ca(remedy.changes[Field.CA_FILE])

    def send_test(self) -> None:
        """Test the values in the form, or show all its problems and send nothing."""
        if self._busy is not Busy.NOTHING:
            return
        if self._form.leave(*Field):
            self._view.show_draft(self._form.draft, self._form.recipient)
        self._save_notice = None
        if errors := self._form.errors:
            several = f"Solve the {len(errors)} problems first; nothing was sent."
            one = "Solve the problem first; nothing was sent."
            self._test_notice = Notice(several if len(errors) > 1 else one, error=True)
            self._render()
            self._view.focus_field(errors[0].field)
            return
        self._test_notice = None
        self._test = _Test(self._form.draft, self._form.values)
        if self._test.values is not None:
            self._gate = self._gate.test_started(self._test.values)
        services, request = self._services, self.request()

        def job(emit: Emit, cancel: Cancel) -> ProofResult:
            return prove(services, request, emit, cancel)

        self._run(Busy.TESTING, job, self._tested)

    def cancel_test(self) -> None:
        """End the running test; answers at once."""
        if self._busy is Busy.TESTING and self._cancel is not None:
            self._busy = Busy.CANCELLING
            self._cancel.cancel()
            self._render()

    def save(self) -> None:
        """Save the proven values; does nothing while Save is disabled."""
        values = self._form.values
        if self._busy is not Busy.NOTHING or values is None or not self._gate.may_save(values):
            return
        proof, services, draft = self._proof, self._services, self._form.draft
        default = self._default
        if proof is None or values not in self._gate.proven:
            proof = None

        def job(_emit: Emit, _cancel: Cancel) -> Saved:
            # Values that were loaded proven and typed back need no second save.
            if proof is not None:
                save(services, proof, default=default)
            return load_saved(services, default=default)

        self._run(Busy.SAVING, job, lambda saved: self._save_done(saved, draft))

    def discard(self) -> None:
        """Go back to what is saved."""
        self._form.discard()
        self._gate = self._gate.reverted()
        self._test_notice = self._save_notice = None
        self._view.show_draft(self._form.draft, self._form.recipient)
        self._render()

    def remove(self) -> None:
        """Remove the configuration: back to the default email service."""
        services, default = self._services, self._default

        def job(_emit: Emit, _cancel: Cancel) -> Saved:
            return remove_saved(services, default=default)

        if self._busy is Busy.NOTHING:
            self._run(Busy.REMOVING, job, self._removed)

    def switch(self, on: bool) -> None:  # noqa: FBT001 - the position of a switch
        """Move the switch; it acts at once and goes on only with proven settings."""
        if self._busy is Busy.NOTHING:
            services = self._services
            self._run(
                Busy.SWITCHING, lambda _emit, _cancel: switch_saved(services, on=on), self._switched
            )
        else:
            self._render()

    def close(self) -> None:
        """The window closes: whatever runs is cancelled."""
        if self._cancel is not None:
            self._cancel.cancel()

    def _run(self, busy: Busy, job: Callable[[Emit, Cancel], R], done: Callable[[R], None]) -> None:
        self._busy = busy
        self._cancel = self._runner.run(
            job, on_done=done, on_error=self._failed, on_event=self._stage_event
        )
        self._render()

    def _read_ca(self, path: str) -> None:
        self._runner.run(
            lambda _emit, _cancel: read_ca_file(path), on_done=self._ca_read, on_error=self._failed
        )

    def _ca_read(self, ca: CaFile) -> None:
        self._form.cas.take(ca)
        self._render()

    def _stage_event(self, event: StageEvent) -> None:
        if self._test is not None and self._test.result is None:
            self._test = replace(self._test, events=(*self._test.events, event))
            self._render()

    def _trust_changed(self, notice: Notice | None) -> None:
        self._test_notice = notice
        if notice is None or notice.error:
            self._render()
        else:
            self._form_changed_by_us()
            self._view.focus_outcome()

    def _loaded(self, saved: Saved) -> None:
        self._idle()
        self._saved = saved
        self._gate = SaveGate.loaded(saved.proven)
        self._load(saved)
        self._render()

    def _load(self, saved: Saved) -> None:
        self._form.load(saved.draft, saved=saved.settings, ca=saved.ca, ca_host=saved.ca_host)
        self._view.show_draft(self._form.draft, self._form.recipient)

    def _tested(self, result: ProofResult) -> None:
        self._idle()
        if self._test is None:
            return
        self._test = replace(self._test, result=result)
        values = result.values
        if values is not None:
            self._form.cas.take(CaFile(self._test.draft.ca_file.strip(), values.settings.ca_pem))
        if result.report.cancelled:
            self._gate = self._gate.test_cancelled()
            self._test_notice = Notice("The test was cancelled.", plain=True)
        elif values is None:
            self._gate = self._gate.test_cancelled()
            finding = result.report.finding
            self._test_notice = Notice(finding.summary if finding else "", error=True)
        elif result.proven:
            self._proof = result
            self._gate = self._gate.test_passed(values)
        else:
            self._gate = self._gate.test_failed(values)
        self._render()
        self._view.focus_outcome()

    def _save_done(self, saved: Saved, draft: SettingsDraft) -> None:
        self._idle()
        self._saved = saved
        if saved.proven is not None:
            self._gate = self._gate.save_done(saved.proven)
        if self._form.draft == draft:
            self._load(saved)
        else:
            self._form.rebase(saved.draft, saved.settings)
            self._gate = self._gate.edited()
        self._save_notice = Notice(saved.after_save)
        self._render()

    def _removed(self, saved: Saved) -> None:
        self._proof = self._test = None
        self._gate = self._gate.removed()
        self._loaded(saved)
        self._save_notice = Notice(saved.after_removal)
        self._render()

    def _switched(self, saved: Saved) -> None:
        self._idle()
        self._saved = saved
        self._render()

    def _failed(self, error: Exception) -> None:
        self._idle()
        self._gate = self._gate.test_cancelled()
        self._save_notice = Notice(failure_text(error), error=True)
        self._render()

    def _idle(self) -> None:
        self._busy, self._cancel = Busy.NOTHING, None

    def _form_changed_by_us(self) -> None:
        self._gate = self._gate.edited()
        self._view.show_draft(self._form.draft, self._form.recipient)
        self._render()

    def _render(self) -> None:
        self._view.render(self._state())

    def _state(self) -> IntegrationsState:
        form, values, test = self._form, self._form.values, self._test
        outcome = self._gate.outcome(values)
        report = self.report
        shows_failure = outcome is Outcome.UNREACHABLE and report is not None
        idle = self._busy is Busy.NOTHING
        return IntegrationsState(
            status=self._saved.status,
            enabled=self._saved.enabled,
            switch_reason=self._saved.switch_reason,
            problems=form.visible_problems,
            password_stored=isinstance(form.draft.password, StoredSecret),
            may_use_stored_password=form.stored_password is not None,
            spaces_removable=form.password_without_spaces is not None,
            busy=self._busy,
            stages=fold_stages(test.events) if test else (),
            outcome=outcome,
            finding=report.finding if report and shows_failure else None,
            warnings=report.warnings if report and outcome is Outcome.SUCCESS else (),
            report=report,
            ca_offer=self.trust.offer,
            host=form.host,
            may_save=idle and self._gate.may_save(values),
            save_hint=SAVE_HINTS[self._gate.save_hint(values)],
            discard_reason="" if form.changed else "Nothing was changed.",
            remove_reason="" if self._saved.settings else "Nothing is configured yet.",
            test_notice=self._test_notice,
            save_notice=self._save_notice,
        )


_CHANGES: Final = frozenset({Busy.LOADING, Busy.SAVING, Busy.REMOVING, Busy.SWITCHING})
