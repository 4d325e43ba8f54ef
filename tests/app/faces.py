"""A face without a screen: a runner that waits to be told, and a view that remembers."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from smtp_desk.app.integrations.state import IntegrationsState
from smtp_desk.app.runner import Emit, Job, T
from smtp_desk.core.problems import Field
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.stages import StageEvent
from smtp_desk.smtp.net.deadline import Cancel


class DeferredRunner:
    """Runs a job only when the test says so: everything can happen between click and result."""

    def __init__(self) -> None:
        self.cancels: list[Cancel] = []
        self._jobs: deque[Callable[[], None]] = deque()

    def run(
        self,
        job: Job[T],
        *,
        on_done: Callable[[T], None],
        on_error: Callable[[Exception], None],
        on_event: Emit | None = None,
    ) -> Cancel:
        cancel = Cancel()

        def ignore(event: StageEvent) -> None:
            """Nobody listens to the events of this job."""

        def work() -> None:
            try:
                result = job(on_event or ignore, cancel)
            except Exception as error:  # noqa: BLE001 - the caller decides what an error means
                on_error(error)
            else:
                on_done(result)

        self.cancels.append(cancel)
        self._jobs.append(work)
        return cancel

    @property
    def waiting(self) -> int:
        return len(self._jobs)

    def finish(self) -> None:
        """Run everything that waits, and what that starts."""
        while self._jobs:
            self.finish_next()

    def finish_next(self) -> None:
        """Run the first that waits, and nothing that it starts."""
        self._jobs.popleft()()


@dataclass
class RememberingView:
    """Remembers what it was told to show."""

    draft: SettingsDraft = field(default_factory=SettingsDraft)
    states: list[IntegrationsState] = field(default_factory=list)
    focus: list[Any] = field(default_factory=list)

    def show_draft(self, draft: SettingsDraft, recipient: str) -> None:
        self.draft = draft

    def render(self, state: IntegrationsState) -> None:
        self.states.append(state)

    def focus_field(self, field: Field) -> None:
        self.focus.append(field)

    def focus_outcome(self) -> None:
        self.focus.append("outcome")
