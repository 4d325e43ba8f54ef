"""What the program was started with: variables without secrets, and standard streams.

The first of our code that runs; it imports next to nothing.

Whether a window can be opened here, and if not, what exactly is missing.

Qt itself would end the program without a helpful message.
"""

import contextlib
import ctypes
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Final

from smtp_desk.app.extras import Extra, installed, missing_text
from smtp_desk.core.exit_status import ExitStatus
from smtp_desk.core.system import System, this_system
from smtp_desk.core.translation import _

# That of `store.credentials`, whose imports cost a tenth of the way to the first paint.
PASSWORD_VARIABLES: Final = ("SMTP_DESK_PASSWORD", "SMTP_DESK_DEFAULT_PASSWORD")

_STANDARD_DESCRIPTORS: Final = (0, 1, 2)


def fill_closed_descriptors() -> None:
    """Open standard streams that were closed at the start (`>&-`), connected to nothing.

    Otherwise the next file or socket would get the number of standard output.
    """
    for descriptor in _STANDARD_DESCRIPTORS:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def discard_output(descriptor: int) -> None:
    """Discard everything still to be written to a descriptor."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, descriptor)
    os.close(devnull)


class LaunchEnvironment(dict[str, str]):
    """The variables the program was started with; its repr shows none of them."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


def take_environment(environ: MutableMapping[str, str] = os.environ) -> LaunchEnvironment:
    """Return the environment, and remove the passwords from the process's own.

    Afterwards neither child processes nor, on POSIX systems, anybody who may read
    `/proc/PID/environ` or run `ps` can see them. Call it before the first thread starts.
    """
    taken = LaunchEnvironment(environ)
    for name in PASSWORD_VARIABLES:
        if name in environ:
            if environ is os.environ and this_system().has_owners:
                _overwrite_in_memory(name)
            del environ[name]
    return taken


def _overwrite_in_memory(name: str) -> None:
    """Blank the value of a variable where the kernel put it.

    Unsetting a variable only drops the pointer to it; the kernel still shows the memory that the
    program was started with. The program may overwrite that memory.
    """
    prefix = os.fsencode(name) + b"="
    variables = _c_environ()
    index = 0
    while address := variables[index]:
        content = ctypes.string_at(address)
        if content.startswith(prefix):
            ctypes.memset(address + len(prefix), 0, len(content) - len(prefix))
        index += 1


def _c_environ() -> "ctypes._Pointer[ctypes.c_void_p]":
    """Return the C library's `char **environ`, as addresses."""
    addresses = ctypes.POINTER(ctypes.c_void_p)
    library = ctypes.CDLL(None)
    if this_system() is System.MACOS:  # a dynamic library there has no `environ` of its own
        library._NSGetEnviron.restype = ctypes.POINTER(addresses)  # noqa: SLF001 - its C name
        found: ctypes._Pointer[ctypes.c_void_p] = library._NSGetEnviron().contents  # noqa: SLF001
        return found
    return addresses.in_dll(library, "environ")


@contextlib.contextmanager
def ending_at_once() -> Iterator[None]:
    """Let Ctrl-C end the program silently while it is only loading.

    In the middle of an import Python would report it as a traceback, or as another error. A
    signal that is ignored or handled in another way stays so.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# What Qt takes from the system, and the Debian package that has it.
_ALWAYS: Final[Mapping[str, str]] = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libxkbcommon.so.0": "libxkbcommon0",
}
_FOR_X11: Final[Mapping[str, str]] = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
_FOR_WAYLAND: Final[Mapping[str, str]] = {
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
}
_X11_PLATFORM: Final = "xcb"
_WITHOUT_DISPLAY: Final = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")


@dataclass(frozen=True, slots=True)
class NoWindow:
    """Why no window can be opened.

    Attributes:
        text: What is missing and how to get it, for a person.
        status: The exit status: UNAVAILABLE for a part or a library, CONFIG for a display.
    """

    text: str
    status: ExitStatus


def missing_for_window(
    environ: Mapping[str, str],
    *,
    system: System | None = None,
    load: Callable[[str], ctypes.CDLL] = ctypes.CDLL,
) -> NoWindow | None:
    """Return what is missing to open a window, or None where nothing is.

    Args:
        environ: The environment, which names the display.
        system: The operating system; None for this one.
        load: Loads a shared library, or raises `OSError`.
    """
    if not installed(Extra.DESK):
        return _no_part()
    if (system or this_system()).always_has_display:
        return None
    chosen = environ.get("QT_QPA_PLATFORM", "").partition(":")[0].partition(";")[0]
    wayland = bool(environ.get("WAYLAND_DISPLAY")) and chosen != _X11_PLATFORM
    wanted = dict(_ALWAYS)
    if chosen not in _WITHOUT_DISPLAY:
        if not wayland and not environ.get("DISPLAY"):
            return _no_display(
                _("The window can't be opened: neither DISPLAY nor WAYLAND_DISPLAY is set.")
            )
        wanted |= _FOR_WAYLAND if wayland else _FOR_X11
    lacking = {name: package for name, package in wanted.items() if not _loads(name, load)}
    if lacking:
        return _no_libraries(lacking)
    if (
        chosen not in _WITHOUT_DISPLAY
        and not wayland
        and not _x11_answers(environ["DISPLAY"], load)
    ):
        text = _(
            "The window can't be opened: the display {display} doesn’t answer, or refuses.",
            display=environ["DISPLAY"],
        )
        return _no_display(text)
    return None


def missing_library(error: ImportError) -> NoWindow:
    """Return what to tell a person if Qt could not be loaded after all."""
    text = _("The window can't be opened: Qt can't be loaded ({why}).", why=error)
    return NoWindow(text, ExitStatus.UNAVAILABLE)


def _loads(name: str, load: Callable[[str], ctypes.CDLL]) -> bool:
    try:
        load(name)
    except OSError:
        return False
    return True


def _x11_answers(display: str, load: Callable[[str], ctypes.CDLL]) -> bool:
    """Connect to the display as Qt would; where that fails, Qt ends the program."""
    xcb = load("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(os.fsencode(display), None))
    refused: int = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return refused == 0


def _no_part() -> NoWindow:
    # Imported here: the texts of all findings, for who starts the window without having it.
    from smtp_desk.store.resources import read_catalogue  # noqa: PLC0415

    return NoWindow(missing_text(Extra.DESK, read_catalogue()), ExitStatus.UNAVAILABLE)


def _no_display(why: str) -> NoWindow:
    instead = _("Start SMTP Desk in a desktop session, or use its commands: smtp-desk --help")
    return NoWindow(f"{why} {instead}", ExitStatus.CONFIG)


def _no_libraries(lacking: Mapping[str, str]) -> NoWindow:
    text = _(
        "The window can't be opened: Qt needs {libraries}. On Debian and Ubuntu: {command}",
        libraries=", ".join(lacking),
        command=" ".join(("sudo", "apt-get", "install", *lacking.values())),
    )
    return NoWindow(text, ExitStatus.UNAVAILABLE)
