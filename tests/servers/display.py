"""A screen of its own (Xvfb with a window manager), and the accessibility bus beside it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from typing import TYPE_CHECKING, Final, Self

import pytest

from tests.servers import parts
from tests.servers.bus import MessageBus
from tests.servers.process import ServerProcess, server_folder
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

_SCREEN: Final = "1280x800x24"
_LAUNCHER: Final = "/usr/libexec/at-spi-bus-launcher"


class Display:
    """A running screen with a window manager.

    Attributes:
        name: what DISPLAY must be.
        env: the environment in which programs appear on it.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._server = ServerProcess(
            [
                *(parts.program("Xvfb"), "-displayfd", "1", "-screen", "0", _SCREEN),
                *("-nolisten", "tcp", "-noreset"),
            ],
            folder / "xvfb.log",
        )
        self._server.wait_ready(lambda: self._number() is not None)
        self.name = f":{self._number()}"
        self.env = dict(os.environ, DISPLAY=self.name, QT_QPA_PLATFORM="xcb")
        self.env.pop("WAYLAND_DISPLAY", None)
        self._window_manager = ServerProcess(
            [parts.program("openbox"), "--sm-disable"],
            folder / "openbox.log",
            env=self.env | {"HOME": str(folder)},
        )
        self._window_manager.wait_ready(self._is_managed)

    def xdotool(self, *arguments: str) -> str:
        """Run xdotool on this screen; its output without the last line end."""
        result = subprocess.run(
            [parts.program("xdotool"), *arguments],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return result.stdout.removesuffix("\n")

    def focus(self, title: str) -> int:
        """The id of the visible window with this title, once it is there and has the focus."""
        wait_until(lambda: bool(self._windows(title)), f"a window {title!r}")
        window = self._windows(title)[0]
        self.xdotool("windowactivate", "--sync", str(window))
        return window

    def active(self) -> int:
        """The id of the window that has the focus, once one has it."""
        found: list[int] = []

        def is_found() -> bool:
            with contextlib.suppress(subprocess.CalledProcessError):
                found.append(int(self.xdotool("getactivewindow")))
            return bool(found)

        wait_until(is_found, "a window that has the focus")
        return found[0]

    def wait_gone(self, window: int) -> None:
        """Return once this window is no more, not only hidden."""
        wait_until(lambda: not self._exists(window), f"window {window} to be gone")

    def type(self, text: str) -> None:
        """Type text into what has the focus."""
        self.xdotool("type", "--delay", "2", "--", text)

    def keys(self, *names: str) -> None:
        """Press keys one after the other, by X11's names: `Tab`, `alt+s`, `Return`."""
        self.xdotool("key", "--delay", "2", *names)

    def click(self, x: int, y: int, times: int = 1) -> None:
        """Click at a place on the screen."""
        repeated = ("click", "--repeat", str(times), "--delay", "20", "1")
        self.xdotool("mousemove", str(x), str(y), *repeated)

    def turn_wheel(self, x: int, y: int, *, down: bool) -> None:
        """Turn the mouse's wheel by one step at a place on the screen."""
        self.xdotool("mousemove", str(x), str(y), "click", "5" if down else "4")

    def screenshot(self, file: pathlib.Path, window: int | None = None) -> pathlib.Path:
        """Write a picture of a window, or of the whole screen; the name tells the format."""
        target = "root" if window is None else str(window)
        subprocess.run(
            [parts.program("import"), "-window", target, str(file)],
            env=self.env,
            timeout=30,
            check=True,
        )
        return file

    def stop(self) -> None:
        self._window_manager.stop()
        self._server.stop()

    def _number(self) -> str | None:
        found = re.search(r"^(\d+)$", self._server_output(), re.MULTILINE)
        return found[1] if found else None

    def _server_output(self) -> str:
        return self._server.log.read_text(errors="replace")

    def _is_managed(self) -> bool:
        try:
            self.xdotool("get_num_desktops")
        except subprocess.CalledProcessError:
            return False
        return True

    def _exists(self, window: int) -> bool:
        try:
            self.xdotool("getwindowgeometry", str(window))
        except subprocess.CalledProcessError:
            return False
        return True

    def _windows(self, title: str) -> list[int]:
        try:
            found = self.xdotool("search", "--onlyvisible", "--name", f"^{re.escape(title)}$")
        except subprocess.CalledProcessError:
            return []
        return [int(line) for line in found.split()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class AccessibilityBus:
    """A running accessibility bus, as screen readers use it.

    Attributes:
        env: what programs need in their environment beside that of a display.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._bus = MessageBus(folder)
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700)
        self.env = {
            "DBUS_SESSION_BUS_ADDRESS": self._bus.address,
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
            "XDG_RUNTIME_DIR": str(runtime),
        }
        self._launcher = ServerProcess(
            [_LAUNCHER, "--launch-immediately"], folder / "atspi.log", env=os.environ | self.env
        )
        self._launcher.wait_ready((runtime / "at-spi").is_dir)

    def run_pyatspi(self, code: str, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run Python code that has pyatspi: it comes with the system's own Python."""
        return subprocess.run(
            ["/usr/bin/python3", "-c", code],
            env=os.environ | self.env,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def stop(self) -> None:
        self._launcher.stop()
        self._bus.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@pytest.fixture(scope="session")
def _display() -> Iterator[Display]:
    parts.require("x_display")
    with server_folder("display") as folder, Display(folder) as display:
        yield display


@pytest.fixture
def x_display(_display: Display, monkeypatch: pytest.MonkeyPatch) -> Display:
    """A screen of its own; DISPLAY says so to the programs the test starts."""
    monkeypatch.setenv("DISPLAY", _display.name)
    return _display


@pytest.fixture
def accessibility_bus() -> Iterator[AccessibilityBus]:
    """A running accessibility bus."""
    parts.require("accessibility")
    with server_folder("atspi") as folder, AccessibilityBus(folder) as bus:
        yield bus
