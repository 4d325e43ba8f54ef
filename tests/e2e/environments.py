"""Fresh environments with the wheel and exactly what it asks for, without a network."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterable, Iterator
from email.parser import BytesParser
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_SECONDS: Final = 110.0


def make_environment(folder: Path, wheel: Path, extra: str = "") -> Path:
    """Return the programs of an environment as `pip install smtp-desk[extra]` would make it.

    What the wheel and all that it needs ask for is linked from the environment of the tests, so
    that nothing else can be imported.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    home = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    for distribution in _needed(_wanted_by(wheel), extra):
        _link(distribution, home / "site-packages")
    programs = folder / "bin"
    # Not pip, which the environment of the tests may not have.
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-index"]
    subprocess.run(
        [*install, "--no-deps", "--python", str(programs / "python"), str(wheel)],
        check=True,
        capture_output=True,
        timeout=_SECONDS,
    )
    return programs


def _wanted_by(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as file:
        (name,) = (name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        return BytesParser().parsebytes(file.read(name)).get_all("Requires-Dist", [])


def _needed(own: list[str], extra: str) -> Iterator[importlib.metadata.Distribution]:
    """Yield the distributions that are asked for, each once."""
    done = set[tuple[str, str]]()
    waiting = list(_applying(own, {extra}))
    given = set[str]()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        wanted = {(name, each) for each in ("", *requirement.extras)} - done
        done |= wanted
        extras = {each for _, each in wanted}
        if name == "smtp-desk":
            waiting += _applying(own, extras)
        elif extras:
            found = importlib.metadata.distribution(name)
            waiting += _applying(found.requires or (), extras)
            if name not in given:
                given.add(name)
                yield found


def _applying(lines: Iterable[str], extras: set[str]) -> Iterator[Requirement]:
    for line in lines:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield requirement


def _link(distribution: importlib.metadata.Distribution, site_packages: Path) -> None:
    """Link the files of a distribution; a folder that several share is made anew."""
    for file in distribution.files or ():
        if file.parts[0] == ".." or "__pycache__" in file.parts:
            continue
        target = site_packages / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(Path(str(distribution.locate_file(file))))
