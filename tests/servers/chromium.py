"""A real browser without a screen: Chromium, told what to do by its WebDriver (W3C)."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import TYPE_CHECKING, Any, Final, Self

from tests.servers import parts
from tests.servers.process import ServerProcess
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    import pathlib

_ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"
_STARTED: Final = re.compile(r"started successfully on port (\d+)")
_ARGUMENTS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
    "--no-proxy-server",
)


class Chromium:
    """One window. Certificates of test authorities are good enough for it."""

    def __init__(self, folder: pathlib.Path) -> None:
        profile = folder / "profile"
        self._process = ServerProcess(
            [parts.program("chromedriver"), "--port=0"],
            folder / "chromedriver.log",
            env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
        self._process.wait_ready(lambda: bool(_STARTED.search(self._process.log.read_text())))
        (port,) = _STARTED.findall(self._process.log.read_text())
        self._base = f"http://127.0.0.1:{port}/session"
        options = {"args": [*_ARGUMENTS, f"--user-data-dir={profile}"]}
        wanted = {"acceptInsecureCerts": True, "goog:chromeOptions": options}
        answer = self._ask("", {"capabilities": {"alwaysMatch": wanted}})
        self._base += f"/{answer['sessionId']}"

    def open(self, url: str) -> None:
        self._ask("/url", {"url": url})

    def fill(self, name: str, text: str) -> None:
        """Type into the field of this name in place of what it holds, once it is there."""
        field = f"/element/{self._find(f'input[name={name}]')}"
        self._ask(f"{field}/clear", {})
        self._ask(f"{field}/value", {"text": text})

    def press(self) -> None:
        """Press the button of the form."""
        self._ask(f"/element/{self._find('button[type=submit]')}/click", {})

    @property
    def text(self) -> str:
        """What the page says."""
        return str(self._ask(f"/element/{self._find('body')}/text"))

    def wait_for(self, text: str) -> None:
        """Return once the page says so."""
        wait_until(lambda: text in self.text, f"{text!r} on the page")

    def _find(self, selector: str) -> str:
        found: list[dict[str, str]] = []

        def is_there() -> bool:
            query = {"using": "css selector", "value": selector}
            found[:] = self._ask("/elements", query)
            return bool(found)

        wait_until(is_there, f"{selector} on the page")
        return found[0][_ELEMENT]

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - of loopback
            f"{self._base}{path}", data, {"Content-Type": "application/json"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as response:
            return json.loads(response.read())["value"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()
