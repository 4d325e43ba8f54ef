"""The route over a server: what each end of a session means for each recipient."""

from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from smtp_desk.core.findings.finding import Scope
from smtp_desk.sender.routes.health import Ending, Needed
from smtp_desk.sender.routes.smtp import MAX_RECIPIENTS
from tests.sender.ways_out import (
    ACCEPTED,
    HASTY,
    REFUSED,
    UNCERTAIN,
    Dots,
    WaysOut,
    codes,
    foreign,
    patience,
    send,
    statuses,
)
from tests.servers.certs import Certificates, Identity
from tests.servers.script import (
    END_OF_DATA,
    Action,
    Close,
    CutBody,
    Default,
    Delay,
    Raw,
    Reply,
    Reset,
    Script,
    Silence,
    Turns,
    once,
)
from tests.servers.scripted import ScriptedServer

BEFORE_THE_DOT = ["MAIL", "RCPT", "DATA"]


@pytest.mark.parametrize(("name", "days"), [("expires_soon", 5), ("good", None)])
def test_a_certificate_of_the_server_that_ends_soon(
    ways_out: WaysOut, certs: Certificates, name: str, days: int | None
) -> None:
    identity: Identity = getattr(certs, name)
    with ScriptedServer(Script(tls=identity.tls)) as server:
        route = ways_out.route(server)
        assert route.endings() == ()
        assert route.probe() is None
        found = route.endings()
        route.close()
    end = identity.certificate.not_valid_after_utc
    assert found == ((Ending(end, Needed.SERVER_CERTIFICATE),) if days else ())


def test_what_else_ends_soon(ways_out: WaysOut, certs: Certificates) -> None:
    end = Ending(datetime(2027, 3, 1, tzinfo=UTC), Needed.CLIENT_SECRET)
    with ScriptedServer(Script(tls=certs.good.tls)) as server:
        route = ways_out.route(server, ends=lambda: [end])
        assert route.endings() == (end,)
        route.close()


