"""The activity of the whole outbox, and what a person does with all of it; without widgets.

Besides the list, which `presenter` keeps: the last day, a pause, workers, the causes that stop
emails, everything about one recipient, and a copy of one email.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from smtp_desk.app.delivery.erasing import Erasure, erase, find_stored
from smtp_desk.app.delivery.last_day import DAY, Hour, hours_of
from smtp_desk.app.delivery.overview_words import RESUMED, erased, retried_text
from smtp_desk.app.delivery.words import causes, outbox_failure_text, sent_notice
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy, PagePresenter, PageState, quietly
from smtp_desk.app.routes.default import address_problems
from smtp_desk.app.routes.send_once import Send
from smtp_desk.app.runner import Runner
from smtp_desk.app.services import Services
from smtp_desk.sender.mail.message import new_message_id
from smtp_desk.sender.mail.personal_copy import personal_copy
from smtp_desk.smtp.net.deadline import Cancel

_COUNT_AGAIN: Final = timedelta(seconds=15)
"""So long the chart may be old: to count a hundred thousand emails takes a part of a second."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Emails that one cause stopped.

    Attributes:
        code: The finding.
        cause: The same as a sentence.
        count: How many wait or were refused because of it, and are certainly not accepted.
    """

    code: str
    cause: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewState(PageState):
    """What is shown about the whole outbox.

    Attributes:
        at: When it was read; None before.
        counted_at: When the last day was counted, which is done less often.
        paused_since: When sending was paused; None if it isn't.
        hours: The last day.
        workers: How many workers run, ours included.
        working: Whether one runs in this window.
        stopped: The causes, once they were asked for; the most frequent first.
        found: What is stored about a recipient, once that was asked for.
        erasure: The result of the latest erasure.
        address: What is wrong with the address for a copy.
        trouble: Why it can't be read, or "".
    """

    at: datetime | None = None
    counted_at: datetime | None = None
    paused_since: datetime | None = None
    hours: tuple[Hour, ...] = ()
    workers: int = 0
    working: bool = False
    stopped: tuple[Stopped, ...] | None = None
    found: Erasure | None = None
    erasure: Notice | None = None
    address: tuple[Notice, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Threads:
    """The threads in which the presenter works.

    Attributes:
        outbox: The thread of the outbox.
        drain: A thread for a worker in this window, and nothing else.
        sender: A thread in which an email may be on its way for minutes.
    """

    outbox: Runner
    drain: Runner
    sender: Runner


class OverviewFace(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def render_overview(self, state: OverviewState) -> None:
        """Show this."""


class OverviewPresenter(PagePresenter[OverviewState]):
    """Decides what is shown about the whole outbox.

    Args:
        services: The services to use.
        threads: The threads to work in.
        send: Sends one email.
        view: The page.
    """

    def __init__(
        self, services: Services, threads: Threads, send: Send, view: OverviewFace
    ) -> None:
        super().__init__(threads.outbox, view.render_overview, OverviewState())
        self._services = services
        self._drain = threads.drain
        self._sender = threads.sender
        self._send = send
        self._cause = causes(services)
        self._looking = False
        self._working: Cancel | None = None
        self._copying: Cancel | None = None

    def refresh(self) -> None:
        """Read the activity, unless that is being done already."""
        if self._looking:
            return
        self._looking = True
        services = self._services

        known = self._state

        def read() -> OverviewState:
            now, control = services.now(), services.control
            hours, counted_at = known.hours, known.counted_at
            if counted_at is None or not timedelta() <= now - counted_at < _COUNT_AGAIN:
                hours, counted_at = hours_of(control.activity(now - DAY), now - DAY), now
            return OverviewState(
                at=now,
                counted_at=counted_at,
                paused_since=control.paused_since(),
                hours=hours,
                workers=control.workers(),
            )

        self._runner.run(quietly(read), on_done=self._looked, on_error=self._not_looked)

    def pause(self) -> None:
        """Pause sending in all processes."""
        self._do(Busy.PAUSING, self._services.control.pause, lambda _done: None)

    def resume(self) -> None:
        """Resume sending."""

        def done(_result: None) -> None:
            self._show(notice=Notice(RESUMED), paused_since=None)

        self._do(Busy.RESUMING, self._services.control.resume, done)

    def start_worker(self) -> None:
        """Send waiting emails from this window, as long as it is open."""
        if self._working is not None:
            return
        services = self._services

        def work(_emit: object, cancel: Cancel) -> int:
            with services.open_sender() as sender:
                return sender.drain(cancel, once=False)

        self._working = self._drain.run(work, on_done=self._stopped, on_error=self._not_working)
        self._show(working=True, notice=None)

    def stop_worker(self) -> None:
        """Stop the worker in this window; emails being sent get some seconds to finish."""
        if self._working is not None:
            self._working.cancel()

    def ask_causes(self) -> None:
        """Read which causes stop how many emails."""
        services, cause = self._services, self._cause

        def read() -> tuple[Stopped, ...]:
            counted = services.control.causes()
            found = (Stopped(code, cause(code), count) for code, count in counted.items())
            return tuple(sorted(found, key=lambda each: (-each.count, each.cause)))

        self._state = replace(self._state, stopped=None)
        self._do(Busy.COUNTING, read, lambda found: self._show(stopped=found))

    def retry_cause(self, stopped: Stopped) -> None:
        """Make due the emails that one cause stopped, never uncertain ones."""
        services = self._services

        def retry() -> str:
            count = services.outbox.make_due(stopped.code)
            paused = services.control.paused_since() is not None
            return retried_text(count, stopped.cause, paused=paused)

        self._do(Busy.RETRYING, retry, lambda told: self._show(notice=Notice(told), stopped=None))

    def look_up(self, address: str) -> None:
        """Read what is stored about a recipient."""
        self._state = replace(self._state, found=None, erasure=None)
        if not address.strip():
            self._show()
            return
        services = self._services
        self._do(
            Busy.COUNTING,
            lambda: find_stored(services, address.strip()),
            lambda found: self._show(found=found),
        )

    def erase(self) -> None:
        """Erase what was looked up; the person has confirmed."""
        found, services = self._state.found, self._services
        if found is None:
            return
        self._do(
            Busy.ERASING,
            lambda: erase(services, found.address),
            lambda done: self._show(found=None, erasure=erased(done)),
        )

    def send_copy(self, entry_id: str, address: str) -> None:
        """Send a copy of an email to the person's own address, and show the result."""
        if not self._idle:
            return
        notices = address_problems(address)
        if any(notice.error for notice in notices):
            self._show(address=notices)
            return
        services, send, to = self._services, self._send, address.strip()

        def job(_emit: object, cancel: Cancel) -> Notice:
            now = services.now()
            message = services.outbox.message(entry_id)
            server = services.store.load().server
            message_id = new_message_id(server.settings.from_email if server else to)
            copy = personal_copy(message, to, message_id=message_id, now=now)
            return sent_notice(services, send(copy, cancel))

        def done(notice: Notice) -> None:
            self._end_job()
            self._show(notice=notice, address=())

        def failed(error: Exception) -> None:
            self._end_job()
            self._tell(outbox_failure_text(error), error=True)

        self._cancel = self._sender.run(job, on_done=done, on_error=failed)
        self._show(busy=Busy.SENDING, notice=None, address=())

    def close(self) -> None:
        """Stop everything that runs, because the window closes."""
        super().close()
        self.stop_worker()

    def _looked(self, read: OverviewState) -> None:
        self._looking = False
        self._show(
            at=read.at,
            counted_at=read.counted_at,
            paused_since=read.paused_since,
            hours=read.hours,
            workers=read.workers,
            trouble="",
        )

    def _not_looked(self, error: Exception) -> None:
        self._looking = False
        self._show(trouble=outbox_failure_text(error))

    def _stopped(self, _handled: int) -> None:
        self._working = None
        self._show(working=False)
        self.refresh()

    def _not_working(self, error: Exception) -> None:
        self._working = None
        self._show(working=False)
        self._tell(outbox_failure_text(error), error=True)

    def _do(self, busy: Busy, action: Callable[[], object], done: Callable[..., None]) -> None:
        """Do what a person asked for, tell what came of it and look again."""
        if not self._idle:
            return

        def finish(result: object) -> None:
            self._state = replace(self._state, counted_at=None)
            done(result)
            self.refresh()

        self._state = replace(self._state, notice=None)
        self._run(busy, quietly(action), finish, failed=outbox_failure_text)
