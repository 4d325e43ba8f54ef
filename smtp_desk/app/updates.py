"""Whether a newer version has been published: asked only when a person says so.

One GET to one https address and nothing else: no version, no cookie, no name of this machine. The
address is an index of packages in JSON (Simple repository API, PEP 691) that the settings name: the
program has none of its own, for whoever owns its name there could offer anything as newer.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from smtp_desk import __version__
from smtp_desk.app.installation import Installation, update_advice
from smtp_desk.app.services import Services
from smtp_desk.core.reply import visible
from smtp_desk.core.stages import Json
from smtp_desk.core.translation import Text, _, mark
from smtp_desk.discovery.candidates import NotFoundError, SearchResult
from smtp_desk.discovery.https import HTTPS_PORT, Https
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.resolve import Resolver, SystemResolver

SCHEMA: Final = "smtp-desk/version/1"

_MEDIA_TYPE: Final = "application/vnd.pypi.simple.v1+json"
_MOST_OCTETS: Final = 1024 * 1024
_SECONDS: Final = 10.0
# A final release or what comes before one, as PEP 440 writes it; the numbers bounded.
_VERSION: Final = re.compile(
    r"([0-9]{1,9}(?:\.[0-9]{1,9}){0,5})((?:(?:a|b|rc)[0-9]{1,9})?(?:\.dev[0-9]{1,9})?)"
)
# The names of an sdist (PEP 625) and of a wheel (PEP 427).
_FILE: Final = re.compile(r"smtp_desk-([^-]{1,80})(?:\.tar\.gz|-[^-]+-[^-]+-[^-]+\.whl)")
_WHY: Final = {
    SearchResult.NOTHING: mark("There is no list of versions at this address."),
    SearchResult.NO_ANSWER: mark("There was no answer within {seconds} seconds."),
    SearchResult.UNREACHABLE: mark("The server can’t be reached. Is this computer online?"),
    SearchResult.UNTRUSTED: mark("The server’s certificate or encryption can’t be trusted."),
    SearchResult.DNS_FAILED: mark("DNS doesn’t answer right now. Is this computer online?"),
    SearchResult.NOT_HTTP: mark("The answer isn’t a complete web page."),
    SearchResult.HTTP_STATUS: mark("The server refused with status {detail}."),
    SearchResult.TOO_LARGE: mark("The answer is larger than 1 MiB."),
    SearchResult.REDIRECTED_TO_HTTP: mark("Only addresses that begin with https:// are asked."),
    SearchResult.BAD_REDIRECT: mark("This isn’t a valid https address."),
    SearchResult.TOO_MANY_REDIRECTS: mark("It redirects to {detail}, which isn’t followed."),
}
_NO_ADDRESS: Final = mark(
    "No address to check for updates is set. Put "
    'updates = "https://…/simple/smtp-desk/", an index of packages that you trust, '
    "into the section [preferences] of settings.toml."
)
_NO_LIST: Final = mark("The answer isn’t a list of packages in JSON (PEP 691).")
_NO_RELEASE: Final = mark("No release of SMTP Desk is listed there.")


class UpdatesError(Exception):
    """It's unknown whether there is a newer version; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Updates:
    """What is published.

    Attributes:
        running: The version of this program.
        newest: The newest release that is published.
        newer: Whether that is newer than this program.
    """

    running: str
    newest: str
    newer: bool

    def lines(self, installation: Installation) -> tuple[str, ...]:
        """Return it in a sentence, and where there is a newer version how to update this copy."""
        if self.newer:
            found = _(
                "Version {newest} is available. You have {running}.",
                newest=self.newest,
                running=self.running,
            )
            return found, update_advice(installation)
        if _order(self.newest) == _order(self.running):
            return (_("You have the newest version, {running}.", running=self.running),)
        return (
            _(
                "You have {running}. The newest release is older: {newest}.",
                running=self.running,
                newest=self.newest,
            ),
        )

    def as_json(self, installation: Installation) -> dict[str, Json]:
        """Return it as the document of `SCHEMA`."""
        return {
            "schema": SCHEMA,
            "version": self.running,
            "newest": self.newest,
            "newer": self.newer,
            "installation": str(installation),
        }


def find_updates(services: Services, cancel: Cancel, *, https: Https | None = None) -> Updates:
    """Ask which version is the newest; blocks for 10 seconds at most.

    Args:
        services: Whose settings name the address.
        cancel: Ends it within 100 ms.
        https: How the address is asked; another way in tests.

    Raises:
        UpdatesError: It can't be said, and why.
        SettingsFileError: The settings can't be read.
        CancelledError: Cancelled.
    """
    address = services.store.load().preferences.updates
    if not address:
        raise UpdatesError(_NO_ADDRESS)
    https = https or updates_https(SystemResolver())
    try:
        page = https.get(address, cancel, Deadline.after(_SECONDS))
        newest = newest_release(page.octets)
    except NotFoundError as error:
        raise UpdatesError(_failed(address, _WHY[error.result], error.detail)) from error
    except ValueError as error:
        raise UpdatesError(_failed(address, str(error))) from error
    return Updates(__version__, newest, _order(newest) > _order(__version__))


def updates_https(resolver: Resolver, ca_pem: str = "", port: int = HTTPS_PORT) -> Https:
    """Return how the address is asked: one page of at most 1 MiB, no redirect."""
    return Https(resolver, ca_pem, port, _MEDIA_TYPE, _MOST_OCTETS, most_redirects=0)


def newest_release(octets: bytes) -> str:
    """Return the newest release in a list of a package's files: none withdrawn, no pre-release.

    Raises:
        ValueError: It isn't such a list, or there is none in it; the message says which.
    """
    try:
        document = json.loads(octets)
    # No JSON, not in UTF-8, a number too long to convert; or nested too deeply.
    except (ValueError, RecursionError) as error:
        raise ValueError(_NO_LIST) from error
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, list):
        raise ValueError(_NO_LIST)  # noqa: TRY004 - a wrong document, not a wrong call
    releases = [version for version in _versions(files) if _order(version)[1]]
    if not releases:
        raise ValueError(_NO_RELEASE)
    return max(releases, key=_order)


def _versions(files: list[Any]) -> Iterator[str]:
    """Yield the version of each file that isn't withdrawn (PEP 592)."""
    for file in files:
        if isinstance(file, dict) and isinstance(name := file.get("filename"), str):
            found = _FILE.fullmatch(name)
            if found and not file.get("yanked") and _VERSION.fullmatch(found[1]):
                yield found[1]


def _order(version: str) -> tuple[tuple[int, ...], bool]:
    """Return what versions are ordered by: the numbers, and a release after what precedes it."""
    found = _VERSION.match(version)
    if found is None:
        return (), False
    numbers = [int(each) for each in found[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers), not found[2]


def _failed(address: str, why: str, detail: str = "") -> Text:
    return Text.of(
        (mark("Couldn’t check for updates at {address}."), {"address": visible(address)}),
        (why, {"detail": visible(detail), "seconds": f"{_SECONDS:.0f}"}),
    )
