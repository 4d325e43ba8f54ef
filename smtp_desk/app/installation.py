"""How this copy of the program was installed, and so how it is updated."""

import sys
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Final

from smtp_desk.core.system import System, this_system
from smtp_desk.core.translation import _, mark
from smtp_desk.store.resources import is_checkout

_FLATPAK: Final = Path("/.flatpak-info")
_DEB_FOLDER: Final = "/opt/smtp-desk"
_DEB_FILES: Final = Path("/var/lib/dpkg/info/smtp-desk.list")


class Installation(StrEnum):
    """A way to install the program."""

    CHECKOUT = "checkout"
    FLATPAK = "flatpak"
    DEB = "deb"
    WINDOWS = "windows"
    MACOS = "macos"
    BUNDLE = "bundle"
    PIPX = "pipx"
    UV = "uv"
    PIP = "pip"
    DISTRIBUTION = "distribution"


_ADVICE: Final = {
    Installation.CHECKOUT: mark("Update the checkout with “git pull”, then run “make run”."),
    Installation.FLATPAK: mark("Update it with “flatpak update org.smtp_desk.SmtpDesk”."),
    Installation.DEB: mark(
        "Download the new .deb package and install it with “sudo apt install ./FILE.deb”."
    ),
    Installation.WINDOWS: mark(
        "Run the new installer, or “winget upgrade TheSmtpDeskAuthors.SmtpDesk”."
    ),
    Installation.MACOS: mark(
        "Quit SMTP Desk, open the new disk image and drag it to Applications."
    ),
    Installation.BUNDLE: mark("Download the new bundle, close SMTP Desk and replace this one."),
    Installation.PIPX: mark("Update it with “pipx upgrade smtp-desk”."),
    Installation.UV: mark("Update it with “uv tool upgrade smtp-desk”."),
    Installation.PIP: mark("Update it with “{python} -m pip install --upgrade smtp-desk”."),
    Installation.DISTRIBUTION: mark("Your system’s package manager updates it."),
}


def update_advice(installation: Installation) -> str:
    """Return how a copy that was installed this way is updated, in a sentence."""
    return _(_ADVICE[installation], python=sys.executable)


def this_installation() -> Installation:
    """Return how the program that runs was installed."""
    if getattr(sys, "frozen", False):
        deb = sys.executable.startswith(f"{_DEB_FOLDER}/") and _DEB_FILES.exists()
        return of_bundle(this_system(), deb=deb)
    if is_checkout():
        return Installation.CHECKOUT
    if _FLATPAK.exists():
        return Installation.FLATPAK
    return of_environment(sys.prefix, _installer())


def of_bundle(system: System, *, deb: bool) -> Installation:
    """Return what a bundle of this system comes from; `deb` where dpkg has installed it."""
    if deb:
        return Installation.DEB
    return {System.WINDOWS: Installation.WINDOWS, System.MACOS: Installation.MACOS}.get(
        system, Installation.BUNDLE
    )


def of_environment(prefix: str, installer: str) -> Installation:
    """Return what keeps the Python environment at `prefix`.

    Args:
        prefix: Its folder; pipx and uv name those that they keep.
        installer: What installed the package there by its own word (`INSTALLER`), or "".
    """
    folders = prefix.replace("\\", "/").split("/")
    for above, below, found in (
        ("pipx", "venvs", Installation.PIPX),
        ("uv", "tools", Installation.UV),
    ):
        if any(folders[at : at + 2] == [above, below] for at in range(len(folders))):
            return found
    return Installation.PIP if installer in ("pip", "uv") else Installation.DISTRIBUTION


def _installer() -> str:
    try:
        return (metadata.distribution("smtp-desk").read_text("INSTALLER") or "").strip()
    except metadata.PackageNotFoundError:
        return ""
