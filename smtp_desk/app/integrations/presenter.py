"""The Integrations page without its widgets: edit, test, cancel, save, discard, remove, switch."""

from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol

from smtp_desk.app.integrations import words
from smtp_desk.app.integrations.filling import Filling
from smtp_desk.app.integrations.form import Form
from smtp_desk.app.integrations.form_offers import Offer, offers_of
from smtp_desk.app.integrations.newest_test import NewestTest, of_test
from smtp_desk.app.integrations.saving import ChangedElsewhereError, save_form
from smtp_desk.app.integrations.sign_in import KeyFile, may_sign_in_again, notice_of, signing_in
from smtp_desk.app.integrations.state import IntegrationsState, of_form
from smtp_desk.app.integrations.trust import CaTrust
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy, PagePresenter, quietly
from smtp_desk.app.proving.proving import ProofRequest, ProofResult, prove
from smtp_desk.app.proving.signing_in import TokenSignIn
from smtp_desk.app.routes.custom import (
    Saved,
    load_saved,
    look_again,
    remove_saved,
    switch_saved,
)
from smtp_desk.app.routes.outage import try_again
from smtp_desk.app.routes.sign_in import SignedIn
from smtp_desk.app.routes.words import after_removal, after_save
from smtp_desk.app.runner import Emit, Runner
from smtp_desk.app.services import Services
from smtp_desk.app.words import failure_text
from smtp_desk.core.findings.finding import (
    REMOVE_PASSWORD_SPACES,
    SIGN_IN_AGAIN,
    TRUST_CA,
    Remedy,
)
from smtp_desk.core.gate import SaveGate
from smtp_desk.core.problems import Field
from smtp_desk.core.report import CheckReport, fold_stages
from smtp_desk.core.settings import CaFile, SettingsDraft
from smtp_desk.core.stages import StageEvent
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.smtp.check.check import Steps
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.company_ca import read_ca_file


