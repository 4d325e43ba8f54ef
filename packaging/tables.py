"""Make the tables of resources/ ready, so that the program reads them in milliseconds.

usage: python packaging/tables.py. hatchling does the same for each wheel and editable installation.
"""

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("findings", "languages", "providers", "senses")


def main() -> None:
    """Write resources/ready.tables."""
    sys.path.insert(0, str(ROOT))
    from smtp_desk.core.findings.making import make_ready  # noqa: PLC0415 - found by now only
    from smtp_desk.store.resources import READY, read_maker, read_texts  # noqa: PLC0415

    texts = [text for folder in FOLDERS for text in read_texts(folder)]
    target = ROOT / "resources" / READY
    made = target.with_name(f".{READY}.{os.getpid()}")
    made.write_text(make_ready(texts, read_maker()), "utf-8")
    made.replace(target)


class Tables(BuildHookInterface[Any]):
    """What hatchling calls before it builds."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Make them, for whatever is built."""
        main()


if __name__ == "__main__":
    main()
