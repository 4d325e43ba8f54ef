"""Which process has a lease, and whether it still runs: a killed one doesn't release it."""

import os
from pathlib import Path
from typing import Final

from smtp_desk.core.system import this_system

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_NUMBERED_BY: Final = Path("/proc/self/ns/pid")


def numbered_by() -> str:
    """Return what process ids are relative to: machine, boot and container; "" if unknown.

    Where it is equal, process ids mean the same process.
    """
    try:
        return f"{_BOOT.read_text('ascii').strip()}/{_NUMBERED_BY.stat().st_ino}"
    except OSError:
        return ""


def is_alive(process: str) -> bool:
    """Whether the process with this id runs, or may run."""
    if not this_system().has_owners or not process.isdigit():
        return True
    try:
        os.kill(int(process), 0)
        # One that ended and was not waited for yet is there, too; only Linux tells.
        return b") Z " not in Path(f"/proc/{process}/stat").read_bytes()
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's, or this is no Linux
        return True
