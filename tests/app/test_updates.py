"""The check for updates: what is asked, what is made of the answer, and every way it can fail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk import __version__
from smtp_desk.app.installation import Installation
from smtp_desk.app.services import Services
from smtp_desk.app.updates import (
    Updates,
    UpdatesError,
    find_updates,
    newest_release,
    updates_https,
)
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from smtp_desk.store.stored import Preferences
from tests.discovery.configs import Loopback
from tests.servers.certs import Certificates, Identity
from tests.servers.ports import free_port
from tests.servers.web import Answers, WebServer, page, redirect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

AT: Final = "https://mail.example.test/simple/smtp-desk/"
PLACE: Final = "mail.example.test/simple/smtp-desk/"
FAILED: Final = f"Couldn’t check for updates at {AT}. "
NO_LIST: Final = "The answer isn’t a list of packages in JSON (PEP 691)."
NO_RELEASE: Final = "No release of SMTP Desk is listed there."


def listing(*names: str, yanked: Sequence[str] = ()) -> bytes:
    """A list of files as an index of packages gives it."""
    files = [{"filename": name, "yanked": name in yanked and "broken"} for name in names]
    meta = {"api-version": "1.1"}
    return json.dumps({"meta": meta, "name": "smtp-desk", "files": files}).encode()


def sdist(version: str) -> str:
    return f"smtp_desk-{version}.tar.gz"


def wheel(version: str) -> str:
    return f"smtp_desk-{version}-py3-none-any.whl"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    made = Services.sandbox(tmp_path)
    made.store.save_preferences(Preferences(updates=AT))
    return made


def check(
    services: Services,
    certs: Certificates,
    answers: Answers,
    *,
    identity: Identity | None = None,
) -> tuple[Updates, list[str]]:
    with WebServer((identity or certs.good).tls, answers) as server:
        https = updates_https(Loopback(), certs.root.chain_file.read_text(), server.port)
        return find_updates(services, Cancel(), https=https), server.requests


def why(services: Services, certs: Certificates, answer: bytes, **how: Identity | None) -> str:
    with pytest.raises(UpdatesError) as raised:
        check(services, certs, {PLACE: answer}, **how)
    text = str(raised.value)
    assert text.startswith(FAILED)
    return text.removeprefix(FAILED)


def test_a_newer_version_is_told(services: Services, certs: Certificates) -> None:
    names = [sdist("0.0.9"), wheel(__version__), wheel("99.0"), sdist("99.0")]
    found, requests = check(services, certs, {PLACE: page(listing(*names))})
    assert found == Updates(__version__, "99.0", newer=True)
    assert requests == [PLACE]


def test_the_request_says_nothing_of_who_asks(services: Services, certs: Certificates) -> None:
    with WebServer(certs.good.tls, {PLACE: page(listing(sdist("1.0")))}) as server:
        https = updates_https(Loopback(), certs.root.chain_file.read_text(), server.port)
        find_updates(services, Cancel(), https=https)
    assert b"".join(server.heads) == (
        b"GET /simple/smtp-desk/ HTTP/1.1\r\nHost: mail.example.test\r\n"
        b"Accept: application/vnd.pypi.simple.v1+json\r\nAccept-Encoding: identity\r\n"
        b"Connection: close\r\n"
    )


def test_unless_the_settings_name_an_address_nobody_is_asked(tmp_path: Path) -> None:
    asked = list[str]()

    class Resolver:
        def resolve(self, host: str, *_: object) -> tuple[str, ...]:
            asked.append(host)
            return ("127.0.0.1",)

    https = updates_https(Resolver(), port=free_port())
    with pytest.raises(UpdatesError) as raised:
        find_updates(Services.sandbox(tmp_path), Cancel(), https=https)
    assert asked == []
    assert str(raised.value) == (
        'No address to check for updates is set. Put updates = "https://…/simple/smtp-desk/", an '
        "index of packages that you trust, into the section [preferences] of settings.toml."
    )


def test_a_server_that_is_away(services: Services) -> None:
    https = updates_https(Loopback(), port=free_port())
    with pytest.raises(UpdatesError) as raised:
        find_updates(services, Cancel(), https=https)
    assert str(raised.value) == f"{FAILED}The server can’t be reached. Is this computer online?"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"<!DOCTYPE html><html><body>Links for smtp-desk</body></html>", NO_LIST),
        (b"", NO_LIST),
        (b"\xff\xfe{}", NO_LIST),
        (b"[1, 2]", NO_LIST),
        (b"null", NO_LIST),
        (b'{"files": {"smtp_desk-9.tar.gz": 1}}', NO_LIST),
        (b'{"info": {"version": "9.0"}}', NO_LIST),
        (b"[" * 100_000, NO_LIST),
        (b'{"files": [' + b"9" * 5000 + b"]}", NO_LIST),
        (b'{"files": []}', NO_RELEASE),
        (b'{"files": [1, null, "x", [], {}, {"filename": 7}, {"filename": null}]}', NO_RELEASE),
        (listing(sdist("99.0rc1"), wheel("99.0.dev3"), sdist("99.0a1.dev1")), NO_RELEASE),
        (listing(sdist("garbage"), sdist("9"), yanked=[sdist("9")]), NO_RELEASE),
        (listing(sdist("1!9.0"), sdist("9.0+here"), sdist("v9"), sdist("9..0")), NO_RELEASE),
        (listing(sdist("９.0"), sdist("9" * 40), sdist("../../9.0"), sdist("9.0\n")), NO_RELEASE),
        (listing("other-9.0.tar.gz", "smtp_desk-9.0.zip", "smtp_desk-9.0.exe"), NO_RELEASE),
    ],
)
def test_what_is_no_list_of_versions_is_told(
    services: Services, certs: Certificates, content: bytes, text: str
) -> None:
    assert why(services, certs, page(content)) == text


def test_an_answer_of_10_mb_is_not_read_to_its_end(services: Services, certs: Certificates) -> None:
    content = b"[" + b" " * 10_000_000 + b"]"
    assert why(services, certs, page(content)) == "The answer is larger than 1 MiB."


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            redirect("https://elsewhere.example/list"),
            "It redirects to https://elsewhere.example/list, which isn’t followed.",
        ),
        (
            redirect("http://mail.example.test/"),
            "It redirects to http://mail.example.test/, which isn’t followed.",
        ),
        (
            redirect("/other"),
            "It redirects to https://mail.example.test/other, which isn’t followed.",
        ),
        (page(b"", status="404 Not Found"), "There is no list of versions at this address."),
        (page(b"", status="503 Busy"), "The server refused with status 503."),
        (b"220 mail.example.test ESMTP\r\n", "The answer isn’t a complete web page."),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{}",
            "The answer isn’t a complete web page.",
        ),
    ],
)
def test_an_answer_that_is_none_is_told(
    services: Services, certs: Certificates, answer: bytes, text: str
) -> None:
    assert why(services, certs, answer) == text


@pytest.mark.parametrize("which", ["expired", "wrong_host", "self_signed", "unknown_issuer"])
def test_nobody_is_believed_without_the_right_certificate(
    services: Services, certs: Certificates, which: str
) -> None:
    answer = page(listing(sdist("99.0")))
    assert why(services, certs, answer, identity=getattr(certs, which)) == (
        "The server’s certificate or encryption can’t be trusted."
    )


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("http://mail.example.test/", "Only addresses that begin with https:// are asked."),
        ("mail.example.test", "This isn’t a valid https address."),
        ("file:///etc/passwd", "This isn’t a valid https address."),
        ("https://ann:secret@mail.example.test/", "This isn’t a valid https address."),
    ],
)
def test_an_address_that_is_none_is_told(services: Services, address: str, text: str) -> None:
    services.store.save_preferences(Preferences(updates=address))
    with pytest.raises(UpdatesError) as raised:
        find_updates(services, Cancel())
    assert str(raised.value).endswith(f". {text}")


def test_a_check_is_cancelled(services: Services) -> None:
    cancel = Cancel()

    class Resolver:
        def resolve(self, host: str, *_: object) -> tuple[str, ...]:
            cancel.cancel()
            return ("127.0.0.1",)

    with WebServer(None, {}) as server, pytest.raises(CancelledError):
        find_updates(services, cancel, https=updates_https(Resolver(), port=server.port))


@pytest.mark.parametrize(
    ("versions", "text"),
    [
        (("1.0", "1.0.1"), "Version 1.0.1 is available. You have 1.0."),
        (("1.9", "1.10"), "Version 1.10 is available. You have 1.9."),
        (("2.0rc1", "2.0"), "Version 2.0 is available. You have 2.0rc1."),
        (("2.0.dev3", "2.0.0"), "Version 2.0.0 is available. You have 2.0.dev3."),
        (("1.0", "1.0.0"), "You have the newest version, 1.0."),
        (("1.1+local", "1.1"), "You have the newest version, 1.1+local."),
        (("1.2", "1.1"), "You have 1.2. The newest release is older: 1.1."),
        (("2.0rc1", "1.9"), "You have 2.0rc1. The newest release is older: 1.9."),
    ],
)
def test_versions_are_compared_by_their_numbers(
    services: Services,
    certs: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    versions: tuple[str, str],
    text: str,
) -> None:
    running, newest = versions
    monkeypatch.setattr("smtp_desk.app.updates.__version__", running)
    found, _ = check(services, certs, {PLACE: page(listing(sdist(newest), sdist("0.1")))})
    lines = found.lines(Installation.PIPX)
    advice = ("Update it with “pipx upgrade smtp-desk”.",)
    assert lines == (text, *(advice if found.newer else ()))
    assert found.newer is text.startswith("Version ")


def test_a_withdrawn_version_is_not_offered() -> None:
    names = [sdist("1.0"), sdist("2.0"), wheel("2.0")]
    assert newest_release(listing(*names, yanked=names[1:])) == "1.0"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_answer_is_more_than_a_list_or_an_error(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"PEP 691|No release"):
        newest_release(octets)
