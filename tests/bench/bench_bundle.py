"""First paint of the bundle beside the checkout: `python -m tests.bench.bench_bundle BUNDLE [N]`.

Both are whole processes, started in turn on a screen of their own (Xvfb) without a window
manager; the clock stops when a pixel in the middle of the black screen changes. Prints medians
and the ratio pair by pair, and the same for `--version`.
"""

import ctypes
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.e2e.program import COMMAND

_MIDDLE: Final = (400, 300)
_ALL_PLANES: Final = 0xFFFFFFFF
_Z_PIXMAP: Final = 2


def first_paint_ms(
    command: tuple[str, ...], pixel: Callable[[], int], environ: Mapping[str, str]
) -> float:
    """Start a program and return the milliseconds until the screen shows something."""
    black = pixel()
    began = time.monotonic()
    with subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL) as process:
        while pixel() == black:
            if process.poll() is not None:
                sys.exit(f"{command[0]} ended without a window")
        taken = time.monotonic() - began
        process.terminate()
    while pixel() != black:
        pass
    return taken * 1000


def version_ms(command: tuple[str, ...], environ: Mapping[str, str]) -> float:
    """Let a program print its version and return the milliseconds of that."""
    began = time.monotonic()
    subprocess.run([*command, "--version"], env=environ, check=True, capture_output=True)
    return (time.monotonic() - began) * 1000


def pixel_reader(display: str) -> Callable[[], int]:
    """Return what reads the pixel in the middle of the screen."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = x11.XGetImage.restype = ctypes.c_void_p
    x11.XDefaultRootWindow.restype = x11.XGetPixel.restype = ctypes.c_ulong
    connection = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    root = ctypes.c_ulong(x11.XDefaultRootWindow(connection))

    def pixel() -> int:
        image = ctypes.c_void_p(
            x11.XGetImage(connection, root, *_MIDDLE, 1, 1, ctypes.c_ulong(_ALL_PLANES), _Z_PIXMAP)
        )
        found: int = x11.XGetPixel(image, 0, 0)
        x11.XDestroyImage(image)
        return found

    return pixel


def main() -> None:
    """Measure and print."""
    bundle = (str(Path(sys.argv[1]).absolute()),)
    rounds = int(sys.argv[2]) if len(sys.argv) > len("xy") else 9
    screen = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(
            screen, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as server,
    ):
        assert server.stdout is not None
        display = f":{server.stdout.readline().strip()}"
        hidden = ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
        environ = {name: value for name, value in os.environ.items() if name not in hidden}
        environ |= {"DISPLAY": display, "SMTP_DESK_HOME": home}
        pixel = pixel_reader(display)
        measures: dict[str, Callable[[tuple[str, ...]], float]] = {
            "first paint": lambda command: first_paint_ms(command, pixel, environ),
            "--version": lambda command: version_ms(command, environ),
        }
        for name, measure in measures.items():
            for command in (COMMAND, bundle):
                measure(command)
            pairs = [(measure(COMMAND), measure(bundle)) for _ in range(rounds)]
            checkout, packed = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(second / first for first, second in pairs)
            sys.stdout.write(
                f"{name}, ms, median of {rounds}: checkout {checkout:.0f}, bundle {packed:.0f}, "
                f"ratio {ratio:.2f}\n"
            )
        server.terminate()


if __name__ == "__main__":
    main()
