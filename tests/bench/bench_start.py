"""First paint of the desk beside an empty Qt window: `python -m tests.bench.bench_start [N]`.

Both are whole processes, started in turn; each tells the moment of its first paint on the
clock that it shares with this process. Prints medians and the ratio pair by pair.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

_WATCH = """
import os, time
from PySide6.QtCore import QEvent, QObject
class FirstPaint(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            print(time.monotonic(), flush=True)
            os._exit(0)
        return False
first_paint = FirstPaint()
"""

_EMPTY = (
    _WATCH
    + """
from PySide6.QtWidgets import QApplication, QMainWindow
application = QApplication([])
window = QMainWindow()
window.resize(1040, 780)
window.installEventFilter(first_paint)
window.show()
application.exec()
"""
)

_DESK = (
    _WATCH
    + """
from smtp_desk.ui.application import make_application
from smtp_desk.ui.desk import Desk
application = make_application([])
desk = Desk(lambda: None)
desk.window.installEventFilter(first_paint)
desk.window.show()
application.exec()
"""
)


def first_paint_ms(program: str, home: str) -> float:
    """Start a program and return the milliseconds until it painted."""
    environ = os.environ | {"QT_QPA_PLATFORM": "offscreen", "SMTP_DESK_HOME": home}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    return (float(done.stdout.split()[0]) - began) * 1000


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as home:
        for program in (_EMPTY, _DESK):
            first_paint_ms(program, home)
        pairs = [(first_paint_ms(_EMPTY, home), first_paint_ms(_DESK, home)) for _ in range(rounds)]
    empty, desk = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(desk / empty for empty, desk in pairs)
    sys.stdout.write(
        f"first paint, ms, offscreen, median of {rounds}: empty Qt window {empty:.0f}, "
        f"desk {desk:.0f}, ratio {ratio:.2f}\n"
    )


if __name__ == "__main__":
    main()
