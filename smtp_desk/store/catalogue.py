"""The catalogue of findings, read from the tables in `resources/`."""

from smtp_desk.core.catalogue import Catalogue
from smtp_desk.core.providers import Providers
from smtp_desk.store.resources import resource_path


def read_catalogue() -> Catalogue:
    """Return the findings and what is known of providers.

    Raises:
        FileNotFoundError: The installation is incomplete.
    """
    return Catalogue.parse(_texts("findings"), read_providers())


def read_providers() -> Providers:
    """Return what is known of providers; raises as `read_catalogue`."""
    return Providers.parse(_texts("providers"))


def _texts(folder: str) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(resource_path(folder).glob("*.toml"))]
