"""Whether a window can be opened, and what exactly is missing."""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.startup import missing_for_window, missing_library
from smtp_desk.core.system import System
from tests.table import each_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.display import Display

X11 = {"DISPLAY": ":0"}
WAYLAND = {"WAYLAND_DISPLAY": "wayland-0"}


def loading_all_but(*missing: str) -> Callable[[str], ctypes.CDLL]:
    def load(name: str) -> ctypes.CDLL:
        if name in missing:
            raise OSError(f"{name}: cannot open shared object file")
        return ctypes.CDLL(None)

    return load


@pytest.mark.parametrize("system", [System.WINDOWS, System.MACOS])
def test_windows_and_macos_always_have_a_display(system: System) -> None:
    assert missing_for_window({}, system=system, load=loading_all_but("libEGL.so.1")) is None


def test_without_a_display_the_commands_are_named() -> None:
    lacking = missing_for_window({}, system=System.UNIX, load=loading_all_but())
    assert lacking is not None
    assert lacking.status == 78
    assert "neither DISPLAY nor WAYLAND_DISPLAY is set" in lacking.text
    assert "smtp-desk --help" in lacking.text


@each_row(
    ("environ", "name", "package"),
    [
        (X11, "libEGL.so.1", "libegl1"),
        (X11, "libxcb-cursor.so.0", "libxcb-cursor0"),
        (WAYLAND, "libwayland-cursor.so.0", "libwayland-cursor0"),
        ({"QT_QPA_PLATFORM": "offscreen"}, "libGL.so.1", "libgl1"),
        ({**X11, **WAYLAND, "QT_QPA_PLATFORM": "xcb"}, "libxcb-image.so.0", "libxcb-image0"),
    ],
)
def test_a_missing_library_is_named_with_its_package(
    environ: dict[str, str], name: str, package: str
) -> None:
    lacking = missing_for_window(environ, system=System.UNIX, load=loading_all_but(name))
    assert lacking is not None
    assert lacking.status == 69
    assert f"Qt needs {name}." in lacking.text
    assert lacking.text.endswith(f"apt-get install {package}")


def test_all_missing_libraries_are_named_at_once() -> None:
    load = loading_all_but("libEGL.so.1", "libxcb-cursor.so.0")
    lacking = missing_for_window(X11, system=System.UNIX, load=load)
    assert lacking is not None
    assert lacking.text.endswith("apt-get install libegl1 libxcb-cursor0")


@pytest.mark.parametrize("environ", [WAYLAND, {"QT_QPA_PLATFORM": "offscreen:any=1"}])
def test_other_platforms_need_nothing_of_x11(environ: dict[str, str]) -> None:
    load = loading_all_but("libxcb.so.1", "libxcb-cursor.so.0")
    assert missing_for_window(environ, system=System.UNIX, load=load) is None


@pytest.mark.skipif(sys.platform != "linux", reason="asks a real X server")
@pytest.mark.needs("x_display")
def test_a_real_display(x_display: Display) -> None:
    assert missing_for_window({"DISPLAY": x_display.name}) is None


@pytest.mark.skipif(sys.platform != "linux", reason="asks a real X server")
@pytest.mark.needs("x_display")
def test_a_display_that_does_not_answer() -> None:
    lacking = missing_for_window({"DISPLAY": ":4711"})
    assert lacking is not None
    assert lacking.status == 78
    assert "the display :4711 doesn’t answer" in lacking.text


def test_an_import_that_fails_is_told_in_its_words() -> None:
    lacking = missing_library(ImportError("libnss3.so: cannot open shared object file"))
    assert lacking.status == 69
    assert "libnss3.so: cannot open" in lacking.text
