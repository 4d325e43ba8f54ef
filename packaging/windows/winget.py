"""Fills in the winget manifests for a published installer.

usage: python packaging/windows/winget.py INSTALLER URL FOLDER
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from smtp_desk import __version__


def fill_in(installer: Path, url: str, folder: Path) -> None:
    """Write the manifests of the installer, which is published at `url`, into a folder."""
    digest = hashlib.sha256(installer.read_bytes()).hexdigest().upper()
    values = {"@VERSION@": __version__, "@URL@": url, "@SHA256@": digest}
    folder.mkdir(parents=True, exist_ok=True)
    for template in sorted((Path(__file__).parent / "winget").glob("*.yaml")):
        text = template.read_text("utf-8")
        for name, value in values.items():
            text = text.replace(name, value)
        (folder / template.name).write_text(text, "utf-8")


if __name__ == "__main__":
    fill_in(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
