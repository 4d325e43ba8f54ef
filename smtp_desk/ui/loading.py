"""What the pages need, loaded after the first paint so that the window answers meanwhile."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

_PAGES: Final = ("widgets", "integrations", "diagnostics", "delivery", "general", "email_types")
"""The packages of the pages, what others use first."""


def load_rules() -> None:
    """Load what decides behind the pages. It knows no Qt, so that any thread may do it."""
    # Imported here: all of it is too much for the time before the first paint.


def load_pages() -> Iterator[None]:
    """Load the classes of the pages, a module a slice.

    In the thread of the window only: Qt's binding keeps the types it makes in a table without a
    lock, and the window looks into it, without Python's lock, whenever a screen reader asks.
    """
    for package in _PAGES:
        folder = str(Path(__file__).parent / package)
        for module in iter_modules([folder], f"smtp_desk.ui.{package}."):
            import_module(module.name)
            yield
