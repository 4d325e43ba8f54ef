"""Sends emails from a program: one call per email, and a receipt with the result."""

import logging
import math
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from itertools import islice
from typing import Final, Self

from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.secret import Secret
from smtp_desk.sender.alerts import Alerts
from smtp_desk.sender.attempts import ONLY_ROUTE, MessageAttempt, Run
from smtp_desk.sender.composer import AnyEmail, Composer, KeyedEmail
from smtp_desk.sender.dispatcher import LEASE, PATIENCE_S, Dispatcher
from smtp_desk.sender.mail.kinds import Notification
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.mail.variables import key_name
from smtp_desk.sender.notices import Notices
from smtp_desk.sender.outbox.clock import UtcClock, utc_now
from smtp_desk.sender.outbox.control import Control
from smtp_desk.sender.outbox.entries import NOTICES, WAITING, OutboxEntry, OutboxMessage
from smtp_desk.sender.outbox.outbox import (
    EntryNotFoundError,
    EntryStateError,
    KeyKnownError,
    KeyReusedError,
    KnownKey,
    Outbox,
    Query,
)
from smtp_desk.sender.receipts import Receipt, RecipientReceipt, receipt_of
from smtp_desk.sender.routes.health import Health
from smtp_desk.sender.routes.route import DEFAULT, Routes, RouteSource
from smtp_desk.sender.routes.saved import SavedRoutes
from smtp_desk.sender.storage import open_storage, outbox_limits
from smtp_desk.sender.worker import CONNECTIONS, Drain, Pause, batches, pause
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.forks import run_after_fork
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.paths import Paths
from smtp_desk.store.resources import read_catalogue
from smtp_desk.store.settings_store import SettingsStore, outbox_address
from smtp_desk.store.unattended import open_credentials

_log: Final = logging.getLogger(__name__)

_PROBE_GRACE_S: Final = 3.0
_LAST_TRIES: Final = 5


def _no_alerts() -> Secret:
    return Secret("")


