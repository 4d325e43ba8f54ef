"""What every route keeps, whatever stands behind it."""

from __future__ import annotations

import dataclasses
import shlex
from typing import TYPE_CHECKING, Protocol

import pytest

from smtp_desk.core.findings.finding import Scope
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.sender.routes.sendmail import SendmailRoute
from smtp_desk.sender.routes.smtp import SmtpRoute
from smtp_desk.sender.testing import MemoryThrottle
from tests.sender.mta import Mta
from tests.sender.ways_out import (
    ACCEPTED,
    CATALOGUE,
    IDENTITY,
    REFUSED,
    Dots,
    WaysOut,
    at_once,
    codes,
    foreign,
    patience,
    send,
    statuses,
)
from tests.servers import parts
from tests.servers.postfix import PASSWORD, USERNAME, Postfix
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from smtp_desk.sender.routes.route import Route
    from tests.servers.certs import Certificates


class Receiver(Protocol):
    """What stands behind a route.

    Attributes:
        refusal: The scope of its refusal of `reject@`: whether its words tell why.
    """

    refusal: Scope

    def recipients(self, at_least: int) -> list[str]:
        """To whom it took a message, sorted, once there are so many."""
        ...

    def contents(self) -> list[bytes]:
        """The messages it took, with LF line ends."""
        ...

    def route(self, *, broken: bool = False) -> Route:
        """A new route; if broken, one that can't work."""
        ...


@dataclasses.dataclass
class ToScripted:
    """A scripted server."""

    certs: Certificates
    server: ScriptedServer
    refusal: Scope = Scope.GENERIC

    def recipients(self, at_least: int) -> list[str]:
        taken = sorted(each for mail in self.server.messages for each in mail.recipients)
        assert len(taken) >= at_least
        return taken

    def contents(self) -> list[bytes]:
        return [mail.content.replace(b"\r\n", b"\n") for mail in self.server.messages]

    def route(self, *, broken: bool = False) -> Route:
        password = "wr0ng" if broken else PASSWORD
        return WaysOut(self.certs).route(self.server, password=password)


class _Delivered:
    """What came of it lies in the mailboxes of a Postfix."""

    postfix: Postfix

    def recipients(self, at_least: int) -> list[str]:
        return delivered(self.postfix, at_least)

    def contents(self) -> list[bytes]:
        delivered(self.postfix, 1)
        return self.postfix.mailboxes.raw("bo")


@dataclasses.dataclass
class ToPostfix(_Delivered):
    """Postfix, with a login."""

    certs: Certificates
    postfix: Postfix
    refusal: Scope = Scope.GENERIC

    def route(self, *, broken: bool = False) -> Route:
        settings = ServerSettings(
            host="localhost",
            port=self.postfix.tls_port,
            from_email="desk@example.test",
            username=USERNAME,
            ca_pem=self.certs.root.chain_file.read_text(),
        )
        secret = Secret("wr0ng" if broken else PASSWORD)
        return SmtpRoute(
            CUSTOM, settings, Security.TLS, secret, IDENTITY, CATALOGUE, MemoryThrottle()
        )


@dataclasses.dataclass
class ToScript:
    """A shell script that is called like sendmail."""

    mta: Mta
    refusal: Scope = Scope.RECIPIENT

    def recipients(self, at_least: int) -> list[str]:
        assert len(self.mta.recipients) >= at_least
        return self.mta.recipients

    def contents(self) -> list[bytes]:
        return self.mta.messages

    def route(self, *, broken: bool = False) -> Route:
        path = self.mta.path.with_name("gone") if broken else self.mta.path
        return SendmailRoute(str(path), IDENTITY, CATALOGUE)


@dataclasses.dataclass
class ToPostfixSendmail(_Delivered):
    """The sendmail of Postfix, which takes every recipient into its queue."""

    postfix: Postfix
    folder: pathlib.Path
    refusal: Scope = Scope.GENERIC

    def route(self, *, broken: bool = False) -> Route:
        path = self.folder / ("gone" if broken else "sendmail")
        if not broken:
            config = self.postfix.maillog.parent / "etc"
            command = shlex.join([parts.program("sendmail"), "-C", str(config)])
            path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
            path.chmod(0o755)
        return SendmailRoute(str(path), IDENTITY, CATALOGUE)


def delivered(postfix: Postfix, at_least: int) -> list[str]:
    """To whom Postfix has delivered, once there are so many."""
    boxes = ("ann", "bo", "rcpt")

    def found() -> list[str]:
        return sorted(f"{box}@example.test" for box in boxes for _ in postfix.mailboxes.raw(box))

    wait_until(lambda: len(found()) >= at_least, f"{at_least} deliveries")
    return found()


@pytest.fixture
def receiver(
    request: pytest.FixtureRequest, certs: Certificates, tmp_path: pathlib.Path
) -> Iterator[Receiver]:
    """What stands behind the route."""
    match request.param:
        case "scripted":
            with ScriptedServer(Script(tls=certs.good.tls)) as server:
                yield ToScripted(certs, server)
        case "postfix":
            yield ToPostfix(certs, request.getfixturevalue("postfix"))
        case "script":
            yield ToScript(Mta(tmp_path))
        case _:
            yield ToPostfixSendmail(request.getfixturevalue("postfix"), tmp_path)


