"""The window: navigation at the left, one page at a time. It knows no rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QWidget,
)

from smtp_desk import __version__
from smtp_desk.ui.card import column
from smtp_desk.ui.icons import SIZE, app_icon, pixmap
from smtp_desk.ui.label import Label
from smtp_desk.ui.theme import Space

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtGui import QCloseEvent, QPaintEvent, QResizeEvent

TITLE: Final = "SMTP Desk"
_SIZE: Final = QSize(1040, 780)
_NARROW: Final = 820
_ABOUT: Final = (
    "Configures, proves and diagnoses the SMTP server that a platform’s system emails leave "
    "through.\n\nMIT licence."
)


PAGES: Final[Mapping[str, str]] = {"integrations": "Integrations", "general": "General"}
"""The pages of the navigation: `objectName`, which is the icon's name too, and title."""


class MainWindow(QMainWindow):
    """The window of the desk.

    Signals:
        painted: The window was painted for the first time: now heavy things may load.
        sandbox_wanted: Try with the built-in sandbox.
        closing: The window closes.
    """

    painted = Signal()
    sandbox_wanted = Signal()
    closing = Signal()

    def __init__(self, *, sandboxed: bool) -> None:
        super().__init__()
        self._builders: Mapping[str, Callable[[], QWidget]] = {}
        self._built: dict[str, QWidget] = {}
        self._seen = False
        self._narrow: bool | None = None
        self.setWindowTitle(f"{TITLE} — Sandbox" if sandboxed else TITLE)
        self.setWindowIcon(app_icon())
        self._navigation = _navigation()
        self._navigation.currentRowChanged.connect(self._chosen)
        self._header = Label("Settings", "title")
        self._sidebar = self._make_sidebar()
        self._stack = QStackedWidget()
        self._waiting = QWidget()
        self._waiting.setObjectName("page")
        self._stack.addWidget(self._waiting)
        edge = QFrame()
        edge.setObjectName("sidebar_edge")
        edge.setFixedWidth(1)
        middle = QWidget()
        layout = QHBoxLayout(middle)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._sidebar)
        layout.addWidget(edge)
        layout.addWidget(self._stack, 1)
        self.setCentralWidget(middle)
        self._make_menus(sandboxed=sandboxed)
        self._draw_icons()
        self.resize(_SIZE)

    def furnish(self, builders: Mapping[str, Callable[[], QWidget]]) -> None:
        """From now on pages can be opened; each is built when it is first shown."""
        self._builders = builders

    def open_page(self, name: str) -> QWidget:
        """Show a page, made now if this is the first time."""
        if name not in self._built:
            self._built[name] = self._builders[name]()
            self._stack.addWidget(self._built[name])
        page = self._built[name]
        self._stack.setCurrentWidget(page)
        row = list(PAGES).index(name)
        if self._navigation.currentRow() != row:
            self._navigation.setCurrentRow(row)
        return page

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell of the first time."""
        super().paintEvent(event)
        if not self._seen:
            self._seen = True
            QTimer.singleShot(0, self.painted.emit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave only icons in the navigation of a narrow window."""
        super().resizeEvent(event)
        self._fold_navigation(narrow=event.size().width() < _NARROW)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the navigation's icons in the colours of a new scheme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.StyleChange:
            self._draw_icons()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell whoever works for this window."""
        self.closing.emit()
        super().closeEvent(event)

    def _make_sidebar(self) -> QWidget:
        sidebar = QFrame()
        sidebar.setObjectName("sidebar")
        layout = column(sidebar, Space.M)
        layout.setContentsMargins(Space.S, Space.XL, Space.S, Space.S)
        self._header.setContentsMargins(Space.S, 0, Space.S, 0)
        self._header.setWordWrap(False)
        self._header.setBuddy(self._navigation)
        layout.addWidget(self._header)
        layout.addWidget(self._navigation, 1)
        return sidebar

    def _make_menus(self, *, sandboxed: bool) -> None:
        file = self.menuBar().addMenu("&File")
        leave = QAction("&Quit", self)
        leave.setShortcut("Ctrl+Q")
        leave.setMenuRole(QAction.MenuRole.QuitRole)
        leave.triggered.connect(self.close)
        file.addAction(leave)
        menu = self.menuBar().addMenu("&Help")
        if not sandboxed:
            sandbox = QAction("&Try with the built-in sandbox", self)
            sandbox.setObjectName("try_sandbox")
            sandbox.triggered.connect(self.sandbox_wanted)
            menu.addAction(sandbox)
            menu.addSeparator()
        about = QAction("&About SMTP Desk", self)
        about.setMenuRole(QAction.MenuRole.AboutRole)
        about.triggered.connect(self._about)
        menu.addAction(about)

    def _fold_navigation(self, *, narrow: bool) -> None:
        if narrow == self._narrow:
            return
        self._narrow = narrow
        self._header.setVisible(not narrow)
        for row, title in enumerate(PAGES.values()):
            item = self._navigation.item(row)
            item.setText("" if narrow else title)
            item.setToolTip(title if narrow else "")
        em = self.fontMetrics().height()
        icon_only = SIZE + 2 * Space.L + 2 * Space.S
        widest = max(self.fontMetrics().horizontalAdvance(title) for title in PAGES.values())
        self._sidebar.setFixedWidth(icon_only if narrow else max(widest + 5 * em, 12 * em))

    def _draw_icons(self) -> None:
        colour = self.palette().color(self.foregroundRole())
        for row, name in enumerate(PAGES):
            icon = QIcon(pixmap(name, colour, SIZE, self.devicePixelRatioF()))
            # The same in every state: Qt would tint the icon of the chosen page.
            icon.addPixmap(
                pixmap(name, colour, SIZE, self.devicePixelRatioF()), QIcon.Mode.Selected
            )
            self._navigation.item(row).setIcon(icon)

    @Slot(int)
    def _chosen(self, row: int) -> None:
        if self._builders and row >= 0:
            self.open_page(list(PAGES)[row])

    @Slot()
    def _about(self) -> None:
        box = QMessageBox(self)
        box.setObjectName("about")
        box.setWindowTitle(f"About {TITLE}")
        box.setIconPixmap(app_icon().pixmap(64, 64))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(f"{TITLE} {__version__}")
        box.setInformativeText(_ABOUT)
        box.finished.connect(box.deleteLater)
        box.open()


def _navigation() -> QListWidget:
    navigation = QListWidget()
    navigation.setObjectName("navigation")
    navigation.setAccessibleName("Settings")
    navigation.setIconSize(QSize(SIZE, SIZE))
    navigation.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    navigation.setFrameShape(QFrame.Shape.NoFrame)
    for title in PAGES.values():
        item = QListWidgetItem(title)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, title)
        navigation.addItem(item)
    navigation.setCurrentRow(0)
    return navigation
