"""The button Find settings without its widgets: ask, choose, fill in, undo.

The servers found are offered, never applied automatically. Nothing that was typed is overwritten,
and one press undoes what was filled in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from smtp_desk.app.notice import Notice
from smtp_desk.app.proposals.proposals import FindRequest, find_proposals
from smtp_desk.app.proposals.words import (
    CANCELLED,
    NOTHING_FOUND,
    OTHER_ADDRESS,
    limits_text,
    next_step,
    sign_in_text,
    sureness,
    warning,
)
from smtp_desk.app.runner import Emit, Runner
from smtp_desk.app.services import Services
from smtp_desk.app.words import failure_text
from smtp_desk.core.address import AddressError, parse_mailbox
from smtp_desk.core.findings.providers import SignIn
from smtp_desk.core.problems import Field, Problem
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.texts import problem_text
from smtp_desk.discovery.candidates import Asked, Candidate, Discovery, Source
from smtp_desk.discovery.finder import Network, planned
from smtp_desk.smtp.net.deadline import Cancel, CancelledError

_FRESH: Final = SettingsDraft()
_SERVER: Final = frozenset({Field.HOST, Field.PORT, Field.SECURITY})
_CREDENTIAL: Final = frozenset({Field.OAUTH_PROVIDER, Field.PASSWORD, Field.AUTH_METHOD})
_UNSURE: Final = frozenset({Source.SRV, Source.GUESS})


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
        sign_in: What the provider accepts to sign in, with its page.
        limits: How much the provider lets one account send, or "".
        warning: What to be careful about, or "".
        changes: The fields that accepting it fills in, with their values; empty if they are all
            there already, or what was typed conflicts with it.
        kept: The fields that keep what was typed, although the candidate has another value.
        instead: What is filled in if it replaces what was typed; without locked fields.
        credential: The sign-in by OAuth 2.0 (`OAuthProvider`) that can be chosen with it; "" if
            there is none, or the person has typed another server or credential.
    """

    candidate: Candidate
    sureness: str
    sign_in: str
    limits: str
    warning: str
    changes: Mapping[Field, str]
    kept: tuple[Field, ...]
    instead: Mapping[Field, str]
    credential: str = ""

    @property
    def needs_credential(self) -> bool:
        """Whether there is no other way to sign in."""
        return bool(self.credential) and self.candidate.sign_in == (SignIn.OAUTH,)

    @property
    def may_replace(self) -> bool:
        """Whether it can replace what was typed."""
        return bool(self.kept) and self.instead != self.changes

    @classmethod
    def of(
        cls, candidate: Candidate, draft: SettingsDraft, locked: frozenset[Field] = frozenset()
    ) -> "Proposal":
        """Return what a candidate would do to the form's content."""
        values = {
            Field.HOST: candidate.host,
            Field.PORT: str(candidate.port),
            Field.SECURITY: str(candidate.security),
        }
        if candidate.username:
            values[Field.USERNAME] = candidate.username
        differing = {
            field: value for field, value in values.items() if _text(draft, field) != value
        }
        fixed = locked.intersection(differing)
        typed = fixed.union(each for each in differing if _text(draft, each) != _text(_FRESH, each))
        changes = _without(differing, typed)
        chooses = Field.HOST in changes and _may_choose(draft, locked)
        return cls(
            candidate=candidate,
            sureness=sureness(candidate),
            sign_in=sign_in_text(candidate),
            limits=limits_text(candidate),
            warning=warning(candidate),
            changes=changes,
            kept=tuple(field for field in differing if field in typed),
            instead=_without(differing, fixed),
            credential=candidate.oauth_provider if chooses else "",
        )


def _may_choose(draft: SettingsDraft, locked: frozenset[Field]) -> bool:
    """Whether nobody has chosen or typed a credential yet."""
    credential = replace(
        _FRESH, secret=draft.secret, auth_method=draft.auth_method, oauth=draft.oauth
    )
    return credential == _FRESH and not locked & _CREDENTIAL


def _without(values: Mapping[Field, str], kept: frozenset[Field]) -> Mapping[Field, str]:
    """Return the values of fields that may change while these are kept."""
    # The host of one server with the port of another one would be a third.
    stay = kept.union(_SERVER) if kept.intersection(_SERVER) else kept
    return {field: value for field, value in values.items() if field not in stay}


