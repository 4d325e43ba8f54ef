"""What is said where a part of the program isn't installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.delivery.words import outbox_trouble
from smtp_desk.app.extras import Extra, installed, missing_text
from smtp_desk.app.startup import missing_for_window
from smtp_desk.sender.outbox.outbox import OutboxPartMissingError
from smtp_desk.store.resources import read_catalogue
from tests.cli.desk import Desk

if TYPE_CHECKING:
    from pathlib import Path

MODULES = {"desk": "PySide6", "sandbox": "aiosmtpd", "alerts": "apprise", "postgres": "psycopg"}


@pytest.fixture
def without(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Extra:
    extra = Extra(request.param)
    monkeypatch.setitem(sys.modules, MODULES[extra], None)
    return extra


@pytest.mark.parametrize("without", list(MODULES), indirect=True)
def test_one_that_is_missing_is_named_with_the_way_to_get_it(without: Extra) -> None:
    assert [extra for extra in Extra if not installed(extra)] == [without]
    text = missing_text(without, read_catalogue())
    assert f"“{without}”" in text
    assert text.endswith(f'python -m pip install "smtp-desk[{without}]"')


def test_an_outbox_that_lacks_its_part_says_so_in_the_same_words() -> None:
    told = outbox_trouble(OutboxPartMissingError("no psycopg"))
    assert told == missing_text(Extra.POSTGRES, read_catalogue())


@pytest.mark.parametrize("without", ["desk"], indirect=True)
@pytest.mark.parametrize("environ", [{}, {"DISPLAY": ":0"}, {"QT_QPA_PLATFORM": "offscreen"}])
def test_the_window_names_itself_before_a_display(without: Extra, environ: dict[str, str]) -> None:
    lacking = missing_for_window(environ)
    assert lacking is not None
    assert lacking.status == 69
    assert "smtp-desk[desk]" in lacking.text


@pytest.mark.parametrize("without", ["sandbox"], indirect=True)
@pytest.mark.parametrize("command", ["sandbox", "demo"])
def test_commands_that_lack_the_sandbox(without: Extra, command: str, tmp_path: Path) -> None:
    ended = Desk(tmp_path)(command)
    assert (ended.status, ended.out) == (69, "")
    assert "smtp-desk[sandbox]" in ended.err
