"""What the presenters of all pages share: one state that is shown, and one job for the person."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from smtp_desk.app.notice import Notice
from smtp_desk.app.runner import Emit, Job, Runner
from smtp_desk.app.words import failure_text

if TYPE_CHECKING:
    from smtp_desk.smtp.net.deadline import Cancel

R = TypeVar("R")


class Busy(StrEnum):
    """What is running for the person; each page has its own words for it."""

    NOTHING = ""
    LOADING = "loading"
    TESTING = "testing"
    SIGNING_IN = "signing_in"
    CHECKING = "checking"
    ASKING = "asking"
    CANCELLING = "cancelling"
    SAVING = "saving"
    REMOVING = "removing"
    SWITCHING = "switching"
    TRYING = "trying"
    SENDING = "sending"
    RETRYING = "retrying"
    DROPPING = "dropping"
    EXPORTING = "exporting"
    READING = "reading"
    WRITING = "writing"
    COPYING = "copying"
    PAUSING = "pausing"
    RESUMING = "resuming"
    COUNTING = "counting"
    ERASING = "erasing"
    HIDING = "hiding"
    COMPARING = "comparing"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """What every page shows.

    Attributes:
        busy: What is running for the person.
        notice: The result of the last action.
    """

    busy: Busy = Busy.NOTHING
    notice: Notice | None = None


S = TypeVar("S", bound=PageState)


def quietly(work: Callable[[], R]) -> Job[R]:
    """Return a job that reports no events and is too short to be cancelled."""
    return lambda _emit, _cancel: work()


class PagePresenter(Generic[S]):
    """Shows one state at a time, to its page and to whoever subscribed."""

    def __init__(self, runner: Runner, render: Callable[[S], None], state: S) -> None:
        self._runner = runner
        self._state = state
        self._observers = [render]
        self._cancel: Cancel | None = None

    def subscribe(self, observer: Callable[[S], None]) -> None:
        """Also pass every state to `observer` from now on."""
        self._observers.append(observer)

    def close(self) -> None:
        """Cancel what runs, because the window closes."""
        if self._cancel is not None:
            self._cancel.cancel()

    @property
    def _idle(self) -> bool:
        return self._state.busy is Busy.NOTHING

    def _show(self, **changes: Any) -> None:  # noqa: ANN401 - fields of the page's own state
        self._state = replace(self._state, **changes)
        for observer in self._observers:
            observer(self._state)

    def _tell(self, text: str, *, error: bool = False, plain: bool = False) -> None:
        self._show(notice=Notice(text, error=error, plain=plain))

    def _run(
        self,
        busy: Busy,
        job: Job[R],
        done: Callable[[R], None],
        *,
        failed: Callable[[Exception], str] = failure_text,
        on_event: Emit | None = None,
    ) -> None:
        """Run a job that the person waits for; it ends before another may begin."""

        def finish(result: R) -> None:
            self._end_job()
            done(result)

        def fail(error: Exception) -> None:
            self._end_job()
            self._failed(failed(error))

        self._cancel = self._runner.run(job, on_done=finish, on_error=fail, on_event=on_event)
        self._show(busy=busy)

    def _end_job(self) -> None:
        self._cancel = None
        self._state = replace(self._state, busy=Busy.NOTHING)

    def _failed(self, text: str) -> None:
        """Tell why a job failed."""
        self._tell(text, error=True)
