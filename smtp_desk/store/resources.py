"""The program's data files: inside an installed wheel, or beside the package."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smtp_desk.core.findings.catalogue import Catalogue
    from smtp_desk.core.findings.providers import Providers
    from smtp_desk.core.oauth import OAuthProvider

_PACKAGE = Path(__file__).resolve().parent.parent


@cache
def resource_path(*names: str) -> Path:
    """Return the path of a file or folder of `resources/`.

    Raises:
        FileNotFoundError: The installation is incomplete.
    """
    for root in (_PACKAGE / "resources", _PACKAGE.parent / "resources"):
        path = root.joinpath(*names)
        if path.exists():
            return path
    raise FileNotFoundError(f"resources/{'/'.join(names)} is missing from this installation")


def read_catalogue() -> "Catalogue":
    """Return the findings and the provider data.

    Raises:
        FileNotFoundError: The installation is incomplete.
    """
    # Imported here, as the next: what wants a template needs none of them.
    from smtp_desk.core.findings.catalogue import Catalogue  # noqa: PLC0415
    from smtp_desk.core.findings.languages import Languages  # noqa: PLC0415
    from smtp_desk.core.findings.senses import Senses  # noqa: PLC0415

    return Catalogue.parse(
        _texts("findings"),
        read_providers(),
        Languages.parse(_texts("languages")),
        Senses.parse(_texts("senses")),
    )


def read_guide(provider: "OAuthProvider") -> str:
    """Return the guide to registering an application with a provider, as Markdown.

    Raises as `read_catalogue`.
    """
    return resource_path("guides", f"{provider}.md").read_text("utf-8")


@cache
def read_providers() -> "Providers":
    """Return the provider data, one object for the whole process.

    Raises as `read_catalogue`.
    """
    from smtp_desk.core.findings.providers import Providers  # noqa: PLC0415

    return Providers.parse(_texts("providers"))


def _texts(folder: str) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(resource_path(folder).glob("*.toml"))]
