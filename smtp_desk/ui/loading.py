"""What the pages need, loaded after the first paint so that the window answers meanwhile."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

_RULES: Final = (
    *(f"smtp_desk.app.{page}.presenter" for page in ("integrations", "diagnostics", "delivery")),
    *(
        f"smtp_desk.app.{page}.presenter"
        for page in ("general", "email_types", "proposals", "arrived")
    ),
    "email_validator",
)
"""What decides behind the pages, with what it would load itself at the first address."""
_PAGES: Final = (
    "widgets",
    "integrations",
    "diagnostics",
    "delivery",
    "general",
    "email_types",
    "arrived",
)
"""The packages of the pages, what others use first."""


def load_rules() -> None:
    """Load what decides behind the pages. It knows no Qt, so that any thread may do it."""
    for module in _RULES:
        import_module(module)


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
