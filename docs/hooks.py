"""Puts the pictures of README beside the pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

_PICTURES = Path(__file__).resolve().parents[1] / "packaging" / "screenshots"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pictures as `pictures/NAME`."""
    for picture in sorted(_PICTURES.glob("*.png")):
        files.append(File.generated(config, f"pictures/{picture.name}", abs_src_path=str(picture)))
    return files
