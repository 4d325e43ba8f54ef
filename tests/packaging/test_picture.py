"""The picture of the layers shows the imports as they are."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from pathlib import Path

import grimp
import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture(scope="module")
def picture() -> Callable[[grimp.ImportGraph], str]:
    drawing: Callable[[grimp.ImportGraph], str] = runpy.run_path(str(PACKAGING / "picture.py"))[
        "picture"
    ]
    return drawing


@pytest.fixture
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("smtp_desk", cache_dir=None)


def test_it_is_not_older_than_the_imports(
    picture: Callable[[grimp.ImportGraph], str], imports: grimp.ImportGraph
) -> None:
    """Else run `make picture`."""
    assert (PACKAGING / "layers.svg").read_text("utf-8") == picture(imports)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("smtp_desk.store.files", "smtp_desk.smtp.wire.codec"),
        ("smtp_desk.smtp.net.dial", "smtp_desk.smtp.session.session"),
        ("smtp_desk.sender.alert_process", "smtp_desk.sender.mail.kinds"),
    ],
)
def test_another_import_is_another_picture(
    picture: Callable[[grimp.ImportGraph], str],
    imports: grimp.ImportGraph,
    importer: str,
    imported: str,
) -> None:
    before = picture(imports)
    imports.add_import(importer=importer, imported=imported)
    assert picture(imports) != before


def test_every_folder_is_in_it(
    picture: Callable[[grimp.ImportGraph], str], imports: grimp.ImportGraph
) -> None:
    drawn = set(re.findall(r">([a-z_]+)</text>", picture(imports)))
    program = PACKAGING.parent / "smtp_desk"
    folders = {path.parent for path in program.rglob("*.py")} - {program}
    parts = {path.name for path in folders if path.parent == program}
    parts |= {path.name for path in folders if path.parent.name in {"app", "sender", "smtp", "ui"}}
    assert parts <= drawn
