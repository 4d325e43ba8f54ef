"""`sendmail` by the system's socket: who is spoken to, what is told, and how little is loaded."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from smtp_desk.app import reception
from smtp_desk.app.services import Services
from smtp_desk.cli import handover
from smtp_desk.cli.handover import hand_over
from smtp_desk.core.handover import HEAD, MOST_ANSWER_OCTETS, WorkerAnswer, frame_length
from smtp_desk.sender.outbox.outbox import EVERYTHING
from tests.app.reception_desk import receiving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="Linux only")

MESSAGE: Final = b"Subject: x\n\nhi\n.\nrest\n"


class Machine:
    """A machine with a worker, or what stands in its place."""

    def __init__(
        self,
        root: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsysbinary: pytest.CaptureFixture[bytes],
    ) -> None:
        self.environ = {"SMTP_DESK_SYSTEM_ROOT": str(root), "HOME": str(root / "home")}
        self.path = root / "run/smtp-desk/submit.sock"
        self.path.parent.mkdir(parents=True)
        self.services = Services.sandbox(root / "worker")
        self._monkeypatch = monkeypatch
        self._captured = capsysbinary

    def sendmail(self, *arguments: str, stdin: bytes = MESSAGE) -> tuple[int | None, str, str]:
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = hand_over(arguments, self.environ)
        out, err = self._captured.readouterr()
        return status, out.decode(), err.decode()


@pytest.fixture
def machine(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Machine]:
    monkeypatch.delenv("SMTP_DESK_HOME")
    with tempfile.TemporaryDirectory() as root:
        monkeypatch.setenv("XDG_CONFIG_HOME", f"{root}/xdg")
        yield Machine(Path(root), monkeypatch, capsysbinary)


@pytest.fixture
def worker(machine: Machine) -> Iterator[Machine]:
    with receiving(machine.services, machine.path):
        yield machine


def stored(machine: Machine) -> list[bytes]:
    outbox = machine.services.outbox
    entries = outbox.page(EVERYTHING).entries
    return [outbox.message(entry.id).payload for entry in reversed(entries)]


def test_a_message_goes_over_without_a_word(worker: Machine) -> None:
    assert worker.sendmail("-FJ\udcf6rg", "ann@example.org") == (0, "", "")
    assert worker.sendmail("-i", "-odi", "ann@example.org") == (0, "", "")
    assert worker.sendmail("-t", "-v", stdin=b"To: bo@example.org\n\n") == (
        0, "bo@example.org: stored\n", "",
    )  # fmt: skip
    first, second, _ = stored(worker)
    assert first.endswith(b"\n\nhi\n")
    assert second.endswith(b"\n\nhi\n.\nrest\n")


def test_what_could_not_be_taken_is_told(worker: Machine) -> None:
    status, out, err = worker.sendmail("ann@example.org", "bo@")
    assert (status, out) == (0, "")
    assert err.startswith("smtp-desk: “bo@” in the command line")
    status, out, err = worker.sendmail("bo@")
    assert (status, out, err.count("\n")) == (65, "", 1)


def test_the_other_modes(worker: Machine) -> None:
    assert worker.sendmail("-q30m") == (0, "", "")
    assert worker.sendmail("-bp") == (0, "", "smtp-desk: The outbox is empty.\n")
    status, out, _ = worker.sendmail("-bi")
    assert (status, out.endswith("aliases: 0 aliases\n")) == (0, True)
    dialogue = (
        b"EHLO x\r\nMAIL FROM:<www@web.example>\r\nRCPT TO:<bo@>\r\nRCPT TO:<ann@example.org>\r\n"
        b"DATA\r\nSubject: x\r\n\r\nhi\r\n.\r\nQUIT\r\n"
    )
    status, out, err = worker.sendmail("-bs", stdin=dialogue)
    codes = [line[:3] for line in out.splitlines() if line[3] == " "]
    assert (status, codes, err) == (0, ["220", "250", "250", "553", "250", "354", "250", "221"], "")
    assert len(stored(worker)) == 1


@pytest.mark.parametrize("arguments", [("--help",), ("-Z",), ("-bd",), (), ("-f",)])
def test_the_whole_program_says_what_is_wrong(worker: Machine, arguments: tuple[str, ...]) -> None:
    assert worker.sendmail(*arguments) == (None, "", "")


def test_who_has_settings_sends_by_them(worker: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    home = {**worker.environ, "SMTP_DESK_HOME": "/nonexistent"}
    assert hand_over(("ann@example.org",), home) is None
    own = Path(os.environ["XDG_CONFIG_HOME"]) / "smtp-desk"
    own.mkdir(parents=True)
    (own / "settings.toml").touch()
    assert worker.sendmail("ann@example.org") == (None, "", "")


def test_without_a_socket_each_sends_alone(machine: Machine) -> None:
    assert machine.sendmail("ann@example.org") == (None, "", "")
    settings = machine.path.parents[2] / "etc/smtp-desk/settings.toml"
    settings.parent.mkdir(parents=True)
    settings.touch()
    status, _, err = machine.sendmail("ann@example.org")
    assert (status, err.count("\n")) == (None, 1)
    assert err.startswith(f"smtp-desk: {machine.path} is missing")


def test_nobody_listens(machine: Machine) -> None:
    reception.open_listener(machine.path, {}).close()
    status, out, err = machine.sendmail("ann@example.org")
    assert (status, out, err.count("\n")) == (75, "", 1)
    assert "Connection refused" in err


def test_a_file_is_no_socket(machine: Machine) -> None:
    machine.path.touch()
    assert machine.sendmail("ann@example.org")[0] == 75


def test_a_stranger_is_told_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "trusted_users", lambda: frozenset({99_999}))
    with reception.open_listener(machine.path, {}) as listener:
        status, _, err = machine.sendmail("ann@example.org")
        taken, _ = listener.accept()
        with taken:
            assert taken.recv(1) == b""
    assert (status, "isn’t the worker" in err) == (75, True)


def test_a_line_that_does_not_move_ends_the_wait(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "_TURN_S", 1)
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as waiting:
        listener.bind(str(machine.path))
        listener.listen(0)
        waiting.connect(str(machine.path))
        status, _, err = machine.sendmail("ann@example.org")
    assert (status, "taking too long" in err) == (75, True)


def _answers(listener: socket.socket, octets: bytes) -> Callable[[], None]:
    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(octets)

    return answer


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"220 mail.example.org ESMTP\r\n",
        HEAD[:5],
        HEAD + b"\0\0\0\x09half",
        HEAD + (MOST_ANSWER_OCTETS + 1).to_bytes(4),
        *(
            HEAD + frame_length(content) + content
            for content in (
                b"null",
                b"{}",
                b'{"status": "0", "remarks": [], "lines": []}',
                WorkerAnswer(69).to_octets(),
                WorkerAnswer(1).to_octets(),
            )
        ),
    ],
    ids=range(10),
)
def test_an_answer_that_is_none_counts_as_none(machine: Machine, octets: bytes) -> None:
    """Never a success, and never 69: what called would not try again."""
    with reception.open_listener(machine.path, {}) as listener:
        thread = threading.Thread(target=_answers(listener, octets))
        thread.start()
        status, out, err = machine.sendmail("ann@example.org")
        thread.join()
    assert (status, out, err.count("\n")) == (75, "", 1)


_MEASURE: Final = """
import sys
sys.argv = ["sendmail", "-i", "ann@example.org"]
from smtp_desk.__main__ import main
try:
    main()
