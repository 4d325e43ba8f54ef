"""`version`: this one, and with `--check` whether there is a newer one."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest

from smtp_desk import __version__
from smtp_desk.app.updates import updates_https
from smtp_desk.store.stored import Preferences
from tests.app.test_updates import AT, PLACE, listing, sdist
from tests.discovery.configs import Loopback
from tests.servers.web import WebServer, page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.desk import Desk
    from tests.servers.certs import Certificates


@pytest.fixture
def publish(
    desk: Desk, certs: Certificates, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[bytes], WebServer]]:
    """What answers at the address in the settings."""
    servers: list[WebServer] = []

    def start(answer: bytes) -> WebServer:
        server = WebServer(certs.good.tls, {PLACE: answer}).__enter__()
        servers.append(server)
        here = partial(updates_https, ca_pem=certs.root.chain_file.read_text(), port=server.port)
        monkeypatch.setattr("smtp_desk.app.updates.updates_https", here)
        monkeypatch.setattr("smtp_desk.app.updates.SystemResolver", Loopback)
        desk.services.store.save_preferences(Preferences(updates=AT))
        return server

    yield start
    for server in servers:
        server.__exit__()


def test_without_check_nobody_is_asked(desk: Desk, publish: Callable[[bytes], WebServer]) -> None:
    server = publish(page(listing(sdist("99.0"))))
    ended = desk("version")
    assert (ended.status, ended.out, ended.err) == (0, f"SMTP Desk {__version__}\n", "")
    assert server.requests == []


def test_a_newer_version_is_told_with_the_way_to_get_it(
    desk: Desk, publish: Callable[[bytes], WebServer]
) -> None:
    publish(page(listing(sdist("99.0"))))
    ended = desk("version", "--check")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"Version 99.0 is available. You have {__version__}.",
        "Update the checkout with “git pull”, then run “make run”.",
    ]


def test_for_a_script_it_is_a_document(desk: Desk, publish: Callable[[bytes], WebServer]) -> None:
    publish(page(listing(sdist(__version__))))
    ended = desk("version", "--check", "--json")
    assert (ended.status, ended.err) == (0, "")
    assert json.loads(ended.out) == {
        "schema": "smtp-desk/version/1",
        "version": __version__,
        "newest": __version__,
        "newer": False,
        "installation": "checkout",
    }


def test_what_fails_is_told_and_nothing_stands_on_the_output(
    desk: Desk, publish: Callable[[bytes], WebServer]
) -> None:
    publish(page(b"<html>"))
    ended = desk("version", "--check", "--json")
    assert (ended.status, ended.out) == (69, "")
    assert ended.err == (
        f"smtp-desk: Couldn’t check for updates at {AT}. The answer isn’t a list of packages in "
        "JSON (PEP 691).\n"
    )


def test_settings_that_cannot_be_read_are_no_list(desk: Desk) -> None:
    desk.services.paths.settings_file.parent.mkdir(parents=True, exist_ok=True)
    desk.services.paths.settings_file.write_text("broken = ")
    ended = desk("version", "--check")
    assert (ended.status, ended.out) == (78, "")
    assert "The settings file can’t be read" in ended.err


def test_json_is_the_form_of_a_check(desk: Desk) -> None:
    ended = desk("version", "--json")
    assert ended.status == 64
    assert "--json needs --check." in ended.err
