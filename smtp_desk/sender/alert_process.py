"""A process that sends one alert and exits; its parent kills it if it takes too long.

Reads {"urls", "title", "body"} as JSON, and writes a line for each URL: its number, from 0, and
what went wrong. What it changes in the libraries ends with the process: no redirect is followed,
since one could lead to another host or away from TLS, and the system's certificates are trusted.
"""

import json
import sys
import threading
from collections.abc import Sequence
from typing import Final

_NOT_INSTALLED: Final = "the part “alerts” isn’t installed (pip install smtp-desk[alerts])"


def main() -> None:
    """Send the alert read from standard input, to all services in parallel."""
    given = json.load(sys.stdin)
    try:
        import apprise  # noqa: PLC0415 - an extra
        import requests  # noqa: PLC0415 - comes with it
        import truststore  # noqa: PLC0415 - with them
    except ImportError:
        _say([f"{number} {_NOT_INSTALLED}" for number in range(len(given["urls"]))])
        return
    truststore.inject_into_ssl()
    requests.Session.get_redirect_target = lambda *_: None  # type: ignore[method-assign]
    asset = apprise.AppriseAsset(plugin_paths=[], secure_logging=True, async_mode=False)

    def send(number: int, url: str) -> None:
        service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
        if service is None:
            _say([f"{number} the service doesn’t know such a URL"])
            return
        sent = service.notify(body=given["body"], title=given["title"])
        _say([f"{number} {'' if sent else 'the service refused it, or can’t be reached'}"])

    threads = [threading.Thread(target=send, args=each) for each in enumerate(given["urls"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        sys.stdout.buffer.write(f"{line}\n".encode())
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