except SystemExit as end:
    (peak,) = (line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(end.code, peak, *sorted(sys.modules))
"""
_HEAVY: Final = (
    *("asyncio", "click", "cryptography", "dns", "email", "email_validator", "idna", "jinja2"),
    *("keyring", "logging", "rich", "sqlite3", "ssl", "subprocess", "tomlkit", "tomllib"),
)
_OURS: Final = (
    *("smtp_desk.app.extras", "smtp_desk.app.startup", "smtp_desk.cli.handover"),
    *("smtp_desk.cli.sendmail_arguments", "smtp_desk.cli.smtp_input", "smtp_desk.core.errors"),
    *("smtp_desk.core.exit_status", "smtp_desk.core.findings.finding", "smtp_desk.core.handover"),
    *("smtp_desk.core.reply", "smtp_desk.core.stages", "smtp_desk.core.system"),
    "smtp_desk.core.translation",
    *("smtp_desk.store.ownership", "smtp_desk.store.paths"),
)


@pytest.mark.usefixtures("unmeasured")
def test_the_way_over_the_socket_is_light(worker: Machine) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE],
        input=MESSAGE, capture_output=True, check=True, timeout=60,
        env={**os.environ, **worker.environ},
    )  # fmt: skip
    status, peak, *modules = done.stdout.decode().split()
    assert status == "0"
    assert int(peak) <= 30 * 1024
    assert not {each.partition(".")[0] for each in modules} & set(_HEAVY)
    packages = {"smtp_desk", "smtp_desk.__main__", "smtp_desk.cli", "smtp_desk.core",
                "smtp_desk.core.findings", "smtp_desk.store", "smtp_desk.app"}  # fmt: skip
    assert {each for each in modules if each.startswith("smtp_desk")} - packages == set(_OURS)
    assert len(stored(worker)) == 1


def test_a_message_for_ten_thousand_goes_over_whole(worker: Machine) -> None:
    """It is more than a user may send in an hour, and refused as one; root may."""
    recipients = [f"r{number}@example.org" for number in range(10_000)]
    message = b"To: " + ",\n ".join(recipients).encode() + b"\n\nhi\n"
    status, _, err = worker.sendmail("-t", stdin=message)
    if os.geteuid() == 0:
        assert (status, err) == (0, "")
        assert worker.services.outbox.counts().total == 10_000
    else:
        assert (status, "10000 recipients" in err) == (65, True)


@pytest.mark.parametrize("octets", [b"", b"\n", b"no header at all", b"Subject: x", b"\0\0\r\r\n"])
def test_a_message_without_a_header_or_a_body_is_taken(worker: Machine, octets: bytes) -> None:
    status, out, _ = worker.sendmail("-i", "ann@example.org", stdin=octets)
    assert (status, out) == (0, "")
    assert len(stored(worker)) == 1


def test_one_of_fifty_megabytes_is_too_large_and_said_to_be(worker: Machine) -> None:
    status, out, err = worker.sendmail("-i", "ann@example.org", stdin=b"x" * 50_000_000)
    assert (status, out, err.count("\n")) == (65, "", 1)
    assert "too large" in err
    assert stored(worker) == []
