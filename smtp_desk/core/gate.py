"""The Save gate and the outcome line, as pure functions so that a table can test every path."""

from dataclasses import dataclass, replace
from enum import StrEnum

from smtp_desk.core.settings import Snapshot


class Outcome(StrEnum):
    """The three outcomes; `texts.OUTCOMES` has their words."""

    SUCCESS = "success"
    UNREACHABLE = "unreachable"
    CHANGED = "changed"


class SaveHint(StrEnum):
    """Why Save is disabled; `texts.SAVE_HINTS` has the words."""

    NONE = "none"
    NEEDS_TEST = "needs_test"
    ALL_SAVED = "all_saved"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class SaveGate:
    """What was proven, what failed, what is saved; each event returns the next gate.

    A snapshot is compared by value. Once saved, the same values exist in two spellings,
    with the password typed and with the mark of the stored one: both are proven.

    Attributes:
        proven: Spellings of the last successful test's values; empty where there is none.
        this_session: Whether a test of this session proved them.
        failed: The values of the latest failed test.
        running: The values of the running test.
        saved: The proven settings in the store.
        closed: Whether Save waits for the next test or edit after a save.
    """

    proven: tuple[Snapshot, ...] = ()
    this_session: bool = False
    failed: Snapshot | None = None
    running: Snapshot | None = None
    saved: tuple[Snapshot, ...] = ()
    closed: bool = False

    @classmethod
    def loaded(cls, saved: Snapshot | None) -> "SaveGate":
        """Start from the proven settings in the store, or from none."""
        spellings = (saved,) if saved is not None else ()
        return cls(proven=spellings, saved=spellings, closed=bool(spellings))

    def test_started(self, values: Snapshot) -> "SaveGate":
        """A test of `values` began."""
        return replace(self, running=values)

    def test_passed(self, values: Snapshot) -> "SaveGate":
        """The server answered 2xx after the final dot in a test of `values`."""
        known = (spellings for spellings in (self.proven, self.saved) if values in spellings)
        spellings = next(known, (values,))
        return replace(
            self,
            proven=spellings,
            this_session=True,
            failed=None if self.failed == values else self.failed,
            running=None,
            closed=False,
        )

    def test_failed(self, values: Snapshot) -> "SaveGate":
        """A test of `values` failed; were they proven, they no longer are."""
        withdrawn = values in self.proven
        return replace(
            self,
            proven=() if withdrawn else self.proven,
            this_session=self.this_session and not withdrawn,
            failed=values,
            running=None,
        )

    def test_cancelled(self) -> "SaveGate":
        """A test was cancelled: nothing new is known."""
        return replace(self, running=None)

    def edited(self) -> "SaveGate":
        """The person changed a field."""
        return replace(self, closed=False) if self.closed else self

    def reverted(self) -> "SaveGate":
        """The form went back to the saved values: there is nothing left to save."""
        return replace(self, closed=bool(self.saved))

    def save_done(self, stored: Snapshot) -> "SaveGate":
        """The proven values were saved; `stored` is the same with the mark of the stored secret."""
        values = self.proven if stored in self.proven else (*self.proven, stored)
        return replace(self, proven=values, saved=values, closed=True)

    def removed(self) -> "SaveGate":
        """The saved settings were removed: back to the default service."""
        return SaveGate(running=self.running)

    def may_save(self, form: Snapshot | None) -> bool:
        """Whether Save is enabled for the values in the form (None: they aren't valid settings)."""
        return form is not None and form in self.proven and not self.closed

    def outcome(self, form: Snapshot | None) -> Outcome | None:
        """The outcome line for the values in the form; None where it is empty."""
        if form is not None and self.this_session and form in self.proven:
            return Outcome.SUCCESS
        if self.running is not None and form == self.running:
            return None  # the verdict on exactly these values is on its way
        if form is not None and form == self.failed:
            return Outcome.UNREACHABLE
        tested = self.this_session or self.failed is not None or self.running is not None
        if tested or (self.saved and form not in self.saved):
            return Outcome.CHANGED
        return None

    def save_hint(self, form: Snapshot | None) -> SaveHint:
        """Why Save is disabled, or NONE where it is enabled."""
        if self.may_save(form):
            return SaveHint.NONE
        if form is not None and form in self.saved and form != self.failed:
            return SaveHint.ALL_SAVED
        if self.outcome(form) is Outcome.CHANGED:
            return SaveHint.CHANGED
        return SaveHint.NEEDS_TEST