TELLING = ["scripted", pytest.param("postfix", marks=pytest.mark.needs("postfix")), "script"]
"""Those that refuse a recipient while the route can hear it."""

ALL = [*TELLING, pytest.param("postfix_sendmail", marks=pytest.mark.needs("postfix"))]

every_route = pytest.mark.parametrize("receiver", ALL, indirect=True)
telling_route = pytest.mark.parametrize("receiver", TELLING, indirect=True)


@every_route
def test_takes_the_responsibility(receiver: Receiver) -> None:
    route = receiver.route()
    assert route.name in (CUSTOM, DEFAULT)
    (result,) = send(route, "bo@example.test")
    assert (result.recipient, result.status) == ("bo@example.test", ACCEPTED)
    assert result.finding is None
    assert statuses(send(route, "ann@example.test")) == [ACCEPTED]
    assert receiver.recipients(2) == ["ann@example.test", "bo@example.test"]
    route.close()


@telling_route
def test_a_refused_recipient_does_not_stop_the_others(receiver: Receiver) -> None:
    to = ("ann@example.test", "reject@example.test", "bo@example.test", "tempfail@example.test")
    route = receiver.route()
    results = send(route, *to)
    assert [result.recipient for result in results] == list(to)
    assert statuses(results) == [ACCEPTED, REFUSED, ACCEPTED, REFUSED]
    scopes = [result.finding.scope if result.finding else None for result in results]
    assert scopes == [None, receiver.refusal, None, Scope.SOFT]
    assert all(result.reply for result in results if result.finding)
    assert receiver.recipients(2) == ["ann@example.test", "bo@example.test"]
    route.close()


@every_route
def test_nothing_is_taken_before_the_dot_is_announced(receiver: Receiver) -> None:
    seen: list[list[str]] = []
    route = receiver.route()
    send(route, "bo@example.test", before_dot=lambda: seen.append(receiver.recipients(0)))
    assert receiver.recipients(1) == ["bo@example.test"]
    assert seen == [[]]
    route.close()


@every_route
def test_a_dot_that_may_not_be_sent(receiver: Receiver) -> None:
    route = receiver.route()
    with pytest.raises(ZeroDivisionError):
        send(route, "ann@example.test", before_dot=Dots(ZeroDivisionError()))
    assert statuses(send(route, "bo@example.test")) == [ACCEPTED]
    assert receiver.recipients(1) == ["bo@example.test"]
    route.close()


@every_route
def test_a_probe_sends_nothing(receiver: Receiver) -> None:
    route = receiver.route()
    assert route.probe() is None
    assert statuses(send(route, "bo@example.test")) == [ACCEPTED]
    assert receiver.recipients(1) == ["bo@example.test"]
    route.close()


@every_route
def test_a_route_that_can_not_work_says_so_before_the_dot(receiver: Receiver) -> None:
    route, dots = receiver.route(broken=True), Dots()
    finding = route.probe()
    assert finding is not None
    assert finding.scope is Scope.ROUTE
    results = send(route, "ann@example.test", "bo@example.test", before_dot=dots)
    assert statuses(results) == [REFUSED, REFUSED]
    assert codes(results) == [finding.code] * 2
    assert dots.announced == 0
    assert receiver.recipients(0) == []
    route.close()


@every_route
def test_many_threads_at_once(receiver: Receiver) -> None:
    route = receiver.route()
    results = at_once(10, lambda: send(route, "bo@example.test"))
    assert [statuses(result) for result in results] == [[ACCEPTED]] * 10
    assert receiver.recipients(10) == ["bo@example.test"] * 10
    route.close()


@every_route
def test_the_message_is_built_for_the_route(receiver: Receiver) -> None:
    route = receiver.route()
    mail = foreign(b"From: Ann <ann@elsewhere.test>\r\nSubject: x\r\n\r\n.\r\n..\r\n")
    assert statuses(route.send(mail, ("bo@example.test",), Dots(), patience())) == [ACCEPTED]
    (content,) = receiver.contents()
    assert b"<desk@example.test>" in content
    assert content.endswith(b"\n\n.\n..\n")
    route.close()


@every_route
@pytest.mark.parametrize("end", ["retire", "close"])
def test_after_the_end_mail_is_given_back(receiver: Receiver, end: str) -> None:
    route, dots = receiver.route(), Dots()
    assert statuses(send(route, "bo@example.test")) == [ACCEPTED]
    getattr(route, end)()
    getattr(route, end)()
    results = send(route, "ann@example.test", before_dot=dots)
    assert (statuses(results), codes(results)) == ([REFUSED], ["session.cancelled"])
    assert dots.announced == 0
    finding = route.probe()
    assert finding is not None
    assert finding.scope is Scope.NONE
    assert receiver.recipients(1) == ["bo@example.test"]
    route.close()
