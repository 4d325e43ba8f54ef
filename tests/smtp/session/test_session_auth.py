"""Signing in: one try, inside TLS, and nothing of it on record."""

from __future__ import annotations

import base64
import ssl
import traceback
from typing import Any

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import AuthMethod
from smtp_desk.core.stages import Stage
from smtp_desk.smtp.session.limits import SessionLimits
from smtp_desk.smtp.session.session import Session
from smtp_desk.smtp.wire.auth import Credential, Token
from smtp_desk.smtp.wire.commands import CommandError
from tests.servers.script import (
    CREDENTIALS,
    Action,
    Close,
    Raw,
    Reply,
    Reset,
    Script,
    Silence,
)
from tests.servers.scripted import ScriptedServer
from tests.servers.session import Session as ServerSession
from tests.smtp.sessions import ENVELOPE, HASTY, MAIL, Sessions, Told

LONG = "p" * 400


def fails(sessions: Sessions, server: ScriptedServer, **fields: Any) -> SmtpFailure:  # noqa: ANN401 - by name
    session = sessions.new(server, limits=HASTY, **fields)
    with pytest.raises(SmtpFailure) as caught:
        session.open()
    return caught.value


@pytest.mark.parametrize(
    ("offered", "lines"),
    [("AUTH PLAIN LOGIN", 1), ("AUTH LOGIN NTLM", 3), ("AUTH CRAM-MD5", 2)],
)
def test_every_mechanism_signs_in(
    sessions: Sessions, tls: ssl.SSLContext, offered: str, lines: int
) -> None:
    with ScriptedServer(Script(tls=tls, extensions=(offered,))) as server:
        session = sessions.new(server)
        session.open()
        session.quit()
        assert server.sessions[0].authenticated
        assert server.auth_attempts == 1
        assert len(server.commands) == 4 + lines


@pytest.mark.parametrize("method", [AuthMethod.LOGIN, AuthMethod.CRAM_MD5])
def test_the_chosen_mechanism_is_taken(
    sessions: Sessions, tls: ssl.SSLContext, method: AuthMethod
) -> None:
    with ScriptedServer(Script(tls=tls, extensions=("AUTH PLAIN LOGIN CRAM-MD5",))) as server:
        session = sessions.new(server, auth_method=method)
        session.open()
        session.quit()
        assert f"AUTH {method.value.upper()}" in server.commands


@pytest.mark.parametrize(
    ("extensions", "code"),
    [((), "auth.not_offered"), (("AUTH NTLM GSSAPI",), "auth.no_common_mechanism")],
)
def test_no_mechanism_fits(
    sessions: Sessions, tls: ssl.SSLContext, extensions: tuple[str, ...], code: str
) -> None:
    with ScriptedServer(Script(tls=tls, extensions=extensions)) as server:
        failure = fails(sessions, server)
        assert server.auth_attempts == 0
    assert (failure.stage, failure.code) == (Stage.AUTH, code)


@pytest.mark.parametrize(
    "line", ["535 5.7.8 no", "534 5.7.9 weak", "454 4.7.0 later", "421 bye", "530 odd", "354 odd"]
)
def test_a_refusal_ends_it_after_one_try(
    sessions: Sessions, tls: ssl.SSLContext, line: str
) -> None:
    with ScriptedServer(Script(tls=tls, on={CREDENTIALS: Reply(line)})) as server:
        failure = fails(sessions, server)
        server.wait_for(lambda s: s.open_connections == 0)
        assert server.auth_attempts == 1
        assert not [c for c in server.commands if c.startswith("MAIL")]
    assert (failure.stage, failure.code, str(failure.reply)) == (Stage.AUTH, None, line)
    assert failure.facts["mechanism"] == "PLAIN"
    assert failure.facts["mechanisms"] == ["PLAIN", "LOGIN"]


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (Close(), "auth.closed"),
        (Reset(), "auth.closed"),
        (Silence(), "session.timeout"),
        (Raw(b"235-a\r\n535 b\r\n"), "session.protocol_error"),
    ],
)
def test_no_answer(sessions: Sessions, tls: ssl.SSLContext, action: Action, code: str) -> None:
    with ScriptedServer(Script(tls=tls, on={CREDENTIALS: action})) as server:
        failure = fails(sessions, server)
    assert (failure.stage, failure.code) == (Stage.AUTH, code)


