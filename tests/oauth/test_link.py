"""What a sign-in service may answer, and what is on the way to it."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.stages import Stage
from smtp_desk.oauth.link import ProviderLink, system_proxy
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from tests.discovery.configs import Loopback
from tests.servers.certs import Certificates
from tests.servers.connect_proxy import ConnectProxy
from tests.servers.ports import free_port
from tests.servers.sign_in_service import Reply, SignInService
from tests.servers.web import WebServer

FORM = {"grant_type": "refresh_token", "refresh_token": "s3cret-refresh", "scope": ""}


def failure_of(link: ProviderLink, url: str) -> SmtpFailure:
    with pytest.raises(SmtpFailure) as told:
        link.post(url, FORM, Cancel())
    assert told.value.stage is Stage.TOKEN
    assert "s3cret" not in repr((told.value, told.value.facts))
    return told.value


def told(failure: SmtpFailure) -> tuple[str | None, object]:
    return failure.code, failure.facts.get("reason", failure.facts.get("error"))


def test_a_form_brings_an_object(service: SignInService, link: ProviderLink) -> None:
    service.replies["/token"] = Reply(content={"a": 1, "b": "x"})
    answer = link.post(f"{service.url}/token", FORM, Cancel())
    assert (answer.status, dict(answer.fields)) == (200, {"a": 1, "b": "x"})
    assert (answer.text("b"), answer.text("a"), answer.text("c")) == ("x", "", "")
    assert answer.ahead is not None
    assert abs(answer.ahead) < 30
    (request,) = service.requests
    assert request.form == {"grant_type": "refresh_token", "refresh_token": "s3cret-refresh"}
    assert request.headers["Host"] == service.url.removeprefix("https://")
    assert "Authorization" not in request.headers


def test_name_and_secret_of_the_client_are_encoded(
    service: SignInService, link: ProviderLink
) -> None:
    link.post(f"{service.url}/token", {}, Cancel(), basic=("de:sk", "pa ss%/"))
    assert service.requests[0].basic == "de%3Ask:pa+ss%25%2F"


@pytest.mark.parametrize(
    ("reply", "code", "reason"),
    [
        *(
            (Reply(status, headers={"Location": where}), "oauth.untrusted", "redirect")
            for status in (301, 302, 303, 307, 308)
            for where in ("https://other.example/?x=s3cret", "/token2", "http://x", "https://[")
        ),
        (Reply(304), "oauth.untrusted", "redirect"),
        (Reply(content=b"<html>Sign in to the Wi-Fi"), "oauth.untrusted", "not_json"),
        (Reply(content=b'["no", "object"]'), "oauth.untrusted", "not_json"),
        (Reply(content=b"[" * 60_000), "oauth.untrusted", "not_json"),
        (Reply(content=b"\xff\xfe{}"), "oauth.untrusted", "not_json"),
        (Reply(content=b""), "oauth.untrusted", "not_json"),
        (Reply(404, b"<html>no such page"), "oauth.untrusted", "not_json"),
        (Reply(content=b" " * 10_000_000), "oauth.untrusted", "too_large"),
        (Reply(content=b"{" + b" " * 64 * 1024 + b"}"), "oauth.untrusted", "too_large"),
        (Reply(500, b"oops"), "oauth.unreachable", "server_error"),
        (Reply(503, {"error": "x"}), "oauth.unreachable", "server_error"),
        (Reply(429, {"error": "slow_down"}), "oauth.unreachable", "busy"),
        (Reply(headers={"Content-Length": "9"}), "oauth.untrusted", "not_json"),
    ],
)
def test_an_answer_that_is_none(
    service: SignInService, link: ProviderLink, reply: Reply, code: str, reason: str
) -> None:
    service.replies["/token"] = reply
    assert told(failure_of(link, f"{service.url}/token")) == (code, reason)
    assert len(service.requests) == 1  # nobody was led anywhere


def test_where_a_redirect_leads_is_told_without_what_it_carries(
    service: SignInService, link: ProviderLink
) -> None:
    service.replies["/token"] = Reply(307, headers={"Location": "https://evil.example:1/?s3cret#x"})
    assert failure_of(link, f"{service.url}/token").facts["target"] == "https://evil.example"


@pytest.mark.parametrize(
    "url",
    ["http://localhost/token", "ftp://localhost/", "https://a:b@localhost/", "//", "https://"],
)
def test_nothing_is_sent_without_https(link: ProviderLink, url: str) -> None:
    assert told(failure_of(link, url)) == ("oauth.untrusted", "not_https")


def test_a_refusal_is_an_answer(service: SignInService, link: ProviderLink) -> None:
    service.replies["/token"] = Reply(401, {"error": "invalid_client"})
    answer = link.post(f"{service.url}/token", FORM, Cancel())
    assert (answer.status, answer.text("error")) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        ("expired", "it has expired"),
        ("not_yet_valid", "it isn’t valid yet"),
        ("wrong_host", "it’s for another name"),
        ("self_signed", "it’s self-signed"),
    ],
)
def test_a_certificate_that_is_not_trusted(
    certs: Certificates, link: ProviderLink, certificate: str, words: str
) -> None:
    identity = getattr(certs, certificate)
    with SignInService(identity.tls) as service:
        failure = failure_of(link, f"{service.url}/token")
    assert told(failure) == ("oauth.untrusted", "certificate")
    assert failure.facts["error"] == words
    assert service.requests == []


def test_the_ca_of_a_mail_server_vouches_for_nothing(service: SignInService) -> None:
    failure = failure_of(ProviderLink(), f"{service.url}/token")
    assert told(failure) == ("oauth.untrusted", "certificate")
    assert service.requests == []


def test_nobody_listens(link: ProviderLink) -> None:
    failure = failure_of(link, f"https://localhost:{free_port()}/token")
    assert told(failure) == ("oauth.unreachable", "nothing is listening there")


def test_a_name_that_is_unknown(link: ProviderLink) -> None:
    link = replace(link, resolver=Loopback(missing=("login.example.test",)))
    failure = failure_of(link, "https://login.example.test/token")
    assert told(failure) == ("oauth.unreachable", "its name isn’t known")
    assert failure.facts["token_host"] == "login.example.test"


def test_a_server_that_is_silent_or_drips_takes_no_longer_than_it_may(
    certs: Certificates, link: ProviderLink
) -> None:
    over = threading.Event()

    def drip() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        while not over.wait(0.02):
            yield b" "

    link = replace(link, seconds=0.4)
    answers = {"localhost/token": drip}
    for context in (None, certs.good.tls):
        with WebServer(context, answers) as server:
            hosts = {f"localhost:{server.port}/token": drip}
            server._answers = hosts
            began = time.monotonic()
            failure = failure_of(link, f"https://localhost:{server.port}/token")
            assert time.monotonic() - began < 5
            over.set()
        assert told(failure) == ("oauth.unreachable", "no answer in time")
        over.clear()


def test_a_cancel_ends_it_at_once(link: ProviderLink) -> None:
    cancel = Cancel()
    with WebServer(None, {}) as server:
        began = time.monotonic()
        threading.Timer(0.1, cancel.cancel).start()
        with pytest.raises(CancelledError):
            link.post(f"https://localhost:{server.port}/token", FORM, cancel)
        assert time.monotonic() - began < 2


def test_a_connection_that_is_closed(certs: Certificates, link: ProviderLink) -> None:
    with WebServer(certs.good.tls, {}) as server:
        server._answers = {f"localhost:{server.port}/token": b""}
        failure = failure_of(link, f"https://localhost:{server.port}/token")
    assert told(failure) == ("oauth.unreachable", "the connection was closed")


def test_a_proxy_of_the_system_is_used(service: SignInService, link: ProviderLink) -> None:
    with ConnectProxy(service.port) as proxy:
        link = replace(link, proxy=lambda _host: f"http://ann:p%40ss@{proxy.url}")
        answer = link.post(f"{service.url}/token", {"grant_type": "client_credentials"}, Cancel())
    assert answer.text("access_token")
    (seen,) = proxy.seen
    assert seen.startswith(f"CONNECT localhost:{service.port} HTTP/1.1\r\n".encode())
    assert base64.b64encode(b"ann:p@ss") in seen
    assert len(service.requests) == 1
    assert b"grant_type" not in seen


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic\r\n\r\n<html>", "proxy_login"),
        (b"HTTP/1.1 403 No\r\n\r\n", "the proxy answered with status 403"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "the proxy answered with status 302"),
        (b"what?\r\n\r\n", "the proxy closed the connection"),
    ],
)
def test_a_proxy_that_lets_nobody_through(
    service: SignInService, link: ProviderLink, answer: bytes, reason: str
) -> None:
    with ConnectProxy(service.port, answer) as proxy:
        link = replace(link, proxy=lambda _host: f"http://ann:s3cret@{proxy.url}")
        failure = failure_of(link, f"{service.url}/token")
    assert told(failure) == ("oauth.unreachable", reason)
    assert service.requests == []


def test_a_proxy_of_another_kind(link: ProviderLink) -> None:
    link = replace(link, proxy=lambda _host: "socks5://127.0.0.1:1")
    failure = failure_of(link, "https://localhost:1/token")
    assert told(failure) == ("oauth.unreachable", "this kind of proxy isn’t supported")


def test_the_proxy_settings_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert system_proxy("login.example.test") == ""
    monkeypatch.setenv("https_proxy", "http://proxy.example.test:3128")
    monkeypatch.setenv("no_proxy", "intranet.example.test")
    assert system_proxy("login.example.test") == "http://proxy.example.test:3128"
    assert system_proxy("intranet.example.test") == ""


@pytest.mark.parametrize("date", [b"", b"Date: soon\r\n", b"Date: Thu, 99 Jan 9999\r\n"])
def test_a_service_that_does_not_tell_the_time(
    certs: Certificates, link: ProviderLink, date: bytes
) -> None:
    head = b"HTTP/1.1 200 OK\r\n" + date + b"Content-Length: 2\r\n\r\n{}"
    with WebServer(certs.good.tls, {}) as server:
        server._answers = {f"localhost:{server.port}/token": head}
        assert link.post(f"https://localhost:{server.port}/token", FORM, Cancel()).ahead is None


def test_what_is_published_is_read(service: SignInService, link: ProviderLink) -> None:
    service.replies["/.well-known/x"] = Reply(content={"issuer": "x"})
    assert link.get(f"{service.url}/.well-known/x", Cancel()).text("issuer") == "x"
