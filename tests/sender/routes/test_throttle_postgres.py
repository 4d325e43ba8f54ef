"""What the throttle of all machines knows of processes of this one that were killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender.outbox.postgres_address import read_address
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase
from smtp_desk.sender.routes.throttle import MAX_CONNECTIONS, ConnectionLease, Login
from smtp_desk.sender.routes.throttle_postgres import PostgresThrottle

if TYPE_CHECKING:
    from datetime import datetime

    from tests.servers.postgres import Postgres

pytestmark = [
    pytest.mark.needs("postgres"),
    pytest.mark.xdist_group("postgres"),
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which process is which"),
]

LOGIN = Login("mail.example.org", 587, "desk@example.org")
KILLED = f"""
import os, signal, sys
from smtp_desk.sender.outbox.postgres_address import read_address
from smtp_desk.sender.outbox.postgres_database import PostgresDatabase
from smtp_desk.sender.routes.throttle import Login
from smtp_desk.sender.routes.throttle_postgres import PostgresThrottle
throttle = PostgresThrottle(PostgresDatabase(read_address(sys.argv[1], {{}})))
for _ in range({MAX_CONNECTIONS}):
    throttle.lease(Login("mail.example.org", 587, "desk@example.org"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def url(postgres: Postgres) -> str:
    url = postgres.empty_database()
    killed = subprocess.run([sys.executable, "-c", KILLED, url], check=False)
    assert killed.returncode == -signal.SIGKILL
    return url


def lease_after_the_kill(url: str) -> ConnectionLease | datetime:
    with PostgresDatabase(read_address(url, {})) as database:
        return PostgresThrottle(database).lease(LOGIN)


def test_the_connections_of_a_killed_process_are_free_at_once(url: str) -> None:
    assert isinstance(lease_after_the_kill(url), ConnectionLease)


@pytest.mark.parametrize("here", ["another machine", ""])
def test_those_of_another_machine_have_their_time(
    url: str, here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smtp_desk.sender.routes.throttle_postgres.numbered_by", lambda: here)
    assert not isinstance(lease_after_the_kill(url), ConnectionLease)
