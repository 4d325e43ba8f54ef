"""`default notify`: who is told, kept where secrets are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smtp_desk.app import extras
from smtp_desk.app.extras import Extra
from smtp_desk.app.routes import notifying

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cli.desk import Desk

URLS = b"\ngotifys://gotify.example.org/very-secret\n  jsons://example.org/also-secret \n"
NOTIFY = ("default", "notify")


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _name: object())


def test_nobody_is_told_at_first(desk: Desk) -> None:
    assert desk(*NOTIFY).out == "Notify this address: nobody\nAlerts: none\n"


def test_an_address_and_alerts_are_kept_and_the_urls_shown_nowhere(desk: Desk) -> None:
    ended = desk(*NOTIFY, "--to", " ann@example.org ", "--alerts-stdin", stdin=URLS)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == "Notify this address: ann@example.org\nAlerts: gotifys, jsons\n"
    assert "secret" not in desk.services.paths.settings_file.read_text()
    assert desk.services.store.alerts().reveal().split() == URLS.decode().split()
    assert desk(*NOTIFY).out == ended.out
    assert desk(*NOTIFY, "--to", "", "--alerts-stdin").out == (
        "Notify this address: nobody\nAlerts: none\n"
    )
    assert not desk.services.store.alerts()


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (("--to", "nobody@"), b"", "nobody@"),
        (("--alerts-stdin",), b"json://example.org/secret", "The alert URL is refused"),
        (("--alerts-stdin",), URLS + b"jsons://example.org/?verify=no", "URL 3 is refused"),
        (("--alerts-stdin",), b"\xff\xfe", "is refused"),
    ],
)
def test_what_is_refused_changes_nothing(
    desk: Desk, arguments: Sequence[str], stdin: bytes, said: str
) -> None:
    desk(*NOTIFY, "--to", "ann@example.org", "--alerts-stdin", stdin=URLS)
    before = desk(*NOTIFY).out
    ended = desk(*NOTIFY, *arguments, stdin=stdin)
    assert (ended.status, ended.out) == (65, "")
    assert said in ended.err
    assert "example.org/" not in ended.err
    assert desk(*NOTIFY).out == before


def test_a_test_alert_tells_what_came_of_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    results = {"gotifys": "", "jsons": "no answer within 10 s"}
    monkeypatch.setattr(notifying, "send_alert", lambda *_: list(results.values()))
    desk(*NOTIFY, "--alerts-stdin", stdin=URLS)
    ended = desk(*NOTIFY, "--test")
    assert ended.status == 69
    assert ended.out.splitlines()[2:] == ["gotifys: sent", "jsons: no answer within 10 s"]
    results["jsons"] = ""
    assert desk(*NOTIFY, "--test").status == 0


def test_without_the_part_it_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _name: None)
    ended = desk(*NOTIFY, "--alerts-stdin", stdin=URLS)
    assert ended.status == 69
    assert "alerts" in ended.err
    assert not extras.installed(Extra.ALERTS)
    assert not desk.services.store.alerts()
