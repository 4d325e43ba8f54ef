"""The listener takes one answer: that of the browser to our own question."""

from __future__ import annotations

import errno
import http.client
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

import pytest

from smtp_desk.core.oauth import OAuthFlow
from smtp_desk.oauth import listener as module
from smtp_desk.oauth.link import ProviderLink
from smtp_desk.oauth.listener import Listener
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from tests.oauth.person import Person
from tests.oauth.test_client import client, refused
from tests.servers.sign_in_service import SignInService

ISSUER = "https://login.example.test"
Answered = Future[Mapping[str, str] | None]


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener("localhost", lambda issuer: issuer == ISSUER) as listening:
        yield listening


@pytest.fixture
def answered(listener: Listener) -> Iterator[Answered]:
    cancel = Cancel()
    with ThreadPoolExecutor(1) as threads:
        yield threads.submit(listener.answer, cancel, Deadline.after(30))
        cancel.cancel()


def port_of(listener: Listener) -> int:
    return urlsplit(listener.redirect_uri).port or 0


def call(
    listener: Listener,
    target: str = "",
    *,
    method: str = "GET",
    host: str = "localhost:{port}",
    address: str = "127.0.0.1",
    **query: str,
) -> tuple[int, bytes]:
    port = port_of(listener)
    connection = http.client.HTTPConnection(address, port, timeout=10)
    if query:
        target = f"/?{urlencode(query)}"
    connection.putrequest(method, target, skip_host=True)
    if host:
        connection.putheader("Host", host.format(port=port))
    connection.endheaders()
    response = connection.getresponse()
    content = response.read()
    assert response.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert all(value.encode() not in content for value in query.values() if len(value) > 4)
    connection.close()
    return response.status, content


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1:{port}", "[::1]:{port}"])
def test_the_answer_is_taken(
    listener: Listener, answered: Answered, address: str, host: str
) -> None:
    status, page = call(
        listener, host=host, address=address, code="the-code", state=listener.state, iss=ISSUER
    )
    assert status == 200
    assert b"go back to SMTP Desk" in page
    assert answered.result(10) == {"code": "the-code", "state": listener.state, "iss": ISSUER}


def test_a_refusal_is_an_answer_with_its_state(listener: Listener, answered: Answered) -> None:
    assert call(listener, error="access_denied")[0] == 400
    assert call(listener, error="access_denied", state="x" * 43)[0] == 400
    assert not answered.done()
    assert call(listener, error="access_denied", state=listener.state)[0] == 200
    found = answered.result(10)
    assert found is not None
    assert found["error"] == "access_denied"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"code": "forged", "state": "forged"}, 400),
        ({"code": "forged"}, 400),
        ({"code": "forged", "state": ""}, 400),
        ({"state": "{state}"}, 400),
        ({"code": "x", "error": "y", "state": "{state}"}, 400),
        ({"code": "forged", "state": "{state}", "iss": "https://evil.example"}, 400),
        ({"code": "forged", "state": "{state}", "iss": ""}, 400),
    ],
)
def test_an_answer_to_another_question_is_none(
    listener: Listener, answered: Answered, query: dict[str, str], status: int
) -> None:
    filled = {name: value.format(state=listener.state) for name, value in query.items()}
    assert call(listener, **filled)[0] == status
    assert not answered.done()
    call(listener, code="ours", state=listener.state)
    found = answered.result(10)
    assert found is not None
    assert found["code"] == "ours"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"method": "POST"}, 405),
        ({"method": "HEAD"}, 405),
        ({"method": "OPTIONS"}, 405),
        ({"host": "evil.example"}, 421),
        ({"host": "localhost"}, 421),
        ({"host": "localhost:1"}, 421),
        ({"host": ""}, 421),
        ({"target": "/favicon.ico"}, 404),
        ({"target": "/other?{query}"}, 404),
        ({"target": "//?{query}"}, 404),
        ({"target": "/"}, 404),
        ({"target": "http://localhost/?{query}"}, 404),
        ({"target": "/?{query}&state=second"}, 400),
        ({"target": "/?{query}&code=second"}, 400),
    ],
)
def test_what_a_foreign_page_or_a_curious_program_asks_for(
    listener: Listener, answered: Answered, changes: dict[str, str], status: int
) -> None:
    query = urlencode({"code": "forged", "state": listener.state})
    target = changes.get("target", "/?{query}").format(query=query)
    assert call(listener, **{**changes, "target": target})[0] == status
    assert not answered.done()


