"""The program's data files: inside an installed wheel, or beside the package."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from smtp_desk.core.findings.catalogue import Catalogue
    from smtp_desk.core.findings.providers import Providers
    from smtp_desk.core.findings.ready import ReadyTables
    from smtp_desk.core.oauth import OAuthProvider

READY: Final = "ready.tables"
"""What the build makes of the tables, in `resources/`."""

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_MAKERS: Final = ("making", "needles", "pattern", "vocabulary")


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


def is_checkout() -> bool:
    """Whether the program runs where it is developed, with its resources beside the package."""
    return not (_PACKAGE / "resources").exists()


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
        read_texts("findings"),
        read_providers(),
        Languages.parse(read_texts("languages"), _ready().load),
        Senses.parse(read_texts("senses"), _ready().load),
        _ready().load,
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

    return Providers.parse(read_texts("providers"), _ready().load)


@cache
def _ready() -> "ReadyTables":
    from smtp_desk.core.findings.ready import ReadyTables  # noqa: PLC0415

    return ReadyTables(_read_ready)


def _read_ready() -> tuple[bytes, str]:
    try:
        return resource_path(READY).read_bytes(), read_maker()
    except OSError:  # nothing was built in this checkout
        return b"", ""


def read_maker() -> str:
    """Return the code that takes patterns apart; "" in a bundle, which holds it compiled."""
    folder = _PACKAGE / "core" / "findings"
    try:
        return "".join((folder / f"{name}.py").read_text("utf-8") for name in _MAKERS)
    except OSError:
        return ""


def read_texts(folder: str) -> list[str]:
    """Return the TOML texts of a folder of `resources/`.

    Raises as `read_catalogue`.
    """
    return [path.read_text("utf-8") for path in sorted(resource_path(folder).glob("*.toml"))]