class Sender:
    """Sends emails through the customer's server, or else the default email service.

    Every email is stored before its first byte is sent, so none is lost: an email that no
    route accepts now is sent later by `smtp-desk worker`, or by `drain`. Many threads may use
    one sender. It keeps up to three connections to each server, so use one for many emails,
    and close it:

        with Sender.from_settings() as sender:
            receipt = sender.send(Invitation(to="ann@example.org", invited_by="Bo", link="…"))

    A failure of a server or the network is never raised; it is in the receipt. An email that
    was interrupted, by Ctrl-C or the end of the program, stays stored, and the worker resumes
    it some minutes later.

    After a fork, both parent and child may use it, and each closes its own. That covers servers
    that fork their workers, daemons and `multiprocessing`. An email that a thread of the parent
    is sending stays with the parent. The fork waits until nothing is being written, which takes
    milliseconds, and 30 s at most. After two kinds of fork, the child gets
    `OutboxUnavailableError` unless it starts another program: a fork in a signal handler that
    interrupted `send`, and one in C code that doesn't tell Python first (uWSGI without
    `lazy-apps`).
    """

    def __init__(
        self,
        outbox: Outbox,
        health: Health,
        routes: RouteSource,
        templates: Templates,
        catalogue: Catalogue,
        *,
        clock: UtcClock = utc_now,
        random: Callable[[], float] | None = None,
        alerts: Callable[[], Secret] = _no_alerts,
        control: Control | None = None,
        wait_for: Pause | None = None,
        may_fork: bool = True,
    ) -> None:
        """Build a sender from its parts; programs call `from_settings`.

        Args:
            outbox: Where emails are stored; `testing.MemoryOutbox` in tests.
            health: The health of the routes; `testing.MemoryHealth` in tests.
            routes: The servers and programs that emails go through.
            templates: The texts of the emails.
            catalogue: The causes of failures.
            clock: Returns the current time, with a time zone.
            random: Returns a number from 0 to 1, for the jitter of delays.
            alerts: Returns the URLs that alerts go to, one per line.
            control: Is told of a running `drain`, so that people see that a worker runs.
            wait_for: Waits until there may be more to drain.
            may_fork: Whether this process may be forked while it sends, as other programs may
                be; then everything that sending needs is loaded now.
        """
        if may_fork:
            _load_what_sends()
        self._outbox = outbox
        self._source = routes
        self._composer = Composer(templates, clock)
        self._catalogue = catalogue
        self._clock = clock
        self._control = control
        self._wait_for = wait_for or pause
        jitter = {} if random is None else {"random": random}
        self._dispatcher = Dispatcher(outbox, health, catalogue, clock=clock, **jitter)
        self._notices = Notices(
            health, outbox, catalogue, self._store_notice, alerts=Alerts(alerts), clock=clock
        )
        self._closing = ExitStack()
        self.after_fork()
        run_after_fork(self.after_fork)

    def after_fork(self) -> None:
        """Forget what belongs to the parent process: after a fork, the child sends on its own."""
        self._owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    @classmethod
    def from_settings(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return a sender that uses this user's saved settings.

        Settings that are saved later take effect, too. If nothing is configured, all emails
        wait in the outbox until a route is.

        Args:
            environ: The environment; None for that of the process. `SMTP_DESK_HOME` moves
                all files; `SMTP_DESK_OUTBOX` names the database of many machines;
                `SMTP_DESK_PASSWORD`, `SMTP_DESK_DEFAULT_PASSWORD` or systemd credentials provide
                the passwords if there is no keyring.

        Raises:
            OutboxUnavailableError: The outbox can't be opened.
            CredentialsUnavailableError: The systemd credential can't be read.
        """
        known = os.environ if environ is None else environ
        paths = Paths.default(known)
        credentials = open_credentials(known, interactive=False)
        store = SettingsStore(paths, credentials)
        storage = open_storage(
            paths.outbox_file, outbox_address(store, known), limits=outbox_limits(store)
        )
        catalogue = read_catalogue()
        sender = cls(
            storage.outbox,
            storage.health,
            SavedRoutes(store, catalogue, storage.throttle),
            Templates(paths.templates),
            catalogue,
            clock=storage.clock,
            alerts=store.alerts,
            control=storage.control,
            wait_for=storage.wait_for,
        )
        sender._closing.callback(storage.close)
        return sender

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def send(
        self,
        email: AnyEmail,
        *,
        key: str | None = None,
        send_at: datetime | None = None,
        timeout: float = PATIENCE_S,
    ) -> Receipt:
        """Store an email and send it now; return the result for each recipient.

        Args:
            email: One of the five kinds, a kind of your own, or an `email.message.EmailMessage`,
                which is sent to the addresses in To, Cc and Bcc. Its From is kept if it has the
                domain of the configured From email; otherwise it is replaced by that, and
                replies go to the original.
            key: Your own name for this email, such as `order-4711-paid`. A second call with the
                same key, from any process and even after a crash, sends nothing and returns the
                first one's result; keys are kept for seven days, or `keep_keys_days`.
            send_at: The earliest time to send it, with a time zone and at most a year ahead:
                the email is stored, and a worker sends it then.
            timeout: Return after this many seconds at the latest: the email is then queued, or
                uncertain if all of it was sent and no answer came yet. Sending continues, and
                the outbox gets the result.

        Raises:
            EmailError: The email can't be sent as it is, or `key` or `send_at` is wrong;
                nothing was stored.
            KeyReusedError: `key` was used for an email with other content; nothing was sent.
            OutboxUnavailableError: It couldn't be stored; nothing was sent.
            OutboxFullError: There is no room for it; nothing was sent.
            MessageTooLargeError: It is too large to be stored; nothing was sent.
        """
        routes = self._source.routes()
        message = self._composer.message(email, routes, key, send_at)
        if message.send_at is not None:
            return self._stored(message)
        try:
            receipt = self._send((message,), routes, timeout)[0]
        except KeyKnownError as error:
            return self._first(message, *error.known.values())
        self._notices.tell(routes)
        return receipt

    def queue(
        self, email: AnyEmail, *, key: str | None = None, send_at: datetime | None = None
    ) -> Receipt:
        """Store an email for a worker to send, and return at once. The arguments are as in `send`.

        Raises:
            EmailError: As in `send`.
            KeyReusedError: As in `send`.
            OutboxUnavailableError: It couldn't be stored.
            OutboxFullError: There is no room for it.
            MessageTooLargeError: It is too large to be stored.
        """
        return self._stored(self._composer.message(email, self._source.routes(), key, send_at))

    def status(self, message_id: str) -> Receipt | None:
        """Return an email's result so far; None if the outbox doesn't have it (any more).

        Args:
            message_id: The `message_id` of its receipt.

        Raises:
            OutboxUnavailableError: The storage doesn't work.
        """
        return self._receipt(self._newest(message_id))

    def cancel(
        self,
        message_id: str | None = None,
        *,
        key: str | None = None,
        entry_id: str | None = None,
    ) -> Receipt | None:
        """Take back an email that waits; return its result, or None if the outbox hasn't got it.

        The result says for each recipient whether it came in time (`cancelled`). An email that
        is being sent is stopped, unless its final dot is on the way: then, and once it was
        accepted or refused, nothing changes. One that is uncertain isn't sent again, but stays
        uncertain, as it may have arrived. The key of a cancelled email stays used.

        Args:
            message_id: The `message_id` of its receipt.
            key: The key it was submitted with, instead.
            entry_id: The `entry_id` of one recipient's receipt, instead: only that is cancelled.

        Raises:
            TypeError: Not exactly one of the three was given.
            EmailError: `key` is empty, or no text.
            OutboxUnavailableError: The storage doesn't work. Emails that wait on this machine
                only (`local`) can be cancelled when the shared database has them.
        """
        found = self._found(message_id, key, entry_id)
        return self._receipt([each for each in map(self._given_up, found) if each])

    def send_many(self, emails: Iterable[AnyEmail | KeyedEmail]) -> Iterator[Receipt]:
        """Send many emails through up to three connections; yield their receipts in order.

        Iterate over the receipts, in a loop or with `list`: nothing is sent until you do. The
        emails are taken, stored and sent in groups of up to 100, fewer if they are large, so
        memory doesn't grow with their number. If the loop ends early, the rest of the current
        group has been sent, and nothing of later groups is stored.

        Args:
            emails: The emails; a `KeyedEmail` is sent once, however often, as with `key` in
                `send`. So after a crash the same emails can be passed again.

        Raises:
            EmailError: An email can't be sent as it is, or a key is wrong; those not yet yielded
                were not sent.
            KeyReusedError: As in `send`; the emails not yet yielded were not sent.
            OutboxUnavailableError: As in `send`; the emails not yet yielded were not sent.
            OutboxFullError: As in `send`; the emails not yet yielded were not sent.
            MessageTooLargeError: As in `send`; the emails not yet yielded were not sent.
            Exception: What `emails` raised; the emails not yet yielded were not sent.
        """
        waiting = iter(emails)
        while messages := self._composer.next_messages(waiting, self._source.routes):
            yield from self._send_once(messages, self._source.routes())

    def drain(self, cancel: Cancel | None = None, *, once: bool = True) -> int:
        """Send the due emails in the outbox; return how many were processed.

        Args:
            cancel: Ends it within 5 s; emails that other threads are sending with this sender
                may be interrupted, too.
            once: Return when nothing is due; False to wait for more until cancelled.

        Raises:
            OutboxUnavailableError: The storage doesn't work, and `once` is set.
        """
        drain = Drain(
            self._outbox,
            self._source,
            self._dispatcher,
            self._notices,
            owner=self._owner,
            clock=self._clock,
            control=self._control,
            wait_for=self._wait_for,
        )
        return drain.run(cancel or Cancel(), once=once)

    def close(self) -> None:
        """Close the connections. A probe of a paused server gets 3 s to end.

        Emails that other threads are sending are interrupted: they stay queued, or are
        uncertain if the final dot was sent. Cancel a `drain` first. If others hold the outbox,
        this waits for them, up to a minute, to record what was accepted. Emails sent afterwards
        are stored, for a worker.
        """
        self._dispatcher.settle_probes(_PROBE_GRACE_S)
        self._source.close()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join()
        # Each waits for others who hold the outbox: what was accepted must not be sent twice.
        any(self._dispatcher.catch_up() for _ in range(_LAST_TRIES))
        self._closing.close()

    def _stored(self, message: OutboxMessage) -> Receipt:
        try:
            entries = self._outbox.add((message,))
        except KeyKnownError as error:
            return self._first(message, *error.known.values())
        return receipt_of(message.message_id, entries, self._catalogue)

    def _receipt(self, entries: Sequence[OutboxEntry]) -> Receipt | None:
        return receipt_of(entries[0].message_id, entries, self._catalogue) if entries else None

    def _newest(self, message_id: str) -> Sequence[OutboxEntry]:
        """Return the entries of the newest message with this Message-ID."""
        # Another program may write several messages with one.
        entries = self._entries(Query(message_id=message_id)) if message_id else []
        return [each for each in entries if each.message_key == entries[-1].message_key]

    def _entries(self, query: Query) -> list[OutboxEntry]:
        """Return all entries that match, oldest first."""
        page = self._outbox.page(query)
        entries = [*page.entries]
        while page.next:
            page = self._outbox.page(query, before=page.next)
            entries += page.entries
        return entries[::-1]

    def _found(
        self, message_id: str | None, key: str | None, entry_id: str | None
    ) -> Sequence[OutboxEntry]:
        """Return the entries that one of the three names."""
        match message_id, key, entry_id:
            case str(), None, None:
                return self._newest(message_id)
            case None, _, None if key is not None:
                return self._entries(Query(key=key_name(key)))
            case None, None, str():
                with suppress(EntryNotFoundError):
                    return (self._outbox.get(entry_id),)
                return ()
        raise TypeError("Give one of message_id, key and entry_id.")

    def _given_up(self, entry: OutboxEntry) -> OutboxEntry | None:
        """Drop an entry if it still waits; return it as it is then, or None if it is gone."""
        with suppress(EntryNotFoundError):
            try:
                return self._outbox.drop(entry.id) if entry.state in WAITING else entry
            except EntryStateError:
                return self._outbox.get(entry.id)
        return None

    def _first(self, message: OutboxMessage, known: KnownKey) -> Receipt:
        """Return what came of the first email with the key of `message`.

        Raises:
            KeyReusedError: It says something else.
        """
        if message.key is None or message.key.content != known.content:
            raise KeyReusedError(known.message_id) from None
        return _for_recipients_of(
            message, receipt_of(known.message_id, known.entries, self._catalogue)
        )

    def _send_once(self, messages: Sequence[OutboxMessage], routes: Routes) -> list[Receipt]:
        """Send those whose keys aren't known; return the results of all, in order.

        Raises:
            KeyReusedError: A key is used for another email; none was sent.
        """
        firsts: dict[str, OutboxMessage] = {}
        for message in messages:
            if message.key is not None:
                first = firsts.setdefault(message.key.name, message)
                if first.key != message.key:
                    raise KeyReusedError(first.message_id)
        by_key: dict[str, Receipt] = {}
        new, sent = list[OutboxMessage](), None
        while sent is None:
            new = [
                message
                for message in messages
                if message.key is None
                or (message.key.name not in by_key and firsts[message.key.name] is message)
            ]
            try:
                sent = self._send(new, routes, None) if new else []
            except KeyKnownError as error:
                for name, known in error.known.items():
                    by_key[name] = self._first(firsts[name], known)
        self._notices.tell(routes)
        others = list[Receipt]()
        for message, receipt in zip(new, sent, strict=True):
            if message.key is None:
                others.append(receipt)
            else:
                by_key[message.key.name] = receipt
        rest = iter(others)
        return [
            next(rest) if each.key is None else _for_recipients_of(each, by_key[each.key.name])
            for each in messages
        ]

    def _send(
        self, messages: Sequence[OutboxMessage], routes: Routes, timeout: float | None
    ) -> list[Receipt]:
        claims = iter(self._outbox.add_claimed(messages, self._owner, LEASE))
        own = [tuple(islice(claims, len(message.recipients))) for message in messages]
        parts = [
            []
            if each[0].entry.send_at
            else [MessageAttempt.of(batch, message, routes) for batch in batches(each)]
            for message, each in zip(messages, own, strict=True)
        ]
        attempts = [attempt for each in parts for attempt in each]
        self._at_once(attempts, timeout)
        for attempt in attempts:
            attempt.leave()
        return [
            Receipt.joined([attempt.receipt for attempt in part])
            if part
            else receipt_of(message.message_id, [claim.entry for claim in each], self._catalogue)
            for message, each, part in zip(messages, own, parts, strict=True)
        ]

    def _at_once(self, attempts: Iterable[MessageAttempt], timeout: float | None) -> None:
        """Deliver by as many connections as there may be; return in time, or when all is done."""
        waiting, faults = deque(attempts), list[BaseException]()
        deadline = Deadline.after(math.inf if timeout is None else timeout)
        patience = None if timeout is None else deadline

        def taken() -> Iterator[MessageAttempt]:
            while waiting:
                with suppress(IndexError):  # another thread was faster
                    yield waiting.popleft()

        def work() -> None:
            # Whoever stops waiting in time may end at once: no end is put off then.
            run = Run(taken(), ahead=timeout is None)
            try:
                for attempt in run:
                    self._deliver(attempt, patience, run)
            except BaseException as error:  # noqa: BLE001 - raised by whoever asked for it
                faults.append(error)
            finally:
                self._dispatcher.finish(run)

        for thread in [self._begin(work) for _ in range(min(CONNECTIONS, len(waiting)))]:
            if thread.ident is not None:
                thread.join(min(deadline.remaining, threading.TIMEOUT_MAX))
        if faults:
            raise faults[0]

    def _begin(self, work: Callable[[], None]) -> threading.Thread:
        """Work in a thread that nobody has to wait for; in this one where none is to be had."""
        thread = threading.Thread(target=work, name="send", daemon=True)
        with self._lock:  # `close` waits for those that it cuts
            self._threads = [each for each in self._threads if each.is_alive()]
            try:
                thread.start()
            except RuntimeError as error:
                _log.warning("no thread is to be had: %s", error)
            else:
                self._threads.append(thread)
                return thread
        work()
        return thread

    def _deliver(self, attempt: MessageAttempt, patience: Deadline | None, run: Run) -> None:
        # Settings may be saved meanwhile: those before would only give the mail back.
        if not attempt.routes.current():
            attempt.use(self._source.routes())
        self._dispatcher.deliver(attempt, patience, run)

    def _store_notice(self, email: Notification, routes: Routes) -> Callable[[], object]:
        message = self._composer.message(email, routes)
        only = {} if routes.default is None else {ONLY_ROUTE: DEFAULT}
        message = replace(message, submitter=NOTICES, metadata={**message.metadata, **only})
        claims = self._outbox.add_claimed((message,), self._owner, LEASE)
        return lambda: self._dispatcher.deliver(MessageAttempt.of(claims, message, routes))


def _for_recipients_of(message: OutboxMessage, receipt: Receipt) -> Receipt:
    """Return the receipt of an email that says the same, for the recipients of `message`."""
    # Those who are missing were thrown away, settled or by a person: nobody knows any more.
    found = {each.recipient: each for each in receipt.recipients}
    every = (
        found.get(each, RecipientReceipt(each, Status.UNCERTAIN)) for each in message.recipients
    )
    return replace(receipt, recipients=tuple(every))


_FOR_SENDING: Final = (
    "email_validator",
    "encodings.idna",  # by which host names are looked up
    "encodings.utf_16_be",  # by which secrets are hidden, and measured
    "encodings.utf_16_le",
    "smtp_desk.smtp.net.certificates",
    "smtp_desk.smtp.net.tls_failures",
)


def _load_what_sends() -> None:
    """Load what only an email on its way needs, before there are threads.

    A fork while one of them imports would leave the child's own import waiting for ever. What
    few senders need, the keyring, OAuth 2.0 and the templates, is loaded inside `forks.gate`.
    """
    for name in _FOR_SENDING:
        import_module(name)
