"""The demo tells the whole story, and touches nothing real."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtp_desk.cli import demo as demo_module
from smtp_desk.core.texts import CHANGED, SUCCESS, UNREACHABLE
from smtp_desk.sandbox.server import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.cli.desk import Desk


def test_the_story_in_its_order(desk: Desk) -> None:
    ended = desk("demo")
    lines = ended.out.splitlines()
    assert (ended.status, ended.err) == (0, "")
    assert "Sandbox" in lines[0]
    story = [
        "Not configured. System emails wait in the outbox.",
        "[Save is disabled] Send a successful test email first.",
        UNREACHABLE,
        "code: auth.rejected",
        CHANGED,
        SUCCESS,
        "[Save]",
        "[Save is disabled] All changes saved",
        "Active. System emails are sent through localhost.",
        "to: ann@example.org",
        "Not configured. System emails wait in the outbox.",
    ]
    at = 0
    for expected in story:
        at = lines.index(expected, at) + 1


def test_nothing_reaches_the_real_home(desk: Desk, clean_environment: Path) -> None:
    desk("demo")
    assert not clean_environment.exists()


def test_a_story_that_takes_another_turn_is_told_as_a_fault(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_module, "_RECIPIENT", "unknown@example.org")
    ended = desk("demo")
    assert ended.status == 70
    assert "The demo expected: " in ended.err


def test_a_machine_that_gives_no_port(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_self: Sandbox) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(Sandbox, "start", start)
    for command in ("demo", "sandbox"):
        ended = desk(command)
        assert ended.status == 69
        assert "The sandbox can’t start" in ended.err
