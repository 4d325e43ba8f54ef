"""Draws every state of the window into PNG files: `python -m tests.ui.screenshots FOLDER`.

The states are made by hand and shown by the real widgets; nothing is read or sent.
`QT_SCALE_FACTOR=2` draws them for a sharp screen.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QApplication, QWidget

from smtp_desk.app.diagnosis import FROM_TEST, DiagnosisState
from smtp_desk.ui.diagnostics.view import DiagnosticsView
from smtp_desk.ui.integrations.view import IntegrationsView
from smtp_desk.ui.main_window import MainWindow
from smtp_desk.ui.menus import Menus
from smtp_desk.ui.navigation import Navigation
from smtp_desk.ui.theme import Theme
from tests.ui import delivery_scenes, email_types_scenes, general_scenes, reports, states

if TYPE_CHECKING:
    from collections.abc import Callable

    from smtp_desk.core.report import CheckReport
    from tests.ui.states import Scene

WIDE = QSize(1040, 780)
TALL = QSize(1040, 1500)
NARROW = QSize(640, 400)


class Studio:
    """Shows scenes and draws them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._application = QApplication.instance() or QApplication([])
        assert isinstance(self._application, QApplication)
        self._theme = Theme(self._application)

    def draw_delivery(
        self,
        name: str,
        scene: Callable[[Path], delivery_scenes.Scene],
        size: QSize,
        *,
        theme: str = "light",
        mirrored: bool = False,
    ) -> None:
        """Draw the Delivery page into delivery_`name`.png."""
        self._theme.prefer(theme)
        direction = Qt.LayoutDirection.RightToLeft if mirrored else Qt.LayoutDirection.LeftToRight
        QApplication.setLayoutDirection(direction)
        with tempfile.TemporaryDirectory() as home:
            window = MainWindow(sandboxed=False)
            shown = scene(Path(home))
            builders = dict.fromkeys(("integrations", "diagnostics", "general"), QWidget)
            navigation = Navigation({**builders, "delivery": lambda: shown.view.page})
            window.setCentralWidget(navigation)
            window.resize(size)
            window.show()
            navigation.open_page("delivery")
            shown.runner.finish()
            shown.table.setFocus()
            for _ in range(3):
                self._application.processEvents()
            window.grab().save(str(self._folder / f"delivery_{name}.png"))
            window.close()

    def draw_email_types(
        self,
        name: str,
        prepare: Callable[[email_types_scenes.Scene], None],
        size: QSize,
        *,
        theme: str = "light",
        mirrored: bool = False,
    ) -> None:
        """Draw the Email types page into email_types_`name`.png."""
        self._theme.prefer(theme)
        direction = Qt.LayoutDirection.RightToLeft if mirrored else Qt.LayoutDirection.LeftToRight
        QApplication.setLayoutDirection(direction)
        with tempfile.TemporaryDirectory() as home:
            window = MainWindow(sandboxed=False)
            scene = email_types_scenes.Scene(Path(home))
            builders = dict.fromkeys(("integrations", "delivery", "diagnostics"), QWidget)
            navigation = Navigation({**builders, "email_types": lambda: scene.view.page})
            window.setCentralWidget(navigation)
            window.resize(size)
            window.show()
            navigation.open_page("email_types")
            prepare(scene)
            scene.finish()
            for _ in range(3):
                self._application.processEvents()
            window.grab().save(str(self._folder / f"email_types_{name}.png"))
            window.close()

    def draw_diagnostics(
        self,
        name: str,
        report: CheckReport,
        size: QSize,
        *,
        theme: str = "light",
        mirrored: bool = False,
    ) -> None:
        """Draw the Diagnostics page into diagnostics_`name`.png."""
        self._theme.prefer(theme)
        direction = Qt.LayoutDirection.RightToLeft if mirrored else Qt.LayoutDirection.LeftToRight
        QApplication.setLayoutDirection(direction)
        window = MainWindow(sandboxed=False)
        view = DiagnosticsView()
        builders = dict.fromkeys(("integrations", "email_types", "delivery", "general"), QWidget)
        navigation = Navigation({**builders, "diagnostics": lambda: view.page})
        window.setCentralWidget(navigation)
        window.resize(size)
        window.show()
        navigation.open_page("diagnostics")
        host = str(report.settings["host"])
        view.render(DiagnosisState(report=report, source=FROM_TEST, own=True, form_host=host))
        view.focus_verdict()
        for _ in range(3):
            self._application.processEvents()
        window.grab().save(str(self._folder / f"diagnostics_{name}.png"))
        window.close()

    def draw_general(
        self,
        name: str,
        prepare: Callable[[general_scenes.Scene], None],
        size: QSize,
        *,
        theme: str = "light",
        mirrored: bool = False,
    ) -> None:
        """Draw the General page into general_`name`.png."""
        self._theme.prefer(theme)
        direction = Qt.LayoutDirection.RightToLeft if mirrored else Qt.LayoutDirection.LeftToRight
        QApplication.setLayoutDirection(direction)
        with tempfile.TemporaryDirectory() as home:
            window = MainWindow(sandboxed=False)
            scene = general_scenes.Scene(Path(home))
            builders = dict.fromkeys(("integrations", "delivery", "diagnostics"), QWidget)
            navigation = Navigation({**builders, "general": lambda: scene.page})
            window.setCentralWidget(navigation)
            window.resize(size)
            window.show()
            navigation.open_page("general")
            prepare(scene)
            for _ in range(3):
                self._application.processEvents()
            window.grab().save(str(self._folder / f"general_{name}.png"))
            window.close()

    def draw(
        self, name: str, scene: Scene, size: QSize, *, theme: str = "light", mirrored: bool = False
    ) -> None:
        """Draw `scene` into `name`.png."""
        self._theme.prefer(theme)
        direction = Qt.LayoutDirection.RightToLeft if mirrored else Qt.LayoutDirection.LeftToRight
        QApplication.setLayoutDirection(direction)
        view = IntegrationsView(self._theme, offer_details=True)
        window = MainWindow(sandboxed=False)
        menus = Menus(window, sandboxed=False)
        navigation = Navigation({"integrations": lambda: view.page, "general": QWidget})
        window.setCentralWidget(navigation)
        window.resize(size)
        window.show()
        navigation.open_page("integrations")
        view.show_draft(scene.draft, scene.recipient)
        view.render(scene.state)
        view.banner.show_outage(scene.outage)
        self._application.processEvents()
        if scene.focus is not None:
            view.focus_field(scene.focus)
        elif scene.state.outcome is not None:
            view.focus_outcome()
        self._application.processEvents()
        window.grab().save(str(self._folder / f"{name}.png"))
        window.close()
        menus.deleteLater()


