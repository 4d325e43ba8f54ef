"""Cancel at any moment: at once, and honest about a message that may have been accepted."""

from __future__ import annotations

import dataclasses
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.errors import Acceptance, SmtpFailure
from smtp_desk.core.settings import Security
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.smtp.session.limits import SessionLimits
from tests.servers.script import CREDENTIALS, END_OF_DATA, Drip, Reply, Script, Silence
from tests.servers.scripted import ScriptedServer
from tests.smtp.sessions import ENVELOPE, MAIL, PATIENT, Sessions

if TYPE_CHECKING:
    from smtp_desk.smtp.session.session import Session

# Generous: it proves that nobody waits for a limit, of which the shortest is ten seconds.
SOON = 5.0
TRICKLE = Drip(b"250-x\r\n", every=0.01, endless=True)


def cancelled_at(
    session: Session, server: ScriptedServer, cancel: Cancel, after: int
) -> tuple[SmtpFailure | None, float]:
    """Run a session, cancel it after so many commands, and tell what came and how soon."""
    at: list[float] = []

    def watch() -> None:
        server.wait_for(lambda s: bool(s.sessions) and len(s.commands) >= after)
        at.append(time.monotonic())
        cancel.cancel()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        session.open()
        failure = session.send(ENVELOPE, MAIL).failure
    except SmtpFailure as error:
        failure = error
    watcher.join()
    assert at, failure
    took = time.monotonic() - at[0]
    session.abort()
    return failure, took


@pytest.mark.parametrize(
    ("played", "after"),
    [
        (Script(greeting=Silence()), 0),
        (Script(greeting=Drip(b"220-x\r\n", every=0.01, endless=True)), 0),
        (Script(on={"EHLO": Silence()}), 1),
        (Script(on={"EHLO": TRICKLE}), 1),
        (Script(on={"STARTTLS": Silence()}), 2),
        (Script(on={"STARTTLS": (Reply("220 go"), Silence())}), 2),
        (Script(on={CREDENTIALS: Silence()}), 4),
        (Script(on={"MAIL": Silence()}), 5),
        (Script(on={"RCPT": Silence()}), 6),
        (Script(on={"DATA": Silence()}), 7),
    ],
)
def test_a_session_that_waits(
    sessions: Sessions, tls: ssl.SSLContext, played: Script, after: int
) -> None:
    cancel = Cancel()
    with ScriptedServer(dataclasses.replace(played, tls=tls)) as server:
        session = sessions.new(server, cancel=cancel)
        failure, took = cancelled_at(session, server, cancel, after)
        server.wait_for(lambda s: s.open_connections == 0)
    assert failure is not None
    assert (failure.code, failure.acceptance) == ("session.cancelled", Acceptance.NO)
    assert took < SOON


def test_tls_from_the_start(sessions: Sessions) -> None:
    cancel = Cancel()
    with ScriptedServer(Script(greeting=Silence())) as server:
        session = sessions.new(server, cancel=cancel, security=Security.TLS)
        failure, took = cancelled_at(session, server, cancel, 0)
    assert failure is not None
    assert failure.code == "session.cancelled"
    assert took < SOON


def test_while_a_second_connection_tries_tls(sessions: Sessions) -> None:
    cancel = Cancel()
    limits = SessionLimits(total=60, connect=10, patience=0.05)
    with ScriptedServer(Script(greeting=Silence())) as server:
        session = sessions.new(server, cancel=cancel, limits=limits)

        def watch() -> None:
            server.wait_for(lambda s: len(s.sessions) > 1)
            cancel.cancel()

        watcher = threading.Thread(target=watch)
        watcher.start()
        with pytest.raises(SmtpFailure) as caught:
            session.open()
        watcher.join()
        server.wait_for(lambda s: s.open_connections == 0)
    assert caught.value.code == "session.cancelled"


def test_after_the_dot_nobody_knows(sessions: Sessions, tls: ssl.SSLContext) -> None:
    cancel = Cancel()
    with ScriptedServer(Script(tls=tls, on={END_OF_DATA: Silence()})) as server:
        session = sessions.new(server, cancel=cancel)
        session.open()

        def watch() -> None:
            server.wait_for(lambda s: bool(s.messages))
            cancel.cancel()

        watcher = threading.Thread(target=watch)
        watcher.start()
        failure = session.send(ENVELOPE, MAIL).failure
        watcher.join()
    assert failure is not None
    assert (failure.code, failure.acceptance) == ("message.unconfirmed", Acceptance.UNKNOWN)
    assert failure.facts["cause"] == "session.cancelled"


def test_right_before_the_dot_it_does_not_go_out(sessions: Sessions, tls: ssl.SSLContext) -> None:
    cancel = Cancel()
    with ScriptedServer(Script(tls=tls)) as server:
        session = sessions.new(server, cancel=cancel)
        session.open()
        failure = session.send(ENVELOPE, MAIL, before_dot=cancel.cancel).failure
        server.wait_for(lambda s: s.open_connections == 0)
        assert not server.messages
    assert failure is not None
    assert (failure.code, failure.acceptance) == ("session.cancelled", Acceptance.NO)


def test_before_it_begins(sessions: Sessions) -> None:
    cancel = Cancel()
    cancel.cancel()
    with ScriptedServer() as server:
        with pytest.raises(SmtpFailure) as caught:
            sessions.new(server, cancel=cancel, limits=PATIENT).open()
        assert not server.sessions
    assert caught.value.code == "session.cancelled"


@pytest.mark.parametrize("verb", ["EHLO", CREDENTIALS, "MAIL", END_OF_DATA])
def test_a_server_that_drips_stretches_nothing(
    sessions: Sessions, tls: ssl.SSLContext, verb: str
) -> None:
    drip = Drip(b"250-still here\r\n", every=0.02, endless=True)
    began = time.monotonic()
    with ScriptedServer(Script(tls=tls, on={verb: drip})) as server:
        session = sessions.new(server, limits=SessionLimits(total=0.5, connect=10))
        try:
            session.open()
            failure = session.send(ENVELOPE, MAIL).failure
        except SmtpFailure as error:
            failure = error
    assert failure is not None
    assert failure.code in ("session.timeout", "message.unconfirmed")
    assert time.monotonic() - began < SOON
