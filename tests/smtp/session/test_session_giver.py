"""A session whose token is got when it is needed."""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass, field, replace

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.core.secret import Secret
from smtp_desk.core.stages import Facts, Stage, StageStatus
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.smtp.session.limits import limits_of_a_test
from smtp_desk.smtp.session.session import Session
from smtp_desk.smtp.wire.auth import Token
from tests.servers.script import CREDENTIALS, Action, Close, Reply, Script
from tests.servers.scripted import ScriptedServer
from tests.smtp.sessions import ENVELOPE, MAIL, Sessions, Told

TOKEN = "ya29.the-token"
OAUTH = OAuthSettings(
    provider=OAuthProvider.GOOGLE,
    flow=OAuthFlow.BROWSER,
    client_id="desk",
    token_url="https://oauth2.googleapis.com/token",
)


@dataclass
class Giver:
    """Gives one token, or fails."""

    failure: SmtpFailure | None = None
    seconds: float = 0.0
    asked: int = 0
    refused: list[Secret] = field(default_factory=list)
    facts: Facts = field(default_factory=lambda: {"account": "ann@example.org"})
    clock_ahead: float | None = 7.0

    def token(self, cancel: Cancel) -> Secret:
        self.asked += 1
        if self.seconds:
            threading.Event().wait(self.seconds)
        cancel.check()
        if self.failure is not None:
            raise self.failure
        return Secret(TOKEN)

    def refuse(self, token: Secret) -> None:
        self.refused.append(token)


def script(tls: ssl.SSLContext, **on: Action) -> Script:
    return Script(tls=tls, extensions=("AUTH XOAUTH2",), users={"ann": TOKEN}, on=dict(on))


def session_of(
    sessions: Sessions,
    server: ScriptedServer,
    giver: Giver,
    told: Told | None = None,
    *,
    cancel: Cancel | None = None,
    seconds: float = 30.0,
) -> Session:
    settings = replace(sessions.settings(server), username="ann", oauth=OAUTH)
    return Session(
        settings,
        giver,
        limits=limits_of_a_test(seconds),
        observe=told,
        cancel=cancel,
        keep_transcript=True,
    )


def test_it_is_asked_after_the_settings_and_before_the_network(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    told, giver = Told(), Giver()
    with ScriptedServer(script(tls)) as server:
        session = session_of(sessions, server, giver, told)
        before = [session.credential]
        session.open()
        assert session.send(ENVELOPE, MAIL).failure is None
        session.quit()
    assert [each.stage for each in told.events[:5:2]][:2] == [Stage.SETTINGS, Stage.TOKEN]
    assert told.facts(Stage.TOKEN) == {"account": "ann@example.org"}
    assert before == [None]
    assert session.credential == Token(Secret(TOKEN), 7.0)
    assert (giver.asked, giver.refused) == (1, [])
    assert session.transcript is not None
    assert TOKEN not in repr(session.transcript.lines)


def test_up_to_tls_nobody_is_asked(sessions: Sessions, tls: ssl.SSLContext) -> None:
    giver = Giver()
    with ScriptedServer(script(tls)) as server:
        session = session_of(sessions, server, giver)
        session.open(through=Stage.TLS)
        session.quit()
    assert giver.asked == 0


def test_without_a_token_nobody_connects(sessions: Sessions, tls: ssl.SSLContext) -> None:
    told = Told()
    failure = SmtpFailure(Stage.TOKEN, "auth.sign_in_again", facts={"reason": "revoked"})
    with ScriptedServer(script(tls)) as server:
        session = session_of(sessions, server, Giver(failure), told)
        with pytest.raises(SmtpFailure) as caught:
            session.open()
        assert not server.sessions
    assert caught.value is failure
    assert told.events[-1].status is StageStatus.FAILED
    assert told.facts(Stage.TOKEN) == {"reason": "revoked"}


def test_a_cancel_while_it_is_got(sessions: Sessions, tls: ssl.SSLContext) -> None:
    cancel = Cancel()
    cancel.cancel()
    with ScriptedServer(script(tls)) as server:
        session = session_of(sessions, server, Giver(), cancel=cancel)
        with pytest.raises(SmtpFailure) as caught:
            session.open()
        assert not server.sessions
    assert (caught.value.stage, caught.value.code) == (Stage.TOKEN, "session.cancelled")


def test_what_getting_it_takes_is_no_time_of_the_server(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    with ScriptedServer(script(tls)) as server:
        session = session_of(sessions, server, Giver(seconds=1.1), seconds=1.0)
        session.open()
        session.quit()


@pytest.mark.parametrize(
    ("action", "refused"),
    [
        (Reply("535 5.7.8 bad token ya29.the-token"), True),
        (Reply("454 4.7.0 try again later"), False),
        (Close(), False),
    ],
)
def test_only_a_token_that_is_refused_for_good_is_told_so(
    sessions: Sessions, tls: ssl.SSLContext, action: Action, refused: bool
) -> None:
    giver = Giver()
    with ScriptedServer(script(tls, **{CREDENTIALS: action})) as server:
        session = session_of(sessions, server, giver)
        with pytest.raises(SmtpFailure) as caught:
            session.open()
    assert giver.refused == ([Secret(TOKEN)] if refused else [])
    assert TOKEN not in str(caught.value) + repr(caught.value.facts)
