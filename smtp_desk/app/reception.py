"""The system-wide worker accepts messages from all users, over a Unix socket.

The kernel says who asks (SO_PEERCRED), never the request. A slow request, or many at once, hold
nobody up for long: each request has a time limit, and each user a number of places.
"""

import contextlib
import logging
import os
import select
import socket
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from smtp_desk.app.delivery.export import entry_line
from smtp_desk.app.delivery.words import causes
from smtp_desk.app.intake import Intake
from smtp_desk.app.services import Services
from smtp_desk.core.address import AddressError
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.handover import (
    HEAD,
    MOST_ORDER_OCTETS,
    Act,
    FrameTooLargeError,
    HandoverError,
    Order,
    WorkerAnswer,
    frame_length,
    read_exactly,
    read_frame,
    read_head,
)
from smtp_desk.core.translation import _, told
from smtp_desk.sender.mail.address_list import AddressListError
from smtp_desk.sender.mail.addressing import NULL_SENDER
from smtp_desk.sender.mail.submission import ForeignMessageError, envelope_sender
from smtp_desk.sender.outbox.entries import WAITING
from smtp_desk.sender.outbox.outbox import (
    MessageTooLargeError,
    OutboxError,
    OutboxLimits,
    Query,
)
from smtp_desk.sender.sender import Sender
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.ownership import ROOT, peer_user, user_name
from smtp_desk.store.stored import SystemRules

_log: Final = logging.getLogger(__name__)

_REQUEST_S: Final = 60.0
_ANSWER_S: Final = 10.0
_AT_ONCE: Final = 8
_AT_ONCE_A_USER: Final = 2
_CONNECTIONS: Final = 256
_CONNECTIONS_A_USER: Final = 64
_MOST_LISTED: Final = 1000
_HOUR_S: Final = 3600.0
_GRACE_S: Final = 5.0
_WHY_S: Final = 10.0
_FIRST_PASSED: Final = 3  # the first descriptor that systemd passes (sd_listen_fds(3))
_BACKLOG: Final = 256


