"""The pinned dependencies can be installed also when newer versions are out."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PINS = Path(__file__).resolve().parents[2] / "requirements"


def pinned(file: str) -> dict[str, Requirement]:
    lines = (PINS / file).read_text("ascii").splitlines()
    wanted = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
    return {canonicalize_name(each.name): each for each in wanted}


@pytest.mark.parametrize("file", ["run.txt", "dev.txt"])
def test_whatever_is_wanted_with_an_extra_is_pinned_with_it(file: str) -> None:
    """Else pip takes the pin for another package, and the newest of this one has no hash."""
    pins = pinned(file)
    wanted = [
        Requirement(line)
        for name, pin in pins.items()
        if pin.marker is None or pin.marker.evaluate()
        for line in importlib.metadata.requires(name) or ()
    ]
    with_extras = [each for each in wanted if each.extras and applies(each, pins)]
    # Of the two only the tools of developers still want such ones.
    assert bool(with_extras) is (file == "dev.txt")
    for each in with_extras:
        assert each.extras <= pins[canonicalize_name(each.name)].extras, each


def applies(wanted: Requirement, pins: dict[str, Requirement]) -> bool:
    outside = wanted.marker is not None and not wanted.marker.evaluate({"extra": ""})
    return not outside and canonicalize_name(wanted.name) in pins


def test_every_pin_has_a_version_and_hashes() -> None:
    for file in ("run.txt", "dev.txt", "bundle.txt", "docs.txt"):
        text = (PINS / file).read_text("ascii")
        for name, pin in pinned(file).items():
            assert str(pin.specifier).startswith("=="), name
        assert text.count("--hash=sha256:") >= len(pinned(file))
        assert "://" not in text


def test_a_bundle_has_the_tested_versions() -> None:
    run, bundle = pinned("run.txt"), pinned("bundle.txt")
    assert {name: bundle[name] for name in run} == run
    assert "pyinstaller" in bundle
