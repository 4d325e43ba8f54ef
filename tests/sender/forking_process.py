"""A program that sends and forks, in each way that programs do: what the fork tests run.

What `send` or `queue` returned for stands on its output, past all buffers; its errors in a file.
"""

from __future__ import annotations

import faulthandler
import functools
import itertools
import multiprocessing
import os
import random
import signal
import sys
import threading
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from smtp_desk.core.secret import Secret
from smtp_desk.sender import Invitation, Sender
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from smtp_desk.sender.routes.saved import SavedRoutes
from smtp_desk.sender.routes.throttle_sqlite import SqliteThrottle
from tests.sender.homes import Home
from tests.sender.post_office import mail
from tests.sender.ways import CATALOGUE
from tests.store.settings import OLD

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

    from smtp_desk.sender.outbox.entries import OutboxMessage

HANGS_AFTER_S: Final = 150
ERRORS: Final = "errors"
_names: Final = itertools.count(1)


class Program:
    """A program with a sender, made before it forks.

    Attributes:
        sender: the one that its children inherit.
        draw: decides the moments.
    """

    def __init__(self, folder: Path, port: int, ca_file: Path, seed: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - moments, no secrets
        self._folder = folder
        self._home = Home(folder)
        settings = replace(
            OLD, host="127.0.0.1", port=port, username="desk", ca_pem=ca_file.read_text()
        )
        self._home.save(settings, Secret("s3cret"))
        self.sender = self.new_sender()

    def new_sender(self) -> Sender:
        """A sender over a database and routes of its own."""
        database = Database(self._folder / "outbox.sqlite3")
        sender = Sender(
            SqliteOutbox(database),
            SqliteHealth(database),
            SavedRoutes(
                Home(self._folder, self._home.keyring).store, CATALOGUE, SqliteThrottle(database)
            ),
            Templates(self._folder / "templates"),
            CATALOGUE,
        )
        sender._closing.push(database)
        return sender

    def work(self, sender: Sender, times: int = 2) -> None:
        """Send and store emails in each way, and tell of those that were returned for."""
        for _ in range(times):
            one, later, *many = (name() for _ in range(5))
            sender.send(short(one))
            tell(one)
            sender.queue(short(later))
            tell(later)
            for told, _ in zip(many, sender.send_many(map(short, many)), strict=True):
                tell(told)

    def fork(self, work: Callable[[], None]) -> int:
        """Return the id of a child that does `work` and ends without a goodbye."""
        child = os.fork()
        if child == 0:
            watch()
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - the test reads it
                sys.stderr.write(f"child: {error!r}\n")
                os._exit(1)
            os._exit(0)
        return child

    def child(self, number: int) -> None:
        """Every second child has a sender of its own, every third leaves by the door."""
        if number % 2:
            with self.new_sender() as own:
                self.work(own)
            return
        self.work(self.sender)
        if number % 3 == 0:
            self.sender.close()

    def family(self, fate: str, children: int) -> None:
        """Fork so many children from a program that sent already, and meet this fate."""
        self.work(self.sender, 1)
        first = self.draw.randrange(6)
        born = [self.fork(functools.partial(self.child, first + each)) for each in range(children)]
        if fate == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        elif fate == "ends":
            os._exit(0)
        elif fate == "leaves":
            self.sender.close()
        else:
            self.work(self.sender)
        wait_for(born)

    def daemon(self) -> None:
        """Fork twice, as daemons do: the child ends at once, the parent soon."""

        def become_daemon() -> None:
            os.setsid()
            self.fork(functools.partial(self.work, self.sender, 3))

        self.work(self.sender, 1)
        wait_for([self.fork(become_daemon)])
        self.sender.close()

    def pool(self) -> None:
        """Work by processes of `multiprocessing`, while this one works too."""
        self.work(self.sender, 1)
        context = multiprocessing.get_context("fork")
        processes = [context.Process(target=self.child, args=(each,)) for each in range(3)]
        for process in processes:
            process.start()
        self.work(self.sender, 1)
        for process in processes:
            process.join()
            assert process.exitcode == 0

    def prefork(self) -> None:
        """A server whose workers die or are killed, and are followed by others."""
        self.work(self.sender, 1)
        running = {self.fork(functools.partial(self.child, each)) for each in range(3)}
        for born in range(3, 8):
            victim = self.draw.choice([*running, 0])
            if victim:
                os.kill(victim, signal.SIGKILL)
            ended, _ = os.waitpid(-1, 0)
            running.discard(ended)
            running.add(self.fork(functools.partial(self.child, born)))
            self.work(self.sender, 1)
        for child in running:
            os.waitpid(child, 0)

    def writing(self) -> None:
        """Fork while other threads write and send."""
        self.beside([lambda: self.work(self.sender, 4)] * 3)

    def sending_many(self) -> None:
        """Fork in the middle of another thread's `send_many`."""

        def send_many() -> None:
            names = [name() for _ in range(40)]
            for told, _ in zip(names, self.sender.send_many(map(short, names)), strict=True):
                tell(told)

        self.beside([send_many])

    def first_send(self) -> None:
        """Fork while the first email of all is under way in another thread."""
        self.beside([self.invite], self.invite)

    def beside(
        self, threads: list[Callable[[], None]], child: Callable[[], None] | None = None
    ) -> None:
        """Fork three times, at any moment, while these threads work."""
        running = [threading.Thread(target=work) for work in threads]
        for thread in running:
            thread.start()
        born = []
        for each in range(3):
            running[0].join(self.draw.uniform(0, 0.15))
            born.append(self.fork(child or functools.partial(self.child, each)))
        for thread in running:
            thread.join()
        self.sender.close()
        wait_for(born)

    def invite(self) -> None:
        """Send one of the five kinds: its template is read, jinja2 loaded."""
        to = name()
        link = "https://example.org/join"
        self.sender.send(Invitation(to=f"{to}@example.test", invited_by="Bo", link=link))
        tell(to)


def name() -> str:
    """A name that no other process of this program gives."""
    return f"{os.getpid()}-{next(_names)}"


def short(told: str) -> OutboxMessage:
    return mail(told, (f"{told}@example.test",), b"Hello.\r\n")


def tell(told: str) -> None:
    os.write(1, f"{told}@example.test\n".encode())


@functools.cache
def first_process() -> int:
    """Return the id of the program's first process, which asks first."""
    return os.getpid()


def watch() -> None:
    """End with all stacks on standard error where this process hangs, children first."""
    faulthandler.register(signal.SIGALRM, chain=True)
    signal.alarm(HANGS_AFTER_S - 30 * (os.getpid() != first_process()))


def wait_for(children: list[int]) -> None:
    for child in children:
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0, "a child failed"


def main(output: Connection, way: str, place: tuple[Path, int, Path], seed: int) -> None:
    """Run a program that forks in this way; what it tells goes to `output`."""
    os.dup2(output.fileno(), 1)
    os.dup2(os.open(place[0] / ERRORS, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), 2)
    output.close()
    warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of what is tested here
    watch()
    program = Program(*place, seed)
    if way.startswith("family"):
        _, fate, children = way.split("-")
        program.family(fate, int(children))
    else:
        getattr(program, way)()