def test_two_host_headers_are_none(listener: Listener, answered: Answered) -> None:
    port = port_of(listener)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        head = f"GET /?code=x&state={listener.state} HTTP/1.1\r\nHost: localhost:{port}\r\n"
        sock.sendall(f"{head}Host: evil.example\r\n\r\n".encode())
        assert sock.recv(100).startswith(b"HTTP/1.1 421")
    assert not answered.done()


def test_a_second_tab_finds_nobody(listener: Listener, answered: Answered) -> None:
    call(listener, code="first", state=listener.state)
    found = answered.result(10)
    listener.__exit__()
    with pytest.raises(ConnectionRefusedError):
        call(listener, code="second", state=listener.state)
    assert found is not None
    assert found["code"] == "first"


def test_silent_connections_keep_nobody_waiting(listener: Listener, answered: Answered) -> None:
    port = port_of(listener)
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    dripping = socket.create_connection(("127.0.0.1", port))
    dripping.sendall(b"GET /?code=")
    gone = socket.create_connection(("127.0.0.1", port))
    gone.close()
    call(listener, code="ours", state=listener.state)
    assert answered.result(10)
    for sock in (*silent, dripping):
        sock.close()


def test_crowds_are_bounded_and_let_go_in_time(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.2)
    place = ("127.0.0.1", port_of(listener))
    with ThreadPoolExecutor(1) as threads:
        answered = threads.submit(listener.answer, Cancel(), Deadline.after(30))
        crowd = [socket.create_connection(place, timeout=20) for _ in range(40)]
        call(listener, code="ours", state=listener.state)
        assert answered.result(20)
    for sock in crowd:
        sock.close()


def test_an_endless_request_is_dropped(listener: Listener, answered: Answered) -> None:
    with socket.create_connection(("127.0.0.1", port_of(listener)), timeout=10) as sock:
        with suppress(OSError):
            for _ in range(100):
                sock.sendall(b"GET /?" + b"x" * 4096)
        with suppress(ConnectionResetError):
            assert sock.recv(10) == b""
    assert not answered.done()


def test_nobody_comes(listener: Listener) -> None:
    assert listener.answer(Cancel(), Deadline.after(0.05)) is None


def test_a_cancel_ends_the_wait(listener: Listener) -> None:
    cancel = Cancel()
    threading.Timer(0.05, cancel.cancel).start()
    with pytest.raises(CancelledError):
        listener.answer(cancel, Deadline.after(30))


def test_the_port_is_ours_alone(listener: Listener) -> None:
    port = port_of(listener)
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as sock, pytest.raises(OSError, match="in use"):
            sock.bind((address, port))


Bound = Callable[[int, str, int], socket.socket]


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The addresses that were bound; the second and third in turn are taken."""
    seen: list[tuple[str, int]] = []
    real: Bound = module._bound

    def bind(family: int, address: str, port: int) -> socket.socket:
        seen.append((address, port))
        if len(seen) in (2, 3):
            raise OSError(errno.EADDRINUSE, "in use")
        return real(family, address, port)

    monkeypatch.setattr(module, "_bound", bind)
    return seen


def test_a_port_that_is_taken_is_left_for_another(bound: list[tuple[str, int]]) -> None:
    with Listener("127.0.0.1", lambda _issuer: True) as listening:
        port = port_of(listening)
        assert listening.redirect_uri == f"http://127.0.0.1:{port}"
    assert [address for address, _ in bound] == [
        "127.0.0.1",
        "::1",
        "127.0.0.1",
        "127.0.0.1",
        "::1",
    ]
    assert bound[-1] == ("::1", port)


def test_without_ipv6_the_other_address_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Bound = module._bound

    def bind(family: int, address: str, port: int) -> socket.socket:
        if address == "::1":
            raise OSError(errno.EADDRNOTAVAIL, "no such address")
        return real(family, address, port)

    monkeypatch.setattr(module, "_bound", bind)
    with Listener("localhost", lambda _issuer: True) as listening, ThreadPoolExecutor(1) as threads:
        answered = threads.submit(listening.answer, Cancel(), Deadline.after(10))
        call(listening, code="ours", state=listening.state)
        assert answered.result(10)


def test_no_port_at_all_is_told(
    service: SignInService, link: ProviderLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bind(_family: int, _address: str, _port: int) -> socket.socket:
        raise OSError(errno.EADDRINUSE, "in use")

    monkeypatch.setattr(module, "_bound", bind)
    with pytest.raises(OSError, match="in use"), Listener("localhost", lambda _issuer: True):
        pass
    person = Person(service)
    signing = client(service, link, OAuthFlow.BROWSER)
    assert refused(lambda: signing.sign_in(person, Cancel())) == ("oauth.failed", "no_port")
    assert person.prompts == []