class _Quota:
    """Counts each user's recipients of the last hour."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: defaultdict[int, deque[tuple[float, int]]] = defaultdict(deque)

    def take(self, user: int, count: int, most: int) -> bool:
        """Count these recipients, unless they would be too many."""
        now = self._clock()
        with self._lock:
            sent = self._sent[user]
            while sent and sent[0][0] <= now - _HOUR_S:
                sent.popleft()
            if sum(each for _, each in sent) + count > most:
                return False
            sent.append((now, count))
            return True

    def give_back(self, user: int, count: int) -> None:
        """What was taken was not stored."""
        with self._lock:
            self._sent[user].append((self._clock(), -count))


class Reception:
    """Answers requests, each in a thread of its own.

    Args:
        services: The services of the whole system.
        sender: Stores the messages.
        why_waiting: Returns why stored messages can't be sent now; "" if they can.
        clock: Returns seconds that never jump.
    """

    def __init__(
        self,
        services: Services,
        sender: Sender,
        why_waiting: Callable[[], str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._services = services
        self._sender = sender
        self._why_waiting = why_waiting
        self._why: tuple[tuple[int, ...], float, str] = ((), 0.0, "")
        self._clock = clock
        self._quota = _Quota(clock)
        self._lock = threading.Lock()
        self._connected: Counter[int] = Counter()
        self._threads: set[threading.Thread] = set()
        self._places = threading.Semaphore(_AT_ONCE)
        self._places_of: defaultdict[int, threading.Semaphore] = defaultdict(
            lambda: threading.Semaphore(_AT_ONCE_A_USER)
        )

    @contextlib.contextmanager
    def open(self, listener: socket.socket) -> Iterator[None]:
        """Answer requests while the context lasts; then end those in progress, within seconds."""
        cancel = Cancel()
        accepting = threading.Thread(
            target=self._accept, args=(listener, cancel), name="reception", daemon=True
        )
        accepting.start()
        try:
            yield
        finally:
            cancel.cancel()
            accepting.join()
            deadline = self._clock() + _GRACE_S
            with self._lock:
                running = self._threads.copy()
            for thread in running:
                thread.join(max(0.0, deadline - self._clock()))

    def _accept(self, listener: socket.socket, cancel: Cancel) -> None:
        waits: list[socket.socket | Cancel] = [listener, cancel]
        while True:
            select.select(waits, [], [])
            if cancel.cancelled:
                return
            try:
                connection, _ = listener.accept()
            except OSError as error:  # no descriptor is free: whoever asks waits in line
                _log.error("no connection can be taken: %s", error)
                select.select([cancel], [], [], 1.0)
                continue
            self._begin(connection)

    def _begin(self, connection: socket.socket) -> None:
        connection.settimeout(_ANSWER_S)
        user = peer_user(connection)
        with self._lock:
            room = (
                self._connected.total() < _CONNECTIONS
                and self._connected[user] < _CONNECTIONS_A_USER
            )
            if room:
                self._connected[user] += 1
        if not room:
            with connection, contextlib.suppress(OSError):
                connection.setblocking(False)  # nobody else waits for this one
                _send(connection, _tempfail(_("Too many messages are being submitted at once.")))
            return
        thread = threading.Thread(
            target=self._serve, args=(connection, user), name="handover", daemon=True
        )
        with self._lock:
            self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError as error:  # whoever asks is told by the end of the connection
            _log.error("no thread is to be had: %s", error)
            connection.close()
            self._ended(user, thread)

    def _serve(self, connection: socket.socket, user: int) -> None:
        try:
            with connection, self._places_of[user], self._places, contextlib.suppress(OSError):
                _send(connection, self._answered(connection, user))
        finally:
            self._ended(user, threading.current_thread())

    def _ended(self, user: int, thread: threading.Thread) -> None:
        with self._lock:
            self._connected[user] -= 1
            self._threads.discard(thread)

    def _answered(self, connection: socket.socket, user: int) -> WorkerAnswer:
        """Read a request and do what it asks for.

        Raises:
            OSError: The other side is gone, or too slow.
        """
        intake = Intake(self._services)
        most = min(intake.stored.system.message_octets, OutboxLimits().message_octets)
        read = _RequestReader(connection, self._clock() + _REQUEST_S, self._clock)
        try:
            read_head(read)
            order = Order.parse(read_frame(read, MOST_ORDER_OCTETS))
            octets = read_frame(read, most)
            return self._done(user, order, octets, intake)
        except FrameTooLargeError as error:
            text = _("The message is too large: {why}.", why=error)
            return WorkerAnswer(ExitStatus.DATAERR, (text,))
        except HandoverError as error:
            return _tempfail(_("The request can’t be read: {why}.", why=error))
        except OutboxError as error:
            return _tempfail(told(error))
        except OSError:
            raise
        except Exception:  # noqa: BLE001 - one request that fails must not end the worker
            _log.exception("our own fault while taking a message of user %d", user)
            return _tempfail(_("The worker failed. See its log for details."))

    def _done(self, user: int, order: Order, octets: bytes, intake: Intake) -> WorkerAnswer:
        match order.act:
            case Act.SUBMIT:
                return self._store(user, order, octets, intake)
            case Act.LIST:
                return self._list(user)
            case Act.CHECK:
                refusals = tuple(filter(None, map(intake.refusal, order.recipients)))
                return WorkerAnswer(ExitStatus.DATAERR if refusals else ExitStatus.OK, refusals)
            case Act.ALIASES:
                problems = tuple(map(_, intake.aliases.problems))
                status = ExitStatus.DATAERR if problems else ExitStatus.OK
                return WorkerAnswer(status, problems, (intake.checked_aliases(),))

    def _store(self, user: int, order: Order, octets: bytes, intake: Intake) -> WorkerAnswer:
        """Store a message; 0 is answered only once it is on the disk.

        Raises:
            OutboxError: The outbox can't take it.
        """
        rules = intake.stored.system
        try:
            sender = _envelope_sender(order.sender, trusted=_is_trusted(user, rules))
        except (AddressError, AddressListError):
            text = _("“{address}” isn’t an address.", address=order.sender)
            return WorkerAnswer(ExitStatus.USAGE, (text,))
        try:
            submission = intake.submission(
                order.recipients,
                from_header=order.from_header,
                sender=sender,
                full_name=order.full_name,
            )
            submitted = intake.read(octets, submission, len(octets))
        except ForeignMessageError as error:
            return WorkerAnswer(ExitStatus.DATAERR, (told(error),))
        message, count = submitted.message, len(submitted.message.recipients)
        most = rules.emails_per_hour
        if user != ROOT and count > most:
            text = _(
                "The message has {count} recipients, but you can send {most} emails an hour.",
                count=count,
                most=most,
            )
            return WorkerAnswer(ExitStatus.DATAERR, (text,))
        if user != ROOT and not self._quota.take(user, count, most):
            return _tempfail(_("You can send {most} emails an hour. Try again later.", most=most))
        try:
            receipt = self._sender.queue(replace(message, submitter=str(user)))
        except MessageTooLargeError as error:
            return WorkerAnswer(ExitStatus.DATAERR, (told(error),))
        except OutboxError:
            self._quota.give_back(user, count)
            raise
        _log.info("user %d handed over %s for %d recipients", user, receipt.message_id, count)
        why = self._why_now()
        waits = (f"{_('stored, not sent yet.')} {why}",) if why else ()
        lines = (f"{each.recipient}: {_('stored')}" for each in receipt.recipients)
        return WorkerAnswer(ExitStatus.OK, (*map(_, submitted.remarks), *waits), tuple(lines))

    def _why_now(self) -> str:
        """Return why what is stored waits; looked up now and then only, for it takes a while."""
        fingerprint = self._services.store.fingerprint()
        known, until, why = self._why
        if known != fingerprint or self._clock() >= until:
            why = self._why_waiting()
            self._why = (fingerprint, self._clock() + _WHY_S, why)
        return why

    def _list(self, user: int) -> WorkerAnswer:
        submitter = "" if user == ROOT else str(user)
        query = Query(states=WAITING, submitter=submitter)
        page = self._services.outbox.page(query, limit=_MOST_LISTED)
        cause = causes(self._services)
        lines = tuple(entry_line(entry, cause) for entry in page.entries)
        if page.next:
            remarks: tuple[str, ...] = (_("Only the newest {most} are shown.", most=_MOST_LISTED),)
        else:
            remarks = () if lines else (_("The outbox is empty."),)
        return WorkerAnswer(ExitStatus.OK, remarks, lines)


class _RequestReader:
    """Reads exactly so many octets, until a moment at the latest."""

    def __init__(self, connection: socket.socket, until: float, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._until = until
        self._clock = clock

    def __call__(self, count: int) -> bytes:
        return read_exactly(self._receive, count)

    def _receive(self, most: int) -> bytes:
        left = self._until - self._clock()
        if left <= 0:
            raise TimeoutError("the request took too long")
        self._connection.settimeout(left)
        octets = self._connection.recv(most)
        if not octets:
            raise ConnectionAbortedError("the request is incomplete")
        return octets


def open_listener(path: Path, environ: Mapping[str, str]) -> socket.socket:
    """Return the socket that systemd passed, or else one at `path` that all users may connect to.

    Raises:
        OSError: It can't be created.
    """
    if environ.get("LISTEN_PID") == str(os.getpid()) and environ.get("LISTEN_FDS") == "1":
        passed = socket.socket(fileno=_FIRST_PASSED)
        passed.set_inheritable(False)
        return passed
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o755, exist_ok=True)
        new.unlink(missing_ok=True)
        listener.bind(str(new))
        new.chmod(0o666)
        listener.listen(_BACKLOG)
        new.replace(path)  # nobody finds one that nobody listens at
    except OSError:
        listener.close()
        raise
    return listener


def _send(connection: socket.socket, answer: WorkerAnswer) -> None:
    content = answer.to_octets()
    connection.sendall(HEAD + frame_length(content) + content)


def _tempfail(text: str) -> WorkerAnswer:
    return WorkerAnswer(ExitStatus.TEMPFAIL, (f"{_('Nothing was stored or sent.')} {text}",))


def _is_trusted(user: int, rules: SystemRules) -> bool:
    return user == ROOT or user_name(user) in rules.trusted_users


def _envelope_sender(said: str, *, trusted: bool) -> str:
    """Return the envelope sender that counts; no bounces at all are anybody's choice.

    Raises:
        AddressError: It is no address.
        AddressListError: It is no address, and can't be read at all.
    """
    if not said or (said != NULL_SENDER and not trusted):
        return ""
    return envelope_sender(said)
