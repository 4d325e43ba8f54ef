"""Draws the layers of the program and the parts in them, with the imports there are.

usage: python packaging/picture.py, which writes packaging/layers.svg

What stands above what is read from the contracts of import-linter in pyproject.toml, which imports
there are from the code. A package names under its name all that it imports; lines show the
imports between its parts, and those to the next layer.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import grimp

ROOT: Final = Path(__file__).resolve().parent.parent
PICTURE: Final = ROOT / "packaging" / "layers.svg"
PROGRAM: Final = "smtp_desk"

_LETTER: Final = 7.0
_PART_HEIGHT: Final = 24
_ROW: Final = 44
_EDGE: Final = 16
_TITLE: Final = 48
_GAP: Final = 36
_HEAD: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" \
font-family="system-ui, sans-serif" font-size="12">
<title>The layers of SMTP Desk, and what imports what</title>
<style>
.package {{ fill: #f4f6f8; stroke: #8a97a6; }} .part {{ fill: #ffffff; stroke: #2f6f9f; }}
.import {{ stroke: #2f6f9f; stroke-opacity: 0.4; fill: none; }} .down {{ stroke: #8a97a6; }}
text {{ fill: #1d2733; }} .name {{ font-size: 15px; font-weight: 600; }} \
.more {{ fill: #5b6875; font-size: 11px; }}
</style>
<rect width="{width}" height="{height}" fill="#ffffff"/>
"""


@dataclass(frozen=True)
class Box:
    """A package or a part of one, and where it is drawn."""

    module: str
    x: float
    y: float
    width: float
    height: float

    @property
    def name(self) -> str:
        """Its own name, without those of what it stands in."""
        return self.module.rpartition(".")[2]

    @property
    def middle(self) -> float:
        """Where lines begin and end, from the left."""
        return self.x + self.width / 2


def rows_of(container: str) -> list[list[str]]:
    """Return what stands in a package, the uppermost first, as its contract has it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for contract in settings["tool"]["importlinter"]["contracts"]:
        if container in contract.get("containers", ()):
            return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]
    return []


def lowered(imports: grimp.ImportGraph, container: str) -> set[tuple[str, str]]:
    """Return which parts of a package import which, each part with all that is in it."""
    found = set[tuple[str, str]]()
    for module in imports.modules:
        for imported in imports.find_modules_directly_imported_by(module):
            pair = _part(container, module), _part(container, imported)
            if all(pair) and pair[0] != pair[1]:
                found.add(pair)
    return found


def _part(container: str, module: str) -> str:
    if not module.startswith(f"{container}."):
        return ""
    return f"{container}.{module.removeprefix(f'{container}.').partition('.')[0]}"


def package_size(package: str) -> tuple[float, float]:
    """Return width and height of a package with its parts."""
    rows = [sum(_part_width(name) + _EDGE for name in row) for row in rows_of(package)]
    return max([240.0, *rows]) + _EDGE, _TITLE + _ROW * len(rows) + (4 if rows else 0)


def _part_width(name: str) -> float:
    return _LETTER * len(name) + 16


def place() -> Iterator[Box]:
    """Yield the boxes of all packages and their parts."""
    rows = [[f"{PROGRAM}.{name}" for name in row] for row in rows_of(PROGRAM)]
    sizes = {package: package_size(package) for row in rows for package in row}
    whole = max(sum(sizes[package][0] + _GAP for package in row) for row in rows)
    y = float(_EDGE)
    for row in rows:
        x = (whole - sum(sizes[package][0] + _GAP for package in row)) / 2 + _GAP / 2
        bottom = y + max(sizes[package][1] for package in row)
        for package in row:
            width, height = sizes[package]
            yield Box(package, x, bottom - height, width, height)
            yield from _parts(package, x, bottom - height, width)
            x += width + _GAP
        y = bottom + _GAP


def _parts(package: str, left: float, top: float, width: float) -> Iterator[Box]:
    for number, row in enumerate(rows_of(package)):
        used = sum(_part_width(name) + _EDGE for name in row) - _EDGE
        x = left + (width - used) / 2
        for name in row:
            y = top + _TITLE + _ROW * number
            yield Box(f"{package}.{name}", x, y, _part_width(name), _PART_HEIGHT)
            x += _part_width(name) + _EDGE


def picture(imports: grimp.ImportGraph) -> str:
    """Return the drawing as SVG."""
    boxes = {box.module: box for box in place()}
    packages = [box for box in boxes.values() if box.module.count(".") == 1]
    between = lowered(imports, PROGRAM)
    width = max(box.x + box.width for box in packages) + _EDGE
    height = max(box.y + box.height for box in packages) + _EDGE
    parts = [_HEAD.format(width=round(width), height=round(height))]
    for above, below in pairwise(rows_of(PROGRAM)):
        pairs = {(f"{PROGRAM}.{a}", f"{PROGRAM}.{b}") for a in above for b in below}
        parts += (_line(boxes[a], boxes[b], "import down") for a, b in sorted(pairs & between))
    for box in packages:
        uses = sorted(b.rpartition(".")[2] for a, b in between if a == box.module)
        inside = sorted(lowered(imports, box.module))
        parts.append(_rectangle(box, "package"))
        parts.append(_text(box.middle, box.y + 20, box.name, "name"))
        parts.append(
            _text(box.middle, box.y + 36, f"imports {', '.join(uses)}" if uses else "", "more")
        )
        parts += (
            _line(boxes[a], boxes[b], "import") for a, b in inside if a in boxes and b in boxes
        )
    for box in boxes.values():
        if box not in packages:
            parts.append(_rectangle(box, "part"))
            parts.append(_text(box.middle, box.y + 16, box.name, ""))
    return "".join((*parts, "</svg>\n"))


def _rectangle(box: Box, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" '
        f'height="{box.height:.0f}" rx="5"/>\n'
    )


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{text}</text>\n'


def _line(above: Box, below: Box, kind: str) -> str:
    start, end = above.y + above.height, below.y
    bend = (end - start) / 2
    return (
        f'<path class="{kind}" d="M{above.middle:.0f} {start:.0f} C{above.middle:.0f} '
        f'{start + bend:.0f} {below.middle:.0f} {end - bend:.0f} {below.middle:.0f} {end:.0f}"/>\n'
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(grimp.build_graph(PROGRAM, cache_dir=None)), "utf-8")
