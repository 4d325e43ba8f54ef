"""The Delivery page without its widgets: what was sent, what waits, and how the routes do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol, TypeVar

from smtp_desk.app.delivery.export import export
from smtp_desk.app.delivery.listing import PAGE, Listing, ListReader, Part, Span, search_counts
from smtp_desk.app.delivery.rows import Details, details_of
from smtp_desk.app.delivery.state import DeliveryState, Emptiness, SearchProgress
from smtp_desk.app.delivery.words import (
    Cause,
    DeliveryStatus,
    causes,
    count_by_status,
    outbox_failure_text,
    outbox_trouble,
)
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy, PagePresenter, quietly
from smtp_desk.app.routes.outage import try_again
from smtp_desk.app.routes.route_status import RouteStatus
from smtp_desk.app.routes.status import read_routes
from smtp_desk.app.routes.words import PAUSED
from smtp_desk.app.runner import Runner
from smtp_desk.app.services import Services
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.outbox import EntryNotFoundError, Query
from smtp_desk.smtp.net.deadline import Cancel

R = TypeVar("R")

_DUE: Final = "Queued: a worker sends it next."
_DUE_IN_A_PAUSE: Final = f"Queued. {PAUSED}"
_PATIENCE: Final = timedelta(seconds=10)
"""How long what is due is left to a worker that may be at work."""
_DROPPED: Final = "The email was dropped. It won’t be sent."


@dataclass(frozen=True, slots=True)
class _Look:
    """What one reading of the outbox found."""

    parts: tuple[Part, ...]
    listing: Listing
    counts: Mapping[DeliveryStatus, int]
    routes: tuple[RouteStatus, ...]
    details: Details | None
    left: bool


class DeliveryFace(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def render(self, state: DeliveryState) -> None:
        """Show this."""

    def show_part(self, part: Part) -> None:
        """Show these rows in the list."""


class DeliveryPresenter(PagePresenter[DeliveryState]):
    """Decides what the Delivery page shows.

    Args:
        services: The services to use.
        runner: A thread of its own: a test of a server must not keep the list waiting.
        view: The page.
    """

    def __init__(self, services: Services, runner: Runner, view: DeliveryFace) -> None:
        super().__init__(runner, view.render, DeliveryState())
        self._services = services
        self._view = view
        self._cause = causes(services)
        self._listing: Listing | None = None
        self._look: Cancel | None = None
        self._detail: Cancel | None = None
        self._sought = 0
        self._span = Span()
        self._patience = _Patience()

    def refresh(self, span: Span) -> None:
        """Read what is new and what is visible, unless that is being done already."""
        self._span = span
        listing = self._listing
        if self._look is not None:
            return
        if listing is None:
            self._list_anew()
            return
        selected = self._state.selected
        self._read(lambda reader: reader.again(listing, span), selected)

    def search(self, text: str) -> None:
        """List the emails with `text` in recipient, subject, Message-ID or finding.

        The newest are searched first, and shown; then older ones, until a page was found.
        """
        if text != self._state.text:
            self._state = replace(self._state, text=text)
            self._list_anew()

    def stop_search(self) -> None:
        """Search no older emails; what was found stays in the list."""
        if self._state.progress is SearchProgress.RUNNING:
            self._forget_look()
            self._show(progress=SearchProgress.STOPPED)

    def search_on(self) -> None:
        """Search older emails, too, after `stop_search`."""
        self._state = replace(self._state, progress=SearchProgress.IDLE)
        self.more()
        self._show(progress=self._progress)

    def show_only(self, status: DeliveryStatus | None) -> None:
        """List the emails with this status; None for all."""
        if status is not self._state.status:
            self._state = replace(self._state, status=status)
            self._list_anew()

    def show_all(self) -> None:
        """List all emails, and clear the search."""
        self._state = replace(self._state, text="", status=None)
        self._list_anew()

    def more(self) -> None:
        """Read on at the end of the list, unless the person stopped the search."""
        if self._state.progress is not SearchProgress.STOPPED:
            self._sought = PAGE
            self._go_on()

    def select(self, entry_id: str) -> None:
        """Show this email in full; "" for none."""
        if entry_id == self._state.selected:
            return
        if self._detail is not None:
            self._detail.cancel()
            self._detail = None
        self._show(selected=entry_id, details=None, notice=None)
        if not entry_id:
            return
        services, cause = self._services, self._cause

        def job(_emit: object, cancel: Cancel) -> Details | None:
            cancel.check()
            return _details(services, cause, entry_id)

        self._detail = self._start(job, self._selected, self._not_read)

    def retry(self) -> None:
        """Make the selected email due now."""
        entry_id, services = self._state.selected, self._services

        def action() -> Notice:
            services.outbox.retry(entry_id)
            return Notice(_DUE_IN_A_PAUSE if services.control.paused_since() else _DUE)

        self._do(Busy.RETRYING, action)

    def drop(self) -> None:
        """Drop the selected email."""
        entry_id = self._state.selected
        self._do(Busy.DROPPING, lambda: self._services.outbox.drop(entry_id), _DROPPED)

    def export(self, file: Path) -> None:
        """Write the selected email to `file`; the person has agreed to replace an existing one."""
        entry_id, services = self._state.selected, self._services
        self._do(
            Busy.EXPORTING,
            lambda: export(services, entry_id, file, replace=True),
            f"Exported as {file.name}.",
            failed=lambda error: _export_trouble(file.name, error),
        )

    def try_again(self, route: str) -> None:
        """Try a paused or shut route at once, and show the result."""
        self._do(Busy.TRYING, lambda: try_again(self._services, route))

    def close(self) -> None:
        """The window closes: what is read is not waited for."""
        super().close()
        for cancel in (self._look, self._detail):
            if cancel is not None:
                cancel.cancel()

    def _list_anew(self) -> None:
        """Begin another list; what is being read for the former one counts no more."""
        self._forget_look()
        self._listing = None
        self._state = replace(self._state, progress=SearchProgress.IDLE)
        status, text = self._state.status, self._state.text
        query = Query(states=status.states if status else frozenset(), text=text)
        self._read(lambda reader: reader.first(query), self._state.selected)

    def _forget_look(self) -> None:
        if self._look is not None:
            self._look.cancel()
        self._look = None
        self._sought = 0

    def _read(
        self,
        ask: Callable[[ListReader], tuple[tuple[Part, ...], Listing]],
        selected: str,
    ) -> None:
        services, cause = self._services, self._cause

        def job(_emit: object, cancel: Cancel) -> _Look:
            cancel.check()
            outbox = services.outbox
            parts, listing = ask(ListReader(outbox, cause))
            cancel.check()
            counts = search_counts(outbox, listing.query)
            routes = read_routes(services)
            return _Look(
                parts,
                listing,
                {} if counts is None else count_by_status(counts),
                routes,
                _details(services, cause, selected) if selected else None,
                _is_left(services, routes),
            )

        self._look = self._start(job, self._looked, self._not_read)

    def _start(
        self,
        job: Callable[[object, Cancel], R],
        done: Callable[[R], None],
        failed: Callable[[Exception], None],
    ) -> Cancel:
        """Run a job whose answer counts only until it is cancelled."""

        def finish(result: R) -> None:
            if not cancel.cancelled:
                done(result)

        def fail(error: Exception) -> None:
            if not cancel.cancelled:
                failed(error)

        cancel = self._runner.run(job, on_done=finish, on_error=fail)
        return cancel

    def _looked(self, look: _Look) -> None:
        self._look = None
        if self._listing is None and look.listing.query.searches:
            self._sought = PAGE - sum(len(part.rows) for part in look.parts)
        self._take(look.listing, *look.parts)
        details = look.details
        if details is None or details.id != self._state.selected:
            details = self._state.details
        self._show(
            counts=look.counts,
            routes=look.routes,
            undrained=self._patience.is_over(self._services.now(), left=look.left),
            details=details,
            emptiness=self._emptiness(look.counts),
            progress=self._progress,
            trouble="",
        )
        self._go_on()

    def _take(self, listing: Listing, *parts: Part) -> None:
        """Show what was read of the list."""
        self._listing = listing
        for part in parts:
            self._view.show_part(part)

    def _emptiness(self, counts: Mapping[DeliveryStatus, int]) -> Emptiness:
        text, status, listing = self._state.text, self._state.status, self._listing
        if not counts and listing is not None:
            known = listing.found or listing.next is not None
            return Emptiness.NOT_EMPTY if known else Emptiness.NO_MATCHES
        if counts[status] if status else any(counts.values()):
            return Emptiness.NOT_EMPTY
        return Emptiness.NO_MATCHES if text or any(counts.values()) else Emptiness.NO_EMAILS

    @property
    def _progress(self) -> SearchProgress:
        listing = self._listing
        if listing is None or listing.next is None or not listing.query.searches:
            return SearchProgress.IDLE
        if self._state.progress is SearchProgress.STOPPED:
            return SearchProgress.STOPPED
        return SearchProgress.RUNNING if self._sought > 0 else SearchProgress.IDLE

    def _continued(self, read: tuple[Part, Listing]) -> None:
        self._look = None
        part, listing = read
        self._sought -= len(part.rows)
        self._take(listing, part)
        shown = {"progress": self._progress, "emptiness": self._emptiness(self._state.counts)}
        if any(getattr(self._state, name) is not value for name, value in shown.items()):
            self._show(**shown)
        self._go_on()

    def _go_on(self) -> None:
        """Read on while rows are sought and there are more."""
        listing = self._listing
        if self._look is not None or self._sought <= 0 or listing is None or listing.next is None:
            return
        services, cause = self._services, self._cause

        def job(_emit: object, cancel: Cancel) -> tuple[Part, Listing]:
            cancel.check()
            return ListReader(services.outbox, cause).more(listing)

        self._look = self._start(job, self._continued, self._not_read)

    def _selected(self, details: Details | None) -> None:
        self._detail = None
        if details is None:
            self._tell(outbox_trouble(EntryNotFoundError()), error=True)
        else:
            self._show(details=details)

    def _not_read(self, error: Exception) -> None:
        self._look = self._detail = None
        self._sought = 0
        running = self._state.progress is SearchProgress.RUNNING
        progress = SearchProgress.STOPPED if running else self._state.progress
        self._show(trouble=outbox_failure_text(error), progress=progress)

    def _do(
        self,
        busy: Busy,
        action: Callable[[], object],
        done: str = "",
        *,
        failed: Callable[[Exception], str] = outbox_failure_text,
    ) -> None:
        """Do what a person asked for, tell what came of it and look again."""
        if not self._idle:
            return

        def finish(told: object) -> None:
            self._show(notice=told if isinstance(told, Notice) else Notice(done))
            self.refresh(self._span)

        self._state = replace(self._state, notice=None)
        self._run(busy, quietly(action), finish, failed=failed)

    def _failed(self, text: str) -> None:
        super()._failed(text)
        self.refresh(self._span)


class _Patience:
    """Judges whether anybody sends what is due: a worker takes it within a second or two."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._looked: datetime | None = None

    def is_over(self, now: datetime, *, left: bool) -> bool:
        """Whether mail was `left` at every look of the last seconds, this one included."""
        watched = self._looked is not None and now - self._looked <= _PATIENCE
        self._looked = now
        if not left or not watched or self._since is None:
            self._since = now if left else None
        return self._since is not None and now - self._since >= _PATIENCE


def _is_left(services: Services, routes: tuple[RouteStatus, ...]) -> bool:
    """Whether something is due that an open route could take, and nobody is sending."""
    due, now = services.outbox.next_due(), services.now()
    if due is None or due > now or not any(route.open for route in routes):
        return False
    return not services.outbox.counts().of(EntryState.SENDING, EntryState.IN_DOUBT)


def _details(services: Services, cause: Cause, entry_id: str) -> Details | None:
    try:
        entry = services.outbox.get(entry_id)
    except EntryNotFoundError:
        return None
    return details_of(entry, cause, services.now())


def _export_trouble(name: str, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{name} can’t be written: {error.strerror}."
    return outbox_failure_text(error)
