"""The button Find settings without its widgets: ask, choose, fill in, undo.

What was found is a choice, never applied by itself. Nothing that was typed is overwritten, and
one press takes back what was filled in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from smtp_desk.app.notice import Notice
from smtp_desk.app.proposals.proposals import FindRequest, find_proposals
from smtp_desk.app.proposals.words import result_text, sign_in_text, sureness, warning
from smtp_desk.app.runner import Emit, Runner
from smtp_desk.app.services import Services
from smtp_desk.core.address import AddressError, parse_mailbox
from smtp_desk.core.problems import Field, Problem
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.texts import problem_text
from smtp_desk.discovery.candidates import Asked, Candidate, Discovery
from smtp_desk.discovery.finder import Network, planned
from smtp_desk.smtp.net.deadline import Cancel, CancelledError

_FRESH: Final = SettingsDraft()
_SERVER: Final = (Field.HOST, Field.PORT, Field.SECURITY)


class FindBusy(StrEnum):
    """What runs; the values are texts for the person."""

    NOTHING = ""
    FINDING = "Looking for the server…"
    CANCELLING = "Cancelling…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A candidate, and what taking it would do to the form.

    Attributes:
        candidate: The server.
        sureness: Where it comes from, and so how sure it is.
        sign_in: What the provider takes to sign in, with its page.
        warning: What to be careful about, or "".
        changes: The fields that taking it fills in, with their values; empty where all is
            there already, or what was typed stands against it.
        kept: The fields that keep what was typed, though the candidate has another value.
    """

    candidate: Candidate
    sureness: str
    sign_in: str
    warning: str
    changes: Mapping[Field, str]
    kept: tuple[Field, ...]

    @classmethod
    def of(cls, candidate: Candidate, draft: SettingsDraft) -> "Proposal":
        """Return what a candidate means for what stands in the form."""
        values = {
            Field.HOST: candidate.host,
            Field.PORT: str(candidate.port),
            Field.SECURITY: str(candidate.security),
            Field.USERNAME: candidate.username,
        }
        differing = [field for field, value in values.items() if _text(draft, field) != value]
        typed = [field for field in differing if _text(draft, field) != _text(_FRESH, field)]
        # A typed host with the port of another one would be a third server.
        free = [] if set(typed).intersection(_SERVER) else list(_SERVER)
        if Field.USERNAME not in typed and candidate.username:
            free.append(Field.USERNAME)
        return cls(
            candidate=candidate,
            sureness=sureness(candidate),
            sign_in=sign_in_text(candidate),
            warning=warning(candidate),
            changes={field: values[field] for field in free if field in differing},
            kept=tuple(field for field in typed if field is not Field.USERNAME or values[field]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FindState:
    """Everything beside the button.

    Attributes:
        reason: Why nothing can be found for what stands in From email, or "".
        busy: What runs.
        questions: What is asked where, before and while it is; then each with its result.
        proposals: What was found, the surest first.
        notice: What there is to say besides.
        may_ask_ispdb: Whether a yes lets Mozilla's database be asked as well.
        may_undo: Whether what was filled in can be taken back.
    """

    reason: str = ""
    busy: FindBusy = FindBusy.NOTHING
    questions: tuple[tuple[str, str], ...] = ()
    proposals: tuple[Proposal, ...] = ()
    notice: Notice | None = None
    may_ask_ispdb: bool = False
    may_undo: bool = False


class FindView(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def render(self, state: FindState) -> None:
        """Show it."""


class FormAccess(Protocol):
    """The form that is filled in: `IntegrationsPresenter` and its like."""

    @property
    def draft(self) -> SettingsDraft:
        """What stands in the form at this moment."""

    def fill(self, changes: Mapping[Field, str]) -> None:
        """Put values into fields, as if the person had typed them."""


class FindPresenter:
    """Decides what the button does; every rule of it can be tested without a window."""

    def __init__(
        self,
        services: Services,
        runner: Runner,
        view: FindView,
        form: FormAccess,
        network: Callable[[], Network] | None = None,
    ) -> None:
        """Create it.

        Args:
            services: Where the provider data come from.
            runner: Runs the search.
            view: Shows it.
            form: Is filled in.
            network: Gives whom to ask instead of the internet: the sandbox.
        """
        self._services = services
        self._runner = runner
        self._view = view
        self._form = form
        self._network = network
        self._cancel: Cancel | None = None
        self._found: Discovery | None = None
        self._filled: Mapping[Field, str] = {}
        self._before: Mapping[Field, str] = {}
        self._state = FindState()

    def find(self, *, ispdb: bool = False) -> None:
        """Find servers for the From email; `ispdb` is the person's yes to Mozilla's database."""
        if self._state.busy is not FindBusy.NOTHING:
            return
        address = self._form.draft.from_email.strip()
        reason = _reason(address)
        if reason:
            self._show(FindState(notice=Notice(reason, error=True)))
            return
        services, request = self._services, FindRequest(address=address, ispdb=ispdb)
        network = self._network() if self._network else None

        def job(_emit: Emit, cancel: Cancel) -> Discovery:
            return find_proposals(services, request, cancel, network=network)

        self._found = None
        self._show(FindState(busy=FindBusy.FINDING, questions=_plan(services, address, ispdb)))
        self._cancel = self._runner.run(job, on_done=self._done, on_error=self._failed)

    def cancel(self) -> None:
        """End the search; answers at once."""
        if self._state.busy is FindBusy.FINDING and self._cancel is not None:
            self._cancel.cancel()
            self._show(replace(self._state, busy=FindBusy.CANCELLING))

    def accept(self, proposal: Proposal) -> None:
        """Fill in what a proposal says, as far as nothing typed stands against it."""
        draft = self._form.draft
        current = Proposal.of(proposal.candidate, draft)
        if not current.changes:
            return
        self._before = {field: _text(draft, field) for field in current.changes}
        self._filled = current.changes
        self._form.fill(current.changes)
        names = "kept what you typed" if current.kept else "nothing else was changed"
        self._show(replace(self._state, notice=Notice(f"Filled in; {names}."), may_undo=True))

    def undo(self) -> None:
        """Take back what was filled in; what the person has typed since stays."""
        draft = self._form.draft
        back = {
            field: before
            for field, before in self._before.items()
            if _text(draft, field) == self._filled[field]
        }
        self._before = self._filled = {}
        if back:
            self._form.fill(back)
        self._show(replace(self._state, notice=None, may_undo=False))

    def form_changed(self) -> None:
        """The form was edited: what a proposal would fill in may be another."""
        self._show(self._state)

    def close(self) -> None:
        """The window closes: a search is cancelled."""
        if self._cancel is not None:
            self._cancel.cancel()

    def _done(self, found: Discovery) -> None:
        self._cancel, self._found = None, found
        self._show(
            FindState(
                questions=tuple(_line(each) for each in found.asked),
                notice=None if found.candidates else Notice(_NOTHING_FOUND),
                may_ask_ispdb=not found.candidates and len(found.asked) > 1,
                may_undo=bool(self._before),
            )
        )

    def _failed(self, error: Exception) -> None:
        self._cancel = None
        cancelled = isinstance(error, CancelledError)
        text = "The search was cancelled." if cancelled else f"The search failed: {error}"
        self._show(FindState(notice=Notice(text, error=not cancelled, plain=cancelled)))

    def _show(self, state: FindState) -> None:
        draft = self._form.draft
        proposals = self._found.candidates if self._found else ()
        self._state = replace(
            state,
            reason=_reason(draft.from_email),
            proposals=tuple(Proposal.of(each, draft) for each in proposals),
        )
        self._view.render(self._state)


_NOTHING_FOUND: Final = (
    "No server was found. Enter the values your mail administrator or provider gave you."
)


def _reason(address: str) -> str:
    try:
        parse_mailbox(address)
    except AddressError as error:
        return problem_text(Problem(Field.FROM_EMAIL, error.code, error.params))
    return ""


def _plan(services: Services, address: str, ispdb: bool) -> tuple[tuple[str, str], ...]:  # noqa: FBT001
    mailbox = parse_mailbox(address)
    if services.providers.by_domain(mailbox.ascii_domain):
        return ()
    return tuple(_line(each) for each in planned(mailbox, ispdb=ispdb))


def _line(asked: Asked) -> tuple[str, str]:
    return asked.target, result_text(asked)


def _text(draft: SettingsDraft, field: Field) -> str:
    return str(getattr(draft, field))
