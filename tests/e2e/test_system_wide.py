"""One configuration for all users of a machine: three real users, a real Postfix, real files."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.store.paths import WORKER_USER
from tests.e2e.system import PASSWORD, USERS, System, whole_system
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.certs import Certificates
    from tests.servers.postfix import Postfix

pytestmark = [pytest.mark.needs("postfix", "system_wide"), pytest.mark.xdist_group("system_wide")]

ONE, TWO = USERS
MESSAGE: Final = b"Subject: Backup\nFrom: root\n\nThe-secret-of-one\n"


@pytest.fixture(scope="module")
def _system() -> Iterator[System]:
    with whole_system() as system:
        yield system


@pytest.fixture
def system(_system: System, postfix: Postfix, certs: Certificates) -> Iterator[System]:
    """A configured machine whose worker runs."""
    if not (_system.root / "etc/smtp-desk/settings.toml").exists():
        _system.configure(postfix, certs)
    _system.start_worker()
    yield _system
    _system.stop_worker()


def test_another_user_sends_without_a_word(system: System, postfix: Postfix) -> None:
    done = system.desk(ONE, "sendmail", "-t", "-i", stdin=b"To: ann@example.test\n" + MESSAGE)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (mail,) = postfix.mailboxes.messages("ann", at_least=1)
    assert mail["Subject"] == "Backup"
    assert mail["From"] == "Example Ltd <desk@example.test>"


def test_a_home_that_is_closed_is_no_obstacle(system: System, postfix: Postfix) -> None:
    """As after `sudo -u www-data`, which may leave HOME as root's."""
    home = f"HOME={system.root}/home/root"
    command = ["env", home, str(system.sendmail), "ann@example.test"]
    done = system.run_as(ONE, command, MESSAGE)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    postfix.mailboxes.wait("ann", 1)


_READ_ALL: Final = """
import os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        try:
            with open(os.path.join(folder, name), "rb") as file:
                sys.stdout.buffer.write(file.read())
        except OSError as error:
            print(error.filename, file=sys.stderr)
for name in ("environ", "cmdline"):
    try:
        with open(f"/proc/{sys.argv[2]}/{name}", "rb") as file:
            sys.stdout.buffer.write(file.read())
    except OSError as error:
        print(error.filename, file=sys.stderr)
"""


def test_no_other_user_reads_secrets_or_mail(system: System) -> None:
    """Neither the password, nor what could be tried against it, nor what others wrote."""
    done = system.desk(ONE, "sendmail", "tempfail@example.test", stdin=MESSAGE)
    assert done.returncode == 0
    settings = (system.root / "etc/smtp-desk/settings.toml").read_text()
    salt = re.findall(r'salt = "([^"]+)"', settings)[0]
    for user in USERS:
        worker = str(system.worker.pid)
        done = system.run_as(user, [system.python, "-c", _READ_ALL, str(system.root), worker])
        assert done.returncode == 0
        for hidden in (PASSWORD.encode(), salt.encode(), b"The-secret-of-one", b"tempfail@"):
            assert hidden not in done.stdout
        closed = done.stderr.decode().splitlines()
        assert str(system.root / "etc/smtp-desk/settings.toml") in closed
        assert f"/proc/{worker}/environ" in closed
        assert b"worker\0--system" in done.stdout
    for path in (system.root / "etc/smtp-desk").iterdir():
        assert path.stat().st_uid == 0
        assert PASSWORD not in path.read_text()
    (secret,) = (system.root / "etc/credstore.encrypted").iterdir()
    assert (secret.stat().st_uid, secret.stat().st_mode & 0o777) == (0, 0o600)
    assert PASSWORD.encode() not in secret.read_bytes()
    outbox = system.root / "var/lib/smtp-desk/outbox.sqlite3"
    assert outbox.owner() == WORKER_USER


def test_users_list_their_own_mail_only(system: System) -> None:
    for user, subject in ((ONE, b"of one"), (TWO, b"of two")):
        message = b"Subject: " + subject + b"\n\nx\n"
        assert system.desk(user, "sendmail", "tempfail@example.test", stdin=message).returncode == 0
    listed = {user: system.desk(user, "sendmail", "-bp") for user in ("root", *USERS)}
    assert all(done.returncode == 0 for done in listed.values())
    assert "of one" in listed[ONE].stdout.decode()
    assert "of two" not in listed[ONE].stdout.decode()
    assert "of one" not in listed[TWO].stdout.decode()
    assert "of two" in listed[TWO].stdout.decode()
    assert {"of one", "of two"} <= set(listed["root"].stdout.decode().split("\t"))
    worker = system.desk(WORKER_USER, "sendmail", "-bp")
    assert (worker.returncode, worker.stdout) == (0, b"")


def test_bounces_go_where_only_trusted_users_say(system: System, postfix: Postfix) -> None:
    """`-f` of anybody else is ignored, but for the empty one."""
    settings = system.root / "etc/smtp-desk/settings.toml"
    before = settings.read_text()
    settings.write_text(f'{before}\n[system]\ntrusted_users = ["{TWO}"]\n')
    try:
        for user, said, path in (
            (ONE, "bo@example.test", "<desk@example.test>"),
            (ONE, "<>", "<>"),
            (TWO, "bo@example.test", "<bo@example.test>"),
            ("root", "rcpt@example.test", "<rcpt@example.test>"),
        ):
            done = system.desk(user, "sendmail", "-f", said, "ann@example.test", stdin=MESSAGE)
            assert (done.returncode, done.stderr) == (0, b"")
            (mail,) = postfix.mailboxes.messages("ann", at_least=1)
            assert mail["Return-Path"] == path
            postfix.mailboxes.clear()
        done = system.desk(TWO, "sendmail", "-f", "a@b@c", "ann@example.test", stdin=MESSAGE)
        assert done.returncode == 64
    finally:
        settings.write_text(before)


