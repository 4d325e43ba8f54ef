"""A few connections to one server, shared by many threads."""

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.findings.finding import Finding, Scope
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.core.stages import Facts, Stage
from smtp_desk.sender.routes.health import refuses_login
from smtp_desk.sender.routes.pooled_session import PooledSession
from smtp_desk.sender.routes.route import NoTurnError
from smtp_desk.sender.routes.share import ServerShare
from smtp_desk.sender.routes.throttle import MAX_CONNECTIONS
from smtp_desk.smtp.check.naming import StageFacts, context_of, finding_of
from smtp_desk.smtp.net.deadline import Cancel, Clock, Deadline
from smtp_desk.smtp.net.redaction import Redactor
from smtp_desk.smtp.net.resolve import Resolver
from smtp_desk.smtp.net.tls import TlsTicket
from smtp_desk.smtp.session.limits import SENDER_LIMITS, SessionLimits
from smtp_desk.smtp.session.session import Session
from smtp_desk.smtp.session.token_giver import SessionCredential

# A server that lets no further connection in is asked for one again after so many seconds.
_NARROW_SECONDS: Final = 60.0
# Who asks for a session later than this after a refused sign-in knows that one worked since,
# maybe in another process: the health of routes lets nobody else ask.
_BARRED_SECONDS: Final = 60.0
_GOODBYE_SECONDS: Final = 2.0
# Where others have all connections nobody tells when one is free.
_LOOK_AGAIN_SECONDS: Final = 0.2
_IDLE_SECONDS: Final = 1.0

_log: Final = logging.getLogger(__name__)