def test_a_reply_sent_before_the_connection_closes_is_the_cause(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    ended = (Reply("421 4.7.0 too many errors"), Close())
    with ScriptedServer(Script(tls=tls, on={CREDENTIALS: ended})) as server:
        failure = fails(sessions, server)
    assert str(failure.reply) == "421 4.7.0 too many errors"


def test_a_server_that_never_stops_asking_gets_a_cancel(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    asking = (Reply("334 "), _then_answer("501 5.7.0 cancelled"))
    with ScriptedServer(Script(tls=tls, on={CREDENTIALS: asking})) as server:
        failure = fails(sessions, server)
        assert "*" in server.commands
    assert str(failure.reply) == "501 5.7.0 cancelled"


def test_a_server_that_asks_on_after_the_cancel_is_left(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    """The limit of the sender is one for each reply: it would answer such a server for ever."""

    def ask_on(server: ServerSession) -> Action:
        for _ in range(50):
            server.wire.send(b"334 \r\n")
            server.commands.append(server.wire.line().decode().strip())
        return Close()

    with ScriptedServer(Script(tls=tls, on={"AUTH": ask_on})) as server:
        session = sessions.new(server, limits=SessionLimits(total=None, connect=10))
        with pytest.raises(SmtpFailure) as caught:
            session.open()
        server.wait_for(lambda s: s.open_connections == 0)
        assert server.commands[-2:] == ["AUTH PLAIN AGRlc2sAczNjcmV0", "*"]
    assert (caught.value.stage, caught.value.code) == (Stage.AUTH, "session.protocol_error")
    assert caught.value.facts["violation"] == "challenge"


def _then_answer(line: str) -> Action:
    def act(server: ServerSession) -> Action:
        server.commands.append(server.wire.line().decode().strip())
        return Reply(line)

    return act


def test_an_initial_response_too_long_for_a_line_waits_for_the_challenge(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    told = Told()
    with ScriptedServer(Script(tls=tls, users={"desk": LONG})) as server:
        session = sessions.new(server, told=told, credential=Secret(LONG))
        session.open()
        session.quit()
        assert "AUTH PLAIN" in server.commands
        assert server.sessions[0].authenticated
    assert told.facts(Stage.AUTH)["initial_response"] is False


@pytest.mark.parametrize(
    ("offered", "mechanism", "answer", "status"),
    [
        ("AUTH PLAIN XOAUTH2", "XOAUTH2", "", '"status":"400"'),
        ("AUTH OAUTHBEARER PLAIN", "OAUTHBEARER", "AQ==", '"status":"invalid_token"'),
        ("AUTH OAUTHBEARER XOAUTH2", "XOAUTH2", "", '"status":"400"'),
    ],
)
class TestToken:
    def test_it_signs_in(  # noqa: PLR0917 - a row
        self,
        sessions: Sessions,
        tls: ssl.SSLContext,
        offered: str,
        mechanism: str,
        answer: str,
        status: str,
    ) -> None:
        del answer, status
        token: Credential = Token(Secret("ya29.token"))
        played = Script(tls=tls, extensions=(offered,), users={"de,s=k": "ya29.token"})
        with ScriptedServer(played) as server:
            session = sessions.new(server, username="de,s=k", credential=token)
            session.open()
            session.quit()
            assert server.sessions[0].authenticated
            assert server.auth_attempts == 1
            assert [line for line in server.commands if line.startswith(f"AUTH {mechanism}")]

    def test_its_refusal_stands_in_the_facts(  # noqa: PLR0917 - a row
        self,
        sessions: Sessions,
        tls: ssl.SSLContext,
        offered: str,
        mechanism: str,
        answer: str,
        status: str,
    ) -> None:
        token = Token(Secret("ya29.other"))
        with ScriptedServer(Script(tls=tls, extensions=(offered,))) as server:
            failure = fails(sessions, server, credential=token)
            assert answer in server.commands
        assert failure.reply is not None
        assert failure.reply.code == 535
        assert status in str(failure.facts["token_refusal"])
        assert failure.facts["mechanism"] == mechanism
        assert failure.facts["token_fault"] == "opaque"


def test_no_token_before_tls(sessions: Sessions, tls: ssl.SSLContext) -> None:
    offered = ("AUTH OAUTHBEARER XOAUTH2",)
    played = Script(tls=tls, extensions=(), extensions_before_tls=(*offered, "STARTTLS"))
    with ScriptedServer(played) as server:
        failure = fails(sessions, server, credential=Token(Secret("ya29.token")))
        assert not server.auth_attempts
    assert failure.code == "auth.not_offered"


def test_a_token_that_no_server_takes_is_told_so(sessions: Sessions, tls: ssl.SSLContext) -> None:
    long = Token(Secret("x" * 20_000))
    with ScriptedServer(Script(tls=tls, extensions=("AUTH OAUTHBEARER",))) as server:
        failure = fails(sessions, server, credential=long)
        server.wait_for(lambda s: s.open_connections == 0)
        assert not [line for line in server.commands if "eHh4" in line]
    assert (failure.stage, failure.code) == (Stage.AUTH, "auth.token_rejected")
    assert failure.facts["token_fault"] == "too_long"


def _echo(server: ServerSession) -> Action:
    blob = base64.b64encode(f"\0desk\0{server.password}".encode()).decode()
    return Reply(f"535-5.7.8 {server.password} is wrong", f"535 5.7.8 {blob}")


@pytest.mark.parametrize("offered", ["AUTH PLAIN", "AUTH LOGIN", "AUTH CRAM-MD5"])
def test_nothing_of_the_exchange_is_on_record(
    sessions: Sessions, tls: ssl.SSLContext, offered: str
) -> None:
    told = Told()
    played = Script(
        tls=tls,
        extensions=(offered,),
        on={CREDENTIALS: lambda s: Reply(f"535 s3cret {s.commands[-1]} cGxhaW46AHMzY3JldA==")},
    )
    with ScriptedServer(played) as server:
        session = sessions.new(server, told=told)
        with pytest.raises(SmtpFailure) as caught:
            session.open()
        sent = server.commands[3:]
    assert session.transcript is not None
    kept = repr((session.transcript.lines, told.events, caught.value, caught.value.facts))
    for secret in ("s3cret", "czNjcmV0", "MzY3JldA", *(line.split()[-1] for line in sent)):
        if secret not in ("LOGIN", "CRAM-MD5", "QUIT"):
            assert secret not in kept
    assert "‹hidden›" in kept


def test_an_echoed_secret_is_hidden_in_the_reply_itself(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    with ScriptedServer(Script(tls=tls, on={CREDENTIALS: _echo})) as server:
        failure = fails(sessions, server)
    assert str(failure.reply) == "535 5.7.8 ‹hidden› is wrong ‹hidden›"


def test_a_challenge_that_is_no_base64(sessions: Sessions, tls: ssl.SSLContext) -> None:
    played = Script(tls=tls, extensions=("AUTH CRAM-MD5",), on={"AUTH": Reply("334 !!!")})
    with ScriptedServer(played) as server:
        failure = fails(sessions, server)
    assert (failure.stage, failure.code) == (Stage.AUTH, "session.protocol_error")


def test_a_credential_too_long_for_the_wire_is_our_fault(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    with ScriptedServer(Script(tls=tls)) as server:
        session = sessions.new(server, credential=Secret("x" * 10_000))
        with pytest.raises(CommandError):
            session.open()
        server.wait_for(lambda s: s.open_connections == 0)


def test_without_a_record_and_a_watcher_it_is_the_same(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    with ScriptedServer(Script(tls=tls)) as server:
        session = Session(sessions.settings(server), Secret("s3cret"))
        session.open()
        assert session.transcript is None
        assert session.send(ENVELOPE, MAIL).failure is None
        session.quit()
        relay = Session(sessions.settings(server, username=""), None)
        relay.open()
        relay.quit()


def test_a_violation_without_a_record(sessions: Sessions, tls: ssl.SSLContext) -> None:
    with (
        ScriptedServer(Script(tls=tls, on={"EHLO": Reply("x")})) as server,
        pytest.raises(SmtpFailure, match="protocol_error"),
    ):
        Session(sessions.settings(server), Secret("s3cret")).open()


MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER")
BEARERS = ("XOAUTH2", "OAUTHBEARER")
ENDS: dict[str, Action] = {
    "closed": Close(),
    "reset": Reset(),
    "silent": Silence(),
    "refused": Reply("535 5.7.8 no"),
    "no protocol": Raw(b"235-a\r\n535 b\r\n"),
    "no base64": Reply("334 !!!"),
    "an endless question": Reply("334 "),
    "a challenge of somebody else": Reply("334 cj1ub3RvdXJzLHM9YWJjZCxpPTQwOTY="),
}
# Of the password of these tests, as it is, in base64 at each of three offsets, and of its MACs.
TRACES = ("s3cret-s3cret", "czNjcmV0LXMzY3Jl", "MzY3JldC1zM2Ny", "zM2NyZXQtczNjc")


def told_by_a_traceback(failure: BaseException) -> str:
    """All that a program shows that prints tracebacks with their variables."""
    told = traceback.TracebackException.from_exception(failure, capture_locals=True)
    return "".join(told.format())


@pytest.mark.parametrize("moment", ["AUTH", CREDENTIALS])
@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_no_traceback_shows_the_secret(
    sessions: Sessions, tls: ssl.SSLContext, end: Action, *, mechanism: str, moment: str
) -> None:
    secret = Secret("s3cret-s3cret-s3cret")
    credential = Token(secret) if mechanism in BEARERS else secret
    played = Script(tls=tls, extensions=(f"AUTH {mechanism}",), on={moment: end})
    with ScriptedServer(played) as server:
        session = sessions.new(server, limits=HASTY, credential=credential)
        with pytest.raises(SmtpFailure) as caught:
            session.open()
    told = told_by_a_traceback(caught.value)
    assert "mechanism" in told, "the variables are shown"
    assert not [trace for trace in TRACES if trace in told]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"])
def test_no_traceback_shows_a_secret_that_is_too_long(
    sessions: Sessions, tls: ssl.SSLContext, mechanism: str
) -> None:
    secret = Secret("s3cret-s3cret" * 1000)
    credential = Token(secret) if mechanism in BEARERS else secret
    with ScriptedServer(Script(tls=tls, extensions=(f"AUTH {mechanism}",))) as server:
        session = sessions.new(server, limits=HASTY, credential=credential)
        expected = SmtpFailure if mechanism in BEARERS else CommandError
        with pytest.raises(expected) as caught:
            session.open()
    told = told_by_a_traceback(caught.value)
    assert "too_long" in told
    assert not [trace for trace in TRACES if trace in told]


def test_no_traceback_of_the_settings_shows_the_secret(
    sessions: Sessions, tls: ssl.SSLContext
) -> None:
    with ScriptedServer(Script(tls=tls)) as server:
        failure = fails(sessions, server, username="", credential=Secret("s3cret-s3cret"))
    assert failure.code == "settings.credentials_incomplete"
    assert "s3cret-s3cret" not in told_by_a_traceback(failure)


@pytest.mark.parametrize("credential", [Secret("client secret"), None])
def test_a_client_secret_never_reaches_the_mail_server(
    sessions: Sessions, tls: ssl.SSLContext, credential: Secret | None
) -> None:
    oauth = OAuthSettings(
        provider=OAuthProvider.MICROSOFT,
        flow=OAuthFlow.APP,
        client_id="desk",
        token_url="https://login.example.test/token",
    )
    with ScriptedServer(Script(tls=tls)) as server:
        failure = fails(sessions, server, credential=credential, oauth=oauth)
        assert not server.sessions
    assert (failure.stage, failure.code) == (Stage.SETTINGS, "settings.credentials_incomplete")
