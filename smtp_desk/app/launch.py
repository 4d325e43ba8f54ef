"""What the program was started with: variables without secrets, and standard streams.

The first code of ours that runs; it imports next to nothing.
"""

import ctypes
import os
import sys
from collections.abc import MutableMapping
from typing import Final

# That of `store.credentials`, whose imports cost a tenth of the way to the first paint.
PASSWORD_VARIABLE: Final = "SMTP_DESK_PASSWORD"  # noqa: S105 - a variable's name

_STANDARD_DESCRIPTORS: Final = (0, 1, 2)


def fill_closed_descriptors() -> None:
    """Open what the program was started without, as by `>&-`, to nothing.

    Else the next file or socket would get the number of standard output.
    """
    for descriptor in _STANDARD_DESCRIPTORS:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


class LaunchEnvironment(dict[str, str]):
    """The variables the program was started with; its repr shows none of them."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


def take_environment(environ: MutableMapping[str, str] = os.environ) -> LaunchEnvironment:
    """Return the environment and remove the password from the process's own.

    Neither child processes nor, on POSIX systems, whoever may read `/proc/PID/environ` or run
    `ps` can see `SMTP_DESK_PASSWORD` afterwards. Call it before the first thread starts.
    """
    taken = LaunchEnvironment(environ)
    if PASSWORD_VARIABLE in environ:
        if environ is os.environ and os.name == "posix":
            _overwrite_in_memory(PASSWORD_VARIABLE)
        del environ[PASSWORD_VARIABLE]
    return taken


def _overwrite_in_memory(name: str) -> None:
    """Blank the value of a variable where the kernel put it.

    Unsetting a variable only drops the pointer to it; the kernel goes on showing the memory
    that the program was started with. That memory is the program's own to write to.
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
    if sys.platform == "darwin":  # a dynamic library there has no `environ` of its own
        library._NSGetEnviron.restype = ctypes.POINTER(addresses)  # noqa: SLF001 - its C name
        found: ctypes._Pointer[ctypes.c_void_p] = library._NSGetEnviron().contents  # noqa: SLF001
        return found
    return addresses.in_dll(library, "environ")