def main() -> None:
    """Draw everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    studio = Studio(arguments.folder)
    for name, scene in states.SCENES.items():
        if arguments.only not in name:
            continue
        studio.draw(name, scene, TALL)
        studio.draw(f"{name}_window", scene, WIDE)
        studio.draw(f"{name}_dark", scene, TALL, theme="dark")
        studio.draw(f"{name}_narrow", scene, NARROW)
        studio.draw(f"{name}_rtl", scene, TALL, mirrored=True)
    for name, made in delivery_scenes.SCENES.items():
        if arguments.only not in f"delivery_{name}":
            continue
        studio.draw_delivery(name, made, WIDE)
        studio.draw_delivery(f"{name}_dark", made, WIDE, theme="dark")
        studio.draw_delivery(f"{name}_tall", made, TALL)
        studio.draw_delivery(f"{name}_narrow", made, NARROW)
        studio.draw_delivery(f"{name}_rtl", made, WIDE, mirrored=True)
    for name, prepare in email_types_scenes.SCENES.items():
        if arguments.only not in f"email_types_{name}":
            continue
        studio.draw_email_types(name, prepare, TALL)
        studio.draw_email_types(f"{name}_window", prepare, WIDE)
        studio.draw_email_types(f"{name}_dark", prepare, TALL, theme="dark")
        studio.draw_email_types(f"{name}_narrow", prepare, NARROW)
        studio.draw_email_types(f"{name}_rtl", prepare, TALL, mirrored=True)
    for name, report in reports.REPORTS.items():
        if arguments.only not in f"diagnostics_{name}":
            continue
        studio.draw_diagnostics(name, report, TALL)
        studio.draw_diagnostics(f"{name}_window", report, WIDE)
        studio.draw_diagnostics(f"{name}_dark", report, TALL, theme="dark")
        studio.draw_diagnostics(f"{name}_narrow", report, NARROW)
        studio.draw_diagnostics(f"{name}_rtl", report, TALL, mirrored=True)
    for name, arranged in general_scenes.SCENES.items():
        if arguments.only not in f"general_{name}":
            continue
        studio.draw_general(name, arranged, TALL)
        studio.draw_general(f"{name}_dark", arranged, WIDE, theme="dark")
        studio.draw_general(f"{name}_narrow", arranged, NARROW)
        studio.draw_general(f"{name}_rtl", arranged, WIDE, mirrored=True)


if __name__ == "__main__":
    main()
