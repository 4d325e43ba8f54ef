"""A real browser without a screen: Chromium, told what to do by its WebDriver (W3C)."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Final, Self

from tests.servers import parts
from tests.servers.process import ServerProcess
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping

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
        self._do(f"input[name={name}]", {"clear": {}, "value": {"text": text}})

    def press(self) -> None:
        """Press the button of the form."""
        self._do("button[type=submit]", {"click": {}})

    @property
    def text(self) -> str:
        """What the page says."""
        query = {"script": "return document.body ? document.body.innerText : ''", "args": []}
        return str(self._ask("/execute/sync", query))

    def wait_for(self, text: str) -> None:
        """Return once the page says so."""
        wait_until(lambda: text in self.text, f"{text!r} on the page")

    def _do(self, selector: str, actions: Mapping[str, dict[str, str]]) -> None:
        """Do something with the element, once it is there; a page may go at any moment."""

        def done() -> bool:
            query = {"using": "css selector", "value": selector}
            try:
                found = self._ask("/elements", query)
                for name, body in actions.items() if found else ():
                    self._ask(f"/element/{found[0][_ELEMENT]}/{name}", body)
            except urllib.error.HTTPError:
                return False
            return bool(found)

        wait_until(done, f"{selector} on the page")

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
