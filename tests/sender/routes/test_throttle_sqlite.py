"""What the throttle of all processes knows of those that were killed."""

import signal
import subprocess
import sys
from pathlib import Path

from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.routes.throttle import MAX_CONNECTIONS, ConnectionLease, Login
from smtp_desk.sender.routes.throttle_sqlite import SqliteThrottle

LOGIN = Login("mail.example.org", 587, "desk@example.org")
KILLED = f"""
import os, signal, sys
from pathlib import Path
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.routes.throttle import Login
from smtp_desk.sender.routes.throttle_sqlite import SqliteThrottle
throttle = SqliteThrottle(Database(Path(sys.argv[1])))
for _ in range({MAX_CONNECTIONS}):
    throttle.lease(Login("mail.example.org", 587, "desk@example.org"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_connections_of_a_killed_process_are_free_at_once_and_closing(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite3"
    killed = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert killed.returncode == -signal.SIGKILL
    with Database(path) as database:
        throttle = SqliteThrottle(database)
        assert isinstance(throttle.lease(LOGIN), ConnectionLease)
        state = throttle.state(LOGIN)
        assert (state.leased, state.closing) == (1, MAX_CONNECTIONS)
