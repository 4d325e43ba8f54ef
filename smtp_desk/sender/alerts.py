"""Alerts that aren't emails: to a chat or a push service, through Apprise (the extra `alerts`).

Only a few services are allowed, over TLS, and only with the URLs that a person entered: a URL can't
turn off verification, name a file or load code. `alert_process` contacts the services, so that a
slow one can't hold up this process. The text of an alert never names a recipient.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from smtp_desk.core.address import has_control
from smtp_desk.core.secret import Secret
from smtp_desk.store.credentials import (
    DEFAULT_PASSWORD_VARIABLE,
    PASSWORD_VARIABLE,
    CredentialsUnavailableError,
)
from smtp_desk.store.settings_file import SettingsFileError

LIMIT_S: Final = 10.0
"""The time limit for one alert, all its services included."""
MOST_URLS: Final = 10

_MOST_CHARACTERS: Final = 2048
_PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "slack": frozenset({"footer"}),
    "discord": frozenset({"avatar", "footer"}),
    "workflows": frozenset(),
    "ntfys": frozenset({"priority", "tags"}),
    "gotifys": frozenset({"priority"}),
    "jsons": frozenset(),
}
"""The schemes, and what may stand behind `?` in their URLs."""

_log: Final = logging.getLogger(__name__)


class AlertUrlError(ValueError):
    """A URL isn't allowed for alerts; the message says why, without the URL."""


def parse_alert_urls(text: Secret) -> tuple[str, ...]:
    """Return the URLs in a text that has one per line.

    Raises:
        AlertUrlError: One of them isn't allowed, or there are more than `MOST_URLS`.
    """
    urls = tuple(filter(None, map(str.strip, text.reveal().splitlines())))
    if len(urls) > MOST_URLS:
        raise AlertUrlError(f"At most {MOST_URLS} alert URLs can be saved.")
    for number, url in enumerate(urls, start=1):
        if why := _refusal(url):
            which = f"Alert URL {number}" if len(urls) > 1 else "The alert URL"
            raise AlertUrlError(f"{which} is refused: {why}.")
    return urls


def _refusal(url: str) -> str:
    if len(url) > _MOST_CHARACTERS or has_control(url):
        return "it is too long, or holds a control character"
    try:
        parts = urlsplit(url)
        parameters = parse_qsl(
            parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)
        )
    except ValueError:
        return "it can’t be read"
    allowed = _PARAMETERS.get(parts.scheme.lower())
    if allowed is None:
        return f"only {', '.join(_PARAMETERS)} are allowed as schemes"
    if not parts.netloc:
        return "it names no service"
    for name, _ in parameters:
        if name.lower() not in allowed:
            return f"the parameter “{name[:40]}” isn’t allowed"
    return ""


class Alerts:
    """Sends alerts, each in a thread of its own; a failure is logged and delays nobody.

    Args:
        read: Returns the saved URLs, one per line.
    """

    def __init__(self, read: Callable[[], Secret]) -> None:
        self._read = read

    def urls(self) -> tuple[str, ...]:
        """Return the saved URLs; if they can't be read, log that and return none."""
        try:
            return parse_alert_urls(self._read())
        except (AlertUrlError, CredentialsUnavailableError, SettingsFileError) as error:
            _log.warning("no alerts are sent: %s", error)
            return ()

    def send(self, urls: Sequence[str], title: str, body: str) -> None:
        """Start sending an alert, and return at once."""
        if not urls:
            return
        arguments = (tuple(urls), title, body)
        thread = threading.Thread(target=self._send, args=arguments, name="alert", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            _log.error("an alert is not sent, no thread is to be had: %s", error)

    def _send(self, urls: Sequence[str], title: str, body: str) -> None:
        for number, problem in enumerate(send_alert(urls, title, body), start=1):
            if problem:
                _log.error("alert %d was not sent: %s", number, problem)


def send_alert(urls: Sequence[str], title: str, body: str) -> list[str]:
    """Send an alert, and return for each URL what went wrong; "" if nothing did."""
    given = json.dumps({"urls": list(urls), "title": title, "body": body})
    hidden = (PASSWORD_VARIABLE, DEFAULT_PASSWORD_VARIABLE)
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    try:
        process = subprocess.Popen(
            (sys.executable, "-m", "smtp_desk.sender.alert_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ,
        )
    except OSError as error:
        return [f"no process is to be had: {error.strerror}"] * len(urls)
    with process:
        try:
            out, _ = process.communicate(given.encode(), LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
    results: dict[int, str] = {}
    for line in out.decode("utf-8", "replace").splitlines():
        number, _, problem = line.partition(" ")
        if number.isdecimal():
            results[int(number)] = problem
    missing = f"no answer within {LIMIT_S:g} s" if process.returncode else "it was not tried"
    return [results.get(number, missing) for number in range(len(urls))]
