"""How long the UI thread is away while the window is worked.

    python -m tests.bench.bench_window [ROUNDS]

Each round is a process of its own with the whole window, a home of its own and an SMTP server in
this process. A timer ticks every millisecond on the UI thread; what is measured is the time from
one tick to the next, and how much of it that thread worked itself: other programs of the machine
count in the first, never in the second. At the end of a round all pages are open, and the memory
of the process is read, beside that of one with an empty window.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QPushButton, QWidget

from smtp_desk.core.texts import SUCCESS, UNREACHABLE
from smtp_desk.ui.application import make_application
from smtp_desk.ui.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from smtp_desk.app.integrations.state import IntegrationsState
    from smtp_desk.app.services import Services

PAGES: Final = ("diagnostics", "email_types", "delivery", "arrived", "general")
ROUNDS: Final = 5
REST_S: Final = 0.7
BEGIN_S: Final = 0.2
SIGN_IN_S: Final = 0.6
"""How long the server takes for a password: the middle of a test comes before its answer."""
LONGEST_S: Final = 300.0
_MEMORY: Final = Path("/proc/self/smaps_rollup")

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

    def follow(self, phase: str) -> None:
        """Count to this phase what the thread does just now, and what comes."""
        self._phase = self.gaps.setdefault(phase, [])

    def begin(self, phase: str) -> None:
        """Count what comes to this phase."""
        self.follow(phase)
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
        self._ending = ""
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
        desk.workshop.presenter.subscribe(self._told)
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
        self._watch.begin("a value pasted")
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
        for field, text in values.items():
            self._desk.workshop._view.type_in({field: text})  # type: ignore[dict-item]
            self._rest(0.02)

    def _test(self, name: str, outcome: str) -> None:
        self._watch.begin(f"{name}: begin")
        self._see(QPushButton, "send_test").click()
        self._rest(BEGIN_S)
        self._watch.begin(f"{name}: middle")
        self._ending = f"{name}: end"
        line = self._see(QLabel, "outcome")
        self._until(lambda: not line.isHidden() and line.text() == outcome)
        self._rest()

    def _told(self, state: IntegrationsState) -> None:
        """Count the turn that shows what came of a test to its end."""
        if self._ending and not state.testing:
            self._watch.follow(self._ending)
            self._ending = ""

    def _see(self, kind: type[W], name: str) -> W:
        found = self._desk.window.findChild(kind, name)
        assert isinstance(found, kind), name
        return found

    def _rest(self, seconds: float = REST_S) -> None:
        end = time.perf_counter() + seconds
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
        sys.stdout.write(json.dumps({"gaps": gaps, "memory": memory()}))
        sys.stdout.flush()
        os._exit(0)


def bare() -> None:
    """Show an empty window and print its memory."""
    application = QApplication([])
    window = QMainWindow()
    window.show()
    application.processEvents()
    sys.stdout.write(json.dumps(memory()))
    sys.stdout.flush()
    os._exit(0)


def memory() -> dict[str, float]:
    """Return this process's memory in MiB, RSS and its proportional share; nothing elsewhere."""
    if not _MEMORY.exists():
        return {}
    lines = (line.split() for line in _MEMORY.read_text().splitlines()[1:])
    sizes = {line[0].rstrip(":"): int(line[1]) / 1024 for line in lines}
    return {name: sizes[name] for name in ("Rss", "Pss")}


@dataclass(frozen=True)
class Measured:
    """What all rounds found.

    Attributes:
        phases: The gaps of each round, by phase: milliseconds away, and of those worked.
        full: The memory in MiB with all pages open, a round each.
        bare: That of an empty window, once for each round.
    """

    phases: dict[str, list[list[tuple[float, float]]]]
    full: list[dict[str, float]]
    bare: list[dict[str, float]]


def measured(count: int = ROUNDS) -> Measured:
    """Work windows through, and empty ones in turn."""
    found = Measured({}, [], [])
    for told in rounds(count):
        for phase, gaps in told["gaps"].items():
            found.phases.setdefault(phase, []).append(gaps)
        found.full.append(told["memory"])
        empty = subprocess.run(
            [sys.executable, "-m", "tests.bench.bench_window", "bare"],
            stdout=subprocess.PIPE,
            check=True,
        )
        found.bare.append(json.loads(empty.stdout))
    return found


def rounds(count: int) -> Iterator[Any]:
    """Work windows through, each in a process of its own, and return what it prints."""
    # Imported here: a server is no part of the window.
    from tests.servers.certs import Certificates  # noqa: PLC0415
    from tests.servers.script import (  # noqa: PLC0415
        CREDENTIALS,
        Default,
        Delay,
        Script,
    )
    from tests.servers.scripted import ScriptedServer  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        certs = Certificates(Path(folder))
        script = Script(
            tls=certs.good.tls,
            login_required=True,
            on={CREDENTIALS: (Delay(SIGN_IN_S), Default())},
        )
        with ScriptedServer(script) as server:
            arguments = (str(server.port), str(certs.root.chain_file))
            for _ in range(count):
                done = subprocess.run(
                    [sys.executable, "-m", "tests.bench.bench_window", *arguments],
                    stdout=subprocess.PIPE,
                    check=True,
                )
                yield json.loads(done.stdout)


def window_table(found: Measured) -> list[str]:
    """Return the table of the window's thread, a phase a line, and of its memory."""
    lines = [
        "| the window’s thread | away at 99.9 % | longest | worked at 99.9 % | longest |",
        "|---|---:|---:|---:|---:|",
    ]
    for phase, noted in found.phases.items():
        cells = [phase]
        for part in (0, 1):
            times = [gap[part] for gaps in noted for gap in gaps]
            longest = statistics.median(max(gap[part] for gap in gaps) for gaps in noted)
            highest = statistics.quantiles(times, n=1000)[-1] if len(times) > 1 else longest
            # Beyond the last of few ticks is only a guess.
            cells += [f"{min(highest, max(times)):.1f} ms", f"{longest:.1f} ms"]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| memory | all pages open | empty Qt window |", "|---|---:|---:|"]
    for name in found.full[0]:
        full, empty = (
            statistics.median(each[name] for each in of) for of in (found.full, found.bare)
        )
        lines.append(f"| {name.upper()} | {full:.0f} MiB | {empty:.0f} MiB |")
    return lines


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    sys.stdout.write("\n".join(window_table(measured(count))) + "\n")


if __name__ == "__main__":
    if len(sys.argv) == len(("program", "port", "ca_file")):
        one_round(*sys.argv[1:])
    elif sys.argv[1:] == ["bare"]:
        bare()
    else:
        main()
