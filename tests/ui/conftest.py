"""One theme for all tests of widgets, and a page with a presenter that writes down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QWidget

from smtp_desk.ui.integrations.test_panel import TestPanel
from smtp_desk.ui.integrations.view import IntegrationsView
from smtp_desk.ui.widgets.theme import Theme, theme_of_application
from tests.ui.garbage import garbage_stays_here
from tests.ui.states import EMPTY, FRESH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtCore import QUrl
    from pytestqt.qtbot import QtBot

    from smtp_desk.app.integrations.form_offers import Offer
    from smtp_desk.app.integrations.presenter import IntegrationsPresenter
    from smtp_desk.core.findings.finding import Remedy
    from smtp_desk.core.problems import Field

__all__ = ["garbage_stays_here"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Qt's screenless platform can't raise windows nor give size hints: no fault of ours."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("support (raise|propagateSizeHints)"))


@pytest.fixture(autouse=True)
def _quick_proofs(quick_proofs: None) -> None:
    """No test here is about the cost of a proof."""


W = TypeVar("W", bound=QWidget)


class Recorder:
    """A presenter that only writes down what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def edit(self, field: Field, text: str) -> None:
        self.calls.append(("edit", field, text))

    def finish_editing(self, field: Field) -> None:
        self.calls.append(("finish_editing", field))

    def accept(self, offer: Offer) -> None:
        self.calls.append(("accept", offer))

    def try_again(self) -> None:
        self.calls.append(("try_again",))

    def send_test(self) -> None:
        self.calls.append(("send_test",))

    @property
    def key_file(self) -> Recorder:
        return self

    def choose(self, path: str) -> None:
        self.calls.append(("choose", path))

    def cancel_test(self) -> None:
        self.calls.append(("cancel_test",))

    def save(self, *, overwrite: bool = False) -> None:
        self.calls.append(("save", True) if overwrite else ("save",))

    def discard(self) -> None:
        self.calls.append(("discard",))

    def remove(self) -> None:
        self.calls.append(("remove",))

    def switch(self, on: bool) -> None:
        self.calls.append(("switch", on))

    def apply(self, remedy: Remedy) -> None:
        self.calls.append(("apply", remedy))

    @property
    def trust(self) -> Recorder:
        return self

    def confirm(self, typed: str) -> None:
        self.calls.append(("confirm", typed))

    def dismiss(self) -> None:
        self.calls.append(("dismiss",))


class Stage:
    """The page, its recorder, and short ways to its parts."""

    def __init__(self, view: IntegrationsView) -> None:
        self.view = view
        self.recorder = Recorder()
        view.attach(cast("IntegrationsPresenter", self.recorder))

    @property
    def calls(self) -> list[tuple[Any, ...]]:
        return self.recorder.calls

    def find(self, kind: type[W], name: str) -> W:
        found = self.view.page.findChild(kind, name)
        assert isinstance(found, kind), name
        return found


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = theme_of_application()
    yield made
    # What the test closed waits for its end: each part of it would be drawn anew until then.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    made.prefer("system")


@pytest.fixture
def page(qtbot: QtBot, theme: Theme) -> Stage:
    view = IntegrationsView(theme, test=TestPanel(offer_details=True))
    qtbot.addWidget(view.page)
    stage = Stage(view)
    view.add_shortcuts()
    view.page.resize(800, 1600)
    view.page.show()
    view.page.activateWindow()
    qtbot.waitUntil(view.page.isActiveWindow)
    view.show_draft(FRESH, "")
    view.render(EMPTY)
    return stage


@pytest.fixture
def visited(monkeypatch: pytest.MonkeyPatch) -> list[QUrl]:
    """Websites that would have been opened in the browser."""
    addresses: list[QUrl] = []

    def visit(address: QUrl) -> bool:
        addresses.append(address)
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", visit)
    return addresses
