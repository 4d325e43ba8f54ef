"""Alerts: few services, over TLS, to no other place than a person said, and delaying nobody."""

from __future__ import annotations

import errno
import json
import os
import selectors
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, NoReturn

import pytest

from smtp_desk.core.secret import Secret
from smtp_desk.sender.alerts import Alerts, AlertUrlError, parse_alert_urls, send_alert
from smtp_desk.store.credentials import CredentialsUnavailableError, UnavailableReason
from tests.servers.waiting import wait_until
from tests.table import each_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.certs import Certificates

apprise = pytest.importorskip("apprise", reason="for want of apprise: not installed")

SLOW_S: Final = 60.0
ALLOWED: Final = (
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general?footer=no",
    "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "workflows://prod.westus.logic.azure.com:443/643e69f83c8944/gAkSdTcQ/",
    "ntfys://ntfy.example.org/topic?priority=high&tags=x",
    "gotifys://gotify.example.org/token",
    "JSONS://user:pass@example.org:8443/path",
)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_allowed_is_known_to_apprise() -> None:
    assert parse_alert_urls(Secret("\n".join(("", *ALLOWED, " ")))) == ALLOWED
    for url in ALLOWED:
        assert apprise.Apprise.instantiate(url) is not None


@each_row(
    ("url", "why"),
    [
        *((f"{scheme}://example.org/x", "schemes") for scheme in
          ("json", "ntfy", "gotify", "https", "mailto", "mailtos", "file", "exec", "syslog",
           "dbus", "macosx", "windows", "xmls", "form", "tgram", "")),
        ("example.org", "schemes"),
        ("jsons:///etc/passwd", "names no service"),
        *((f"{url}{parameter}", "isn’t allowed") for url, parameter in (
            ("jsons://example.org/?", "verify=no"),
            ("jsons://example.org/?", "VERIFY=No"),
            ("jsons://example.org/?", "%76erify=no"),
            ("ntfys://example.org/t?", "priority=high&verify=false"),
            ("ntfys://example.org/t?", "attach=/etc/passwd"),
            ("jsons://example.org/?", "rto=9999"),
            ("jsons://example.org/?", "method=get"),
            ("jsons://example.org/?", "+X-Header=1"),
            ("jsons://example.org/?", ":payload=1"),
            ("gotifys://example.org/t?", "overflow=split"),
            ("discord://1/2?", "url=http://example.org"),
        )),
        ("ntfys://example.org/t?priority=high&verify", "can’t be read"),
        ("jsons://[::1/x", "can’t be read"),
        ("jsons://example.org/\x01", "control"),
        (f"jsons://example.org/{'x' * 3000}", "too long"),
    ],
)  # fmt: skip
def test_all_else_is_refused_without_being_shown(url: str, why: str) -> None:
    with pytest.raises(AlertUrlError, match=why) as caught:
        parse_alert_urls(Secret(f"{ALLOWED[0]}\n{url}"))
    assert str(caught.value).startswith("Alert URL 2 is refused")
    assert "example.org" not in str(caught.value)


def test_too_many_are_refused() -> None:
    with pytest.raises(AlertUrlError, match="At most 10"):
        parse_alert_urls(Secret("\n".join([ALLOWED[0]] * 11)))


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, HookServer)
        length = int(self.headers["Content-Length"])
        server.taken.append((self.path, json.loads(self.rfile.read(length))))
        if self.path == "/hang":
            server.over.wait(60)
        if self.path == "/elsewhere":
            self.send_response(307)
            self.send_header("Location", f"https://localhost:{server.server_port}/other")
        else:
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class HookServer(ThreadingHTTPServer):
    """Takes what is posted over TLS."""

    daemon_threads = True

    def __init__(self, certs: Certificates) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.taken: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()
        self.socket = certs.good.tls.wrap_socket(self.socket, server_side=True)

    def url(self, path: str) -> str:
        return f"jsons://localhost:{self.server_port}/{path}"

    def handle_error(self, *_: object) -> None:
        """A client that trusts nobody, or was killed."""


@pytest.fixture
def hook(certs: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[HookServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certs.root.chain_file))
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with HookServer(certs) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def test_an_alert_arrives_and_no_redirect_is_followed(hook: HookServer) -> None:
    urls = (hook.url("here"), hook.url("elsewhere"), "slack://bad")
    here, elsewhere, bad = send_alert(urls, "Title", "Body ü")
    assert here == ""
    assert "refused" in elsewhere
    assert "doesn’t know" in bad
    assert sorted(path for path, _ in hook.taken) == ["/elsewhere", "/here"]
    (posted,) = (posted for path, posted in hook.taken if path == "/here")
    assert (posted["title"], posted["message"]) == ("Title", "Body ü")


def test_a_certificate_that_is_not_trusted_ends_it(
    hook: HookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "can’t be reached" in send_alert((hook.url("here"),), "Title", "Body")[0]
    assert hook.taken == []


class OneAnswer(subprocess.Popen[bytes]):
    """A process whose time is up as soon as it has told of one service, and `time_is_up` is set."""

    time_is_up = threading.Event()

    def communicate(
        self,
        input: bytes | None = None,  # noqa: A002 - its name in the class above
        timeout: float | None = None,
    ) -> tuple[bytes, bytes]:
        if timeout is None:
            return super().communicate()
        assert self.stdin is not None
        assert self.stdout is not None
        self.stdin.write(input or b"")
        self.stdin.close()
        self.stdin = None
        with selectors.DefaultSelector() as told:
            told.register(self.stdout, selectors.EVENT_READ)
            told.select()
        assert self.time_is_up.wait(SLOW_S)
        raise subprocess.TimeoutExpired(self.args, timeout)


def test_a_service_that_hangs_is_left_and_the_others_are_told(
    hook: HookServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    OneAnswer.time_is_up.clear()
    monkeypatch.setattr(subprocess, "Popen", OneAnswer)
    Alerts(lambda: Secret("")).send((hook.url("hang"), hook.url("here")), "Title", "Body")
    assert "not sent" not in caplog.text, "nobody waited for it"
    wait_until(lambda: len(hook.taken) == 2, "both are asked")
    OneAnswer.time_is_up.set()
    wait_until(lambda: "alert 1 was not sent: no answer" in caplog.text, "the limit of time")
    assert "alert 2" not in caplog.text
    assert sorted(path for path, _ in hook.taken) == ["/hang", "/here"]
    assert "localhost" not in caplog.text


def test_what_can_not_be_read_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def locked() -> Secret:
        raise CredentialsUnavailableError(UnavailableReason.LOCKED, "The keyring is locked.")

    assert Alerts(locked).urls() == ()
    assert Alerts(lambda: Secret("json://secret.example")).urls() == ()
    assert "The keyring is locked." in caplog.text
    assert "secret.example" not in caplog.text


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.ENOENT])
def test_a_machine_without_room_for_a_process_says_so(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(subprocess, "Popen", refuse)
    problem = f"no process is to be had: {os.strerror(number)}"
    assert send_alert(["json://one", "json://two"], "x", "y") == [problem, problem]
