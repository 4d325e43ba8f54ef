"""How long the UI thread is away while the window is worked.

    python -m tests.bench.bench_window [ROUNDS]

Each round is a process of its own with the whole window, a home of its own and an SMTP server in
this process. A timer ticks every millisecond on the UI thread; what is measured is the time from
one tick to the next, and how much of it that thread worked itself: other programs of the machine
count in the first, never in the second.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from smtp_desk.core.texts import SUCCESS, UNREACHABLE
from smtp_desk.ui.application import make_application
from smtp_desk.ui.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PySide6.QtWidgets import QApplication

    from smtp_desk.app.services import Services

PAGES: Final = ("diagnostics", "email_types", "delivery", "general")
REST_S: Final = 0.7
LONGEST_S: Final = 30.0

W = TypeVar("W", bound=QWidget)
Gaps = dict[str, list[tuple[float, float]]]


class Watch(QObject):
    """Notes for each phase how long the UI thread was away, and worked, between two ticks."""

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self.gaps: Gaps = {}
        self._phase: list[tuple[float, float]] = []
        self._last = time.perf_counter(), time.thread_time()
        timer = QTimer(self)
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(self._tick)
        timer.start(1)

    def begin(self, phase: str) -> None:
        """Count what comes to this phase."""
        self._phase = self.gaps.setdefault(phase, [])
        self._last = time.perf_counter(), time.thread_time()

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self._phase.append(((now[0] - self._last[0]) * 1000, (now[1] - self._last[1]) * 1000))
        self._last = now


class Round(QObject):
    """One window from its first paint on."""

    def __init__(self, application: QApplication, server: dict[str, str], home: Path) -> None:
        super().__init__()
        self._application = application
        self._server = server
        self._home = home
        self._watch = Watch(application)
        self._desk = Desk(self._open)
        self._desk.window.painted.connect(self._guard)
        self._desk.window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Furnishing begins with the first paint."""
        if event.type() is QEvent.Type.Paint:
            watched.removeEventFilter(self)
            self._watch.begin("furnishing")
        return False

    def _open(self) -> Services:
        # Imported here, as the program does: after the first paint.
        from smtp_desk.app.services import Services  # noqa: PLC0415

        return Services.sandbox(self._home)

    def _guard(self) -> None:
        from smtp_desk.ui.faults import GarbageCollection  # noqa: PLC0415

        self._desk.furnished.connect(GarbageCollection(self._application).leave_what_is_there)

    def gaps(self) -> Gaps:
        """Work the window through and return what was noted."""
        desk = self._desk
        furnished: list[float] = []
        self._watch.begin("first paint")
        began = time.perf_counter()
        desk.furnished.connect(lambda: furnished.append(time.perf_counter() - began))
        desk.window.show()
        self._until(lambda: bool(furnished))
        self._until(self._see(QPushButton, "send_test").isEnabled)
        self._rest()
        self._type()
        self._test("a failing test", UNREACHABLE)
        for page in PAGES:
            self._watch.begin(f"first visit of {page}")
            desk.workshop.navigation.open_page(page)
            self._rest()
        desk.workshop.navigation.open_page("integrations")
        self._rest()
        self._fill(password="s3cret")
        self._test("a successful test", SUCCESS)
        self._watch.begin("saving")
        self._see(QPushButton, "save").click()
        self._until(lambda: not self._see(QPushButton, "turn_on").isHidden())
        self._rest()
        self._watch.begin("over")
        desk.window.close()
        desk.close()
        self._watch.gaps.pop("over")
        return self._watch.gaps

    def _type(self) -> None:
        self._watch.begin("typing")
        self._fill(
            host="localhost",
            port=self._server["port"],
            username="desk",
            password="wrong",
            from_email="desk@example.test",
            ca_file=self._server["ca_file"],
            recipient="ann@example.test",
        )
        self._rest()

    def _fill(self, **values: str) -> None:
        self._desk.workshop._view.type_in(values)  # type: ignore[arg-type]

    def _test(self, name: str, outcome: str) -> None:
        self._watch.begin(name)
        self._see(QPushButton, "send_test").click()
        line = self._see(QLabel, "outcome")
        self._until(lambda: not line.isHidden() and line.text() == outcome)
        self._rest()

    def _see(self, kind: type[W], name: str) -> W:
        found = self._desk.window.findChild(kind, name)
        assert isinstance(found, kind), name
        return found

    def _rest(self) -> None:
        end = time.perf_counter() + REST_S
        self._until(lambda: time.perf_counter() > end)

    def _until(self, done: Callable[[], bool]) -> None:
        end = time.perf_counter() + LONGEST_S
        flags = QEventLoop.ProcessEventsFlag
        while not done():
            self._application.processEvents(flags.AllEvents | flags.WaitForMoreEvents)
            assert time.perf_counter() < end


def one_round(port: str, ca_file: str) -> None:
    """Work a window through in this process and print what was noted."""
    with tempfile.TemporaryDirectory() as home:
        application = make_application([])
        gaps = Round(application, {"port": port, "ca_file": ca_file}, Path(home)).gaps()
        sys.stdout.write(json.dumps(gaps))
        sys.stdout.flush()
        os._exit(0)


def rounds(count: int) -> Iterator[Gaps]:
    """Work windows through, each in a process of its own."""
    # Imported here: a server is no part of the window.
    from tests.servers.certs import Certificates  # noqa: PLC0415
    from tests.servers.script import Script  # noqa: PLC0415
    from tests.servers.scripted import ScriptedServer  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        certs = Certificates(Path(folder))
        script = Script(tls=certs.good.server_context(), login_required=True)
        with ScriptedServer(script) as server:
            arguments = (str(server.port), str(certs.root.chain_file))
            for _ in range(count):
                done = subprocess.run(
                    [sys.executable, "-m", "tests.bench.bench_window", *arguments],
                    stdout=subprocess.PIPE,
                    check=True,
                )
                yield json.loads(done.stdout)


def tell(phase: str, each: list[list[tuple[float, float]]]) -> None:
    """Print a phase: the longest of each round as median, and all rounds together."""
    gaps = [gap for noted in each for gap, _work in noted]
    works = [work for noted in each for _gap, work in noted]
    longest = statistics.median(max(gap for gap, _work in noted) for noted in each)
    sys.stdout.write(
        f"{phase:28} longest {max(gaps):6.1f} ms (median of rounds {longest:6.1f}), "
        f"99.9 % {statistics.quantiles(gaps, n=1000)[-1]:6.1f}, "
        f"work {max(works):6.1f} and {statistics.quantiles(works, n=1000)[-1]:6.1f}\n"
    )


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    noted = list(rounds(count))
    for phase in noted[0]:
        tell(phase, [each[phase] for each in noted])


if __name__ == "__main__":
    if len(sys.argv) == len(("program", "port", "ca_file")):
        one_round(*sys.argv[1:])
    else:
        main()
