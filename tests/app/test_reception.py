"""The worker of the whole system: what it takes, from whom, and what nobody holds up."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from smtp_desk.app import reception
from smtp_desk.app.reception import Reception, _RequestReader, open_listener
from smtp_desk.app.services import Services
from smtp_desk.core.handover import HEAD, MOST_ORDER_OCTETS, Act, Order, frame_length
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.outbox import EVERYTHING, OutboxFullError
from smtp_desk.sender.sender import Sender
from smtp_desk.store.ownership import peer_user
from tests.app.reception_desk import answer_of, ask, come_as, connected, receiving

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="Linux only")

USER = 1234
MESSAGE = b"From: root\nSubject: x\n\nhi\n"
SUBMIT = Order(Act.SUBMIT, ("ann@example.org",))


@pytest.fixture
def path() -> Iterator[Path]:
    """Short: the path of a Unix socket has room for 107 bytes."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "submit.sock"


@pytest.fixture
def services(clean_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    come_as(monkeypatch, USER)
    return Services.sandbox(clean_environment)


def write_rules(services: Services, rules: str) -> None:
    services.paths.ensure()
    services.paths.settings_file.write_text(f"schema = 2\nenabled = false\n[system]\n{rules}\n")


def stored(services: Services) -> list[tuple[str, str]]:
    entries = services.outbox.page(EVERYTHING).entries
    return [(entry.recipient, entry.submitter) for entry in reversed(entries)]


def test_a_message_is_stored_for_its_user(services: Services, path: Path) -> None:
    with receiving(services, path):
        order = Order(Act.SUBMIT, ("ann@example.org",), from_header=True)
        answer = ask(path, order, b"To: bo@example.org\n" + MESSAGE)
        assert (answer.status, answer.remarks) == (0, ())
        assert answer.lines == ("ann@example.org: stored", "bo@example.org: stored")
        (entry, _) = services.outbox.page(EVERYTHING).entries
        assert entry.state is EntryState.READY
    assert stored(services) == [("ann@example.org", "1234"), ("bo@example.org", "1234")]


def test_the_kernel_says_who_asks(path: Path) -> None:
    with open_listener(path, {}) as listener, connected(path) as connection:
        taken, _ = listener.accept()
        with taken:
            assert peer_user(taken) == os.geteuid()
        assert peer_user(connection) == os.geteuid()


def test_what_waits_is_told(services: Services, path: Path) -> None:
    with receiving(services, path, why="Nothing is configured."):
        assert ask(path, SUBMIT, MESSAGE).remarks == (
            "stored, not sent yet. Nothing is configured.",
        )


def test_why_it_waits_is_asked_now_and_then(services: Services, path: Path) -> None:
    moment, asked = [1.0], [0]

    def why() -> str:
        asked[0] += 1
        return "why"

    with services.open_sender() as sender, open_listener(path, {}) as listener:
        reception_ = Reception(services, sender, why, clock=lambda: moment[0])
        with reception_.open(listener):
            for _ in range(3):
                assert ask(path, SUBMIT, MESSAGE).remarks == ("stored, not sent yet. why",)
            assert asked == [1]
            moment[0] += 11
            ask(path, SUBMIT, MESSAGE)
            write_rules(services, "emails_per_hour = 9")
            ask(path, SUBMIT, MESSAGE)
    assert asked == [3]


@pytest.mark.parametrize(
    ("order", "message", "said"),
    [
        (Order(Act.SUBMIT), MESSAGE, "names no recipient"),
        (Order(Act.SUBMIT, ("nobody@",)), MESSAGE, "nobody@"),
        (Order(Act.SUBMIT, ("ann@example.org",), full_name="a\nb"), MESSAGE, "full name"),
        (SUBMIT, b"Received: x\n" * 26 + MESSAGE, "circles"),
        (Order(Act.CHECK, ("nobody@",)), b"", "nobody@"),
    ],
)
def test_a_wrong_message_is_refused(
    services: Services, path: Path, order: Order, message: bytes, said: str
) -> None:
    with receiving(services, path):
        answer = ask(path, order, message)
    assert answer.status == 65
    assert said in answer.remarks[0]
    assert stored(services) == []


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"smtp-desk 2\n",
        HEAD + frame_length(b"nothing") + b"nothing",
        HEAD + frame_length(b"[]") + b"[]",
        HEAD + frame_length(b"{}") + b"{}",
        HEAD + frame_length(b'{"act": "erase"}') + b'{"act": "erase"}',
        HEAD + frame_length(b'{"act": "list", "sender": 1}') + b'{"act": "list", "sender": 1}',
        HEAD + frame_length(b'{"act": "list", "recipients": 1}')
        + b'{"act": "list", "recipients": 1}',
        HEAD + frame_length(b"[" * 9999) + b"[" * 9999,
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_request_is_answered_and_ends(
    services: Services, path: Path, octets: bytes
) -> None:
    with receiving(services, path), connected(path) as connection:
        connection.sendall(octets)
        answer = answer_of(connection)
        assert answer.status == 75
        assert "can’t be read" in answer.remarks[0]


@pytest.mark.parametrize("beyond", ["order", "message"])
def test_a_length_beyond_the_limit_ends_it_unread(
    services: Services, path: Path, beyond: str
) -> None:
    write_rules(services, "message_octets = 100")
    content = SUBMIT.to_octets()
    announced = (
        (MOST_ORDER_OCTETS + 1).to_bytes(4)
        if beyond == "order"
        else frame_length(content) + content + (101).to_bytes(4)
    )
    with receiving(services, path), connected(path) as connection:
        connection.sendall(HEAD + announced)
        answer = answer_of(connection)
    assert answer.status == 65
    assert "too large" in answer.remarks[0]


def test_half_a_message_stores_nothing(services: Services, path: Path) -> None:
    content = SUBMIT.to_octets()
    with receiving(services, path):
        with connected(path) as connection:
            connection.sendall(HEAD + frame_length(content) + content + (100).to_bytes(4) + b"half")
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
        assert stored(services) == []
        assert ask(path, SUBMIT, MESSAGE).status == 0


class _Dripping:
    """A connection that gives an octet a second."""

    def __init__(self) -> None:
        self.moment = 0.0

    def settimeout(self, seconds: float) -> None:
        assert 0 < seconds <= 60

    def recv(self, _count: int) -> bytes:
        self.moment += 1.0
        return b"x"


def test_a_request_that_drips_is_given_up() -> None:
    """By the whole time it takes, however often an octet comes."""
    dripping = _Dripping()
    read = _RequestReader(cast("socket.socket", dripping), 60.0, lambda: dripping.moment)
    assert read(50) == b"x" * 50
    with pytest.raises(TimeoutError):
        read(50)
    assert dripping.moment == 60.0


def test_who_is_too_slow_loses_his_place(services: Services, path: Path) -> None:
    moment = [0.0]

    def clock() -> float:
        moment[0] += 61.0
        return moment[0]

    with receiving(services, path, clock), connected(path) as connection:
        assert connection.recv(1) == b""
    assert stored(services) == []


def test_one_who_holds_all_his_places_holds_up_nobody_else(
    services: Services, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "_CONNECTIONS_A_USER", 5)
    with receiving(services, path):
        idle = [connected(path) for _ in range(5)]
        for each in idle:
            each.__enter__()
        with connected(path) as refused:
            answer = answer_of(refused)
        assert (answer.status, "at once" in answer.remarks[0]) == (75, True)
        come_as(monkeypatch, USER + 1)
        assert ask(path, SUBMIT, MESSAGE).status == 0
        for each in idle:
            each.__exit__(None, None, None)
        come_as(monkeypatch, USER)
        while ask(path, SUBMIT, MESSAGE).status:
            pass


def test_the_quota_is_that_of_an_hour(
    services: Services, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_rules(services, "emails_per_hour = 2")
    moment = [0.0]
    with receiving(services, path, lambda: moment[0]):
        assert [ask(path, SUBMIT, MESSAGE).status for _ in range(3)] == [0, 0, 75]
        come_as(monkeypatch, USER + 1)
        assert ask(path, SUBMIT, MESSAGE).status == 0
        come_as(monkeypatch, 0)
        assert [ask(path, SUBMIT, MESSAGE).status for _ in range(3)] == [0, 0, 0]
        come_as(monkeypatch, USER)
        moment[0] = 3601.0
        assert ask(path, SUBMIT, MESSAGE).status == 0


def test_a_full_outbox_counts_for_no_quota(
    services: Services, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_rules(services, "emails_per_hour = 1")

    def full(*_: object) -> None:
        raise OutboxFullError(1)

    with receiving(services, path):
        with monkeypatch.context() as patch:
            patch.setattr(Sender, "queue", full)
            answer = ask(path, SUBMIT, MESSAGE)
            assert answer.status == 75
            assert answer.remarks[0].startswith("Nothing was stored or sent. The outbox has")
        assert ask(path, SUBMIT, MESSAGE).status == 0


def test_our_own_fault_is_no_loss_in_silence(
    services: Services, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Sender, "queue", fail)
    with receiving(services, path):
        assert ask(path, SUBMIT, MESSAGE).status == 75
        assert ask(path, Order(Act.LIST)).status == 0


def test_only_ones_own_mail_is_listed(
    services: Services, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(services, path):
        ask(path, SUBMIT, b"Subject: mine\n\n")
        assert "mine" in ask(path, Order(Act.LIST)).lines[0]
        come_as(monkeypatch, 123)
        listed = ask(path, Order(Act.LIST))
        assert (listed.lines, listed.remarks) == ((), ("The outbox is empty.",))
        come_as(monkeypatch, 0)
        assert len(ask(path, Order(Act.LIST)).lines) == 1


def test_the_aliases_are_those_of_the_system(services: Services, path: Path) -> None:
    services.paths.ensure()
    services.paths.aliases_file.write_text("root: a\na: b\nb: root\nroot2: |rm\n")
    with receiving(services, path):
        checked = ask(path, Order(Act.ALIASES))
        assert (checked.status, len(checked.remarks)) == (65, 1)
        assert checked.lines == (f"{services.paths.aliases_file}: 3 aliases",)
        loop = ask(path, Order(Act.SUBMIT, ("root",)), MESSAGE)
        assert (loop.status, "circle" in loop.remarks[0]) == (65, True)


_ACTIVATED = """
import os, socket, sys
from pathlib import Path
from smtp_desk.app.reception import open_listener
os.dup2(int(sys.argv[1]), 3)
listener = open_listener(Path("/nonexistent"), {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})
listener.accept()[0].sendall(b"here")
"""


def test_the_socket_that_systemd_passes_is_used(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        number = listener.fileno()
        command = [sys.executable, "-c", _ACTIVATED, str(number)]
        with subprocess.Popen(command, pass_fds=(number,)), connected(path) as connection:
            assert connection.recv(4) == b"here"


def test_a_listener_takes_the_place_of_a_stale_one(path: Path) -> None:
    open_listener(path, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}).close()
    with open_listener(path, {}), connected(path):
        assert path.stat().st_mode & 0o777 == 0o666


def test_orders_and_answers_keep_every_octet() -> None:
    order = Order(Act.SUBMIT, ("J\udcf6rg", "a\u2028b"), from_header=True, full_name="\udcff")
    assert Order.parse(order.to_octets()) == order
    assert json.loads(order.to_octets())["act"] == "submit"
