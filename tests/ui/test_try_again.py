"""Where the focus is after Try again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QApplication, QPushButton

from smtp_desk.app.integrations.state import IntegrationsState
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.problems import Field
from tests.ui.states import ACTIVE, UNAVAILABLE

if TYPE_CHECKING:
    from tests.ui.conftest import Stage

OUT = IntegrationsState(status=UNAVAILABLE)


def focused() -> str:
    widget = QApplication.focusWidget()
    return widget.objectName() if widget is not None else ""


@pytest.mark.parametrize("works", [False, True])
def test_after_try_again_the_focus_is_on_nothing_that_acts_unasked(
    page: Stage, *, works: bool
) -> None:
    """Not on the switch below the banner, which Space would turn off."""
    show = page.view.render
    show(OUT)
    page.find(QPushButton, "try_again").setFocus()
    show(replace(OUT, busy=Busy.TRYING))
    assert focused() == "outage_line"
    if works:
        show(IntegrationsState(status=ACTIVE))
        assert focused() == "status"
    else:
        show(replace(OUT, outage_notice=Notice("Still unavailable.", error=True)))
        assert focused() == "try_again"


def test_an_outage_that_ends_takes_the_focus_from_nobody(page: Stage) -> None:
    page.view.render(OUT)
    page.view.focus_field(Field.HOST)
    page.view.render(replace(OUT, busy=Busy.TRYING))
    page.view.render(IntegrationsState(status=ACTIVE))
    assert focused() == "host"
