"""Make tables and translations of resources/ ready, so that the program reads them in milliseconds.

usage: python packaging/tables.py. hatchling does the same for each wheel and editable installation.
"""

import io
import os
import sys
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("findings", "languages", "providers", "senses")


def main() -> None:
    """Write resources/ready.tables, and the catalogue of each language."""
    sys.path.insert(0, str(ROOT))
    from smtp_desk.core.findings.making import make_ready  # noqa: PLC0415 - found by now only
    from smtp_desk.store.resources import READY, read_maker, read_texts  # noqa: PLC0415

    texts = [text for folder in FOLDERS for text in read_texts(folder)]
    for source in (ROOT / "resources" / "translations").glob("*.po"):
        _write(source.with_suffix(".mo"), compiled(source))
    _write(ROOT / "resources" / READY, make_ready(texts, read_maker()).encode())


def compiled(source: Path) -> bytes:
    """Return a catalogue as gettext reads it, without what is only a guess (fuzzy)."""
    with source.open("rb") as file:
        catalogue = read_po(file)
    made = io.BytesIO()
    write_mo(made, catalogue)
    return made.getvalue()


def _write(target: Path, octets: bytes) -> None:
    made = target.with_name(f".{target.name}.{os.getpid()}")
    made.write_bytes(octets)
    made.replace(target)


class Tables(BuildHookInterface[Any]):
    """What hatchling calls before it builds."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Make them, for whatever is built."""
        main()


if __name__ == "__main__":
    main()