class IntegrationsFace(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def show_draft(self, draft: SettingsDraft, recipient: str) -> None:
        """Put these texts into the fields without reporting them as edits."""

    def render(self, state: IntegrationsState) -> None:
        """Show everything else."""

    def focus_field(self, field: Field) -> None:
        """Move the focus to the field."""

    def focus_outcome(self) -> None:
        """Move the focus to the outcome line."""


class IntegrationsPresenter(PagePresenter[IntegrationsState]):
    """Decides what the page shows; every rule can be tested without a window.

    One thing runs in the background at a time. Its result is compared with the values that
    were in the form at the click, never with those that are there by then.
    """

    def __init__(
        self, services: Services, runner: Runner, view: IntegrationsFace, *, default: bool = False
    ) -> None:
        """Create it; `default` for the relay of the default email service."""
        super().__init__(runner, view.render, IntegrationsState())
        self._services = services
        self._default = default
        self._view = view
        self._form = Form(lambda: services.now().date())
        self._gate = SaveGate()
        self._saved = Saved()
        self._looking = False
        self._outdated = False
        self._test: NewestTest | None = None
        self._proof: ProofResult | None = None
        self._kept: ProofResult | None = None
        self.filling: Final = Filling(self._form, self._form_changed_by_us)
        self.key_file: Final = KeyFile(runner, self.filling, partial(self._tell, error=True))
        self.trust: Final = CaTrust(services.trusted_cas, runner, self._form, self._trust_changed)

    @property
    def report(self) -> CheckReport | None:
        """The latest report of this session."""
        return self._test.report if self._test else None

    def request(self, steps: Steps = Steps.FULL) -> ProofRequest:
        """Return a request to test the form's current values."""
        return ProofRequest(
            draft=self._form.testable,
            recipient=self._form.recipient,
            steps=steps,
            signed_in=self._proof.signed_in if self._proof else None,
        )

    def start(self) -> None:
        """Read what is saved and show it."""
        services, default = self._services, self._default

        def work() -> Saved:
            # Read here: no key that is pressed in the form waits for it.
            services.providers.by_host("")
            return load_saved(services, default=default)

        self._run(Busy.LOADING, quietly(work), self._loaded)

    def look(self, *, anew: bool = False) -> None:
        """Check whether the server is unavailable, and whether anything was saved elsewhere."""
        if self._looking or self._state.busy is Busy.LOADING:
            return
        self._looking = True
        known = self._saved
        seen = replace(known, version=()) if anew else known
        work = partial(look_again, self._services, seen, default=self._default)

        def done(found: Saved) -> None:
            self._looking = False
            if self._saved is known and found != known:
                self._looked(found)

        def failed(_error: Exception) -> None:
            self._looking = False

        self._runner.run(quietly(work), on_done=done, on_error=failed)

    def try_again(self) -> None:
        """Try an unavailable server at once, or sign in again if that has to come first."""
        if self._saved.status.needs_sign_in:
            self._sign_in()
        elif self._idle:
            self._show(outage_notice=None, notice=None)
            self._run(Busy.TRYING, quietly(lambda: try_again(self._services)), self._tried)

    def edit(self, field: Field, text: str) -> None:
        """Take a keystroke."""
        changed = self._form.edit(field, text)
        if changed:
            self._gate = self._gate.edited()
        if field in (Field.CA_FILE, Field.OAUTH_CA_FILE) and text.strip():
            self._read_ca(text.strip())
        if field is Field.OAUTH_PROVIDER:
            # The fields of another credential stand there now.
            self._view.show_draft(self._form.draft, self._form.recipient)
        self._show(test_notice=None, notice=None)

    def finish_editing(self, field: Field) -> None:
        """The person left the field: show its problems from now on; trim host and username."""
        if self._form.leave(field):
            self._view.show_draft(self._form.draft, self._form.recipient)
        self._show()

    def accept(self, offer: Offer) -> None:
        """Fill in what was offered."""
        changes = offers_of(self._form).get(offer)
        if changes is not None:
            self._form.fill(replace(self._form.draft, **changes))
            self._form_changed_by_us()

    def apply(self, remedy: Remedy, report: CheckReport | None = None) -> None:
        """Make the changes of a remedy in the form; the person tests them then.

        Args:
            remedy: The remedy; trusting a CA needs an answer in `trust` first.
            report: The report that contains the remedy; by default the latest.
        """
        if remedy.id == TRUST_CA:
            self.trust.ask(report or self.report)
        elif remedy.id == SIGN_IN_AGAIN and self._state.secret_stored:
            self._sign_in()
        elif remedy.id == SIGN_IN_AGAIN:
            self._send_test(signed_in=None)
        elif remedy.id == REMOVE_PASSWORD_SPACES:
            self.accept(Offer.PASSWORD_SPACES)
        else:
            self.filling.fill({Field(name): value for name, value in remedy.changes.items()})
            if Field.CA_FILE in remedy.changes:
                self._read_ca(remedy.changes[Field.CA_FILE])

    def send_test(self) -> None:
        """Test the values in the form, or show all its problems and send nothing."""
        self._send_test(self.request().signed_in)

    def _send_test(self, signed_in: TokenSignIn | None) -> None:
        if not self._idle:
            return
        if self._form.leave(*Field):
            self._view.show_draft(self._form.draft, self._form.recipient)
        if errors := self._form.errors:
            self._show(
                test_notice=Notice(words.not_sent(len(errors)), error=True),
                notice=None,
            )
            self._view.focus_field(errors[0].field)
            return
        self._test = NewestTest(self._form.draft, self._form.values)
        if self._test.values is not None:
            self._gate = self._gate.test_started(self._test.values)
        services, request = self._services, replace(self.request(), signed_in=signed_in)

        def job(emit: Emit, cancel: Cancel) -> ProofResult:
            return prove(services, replace(request, ask=emit), emit, cancel)

        self._state = replace(self._state, notice=None, test_notice=None)
        self._run(Busy.TESTING, job, self._tested, on_event=self._stage_event)

    def _sign_in(self) -> None:
        """Let a person sign in again for what is saved; the settings stay as they are."""
        if self._idle:
            self._test = None
            self._show(notice=None, test_notice=None)
            again = signing_in(self._services, default=self._default)
            self._run(Busy.SIGNING_IN, again, self._signed_in, on_event=self._prompted)

    def cancel_test(self) -> None:
        """Cancel the running test; returns at once."""
        if self._state.testing and self._cancel is not None:
            self._cancel.cancel()
            self._show(busy=Busy.CANCELLING)

    def save(self, *, overwrite: bool = False) -> None:
        """Save the proven values; does nothing while Save is disabled.

        Args:
            overwrite: The person agreed to replace what was saved elsewhere meanwhile.
        """
        values = self._form.values
        if not self._idle or values is None or not self._gate.may_save(values):
            return
        proof, draft = self._proof, self._form.draft
        if values not in self._gate.proven or (proof is self._kept and values in self._gate.saved):
            proof = None
        work = partial(
            save_form,
            self._services,
            values,
            proof,
            version=None if overwrite else self._saved.version,
            default=self._default,
        )
        self._run(
            Busy.SAVING,
            quietly(work),
            lambda saved: self._save_done(saved, draft, proof or self._kept),
            failed=self._why_not_saved,
        )

    def discard(self) -> None:
        """Go back to what is saved."""
        self._form.discard()
        self._gate = self._gate.reverted()
        self._outdated = False
        self._view.show_draft(self._form.draft, self._form.recipient)
        self._show(test_notice=None, notice=None)

    def remove(self) -> None:
        """Remove the configuration: back to the default email service."""
        if self._idle:
            work = quietly(lambda: remove_saved(self._services, default=self._default))
            self._run(Busy.REMOVING, work, self._removed)

    def switch(self, on: bool) -> None:  # noqa: FBT001 - the position of a switch
        """Move the switch; it acts at once and goes on only with proven settings."""
        if self._idle:
            work = quietly(lambda: switch_saved(self._services, on=on))
            self._run(Busy.SWITCHING, work, self._switched)
        else:
            self._show()

    def _read_ca(self, path: str) -> None:
        def read(ca: CaFile) -> None:
            self._form.cas.remember(ca)
            self._show()

        self._runner.run(
            quietly(lambda: read_ca_file(path)),
            on_done=read,
            on_error=lambda error: self._tell(failure_text(error), error=True),
        )

    def _stage_event(self, event: StageEvent | Prompt) -> None:
        if isinstance(event, Prompt):
            self._prompted(event)
        elif self._test is not None and self._test.result is None:
            self._test = replace(self._test, events=(*self._test.events, event))
            # Whatever comes behind a prompt: the person has done it.
            super()._show(stages=fold_stages(self._test.events), prompt=None)

    def _prompted(self, event: StageEvent | Prompt) -> None:
        self._show(prompt=event if isinstance(event, Prompt) else None)

    def _signed_in(self, done: SignedIn) -> None:
        self._show(test_notice=notice_of(done))
        self.look(anew=True)  # it lasts longer by now
        self._view.focus_outcome()

    def _trust_changed(self, notice: Notice | None) -> None:
        self._state = replace(self._state, test_notice=notice)
        if notice is None or notice.error:
            self._show()
        else:
            self._form_changed_by_us()
            self._view.focus_outcome()

    def _loaded(self, saved: Saved) -> None:
        self._saved, self._outdated = saved, False
        self._gate = SaveGate.loaded(saved.as_typed)
        self._load(saved)
        self._show()

    def _load(self, saved: Saved) -> None:
        self._form.managed = saved.managed
        self._form.load(
            saved.draft,
            saved=saved.settings,
            ca=saved.ca,
            ca_host=saved.ca_host,
        )
        self._view.show_draft(self._form.draft, self._form.recipient)

    def _looked(self, found: Saved) -> None:
        """Take what was found; what the person has typed is never replaced unasked."""
        before, self._saved = self._saved, found
        # A later company name changes neither form nor file.
        same = found.status.server == before.status.server and found.proven == before.proven
        if same and found.draft.oauth == before.draft.oauth:
            self._show()
        elif not self._form.changed:
            self._loaded(found)
            self._tell(words.CHANGED_ELSEWHERE, plain=True)
        else:
            self._outdated = True
            self._rebase(found)
            proven = found.as_typed
            spellings = (proven,) if proven is not None else ()
            self._gate = replace(self._gate, saved=spellings, closed=False)
            self._show()

    def _rebase(self, saved: Saved) -> None:
        self._form.managed = saved.managed
        self._form.rebase(saved.draft, saved.settings)

    def _tried(self, notice: Notice) -> None:
        self._show(**{"outage_notice" if notice.error else "notice": notice})
        self.look()

    def _tested(self, result: ProofResult) -> None:
        if self._test is None:
            return
        self._test = replace(self._test, result=result)
        values = result.values and result.values.without_account
        notice: Notice | None = None
        if values is not None:
            self._form.cas.remember_tested(self._test.draft, values.settings)
            self._test = replace(self._test, values=values)
        if result.report.cancelled:
            self._gate = self._gate.test_cancelled()
            notice = Notice(words.CANCELLED, plain=True)
        elif values is None:
            self._gate = self._gate.test_cancelled()
            finding = result.report.finding
            notice = Notice(finding.summary if finding else "", error=True)
        elif result.proven:
            self._proof = result
            self._gate = self._gate.test_passed(values)
        else:
            self._gate = self._gate.test_failed(values)
        self._show(test_notice=notice)
        self._view.focus_outcome()

    def _save_done(self, saved: Saved, draft: SettingsDraft, kept: ProofResult | None) -> None:
        self._saved, self._kept, self._outdated = saved, kept, False
        if (proven := saved.as_typed) is not None:
            self._gate = self._gate.save_done(proven)
        if self._form.draft == draft:
            self._load(saved)
        else:
            self._rebase(saved)
            self._gate = self._gate.edited()
        self._tell(after_save(saved.status))

    def _why_not_saved(self, error: Exception) -> str:
        if isinstance(error, ChangedElsewhereError):
            self._outdated = True
            return words.NOT_OVERWRITTEN
        return failure_text(error)

    def _removed(self, saved: Saved) -> None:
        self._proof = self._test = None
        self._gate = self._gate.removed()
        self._loaded(saved)
        self._tell(after_removal(saved.status))

    def _switched(self, saved: Saved) -> None:
        self._saved = saved
        self._show(notice=None)  # what was asked for after saving is done

    def _failed(self, text: str) -> None:
        self._gate = self._gate.test_cancelled()
        super()._failed(text)

    def _form_changed_by_us(self) -> None:
        self._gate = self._gate.edited()
        self._view.show_draft(self._form.draft, self._form.recipient)
        self._show()

    def _show(self, **changes: Any) -> None:  # noqa: ANN401 - fields of the state
        self._state = replace(self._state, **changes)
        super()._show(**self._of_form())

    def _of_form(self) -> dict[str, object]:
        """Return what follows from the form, the gate and the newest test."""
        form, values = self._form, self._form.values
        outcome = self._gate.outcome(values)
        return {
            "status": self._saved.status,
            "ends": self._saved.ends,
            **of_form(form, self._services.providers),
            "outcome": outcome,
            **of_test(self._test, values, outcome),
            "ca_offer": self.trust.offer,
            "prompt": self._state.prompt if self._state.testing else None,
            "may_sign_in": may_sign_in_again(self._saved.draft) and not form.changed,
            "may_save": self._idle and self._gate.may_save(values),
            "save_hint": self._gate.save_hint(values),
            "outdated": self._outdated,
        }
