"""A person who signs in, with a browser that does what they want."""

from __future__ import annotations

import contextlib
import http.client
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

if TYPE_CHECKING:
    from smtp_desk.oauth.prompt import Prompt
    from tests.servers.sign_in_service import SignInService


@dataclass
class Person:
    """Opens the page that is prompted; the browser brings back what the service would answer.

    Attributes:
        changes: what the browser brings back instead; "" leaves a parameter out.
        prompts: what was asked, in order.
        statuses: how the listener answered the browser.
    """

    service: SignInService
    changes: dict[str, str] = field(default_factory=dict)
    prompts: list[Prompt] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def __call__(self, prompt: Prompt) -> None:
        self.prompts.append(prompt)
        if prompt.user_code:
            return
        port = urlsplit(self.query["redirect_uri"]).port
        answer = {**self.service.authorize(prompt.url), **self.changes}
        known = {name: value for name, value in answer.items() if value}
        threading.Thread(target=self._open, args=(port, known)).start()

    def _open(self, port: int, answer: dict[str, str]) -> None:
        target, headers = f"/?{urlencode(answer)}", {"Host": f"localhost:{port}"}
        made = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        with contextlib.closing(made) as connection:
            connection.request("GET", target, headers=headers)
            self.statuses.append(connection.getresponse().status)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the newest page."""
        return dict(parse_qsl(urlsplit(self.prompts[-1].url).query))
