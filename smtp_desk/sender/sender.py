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
from email.message import Message as StdlibMessage
from importlib import import_module
from itertools import islice
from typing import Final, Self, TypeAlias

from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.secret import Secret
from smtp_desk.sender.alerts import Alerts
from smtp_desk.sender.attempts import ONLY_ROUTE, MessageAttempt, Run
from smtp_desk.sender.dispatcher import LEASE, PATIENCE_S, Dispatcher
from smtp_desk.sender.mail.content_digest import content_digest
from smtp_desk.sender.mail.kinds import Email, Notification
from smtp_desk.sender.mail.message import new_message_id, outbox_message
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.mail.variables import key_name, later
from smtp_desk.sender.notices import Notices
from smtp_desk.sender.outbox.clock import UtcClock, utc_now
from smtp_desk.sender.outbox.control import Control
from smtp_desk.sender.outbox.entries import NOTICES, OutboxMessage, SendingKey
from smtp_desk.sender.outbox.outbox import (
    MEBIBYTE,
    KeyKnownError,
    KeyReusedError,
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
from smtp_desk.smtp.net.forks import gate, run_after_fork
from smtp_desk.smtp.session.envelope import Status
from smtp_desk.store.paths import Paths
from smtp_desk.store.resources import read_catalogue
from smtp_desk.store.settings_store import SettingsStore, outbox_address
from smtp_desk.store.unattended import open_credentials

AnyEmail: TypeAlias = Email | StdlibMessage | OutboxMessage
"""What can be sent: a kind of email, a message of the standard library, or a stored one."""

_log: Final = logging.getLogger(__name__)

_STORED_AT_ONCE: Final = 100
_OCTETS_AT_ONCE: Final = 16 * MEBIBYTE
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
        self._templates = templates
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
        message = self._message(email, routes, key, send_at)
        if message.send_at is not None:
            return self._stored(message)
        try:
            receipt = self._send((message,), routes, timeout)[0]
        except KeyKnownError as known:
            return self._first(message, known)
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
        return self._stored(self._message(email, self._source.routes(), key, send_at))

    def status(self, message_id: str) -> Receipt | None:
        """Return an email's result so far; None if the outbox doesn't have it (any more).

        Args:
            message_id: The `message_id` of its receipt.

        Raises:
            OutboxUnavailableError: The storage doesn't work.
        """
        if not message_id:
            return None
        page = self._outbox.page(query := Query(message_id=message_id))
        entries = [*page.entries]
        while page.next:
            page = self._outbox.page(query, before=page.next)
            entries += page.entries
        # Of several with this Message-ID, as another program may write it, the newest.
        own = [each for each in reversed(entries) if each.message_key == entries[0].message_key]
        return receipt_of(message_id, own, self._catalogue) if own else None

    def send_many(self, emails: Iterable[AnyEmail]) -> Iterator[Receipt]:
        """Send many emails through up to three connections; yield their receipts in order.

        Iterate over the receipts, in a loop or with `list`: nothing is sent until you do. The
        emails are taken, stored and sent in groups of up to 100, fewer if they are large, so
        memory doesn't grow with their number. If the loop ends early, the rest of the current
        group has been sent, and nothing of later groups is stored.

        Raises:
            EmailError: An email can't be sent as it is; those not yet yielded were not sent.
            OutboxUnavailableError: As in `send`; the emails not yet yielded were not sent.
            OutboxFullError: As in `send`; the emails not yet yielded were not sent.
            MessageTooLargeError: As in `send`; the emails not yet yielded were not sent.
            Exception: What `emails` raised; the emails not yet yielded were not sent.
        """
        waiting = iter(emails)
        while messages := self._next_of(waiting):
            routes = self._source.routes()
            receipts = self._send(messages, routes, None)
            self._notices.tell(routes)
            yield from receipts

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
        except KeyKnownError as known:
            return self._first(message, known)
        return receipt_of(message.message_id, entries, self._catalogue)

    def _first(self, message: OutboxMessage, known: KeyKnownError) -> Receipt:
        """Return what came of the first email with the key of `message`.

        Raises:
            KeyReusedError: It says something else.
        """
        if message.key is None or message.key.content != known.content:
            raise KeyReusedError(known.message_id) from None
        receipt = receipt_of(known.message_id, known.entries, self._catalogue)
        # Those who are missing were thrown away, settled or by a person: nobody knows any more.
        found = {each.recipient: each for each in receipt.recipients}
        every = (
            found.get(each, RecipientReceipt(each, Status.UNCERTAIN)) for each in message.recipients
        )
        return replace(receipt, recipients=tuple(every))

    def _message(
        self,
        email: AnyEmail,
        routes: Routes,
        key: str | None = None,
        send_at: datetime | None = None,
    ) -> OutboxMessage:
        now = self._clock()
        when = None if send_at is None else later(send_at, now)
        known = None if key is None else key_name(key)
        message = self._composed(email, routes, when or now)
        if when is not None or known is not None:
            named = SendingKey(known, content_digest(email)) if known else None
            message = replace(message, key=named, send_at=when)
        return message

    def _composed(self, email: AnyEmail, routes: Routes, now: datetime) -> OutboxMessage:
        if isinstance(email, OutboxMessage):
            return email
        if isinstance(email, StdlibMessage):
            with gate:  # only those who send such messages wait for what writes them
                from smtp_desk.sender.mail.stdlib_message import stored_message  # noqa: PLC0415
            return stored_message(email, from_email=routes.from_email, now=now)
        rendered = self._templates.render(email, company=routes.company_name)
        if rendered.problem:
            _log.warning("own templates are not used: %s", rendered.problem)
        return outbox_message(
            email, rendered, message_id=new_message_id(routes.from_email), now=now
        )

    def _next_of(self, emails: Iterator[AnyEmail]) -> list[OutboxMessage]:
        """Take the next emails, as many as may lie in memory at once."""
        taken: list[OutboxMessage] = []
        octets = 0
        for email in islice(emails, _STORED_AT_ONCE):
            taken.append(self._message(email, self._source.routes()))
            octets += taken[-1].size
            if octets >= _OCTETS_AT_ONCE:
                break
        return taken

    def _send(
        self, messages: Sequence[OutboxMessage], routes: Routes, timeout: float | None
    ) -> list[Receipt]:
        claims = iter(self._outbox.add_claimed(messages, self._owner, LEASE))
        parts = [
            [
                MessageAttempt.of(batch, message, routes)
                for batch in batches(tuple(islice(claims, len(message.recipients))))
            ]
            for message in messages
        ]
        attempts = [attempt for each in parts for attempt in each]
        self._at_once(attempts, timeout)
        for attempt in attempts:
            attempt.leave()
        return [Receipt.joined([attempt.receipt for attempt in each]) for each in parts]

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
        message = self._message(email, routes)
        only = {} if routes.default is None else {ONLY_ROUTE: DEFAULT}
        message = replace(message, submitter=NOTICES, metadata={**message.metadata, **only})
        claims = self._outbox.add_claimed((message,), self._owner, LEASE)
        return lambda: self._dispatcher.deliver(MessageAttempt.of(claims, message, routes))


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
