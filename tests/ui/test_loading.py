"""Qt's types are made in the thread of the window alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

from smtp_desk.ui import loading

_PROGRAM = """
import json, sys, threading
from pathlib import Path

background = []

class Note:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is not threading.main_thread():
            background.append(name)

sys.meta_path.insert(0, Note())

from smtp_desk.app.services import Services
from smtp_desk.ui.application import make_application
from smtp_desk.ui.desk import Desk
from PySide6.QtCore import QTimer

application = make_application(["test"])

def end(*fault):
    sys.__excepthook__(*fault)
    application.exit(1)

sys.excepthook = end
desk = Desk(lambda: Services.sandbox(Path(sys.argv[1])))

def look():
    workshop = desk._workshop
    navigation = getattr(workshop, "navigation", None)
    if navigation is not None and set(navigation._built) == set(navigation.names):
        application.quit()

timer = QTimer()
timer.timeout.connect(look)
timer.start(5)
desk.window.show()
status = application.exec()
assert status == 0, status
before = set(sys.modules)
desk.workshop.navigation.open_page("general")
desk.workshop._open_relay()
desk.close()
late = sorted(name for name in set(sys.modules) - before if name.startswith("smtp_desk.ui"))
print(json.dumps([background, late]))
"""


def test_what_has_qt_in_it_is_loaded_by_the_windows_thread_alone(tmp_path: Path) -> None:
    # A process of its own: here all is loaded already.
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tmp_path)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=True,
    )
    background, late = json.loads(run.stdout.splitlines()[-1])
    assert set(loading._RULES) <= set(background)
    qt = ("smtp_desk.ui", "PySide6", "shiboken6")
    # It holds no type itself.
    assert [name for name in background if name.startswith(qt)] == ["smtp_desk.ui.loading"]
    assert late == []