@dataclass(frozen=True, slots=True, kw_only=True)
class FindState:
    """Everything beside the button.

    Attributes:
        reason: Why nothing can be found for the From email, or "".
        busy: What is running.
        questions: The questions and whom they are asked; during and after the search with results.
        searched: Whether they have been asked.
        proposals: What was found, the surest first.
        notice: Anything else there is to say.
        may_ask_ispdb: Whether a yes lets Mozilla's database be asked as well.
        may_undo: Whether what was filled in can be taken back.
    """

    reason: str = ""
    busy: FindBusy = FindBusy.NOTHING
    searched: bool = False
    questions: tuple[Asked, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    notice: Notice | None = None
    may_ask_ispdb: bool = False
    may_undo: bool = False


class FindView(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def render_state(self, state: FindState) -> None:
        """Show it."""

    def focus_address(self) -> None:
        """Move the focus to From email, which isn't a valid address."""


class FormAccess(Protocol):
    """The form that is filled in."""

    @property
    def draft(self) -> SettingsDraft:
        """What stands in the form at this moment."""

    @property
    def locked(self) -> frozenset[Field]:
        """The fields that nobody here may change."""

    def fill(self, changes: Mapping[Field, str]) -> None:
        """Put values into fields, as if the person had typed them."""


class FindPresenter:
    """Decides what the button does; every rule can be tested without a window."""

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
            services: They contain the provider data.
            runner: Runs the search.
            view: Shows it.
            form: The form to fill in.
            network: Returns what to ask instead of the internet: the sandbox.
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
        self._address = ""
        self._draft = form.draft
        self._state = FindState()

    def find(self, *, ispdb: bool = False) -> None:
        """Find servers for the From email; `ispdb` is the person's yes to Mozilla's database."""
        if self._state.busy is not FindBusy.NOTHING:
            return
        address = self._form.draft.from_email.strip()
        reason = _reason(address)
        if reason:
            self._show(replace(self._state, notice=Notice(reason, error=True)))
            self._view.focus_address()
            return
        services, request = self._services, FindRequest(address=address, ispdb=ispdb)
        network = self._network

        def job(emit: Emit, cancel: Cancel) -> Discovery:
            asked = network() if network else None
            return find_proposals(services, request, cancel, show=emit, network=asked)

        self._found, self._address = None, address
        self._show(
            FindState(
                busy=FindBusy.FINDING,
                searched=True,
                questions=self._plan(address, ispdb=ispdb),
                may_undo=bool(self._before),
            )
        )
        self._cancel = self._runner.run(
            job, on_done=self._done, on_error=self._failed, on_event=self._answered
        )

    def cancel(self) -> None:
        """Cancel the search; returns at once."""
        if self._state.busy is FindBusy.FINDING and self._cancel is not None:
            self._cancel.cancel()
            self._show(replace(self._state, busy=FindBusy.CANCELLING))

    def accept(self, proposal: Proposal, *, instead: bool = False, by_oauth: bool = False) -> None:
        """Fill in a proposal.

        Args:
            proposal: The proposal.
            instead: The person agrees that it replaces what was typed; otherwise that is kept.
            by_oauth: The person wants its sign-in by OAuth 2.0.
        """
        draft = self._form.draft
        current = Proposal.of(proposal.candidate, draft, self._form.locked)
        changes = current.instead if instead else current.changes
        if not changes:
            return
        by_oauth = by_oauth and bool(current.credential)
        if by_oauth:
            changes = {**changes, Field.OAUTH_PROVIDER: current.credential}
        self._before = {field: _text(draft, field) for field in changes}
        self._filled = changes
        self._form.fill(changes)
        notice = Notice(next_step(current.candidate, by_oauth=by_oauth))
        self._show(replace(self._state, notice=notice, may_undo=True))

    def undo(self) -> None:
        """Undo what was filled in, and keep what the person has typed since."""
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
        """The form may have changed, and with it what a proposal would fill in."""
        draft = self._form.draft
        if draft == self._draft:
            return
        state = self._state
        idle = state.busy is FindBusy.NOTHING
        if idle and state.searched and draft.from_email.strip() != self._address:
            # What was found is of no use for another address.
            self._found = None
            state = FindState(may_undo=state.may_undo)
        self._show(state)

    def close(self) -> None:
        """Cancel the search, because the window closes."""
        if self._cancel is not None:
            self._cancel.cancel()

    def _answered(self, asked: Asked) -> None:
        questions = {(each.source, each.target): each for each in self._state.questions}
        questions[asked.source, asked.target] = asked
        in_order = sorted(questions.values(), key=lambda each: each.source.rank)
        self._show(replace(self._state, questions=tuple(in_order)))

    def _done(self, found: Discovery) -> None:
        self._cancel = None
        if self._form.draft.from_email.strip() != self._address:
            self._show(FindState(notice=Notice(OTHER_ADDRESS, plain=True)))
            return
        self._found = found
        self._show(
            FindState(
                searched=True,
                questions=found.asked,
                notice=None if found.candidates else Notice(NOTHING_FOUND, plain=True),
                may_ask_ispdb=_may_ask_ispdb(found),
                may_undo=bool(self._before),
            )
        )

    def _failed(self, error: Exception) -> None:
        self._cancel = None
        cancelled = isinstance(error, CancelledError)
        text = CANCELLED if cancelled else failure_text(error)
        notice = Notice(text, error=not cancelled, plain=cancelled)
        self._show(FindState(notice=notice, may_undo=bool(self._before)))

    def _show(self, state: FindState) -> None:
        draft, locked = self._form.draft, self._form.locked
        reason = _reason(draft.from_email)
        if not state.searched:
            plan = () if reason else self._plan(draft.from_email, ispdb=False)
            state = replace(state, questions=plan)
        proposals = self._found.candidates if self._found else ()
        self._draft = draft
        self._state = replace(
            state,
            reason=reason,
            proposals=tuple(Proposal.of(each, draft, locked) for each in proposals),
        )
        self._view.render_state(self._state)

    def _plan(self, address: str, *, ispdb: bool) -> tuple[Asked, ...]:
        """Return what is asked where; where the network is the sandbox, the DNS isn't."""
        mailbox = parse_mailbox(address.strip())
        return tuple(planned(mailbox, ispdb=ispdb, dns=self._network is None))


def _may_ask_ispdb(found: Discovery) -> bool:
    asked = {each.source for each in found.asked}
    known = {each.source for each in found.candidates}
    return Source.WELL_KNOWN in asked and Source.ISPDB not in asked and known <= _UNSURE


def _reason(address: str) -> str:
    try:
        parse_mailbox(address.strip())
    except AddressError as error:
        return problem_text(Problem(Field.FROM_EMAIL, error.code, error.params))
    return ""


def _text(draft: SettingsDraft, field: Field) -> str:
    return draft.oauth.provider if field is Field.OAUTH_PROVIDER else str(getattr(draft, field))