def test_limits_of_size_and_number(system: System, postfix: Postfix) -> None:
    settings = system.root / "etc/smtp-desk/settings.toml"
    before = settings.read_text()
    settings.write_text(f"{before}\n[system]\nemails_per_hour = 5\nmessage_octets = 9999\n")
    try:
        many = [f"discard{n}@discard.test" for n in range(6)]
        for arguments, message, status, said in (
            (["ann@example.test"], b"x" * 10_000, 65, "too large"),
            (many, MESSAGE, 65, "6 recipients, but you can send 5"),
            (many[:4], MESSAGE, 0, ""),
            (many[:2], MESSAGE, 75, "You can send 5 emails an hour"),
            (many[:1], MESSAGE, 0, ""),
            (many[:1], MESSAGE, 75, "You can send 5 emails an hour"),
        ):
            done = system.desk(TWO, "sendmail", *arguments, stdin=message)
            assert (done.returncode, done.stdout) == (status, b""), done.stderr
            assert said in done.stderr.decode()
        assert system.desk("root", "sendmail", *many, stdin=MESSAGE).returncode == 0
        assert system.desk(ONE, "sendmail", *many[:3], stdin=MESSAGE).returncode == 0
    finally:
        settings.write_text(before)


def waiting(system: System) -> list[str]:
    """The email to ann that was tried, and waits for its next attempt."""
    outbox = f"file:{system.root}/var/lib/smtp-desk/outbox.sqlite3?mode=ro"
    with closing(sqlite3.connect(outbox, uri=True)) as connection:
        found = connection.execute(
            "SELECT id FROM entries WHERE recipient = 'ann@example.test' AND state = 'ready'"
            " AND next_attempt_at > created_at + 60000"
        )
        return [entry_id for (entry_id,) in found]


def test_what_was_answered_for_survives_a_kill(system: System, postfix: Postfix) -> None:
    settings = system.root / "etc/smtp-desk/settings.toml"
    before = settings.read_text()
    settings.write_text(before.replace("enabled = true", "enabled = false"))
    done = system.desk(ONE, "sendmail", "ann@example.test", stdin=MESSAGE)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.startswith(b"smtp-desk: stored, not sent yet. The custom server is off")
    wait_until(lambda: bool(waiting(system)), "the worker to find no route")
    system.stop_worker(signal.SIGKILL)
    settings.write_text(before)
    done = system.desk(ONE, "sendmail", "bo@example.test", stdin=MESSAGE)
    assert (done.returncode, done.stdout) == (75, b"")
    assert b"doesn\xe2\x80\x99t answer" in done.stderr
    # Before the worker is back: it may find other settings, and be faster.
    assert system.desk("root", "outbox", "retry", "--system", *waiting(system)).returncode == 0
    system.start_worker()
    postfix.mailboxes.wait("ann", 1)
    assert postfix.mailboxes.raw("bo") == []


_STRANGER: Final = """
import os, socket, sys
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[1])
    os.chmod(sys.argv[1], 0o666)
    listener.listen()
    print("listening", flush=True)
    connection, _ = listener.accept()
    print(connection.recv(1000), flush=True)
"""


def test_a_stranger_gets_nothing(system: System) -> None:
    """Though somebody could put a socket there: who listens is looked at, before a word is said."""
    system.stop_worker()
    system.socket.unlink()
    folder = system.socket.parent
    folder.chmod(0o777)
    owner = system.environment(TWO)
    with subprocess.Popen(
        [system.python, "-c", _STRANGER, str(system.socket)],
        user=TWO, env=owner, stdout=subprocess.PIPE, text=True,
    ) as stranger:  # fmt: skip
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == "listening\n"
        done = system.desk(ONE, "sendmail", "ann@example.test", stdin=MESSAGE)
        assert (done.returncode, done.stdout) == (75, b"")
        assert b"isn\xe2\x80\x99t the worker" in done.stderr
        assert stranger.stdout.read() == "b''\n"
    folder.chmod(0o755)
    system.socket.unlink()


def test_without_the_socket_one_line_says_so(system: System) -> None:
    system.stop_worker()
    system.socket.unlink()
    done = system.desk(ONE, "sendmail", "ann@example.test", stdin=MESSAGE)
    missing, stored = done.stderr.decode().splitlines()
    assert done.returncode == 0
    assert missing.startswith(f"smtp-desk: {system.socket} is missing")
    assert stored.startswith("smtp-desk: stored, not sent yet. Nothing is configured.")


def test_root_sees_how_the_whole_system_stands(system: System) -> None:
    shown = system.desk("root", "show", "--system")
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert PASSWORD.encode() not in shown.stdout
    status = json.loads(system.desk("root", "status", "--system", "--json").stdout)
    assert status["custom"]["state"] == "active"
    refused = system.desk(ONE, "show", "--system")
    assert refused.returncode == 64
    assert b"--system is for root" in refused.stderr
