"""One desk: a window that is shown at once, with its content right after the first paint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QLabel

from smtp_desk.ui.main_window import MainWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from smtp_desk.app.opened import Opened
    from smtp_desk.app.services import Services
    from smtp_desk.core.problems import Field
    from smtp_desk.discovery.finder import Network
    from smtp_desk.ui.widgets.slices import Slices
    from smtp_desk.ui.wiring import Workshop
    from smtp_desk.ui.worker import Worker


_MARGIN: Final = 32
_FAULT: Final = (
    "SMTP Desk couldn’t open its settings.\n\n{error}\n\nNothing was changed. Close this window, "
    "fix the problem and open it again. The smtp-desk commands work without a window. See "
    "the log for details."
)


class Desk(QObject):
    """Shows an empty window, and adds its content once that was painted.

    Everything is loaded in the background and built in slices, so that the window keeps responding.

    Attributes:
        window: The window.

    Signals:
        furnished: The pages exist; the saved settings are being read.
        closed: The window was closed.
        sandbox_wanted: Try with the built-in sandbox.
    """

    furnished = Signal()
    closed = Signal()
    sandbox_wanted = Signal()

    def __init__(
        self,
        open_services: Callable[[], Services],
        *,
        sandboxed: bool = False,
        filled: Mapping[Field, str] | None = None,
        opened: Opened | None = None,
        place_file: Path | None = None,
        network: Callable[[], Network] | None = None,
    ) -> None:
        """Create it.

        Args:
            open_services: Called after the first paint in the background, because it is slow.
            sandboxed: Whether the title says Sandbox.
            filled: Values to fill into the form for the person.
            opened: What to show at once on Diagnostics: a report, or why there is none.
            place_file: The file in which the window remembers its place; None to forget it.
            network: What Find settings asks instead of the internet: the sandbox.
        """
        super().__init__()
        self._filled = filled or {}
        self._opened = opened
        self._network = network
        self._open_services = open_services
        self._loader: Worker | None = None
        self._workshop: Workshop | None = None
        self._slices: Slices | None = None
        self._open = True
        self._furnished = False
        self.window: Final = MainWindow(sandboxed=sandboxed, place_file=place_file)
        self.window.painted.connect(self._furnish)
        self.window.closing.connect(self._closing)

    @property
    def workshop(self) -> Workshop:
        """The presenters behind the window; available once it is furnished."""
        if self._workshop is None:
            raise RuntimeError("the desk is not furnished yet")
        return self._workshop

    def close(self) -> None:
        """Cancel what runs, and wait a limited time for it to end."""
        self._stop_building()
        if self._loader is not None:
            self._loader.close()
        if self._workshop is not None:
            self._workshop.close()

    @Slot()
    def _furnish(self) -> None:
        # Imported here: what an empty window does without.
        from smtp_desk.ui.worker import Worker  # noqa: PLC0415

        self._loader = Worker()
        self._loader.run(
            lambda _emit, _cancel: self._load(), on_done=self._loaded, on_error=self._fail
        )

    def _load(self) -> Services:
        """Load in the background what needs no Qt."""
        from smtp_desk.ui.loading import load_rules  # noqa: PLC0415

        load_rules()
        return self._open_services()

    def _loaded(self, services: Services) -> None:
        if not self._open:
            return
        from smtp_desk.ui.widgets.slices import Slices  # noqa: PLC0415

        self._slices = Slices(self, self._fail)
        self._slices.run(self._build(services))

    def _build(self, services: Services) -> Iterator[None]:
        from smtp_desk.ui.loading import load_pages  # noqa: PLC0415

        yield from load_pages()
        # Imported here: loaded by now.
        from smtp_desk.ui.wiring import Workshop  # noqa: PLC0415

        self._workshop = workshop = Workshop(services, self.window, self._network)
        yield
        yield from workshop.furnish()
        workshop.menus.sandbox_wanted.connect(self.sandbox_wanted)
        workshop.start(self._filled)
        if self._opened is not None:
            workshop.opener.show_opened(self._opened)
        self._furnished = True
        self.furnished.emit()
        yield
        yield from workshop.prepare()

    def _fail(self, error: Exception) -> None:
        # Later the form is in use, and what was typed there stays.
        if self._open and not self._furnished:
            self._tell_fault(error)
        raise error

    def _tell_fault(self, error: Exception) -> None:
        """Say in the window why it stays empty, and what can be done."""
        told = QLabel(_FAULT.format(error=f"{type(error).__name__}: {error}"))
        told.setObjectName("furnishing_fault")
        told.setTextFormat(Qt.TextFormat.PlainText)
        told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        told.setWordWrap(True)
        told.setMargin(_MARGIN)
        told.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.window.setCentralWidget(told)
        told.setFocus()

    def _stop_building(self) -> None:
        if self._slices is not None:
            self._slices.stop()

    @Slot()
    def _closing(self) -> None:
        self._open = False
        self._stop_building()
        if self._workshop is not None:
            self._workshop.cancel()
        self.closed.emit()