class TestResults:
    def test_accepted(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            route = ways_out.route(server)
            (result,) = send(route)
            route.close()
            (message,) = server.messages
        assert (result.recipient, result.status) == ("bo@example.test", ACCEPTED)
        assert result.reply == "250 2.0.0 Ok: queued as 4C1D2E3F"
        assert result.finding is None
        assert (message.mail_from, message.recipients) == (
            "desk@example.test",
            ("bo@example.test",),
        )
        assert message.content.startswith(b"From: ")

    @pytest.mark.parametrize(
        ("on", "code", "scope"),
        [
            ({"MAIL": Reply("553 5.7.1 not owned by user")}, "sender.not_owned", Scope.ROUTE),
            ({"MAIL": Reply("451 4.3.0 later")}, "sender.temporary", Scope.ROUTE),
            ({"RCPT": Reply("550 5.1.1 unknown")}, "recipient.unknown", Scope.RECIPIENT),
            ({"RCPT": Reply("450 4.2.1 later")}, "recipient.temporary", Scope.SOFT),
            ({"DATA": Reply("451 4.3.0 later")}, "message.temporary", Scope.SOFT),
            ({END_OF_DATA: Reply("554 5.6.0 odd")}, "message.refused", Scope.GENERIC),
            ({END_OF_DATA: Reply("451 4.7.1 later")}, "message.temporary", Scope.SOFT),
        ],
    )
    def test_refused(
        self,
        ways_out: WaysOut,
        *,
        tls: ssl.SSLContext,
        extensions: tuple[str, ...],
        on: dict[str, Action],
        code: str,
        scope: Scope,
    ) -> None:
        played = Script(tls=tls, extensions=extensions, on=once(on))
        with ScriptedServer(played) as server:
            route = ways_out.route(server)
            (result,) = send(route)
            assert result.finding is not None
            assert (result.status, result.finding.code) == (REFUSED, code)
            assert result.finding.scope is scope
            assert result.reply[:3].isdigit()
            assert statuses(send(route)) == [ACCEPTED]
            assert len(server.sessions) == 1, "a refusal costs no connection"
            route.close()

    def test_a_refused_recipient_among_others(
        self, ways_out: WaysOut, tls: ssl.SSLContext, extensions: tuple[str, ...]
    ) -> None:
        to = ("reject@example.test", "bo@example.test", "tempfail@example.test")
        with ScriptedServer(Script(tls=tls, extensions=extensions)) as server:
            route = ways_out.route(server)
            results = send(route, *to)
            route.close()
            assert server.messages[0].recipients == ("bo@example.test",)
        assert statuses(results) == [REFUSED, ACCEPTED, REFUSED]
        assert [result.recipient for result in results] == list(to)
        assert codes(results) == ["recipient.refused", "", "recipient.temporary"]
        finding = results[2].finding
        assert finding is not None
        assert "tempfail@example.test" in finding.summary

    def test_an_internationalized_recipient(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            route = ways_out.route(server)
            assert statuses(send(route, "bo@bücher.test")) == [ACCEPTED]
            assert statuses(send(route, "bö@example.test")) == [ACCEPTED]
            route.close()
            mails = [line for line in server.commands if line.startswith(("MAIL", "RCPT"))]
        assert mails[1] == "RCPT TO:<bo@xn--bcher-kva.test>"
        assert "SMTPUTF8" not in mails[0]
        assert mails[3] == "RCPT TO:<bö@example.test>"
        assert "SMTPUTF8" in mails[2]

    def test_no_session(self, ways_out: WaysOut) -> None:
        with ScriptedServer(Script(greeting=(Reply("421 4.3.2 busy"), Close()))) as server:
            route = ways_out.route(server)
            results = send(route, "ann@example.test", "bo@example.test")
            assert statuses(results) == [REFUSED, REFUSED]
            assert codes(results) == ["greeting.busy"] * 2
            assert results[0].reply == "421 4.3.2 busy"
            assert len(server.sessions) == 1

    def test_the_null_sender(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        with ScriptedServer(Script(tls=tls)) as server:
            route = ways_out.route(server)
            mail = foreign(envelope_sender="<>")
            assert statuses(route.send(mail, ("bo@example.test",), Dots(), patience())) == [
                ACCEPTED
            ]
            route.close()
            assert server.messages[0].mail_from == ""


class TestTooManyRecipients:
    def test_for_the_server(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        full = Reply("452 4.5.3 Error: too many recipients")
        played = Script(tls=tls, on={"RCPT": Turns(Default(), Default(), full, full, Default())})
        to = [f"r{n}@example.test" for n in range(4)]
        with ScriptedServer(played) as server:
            route = ways_out.route(server)
            first = send(route, *to)
            assert statuses(first) == [ACCEPTED, ACCEPTED, REFUSED, REFUSED]
            assert codes(first[2:]) == ["recipient.throttled"] * 2
            assert statuses(send(route, *to[2:])) == [ACCEPTED, ACCEPTED]
            route.close()
            assert [message.recipients for message in server.messages] == [
                tuple(to[:2]),
                tuple(to[2:]),
            ]
            assert len(server.sessions) == 1

    def test_for_one_transaction(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        to = [f"r{n}@example.test" for n in range(MAX_RECIPIENTS + 2)]
        with ScriptedServer(Script(tls=tls)) as server:
            route = ways_out.route(server)
            results = send(route, *to)
            route.close()
            assert server.messages[0].recipients == tuple(to[:MAX_RECIPIENTS])
        assert [result.recipient for result in results] == to
        assert statuses(results) == [ACCEPTED] * MAX_RECIPIENTS + [REFUSED] * 2
        assert codes(results)[-2:] == ["recipient.throttled"] * 2

    def test_who_is_left_over_of_a_route_that_fails_shares_its_failure(
        self, ways_out: WaysOut, tls: ssl.SSLContext
    ) -> None:
        to = [f"r{n}@example.test" for n in range(MAX_RECIPIENTS + 2)]
        played = Script(tls=tls, on={"MAIL": Reply("553 5.7.1 not owned by user")})
        with ScriptedServer(played) as server:
            route = ways_out.route(server)
            assert set(codes(send(route, *to))) == {"sender.not_owned"}
            route.close()


class TestDyingServer:
    @pytest.mark.parametrize("verb", BEFORE_THE_DOT)
    @pytest.mark.parametrize(
        "end",
        [
            Close(),
            Reset(),
            (Reply("421 4.3.2 down"), Close()),
            (Raw(b"250-half"), Close()),
            (Raw(b"2"), Reset()),
        ],
    )
    def test_before_the_dot(
        self,
        ways_out: WaysOut,
        *,
        tls: ssl.SSLContext,
        extensions: tuple[str, ...],
        verb: str,
        end: Action,
    ) -> None:
        with ScriptedServer(Script(tls=tls, extensions=extensions, on={verb: end})) as server:
            route = ways_out.route(server)
            dots = Dots()
            (result,) = send(route, before_dot=dots)
            assert result.status is REFUSED
            assert result.finding is not None
            assert result.finding.scope in (Scope.ROUTE, Scope.SOFT)
            assert dots.announced == 0
            assert len(server.sessions) == 1, "it was fresh: it did not die of old age"
            route.close()

    @pytest.mark.parametrize("end", [Close(), Reset(), (Reply("421 4.3.2 down"), Close())])
    @pytest.mark.parametrize("moment", ["connect", "greeting", "EHLO", "STARTTLS", "AUTH"])
    def test_before_the_session_is_open(
        self, ways_out: WaysOut, tls: ssl.SSLContext, moment: str, end: Action
    ) -> None:
        early = {
            "connect": Script(tls=tls, connect=end),
            "greeting": Script(tls=tls, greeting=end),
        }
        dies = early.get(moment) or Script(tls=tls, on={moment: end})
        with ScriptedServer(dies, Script(tls=tls)) as server:
            route = ways_out.route(server)
            dots = Dots()
            (result,) = send(route, before_dot=dots)
            assert result.status is REFUSED
            assert result.finding is not None
            assert result.finding.scope is Scope.ROUTE
            assert dots.announced == 0
            assert len(server.sessions) == 1
            assert statuses(send(route)) == [ACCEPTED], "whether it rests is not its own decision"
            route.close()

    @pytest.mark.parametrize("after", [1, 100, 30_000, 150_000])
    def test_in_the_middle_of_the_message(
        self, ways_out: WaysOut, tls: ssl.SSLContext, after: int
    ) -> None:
        played = Script(tls=tls, cut_body=CutBody(after, Reset()))
        mail = foreign(b"From: desk@example.test\r\n\r\n" + b"0123456789abcde\r\n" * 500_000)
        with ScriptedServer(played) as server:
            route = ways_out.route(server)
            dots = Dots()
            (result,) = route.send(mail, ("bo@example.test",), dots, patience())
            assert dots.announced == 0
            assert (result.status, codes([result])) == (REFUSED, ["message.lost_before_end"])
            assert not server.messages
            route.close()

    def test_one_that_only_stops_to_speak_may_have_heard_the_dot(
        self, ways_out: WaysOut, tls: ssl.SSLContext
    ) -> None:
        with ScriptedServer(Script(tls=tls, cut_body=CutBody(10, Close()))) as server:
            route = ways_out.route(server)
            results = send(route)
            assert (statuses(results), codes(results)) == ([UNCERTAIN], ["message.unconfirmed"])
            route.close()

    @pytest.mark.parametrize("end", [Close(), Reset(), Silence()])
    def test_after_the_dot_it_is_uncertain_and_never_sent_again(
        self, ways_out: WaysOut, tls: ssl.SSLContext, extensions: tuple[str, ...], end: Action
    ) -> None:
        played = Script(tls=tls, extensions=extensions, on={END_OF_DATA: Turns(Default(), end)})
        with ScriptedServer(played) as server:
            route = ways_out.route(server, limits=HASTY)
            assert statuses(send(route)) == [ACCEPTED]
            dots = Dots()
            results = send(route, "ann@example.test", "bo@example.test", before_dot=dots)
            assert statuses(results) == [UNCERTAIN, UNCERTAIN]
            assert codes(results) == ["message.unconfirmed"] * 2
            assert dots.announced == 1
            assert len(server.messages) == 2
            assert len(server.sessions) == 1
            route.close()

    @pytest.mark.parametrize("verb", [*BEFORE_THE_DOT, "EHLO", "AUTH", "STARTTLS"])
    def test_silence_ends(self, ways_out: WaysOut, tls: ssl.SSLContext, verb: str) -> None:
        with ScriptedServer(Script(tls=tls, on={verb: Silence()})) as server:
            route = ways_out.route(server, limits=HASTY)
            results = send(route)
            assert statuses(results) == [REFUSED]
            code = "tls.handshake_timeout" if verb == "STARTTLS" else "session.timeout"
            assert codes(results) == [code]
            route.close()


class TestClose:
    def test_quit_is_said_once_at_the_end(
        self, ways_out: WaysOut, tls: ssl.SSLContext, extensions: tuple[str, ...]
    ) -> None:
        with ScriptedServer(Script(tls=tls, extensions=extensions)) as server:
            route = ways_out.route(server)
            assert statuses(send(route)) == [ACCEPTED]
            assert statuses(send(route)) == [ACCEPTED]
            route.close()
            server.wait_for(lambda s: not s.open_connections)
            assert server.commands[-1] == "QUIT"
            assert server.commands.count("QUIT") == 1

    def test_its_answer_stops_nobody(self, ways_out: WaysOut, tls: ssl.SSLContext) -> None:
        with ScriptedServer(Script(tls=tls, on={"QUIT": Delay(30)})) as server:
            route = ways_out.route(server)
            assert statuses(send(route)) == [ACCEPTED]
            assert server.open_connections == 1
            route.close()


def test_a_password_that_is_echoed_stands_nowhere(ways_out: WaysOut, tls: ssl.SSLContext) -> None:
    played = Script(tls=tls, on={"MAIL": Reply("553 5.7.1 s3cret is no password for desk")})
    with ScriptedServer(played) as server:
        route = ways_out.route(server)
        (result,) = send(route)
        route.close()
    assert "s3cret" not in repr(result)
    assert "is no password" in result.reply


def test_closing_cancels_what_runs(ways_out: WaysOut, tls: ssl.SSLContext) -> None:
    with ScriptedServer(Script(tls=tls, on={"RCPT": Silence()})) as server:
        route = ways_out.route(server)

        with ThreadPoolExecutor(1) as threads:
            sending = threads.submit(send, route)
            server.wait_for(lambda s: any("RCPT" in line for line in s.commands))
            route.close()
            assert codes(sending.result()) == ["session.cancelled"]
        assert codes(send(route)) == ["session.cancelled"]
        assert not server.messages


def test_a_retired_route_ends_what_runs_and_gives_the_rest_back(
    ways_out: WaysOut, tls: ssl.SSLContext
) -> None:
    with ScriptedServer(Script(tls=tls)) as server:
        route = ways_out.route(server)
        assert statuses(send(route, before_dot=route.retire)) == [ACCEPTED]
        server.wait_for(lambda s: not s.open_connections)
        assert server.commands[-1] == "QUIT"
        assert codes(send(route)) == ["session.cancelled"]
        assert len(server.sessions) == 1
        route.close()
