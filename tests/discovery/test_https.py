"""Pages by https: what is followed, what is refused, and when it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from smtp_desk.discovery.candidates import NotFoundError, SearchResult
from smtp_desk.discovery.https import Https, WebPage
from smtp_desk.smtp.net.deadline import Cancel, CancelledError, Deadline
from smtp_desk.smtp.net.http import MOST_OCTETS
from tests.discovery.configs import Loopback
from tests.servers.certs import Certificates
from tests.servers.ports import free_port
from tests.servers.web import Answers, WebServer, page, redirect

HERE = "https://mail.example.test/"
Serve = Callable[[Answers], WebServer]


@pytest.fixture
def serve(certs: Certificates) -> Iterator[Serve]:
    servers: list[WebServer] = []

    def start(answers: Answers) -> WebServer:
        servers.append(WebServer(certs.good.tls, answers).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__()


def get(
    server: WebServer | int,
    certs: Certificates | None,
    url: str = HERE,
    seconds: float = 20.0,
    cancel: Cancel | None = None,
) -> WebPage:
    port = server if isinstance(server, int) else server.port
    ca_pem = certs.root.chain_file.read_text() if certs else ""
    https = Https(Loopback(missing=("missing.example.test",)), ca_pem, port)
    return https.get(url, cancel or Cancel(), Deadline.after(seconds))


def refused(*args: object, **kwargs: object) -> NotFoundError:
    with pytest.raises(NotFoundError) as told:
        get(*args, **kwargs)  # type: ignore[arg-type]
    return told.value


def test_a_page_is_returned(serve: Serve, certs: Certificates) -> None:
    server = serve({"mail.example.test/a": page(b"<a/>")})
    assert get(server, certs, HERE + "a?b=c%40d#e") == WebPage(b"<a/>", ())
    assert server.requests == ["mail.example.test/a?b=c%40d"]


def test_a_page_in_chunks_is_returned(serve: Serve, certs: Certificates) -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n<a/\r\n1\r\n>\r\n0\r\n\r\n"
    )
    assert get(serve({"mail.example.test/": chunked}), certs).octets == b"<a/>"


def test_a_page_until_the_end_is_returned(serve: Serve, certs: Certificates) -> None:
    assert get(serve({"mail.example.test/": b"HTTP/1.0 200\r\n\r\n<a/>"}), certs).octets == b"<a/>"


@pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
def test_redirects_are_followed_and_told(serve: Serve, certs: Certificates, status: str) -> None:
    server = serve(
        {
            "mail.example.test/": redirect("/b", status=status),
            "mail.example.test/b": redirect("https://mail.example.test/c"),
            "mail.example.test/c": redirect("//mail.example.test/d"),
            "mail.example.test/d": page(b"<a/>"),
        }
    )
    assert get(server, certs).redirects == (HERE + "b", HERE + "c", HERE + "d")


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("http://mail.example.test/", SearchResult.REDIRECTED_TO_HTTP),
        ("HTTP://mail.example.test/", SearchResult.REDIRECTED_TO_HTTP),
        ("ftp://mail.example.test/", SearchResult.BAD_REDIRECT),
        ("file:///etc/passwd", SearchResult.BAD_REDIRECT),
        ("https://ann:secret@mail.example.test/", SearchResult.BAD_REDIRECT),
        ("", SearchResult.TOO_MANY_REDIRECTS),
        ("https://mail.example.test:0/", SearchResult.BAD_REDIRECT),
        ("https://mail.example.test:70000/", SearchResult.BAD_REDIRECT),
        ("https://[::1", SearchResult.BAD_REDIRECT),
        ("https://[::1]/", SearchResult.BAD_REDIRECT),
        ("https://mail.example.test/\xe9", SearchResult.BAD_REDIRECT),
        ("https://mail.example.test/" + "a" * 3000, SearchResult.BAD_REDIRECT),
        ("/", SearchResult.TOO_MANY_REDIRECTS),
        ("https://missing.example.test/", SearchResult.NOTHING),
        ("https://other.example.test/", SearchResult.UNTRUSTED),
    ],
)
def test_where_no_redirect_leads(
    serve: Serve, certs: Certificates, url: str, answer: SearchResult
) -> None:
    server = serve({"mail.example.test/": redirect(url)})
    error = refused(server, certs)
    assert error.result is answer
    assert len(server.requests) <= 4
    assert set(server.requests) == {"mail.example.test/"}


@pytest.mark.parametrize(
    ("reply", "answer", "detail"),
    [
        (page(b"", status="404 Not Found"), SearchResult.NOTHING, ""),
        (page(b"", status="410 Gone"), SearchResult.NOTHING, ""),
        (page(b"", status="403 Forbidden"), SearchResult.HTTP_STATUS, "403"),
        (page(b"", status="500 Oops"), SearchResult.HTTP_STATUS, "500"),
        (page(b"", status="204 No Content"), SearchResult.HTTP_STATUS, "204"),
        (page(b"a" * (MOST_OCTETS + 1)), SearchResult.TOO_LARGE, ""),
        (b"220 mail.example.test ESMTP\r\n", SearchResult.NOT_HTTP, ""),
        (b"", SearchResult.NOT_HTTP, ""),
        (b"HTTP/1.1 abc\r\n\r\n", SearchResult.NOT_HTTP, ""),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", SearchResult.NOT_HTTP, ""),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70000 + b"\r\n\r\n", SearchResult.NOT_HTTP, ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<a/>", SearchResult.NOT_HTTP, ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", SearchResult.NOT_HTTP, ""),
    ],
)
def test_what_a_server_may_answer(
    serve: Serve, certs: Certificates, reply: bytes, answer: SearchResult, detail: str
) -> None:
    error = refused(serve({"mail.example.test/": reply}), certs)
    assert (error.result, error.detail) == (answer, detail)


def test_a_hundred_megabytes_are_not_read(serve: Serve, certs: Certificates) -> None:
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        for _ in range(1600):
            sent.append(1)
            yield b"<!-- -->" * 8192

    assert refused(serve({"mail.example.test/": endless}), certs).result is SearchResult.TOO_LARGE
    assert len(sent) < 160


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n<a"])
def test_who_drips_stretches_nothing(serve: Serve, certs: Certificates, head: bytes) -> None:
    pause = threading.Event()

    def drip() -> Iterator[bytes]:
        yield head
        while True:
            yield b"a"
            pause.wait(0.01)

    server = serve({"mail.example.test/": drip})
    began = time.monotonic()
    assert refused(server, certs, seconds=0.5).result is SearchResult.NO_ANSWER
    assert time.monotonic() - began < 2


def test_a_hundred_continues_end_with_the_time(serve: Serve, certs: Certificates) -> None:
    def goes_on() -> Iterator[bytes]:
        while True:
            yield b"HTTP/1.1 100 Continue\r\n\r\n"

    server = serve({"mail.example.test/": goes_on})
    assert refused(server, certs, seconds=0.5).result is SearchResult.NO_ANSWER


@pytest.mark.parametrize("name", ["wrong_host", "expired", "self_signed", "ip_only"])
def test_a_bad_certificate_is_not_trusted(certs: Certificates, name: str) -> None:
    with WebServer(getattr(certs, name).tls, {}) as server:
        error = refused(server, certs)
        assert error.result is SearchResult.UNTRUSTED
        assert error.detail.startswith("tls.")
        assert server.requests == []


def test_a_ca_that_nobody_named_is_not_trusted(serve: Serve) -> None:
    assert refused(serve({}), None).result is SearchResult.UNTRUSTED


def test_nobody_listens(certs: Certificates) -> None:
    assert refused(free_port(), certs).result is SearchResult.UNREACHABLE


def test_a_silent_server_is_no_answer(certs: Certificates) -> None:
    with WebServer(None, {}) as server:
        assert refused(server, certs, seconds=0.3).result is SearchResult.NO_ANSWER


def test_cancel_ends_it_at_once(certs: Certificates) -> None:
    cancel = Cancel()
    ended: list[float] = []

    def ask() -> None:
        with pytest.raises(CancelledError):
            get(server, certs, cancel=cancel)
        ended.append(time.monotonic())

    with WebServer(None, {}) as server:
        thread = threading.Thread(target=ask)
        thread.start()
        while not server._threads[1:]:
            threading.Event().wait(0.005)
        began = time.monotonic()
        cancel.cancel()
        thread.join()
    assert ended[0] - began < 0.5