class UnavailableError(Exception):
    """No session with the server can be opened.

    Attributes:
        finding: The cause.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


@dataclass(slots=True, eq=False)
class _Opening:
    """One session being opened; everybody who waits for it shares its result.

    Attributes:
        pooled: The session.
        opened: Whether it opened.
        finding: Why it did not open; None while it is being opened.
        shared: Whether its failure applies to everybody who waits.
    """

    pooled: PooledSession
    opened: bool = False
    finding: Finding | None = None
    shared: bool = False


@final
class SessionPool:
    """Sessions with one server, signed in, each borrowed by one thread at a time.

    Every connection is leased, so that all processes together open no more than the server
    accepts. One session is opened at a time, so a wrong password is refused once: everybody who
    waits gets the same finding. Then the pool is barred for a minute, unless `probe` succeeds,
    also for threads that were about to connect. If a server accepts no further connection while
    others work, threads wait for these.
    """

    def __init__(
        self,
        settings: ServerSettings,
        mode: Security,
        credential: SessionCredential | None,
        catalogue: Catalogue,
        share: ServerShare,
        *,
        limits: SessionLimits = SENDER_LIMITS,
        resolver: Resolver | None = None,
        clock: Clock = time.monotonic,
        idle_seconds: float = 30.0,
    ) -> None:
        """Prepare; nothing connects.

        Args:
            settings: The server.
            mode: How TLS begins, as the test found; it is never searched for.
            credential: Password or token, or the source of one; None for a server that recognizes
                us by our IP address.
            catalogue: Names causes.
            share: Leases connections.
            limits: How long each part may take.
            resolver: Finds the addresses; by default the system.
            clock: Returns the time.
            idle_seconds: How long a connection waits for the next message.
        """
        self._settings = settings
        self._mode = mode
        self._credential = credential
        self._catalogue = catalogue
        self._share = share
        share.on_tick = self._dismiss_unused
        self._limits = limits
        self._resolver = resolver
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._redactor = Redactor(credential.reveal() if isinstance(credential, Secret) else "")
        self._changed = threading.Condition(threading.Lock())
        self._opening: _Opening | None = None
        self._busy: set[PooledSession] = set()
        self._idle: deque[PooledSession] = deque()
        self._begun: dict[int, PooledSession] = {}  # those of `busy` that wait for their thread
        self._leaving: dict[threading.Thread, PooledSession] = {}
        self._barred: Finding | None = None
        self._barred_until = clock()
        self._retired = False
        self._tls: Facts = {}
        self._ticket = TlsTicket(clock)
        self._narrow = MAX_CONNECTIONS
        self._narrow_until = clock()

    @contextlib.contextmanager
    def session(self, patience: Deadline, *, fresh: bool = False) -> Iterator[PooledSession]:
        """Lend an open session; waits while all are in use, here and in other processes.

        Args:
            patience: When to stop waiting.
            fresh: Not one that was open before, since it may be dead.

        Raises:
            UnavailableError: None can be opened, and why.
            NoTurnError: All are in use.
            OutboxUnavailableError: It isn't known how many are in use.
        """
        pooled = self._take_begun() or self._borrow(patience, fresh=fresh)
        try:
            yield pooled
        finally:
            pooled.messages += 1
            self._give_back(pooled)

    def abandon(self) -> None:
        """Close the connection on which this thread began a message that it won't send next."""
        if pooled := self._take_begun():
            pooled.session.abort()
            self._give_back(pooled)

    def finding(self, failure: SmtpFailure, pooled: PooledSession, recipient: str = "") -> Finding:
        """Return the true cause of a failure of a session.

        Args:
            failure: What ended it, or one recipient of it.
            pooled: The session.
            recipient: The address that it is about; "" for none.
        """
        mode, redactor = pooled.session.mode, self._redactor
        known = context_of(self._settings, pooled.session.credential, mode, pooled.heard, redactor)
        context = {**known, "recipient": recipient}
        return finding_of(failure, context, self._catalogue, redactor)

    @property
    def certificate_end(self) -> datetime | None:
        """When the first certificate of the server ends, if that is soon, by the newest session."""
        soon = self._tls.get("expires_soon")
        return datetime.fromisoformat(str(soon["not_after"])) if isinstance(soon, dict) else None

    def probe(self) -> Finding | None:
        """Open a session even if the pool is barred; return what ended it, or None.

        If others are opening a session at this moment, wait for that one instead.
        """
        with self._changed:
            while True:
                if self._retired:
                    return self._cancelled()
                running = self._opening
                if running is None and self._make_room():
                    opening = self._begin(resume=False)  # the certificate is looked at anew
                    break
                self._changed.wait()
                if running is not None and (running.opened or running.finding is not None):
                    return running.finding
        try:
            opening.pooled.connection = self._share.lease_patiently()
            opened = self._carry_out(opening)
        except UnavailableError as error:
            return error.finding
        if opened is not None:
            self._give_back(opened)
        return opening.finding

    def retire(self) -> None:
        """Lend no more sessions; close idle ones now and lent ones when they come back."""
        with self._changed:
            self._retired = True
            self._dismiss_all()
            self._changed.notify_all()

    def close(self) -> None:
        """Retire, and cancel what is running; takes seconds at most."""
        self.retire()
        with self._changed:
            running = list(self._busy)
            if self._opening is not None:
                running.append(self._opening.pooled)
            leaving = dict(self._leaving)
        for pooled in running:
            pooled.cancel.cancel()
        end = time.monotonic() + _GOODBYE_SECONDS
        for thread, pooled in leaving.items():
            thread.join(max(0.0, end - time.monotonic()))
            pooled.cancel.cancel()
            thread.join()

    def _borrow(self, patience: Deadline, *, fresh: bool) -> PooledSession:
        while True:
            found = self._idle_one_or_turn(patience, fresh=fresh)
            if isinstance(found, PooledSession):
                return found
            with self._ending(found):
                found.pooled.connection = self._share.lease()
            if found.pooled.connection is None:
                self._give_up(patience)
            elif opened := self._carry_out(found):
                return opened
            else:
                fresh = False

    def _idle_one_or_turn(self, patience: Deadline, *, fresh: bool) -> PooledSession | _Opening:
        """Wait for an idle session, or until it is our turn to open one."""
        with self._changed:
            while True:
                if self._retired:
                    raise UnavailableError(self._cancelled())
                if self._barred is not None and self._clock() < self._barred_until:
                    raise UnavailableError(self._barred)
                if not fresh and (pooled := self._take_idle()) is not None:
                    return pooled
                running = self._opening
                if running is None and self._make_room():
                    return self._begin()
                if patience.passed:
                    raise NoTurnError
                self._changed.wait(patience.remaining)
                if running is not None and running.shared and running.finding is not None:
                    raise UnavailableError(running.finding)

    def _give_up(self, patience: Deadline) -> None:
        """Open nothing, for others have all connections; wait a moment for one of them."""
        with self._changed:
            self._end_opening()
            if patience.passed:
                raise NoTurnError
            self._changed.wait(_LOOK_AGAIN_SECONDS)

    @contextlib.contextmanager
    def _ending(self, opening: _Opening) -> Iterator[None]:
        """End the opening by whatever is raised."""
        try:
            yield
        except BaseException:
            with self._changed:
                self._end_opening()
            self._release(opening.pooled)
            raise

    def _carry_out(self, opening: _Opening) -> PooledSession | None:
        """Open a session; None where others are to be waited for.

        Raises:
            UnavailableError: It failed, for all.
        """
        pooled = opening.pooled
        with self._ending(opening):
            finding = self._open(pooled)
        if finding is not None:
            if self._failed(opening, finding):
                raise UnavailableError(finding)
            return None
        with self._changed:
            opening.opened = True
            tls = pooled.heard.facts(Stage.TLS)
            self._tls = self._tls if tls.get("resumed") else tls
            self._end_opening()
            self._barred = None
            self._busy.add(pooled)
        resumed = " resumed" if tls.get("resumed") else ""
        _log.info("connected to %s, %s%s", self._settings.host, tls.get("version"), resumed)
        return pooled

    def _open(self, pooled: PooledSession) -> Finding | None:
        """Open a session; return what ended it, or None."""
        try:
            pooled.session.open()
        except SmtpFailure as failure:
            self._release(pooled, opened=False)
            with self._changed:
                working = bool(self._busy or self._idle)
            finding = self._share.told(self.finding(failure, pooled), working=working)
            return self._share.slow(finding) if working and finding.scope is Scope.SLOW else finding
        pooled.session.unwatch()  # causes are named by what was heard until here
        return None

    def _failed(self, opening: _Opening, finding: Finding) -> bool:
        """Note that a session did not open; return whether that is the failure of all."""
        with self._changed:
            if refuses_login(finding.code):
                self._barred = finding
                self._barred_until = self._clock() + _BARRED_SECONDS
                self._dismiss_all()
            opening.finding = finding
            opening.shared = self._barred is not None or not (self._busy or self._idle)
            if not opening.shared:
                self._narrow = len(self._busy) + len(self._idle)
                self._narrow_until = self._clock() + _NARROW_SECONDS
            self._end_opening()
            return opening.shared

    def _begin(self, *, resume: bool = True) -> _Opening:
        cancel, heard = Cancel(), StageFacts()
        session = Session(
            replace(self._settings, security=self._mode),
            self._credential,
            limits=self._limits,
            cancel=cancel,
            observe=heard,
            resolver=self._resolver,
            redactor=self._redactor,
            ticket=self._ticket if resume else None,
        )
        self._opening = _Opening(PooledSession(session, heard, cancel))
        return self._opening

    def _end_opening(self) -> None:
        self._opening = None
        self._changed.notify_all()

    def _make_room(self) -> bool:
        """Return whether one more connection may be opened now."""
        narrow = self._clock() < self._narrow_until
        most = max(self._narrow, 1) if narrow else MAX_CONNECTIONS
        if len(self._busy) + len(self._idle) >= most:
            if not self._idle:
                return False
            self._dismiss(self._idle.popleft())
        # Those that say goodbye hang up rather than be one too many.
        open_now = len(self._busy) + len(self._idle) + len(self._leaving)
        for pooled in list(self._leaving.values())[: max(0, open_now + 1 - MAX_CONNECTIONS)]:
            pooled.cancel.cancel()
        return True

    def _take_begun(self) -> PooledSession | None:
        """Return the session on which this thread has begun its next message."""
        pooled = self._begun.pop(threading.get_ident(), None)
        if pooled is not None:
            pooled.reused, pooled.idle = True, False
        return pooled

    def _take_idle(self) -> PooledSession | None:
        """Return the session used last, so that those not needed grow old."""
        while self._idle:
            pooled = self._idle.pop()
            idle = self._clock() - pooled.idle_since
            if idle < self._idle_seconds and pooled.may_go_on:
                pooled.reused, pooled.idle = True, idle >= _IDLE_SECONDS
                self._busy.add(pooled)
                return pooled
            self._dismiss(pooled)
        return None

    def _give_back(self, pooled: PooledSession) -> None:
        session = pooled.session
        if session.begun and pooled.may_go_on and not self._retired and self._barred is None:
            self._begun[threading.get_ident()] = pooled
            return
        if session.begun:
            session.abort()
        pooled.ahead = None
        with self._changed:
            self._busy.discard(pooled)
            if pooled.may_go_on and not self._retired and self._barred is None:
                pooled.idle_since = self._clock()
                self._idle.append(pooled)
            elif session.usable or session.leaving:
                self._dismiss(pooled)
            self._changed.notify_all()
        if not session.usable and not session.leaving:
            self._release(pooled)

    def _dismiss(self, pooled: PooledSession) -> None:
        """Say goodbye in a thread of its own: nobody waits for QUIT."""
        thread = threading.Thread(
            target=self._say_goodbye, args=(pooled,), name="goodbye", daemon=True
        )
        self._leaving[thread] = pooled
        try:
            thread.start()
        except RuntimeError:  # none is to be had: hang up instead
            del self._leaving[thread]
            pooled.session.abort()

    def _dismiss_all(self) -> None:
        while self._idle:
            self._dismiss(self._idle.popleft())

    def _say_goodbye(self, pooled: PooledSession) -> None:
        try:
            pooled.session.quit()
        finally:
            self._release(pooled)
            with self._changed:
                del self._leaving[threading.current_thread()]

    def _release(self, pooled: PooledSession, *, opened: bool = True) -> None:
        connection, pooled.connection = pooled.connection, None
        if connection is not None:
            self._share.release(connection, opened=opened)

    def _dismiss_unused(self, crowded: bool) -> None:  # noqa: FBT001 - a callback
        """Close the sessions that were idle long enough; sooner where others may wait for one."""
        longest = _IDLE_SECONDS if crowded else self._idle_seconds
        with self._changed:
            for pooled in list(self._idle):
                if not pooled.may_go_on or self._clock() - pooled.idle_since >= longest:
                    self._idle.remove(pooled)
                    self._dismiss(pooled)

    def _cancelled(self) -> Finding:
        return self._catalogue.find(SmtpFailure(Stage.CONNECT, "session.cancelled"), {})
