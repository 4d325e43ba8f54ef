"""What a bundle starts: the program; with `-m MODULE`, as Python would, one of its processes.

The program starts its worker and the sender of alerts as `sys.executable -m …`; in a bundle
that is the bundle itself.
"""

import os
import runpy
import sys

_PACKAGE = "smtp_desk"


def give_back_the_search_path() -> None:
    """Let the programs that this one starts find the libraries of the system, not the bundle's.

    PyInstaller's start-up code sets the variables and keeps what they were before.
    """
    for name in ("LD_LIBRARY_PATH", "LIBPATH"):
        before = os.environ.pop(f"{name}_ORIG", None)
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


def main() -> None:
    """Run what the arguments ask for."""
    give_back_the_search_path()
    if sys.platform == "darwin" and len(sys.argv) > 1 and sys.argv[1].endswith(".smtpdesk"):
        # The Finder names the document alone.
        sys.argv.insert(1, "open")
    module = sys.argv[2] if sys.argv[1:2] == ["-m"] and len(sys.argv) > len("-m") else _PACKAGE
    if module.partition(".")[0] != _PACKAGE:
        sys.exit(f"{module} is no module of {_PACKAGE}")
    if module != _PACKAGE or sys.argv[1:2] == ["-m"]:
        del sys.argv[1:3]
    runpy.run_module(module, run_name="__main__", alter_sys=False)


main()
