"""The desk's window on a real screen, worked by keyboard and read by a screen reader alone."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.e2e.program import COMMAND
from tests.e2e.screen_reader import ScreenReader
from tests.servers.child import Child
from tests.servers.process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.servers.display import Display
    from tests.servers.secret_service import SecretService

TITLE: Final = "SMTP Desk"
NOT_CONFIGURED: Final = "Not configured. System emails wait in the outbox."
HOST: Final = "alt+v"
FROM_EMAIL: Final = "alt+e"
RECIPIENT: Final = "ann@example.test"
SEND: Final = "alt+m"

_LAUNCHER: Final = "/usr/libexec/at-spi-bus-launcher"
_SECONDS: Final = 20.0
_MOST_TURNS: Final = 12
_EDGE: Final = 16
_FOOTER: Final = frozenset({"Save", "Turn on", "Trust for localhost"})


class Desktop:
    """A session with a screen, a keyring and a screen reader.

    Attributes:
        reader: the screen reader.
    """

    def __init__(
        self, display: Display, keyring: SecretService, folder: Path, inside: Sequence[str] = ()
    ) -> None:
        """Log in.

        Args:
            display: The screen.
            keyring: The keyring.
            folder: Where files may be put.
            inside: What stands before the program's command; see `tests.servers.internet`.
        """
        self._command = [*inside, *COMMAND]
        self._display = display
        self._keyring = keyring
        # Read now, for the home of the program is another in each test.
        self._env = {
            **os.environ,
            **keyring.env,
            "DISPLAY": display.name,
            "QT_QPA_PLATFORM": "xcb",
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
            # Who polls asks for parts that Qt deletes at that very moment: it complains of that.
            "QT_LOGGING_RULES": "qt.accessibility.atspi.warning=false",
        }
        self._errors = folder / "stderr"
        runtime = Path(keyring.env["XDG_RUNTIME_DIR"])
        self._launcher = ServerProcess(
            [_LAUNCHER, "--launch-immediately"], folder / "atspi.log", env=self._env
        )
        self._launcher.wait_ready((runtime / "at-spi").is_dir)
        self.reader = ScreenReader(keyring.env["DBUS_SESSION_BUS_ADDRESS"])

    @contextlib.contextmanager
    def open_desk(self, status: str = NOT_CONFIGURED) -> Iterator[subprocess.Popen[bytes]]:
        """Start the program; its window has the focus and shows this status."""
        with self._start() as program:
            self.reader.wait_for(status)
            yield program

    @contextlib.contextmanager
    def _start(self) -> Iterator[subprocess.Popen[bytes]]:
        with (
            self._errors.open("wb") as errors,
            Child[bytes](self._command, env=self._env, stdout=errors, stderr=errors) as program,
        ):
            try:
                self._display.focus(TITLE)
                yield program
            finally:
                program.kill()

    def press(self, *keys: str) -> None:
        """Press keys one after the other, by X11's names."""
        self._display.keys(*keys)

    def type(self, text: str) -> None:
        """Type a text into what has the focus."""
        self._display.type(text)

    def click(self, name: str, times: int = 1) -> None:
        """Click in the middle of what begins with this name; the wheel brings it in sight."""
        _, above, _, high = self.reader.extents("File")
        _, below, _, _ = self.reader.extents("Remove configuration")
        for _ in range(_MOST_TURNS):
            left, top, width, height = self.reader.extents(name)
            x, y = left + width // 2, top + height // 2
            if name in _FOOTER or above + high < top < top + height < below - _EDGE:
                break
            self._display.turn_wheel(x, (above + below) // 2, down=top > above + high)
        self._display.click(x, y, times)

    def active(self) -> int:
        """The window that has the focus."""
        return self._display.active()

    def wait_gone(self, window: int) -> None:
        """Return once this window is no more."""
        self._display.wait_gone(window)

    def fill(self, name: str, text: str, *keys: str) -> None:
        """Press keys that move the focus to this field and type over what stands there."""
        self.press(*keys)
        self._display.type(text)
        self.reader.wait_for_typed(name, len(text))

    def fill_form(self, port: int, ca_file: Path, password: str) -> None:
        """Fill in all that a test needs, reading each field on the way."""
        for name, text, *keys in _form(port, ca_file, password):
            self.fill(name, text, *keys)

    def rush_form(self, port: int, ca_file: Path, password: str) -> None:
        """Fill in the same, and send the test, as fast as keys can be pressed."""
        commands = []
        for _, text, *keys in _form(port, ca_file, password):
            commands += ["key", "--delay", "2", *keys, "type", "--delay", "2", "--args", "1", text]
        self._display.xdotool(*commands, "key", SEND)

    def answer(self, name: str, keys: str) -> None:
        """Press keys in front of the question whose button of this name has the focus.

        Nothing is read before the question is gone: Qt complains of who asks for what it deletes.
        """
        self.reader.wait_for_focus(name)
        question = self._display.active()
        self.press(keys)
        self._display.wait_gone(question)

    def leave(self, program: subprocess.Popen[bytes], keys: str) -> None:
        """Close the window; the program ends well and has had nothing to complain of."""
        self.press(keys)
        ended = program.wait(_SECONDS)
        complaints = self._errors.read_text()
        assert (ended, complaints) == (0, ""), (ended, complaints)

    def secrets(self) -> list[str]:
        """The passwords in all that the keyring holds."""
        return self._keyring.passwords()

    def stop(self) -> None:
        self.reader.close()
        self._launcher.stop()


def _form(port: int, ca_file: Path, password: str) -> tuple[tuple[str, ...], ...]:
    """Name of each field, what to type, and the keys that lead there from the field before."""
    unfold = ("Tab", "Tab", "space")
    return (
        ("From email", "desk@example.test", FROM_EMAIL),
        ("From name", "Example", "alt+n"),
        ("SMTP server host", "localhost", HOST),
        ("Port", str(port), "Tab"),
        ("Username", "desk", "Tab", "Tab"),
        ("Password", password, "Tab"),
        ("CA certificate file", str(ca_file), *unfold, "Tab", "Tab", "Tab"),
        ("Send test email to", RECIPIENT, "Tab", "Tab", "Tab", "Tab"),
    )


@contextlib.contextmanager
def desktop_on(
    display: Display, keyring: SecretService, folder: Path, inside: Sequence[str] = ()
) -> Iterator[Desktop]:
    """A desktop for as long as the context lasts; see `Desktop`."""
    desktop = Desktop(display, keyring, folder, inside)
    try:
        yield desktop
    finally:
        desktop.stop()
