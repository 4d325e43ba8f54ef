"""A scripted sign-in service (OAuth 2.0) by https, inside the test's own process.

with SignInService(certs.good.tls) as service:
    ...post to f"{service.url}/token"...
assert service.requests[0].form["grant_type"] == "refresh_token"
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self, TypeAlias
from urllib.parse import parse_qs, parse_qsl, urlsplit

if TYPE_CHECKING:
    import ssl

Fields: TypeAlias = Mapping[str, object]


@dataclass(frozen=True)
class Request:
    """What was asked: path, form and headers."""

    path: str
    form: dict[str, str]
    headers: Mapping[str, str]

    @property
    def basic(self) -> str:
        """Username and password of the request, as sent."""
        return base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()


@dataclass
class Reply:
    """An answer: an object as JSON, or octets; as often as they are told."""

    status: int = 200
    content: Fields | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def octets(self) -> bytes:
        if isinstance(self.content, bytes):
            return self.content
        return json.dumps(self.content).encode()


def refusal(error: str, description: str = "", status: int = 400, **more: object) -> Reply:
    """An answer of RFC 6749, 5.2."""
    return Reply(status, {"error": error, "error_description": description, **more})


class SignInService:
    """Gives tokens; refresh tokens are rotated, and one that comes twice ends all of its family.

    Attributes:
        url: where it is, without a final slash.
        requests: what was asked, in order.
        replies: by path what is answered instead: a `Reply`, or a function of the request that
            may return None for the usual one.
        lifetime: seconds of an access token.
        codes: authorization and device codes that are good, with their PKCE challenge.
        refresh: the one refresh token that is good; "" for none.
        pending: so often a device code is not yet confirmed.
    """

    def __init__(self, context: ssl.SSLContext, host: str = "localhost") -> None:
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handle, context)
        self.url: Final = f"https://{host}:{self._server.server_address[1]}"
        self.port: Final = int(self._server.server_address[1])
        self.requests: list[Request] = []
        self.replies: dict[str, Reply | Callable[[Request], Reply | None]] = {}
        self.lifetime = 3600
        self.codes: dict[str, str] = {}
        self.refresh = ""
        self.pending = 0
        self.access: list[str] = []
        self.gives: dict[str, object] = {}

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def of(self, path: str) -> list[Request]:
        """What was asked at a path."""
        return [each for each in self.requests if each.path == path]

    def authorize(self, url: str) -> dict[str, str]:
        """Play the person and the browser on the page `url`; return the answer's parameters."""
        query = dict(parse_qsl(urlsplit(url).query))
        code = secrets.token_urlsafe(12)
        self.codes[code] = query["code_challenge"]
        return {"code": code, "state": query["state"]}

    def new_refresh_token(self) -> str:
        """Sign somebody in."""
        self.refresh = f"refresh-{secrets.token_urlsafe(12)}"
        return self.refresh

    def _handle(self, request: Request) -> Reply:
        self.requests.append(request)
        scripted = self.replies.get(request.path)
        reply = scripted if isinstance(scripted, Reply) else scripted and scripted(request)
        if reply is not None:
            return reply
        with self._lock:
            match request.path:
                case "/token":
                    return self._token(request.form)
                case "/device":
                    self.codes["device-code"] = ""
                    return Reply(
                        content={
                            "device_code": "device-code",
                            "user_code": "WDJB-MJHT",
                            "verification_uri": f"{self.url}/activate",
                            "expires_in": 900,
                            "interval": 1,
                        }
                    )
                case _:
                    return refusal("not_found", status=404)

    def _token(self, form: Mapping[str, str]) -> Reply:
        match form.get("grant_type"):
            case "refresh_token":
                if not self.refresh or form["refresh_token"] != self.refresh:
                    self.refresh = ""
                    return refusal("invalid_grant", "refresh token already used")
            case "authorization_code":
                challenge = self.codes.pop(form["code"], None)
                digest = hashlib.sha256(form["code_verifier"].encode()).digest()
                if challenge != base64.urlsafe_b64encode(digest).decode().rstrip("="):
                    return refusal("invalid_grant", "PKCE verification failed")
            case "urn:ietf:params:oauth:grant-type:device_code":
                if self.pending:
                    self.pending -= 1
                    return refusal("authorization_pending")
            case _:  # the application itself: nobody signs in
                return Reply(content=self._access())
        return Reply(content={**self._access(), "refresh_token": self.new_refresh_token()})

    def _access(self) -> dict[str, object]:
        self.access.append(f"access-{secrets.token_urlsafe(12)}")
        return {
            "access_token": self.access[-1],
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            **self.gives,
        }


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        handle: Callable[[Request], Reply],
        context: ssl.SSLContext,
    ) -> None:
        super().__init__(address, _Handler)
        self.handle = handle
        self.context = context

    def finish_request(self, request: object, client_address: object) -> None:
        with contextlib.suppress(OSError):
            tls = self.context.wrap_socket(request, server_side=True)  # type: ignore[arg-type]
            with tls:
                super().finish_request(tls, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that leaves is what tests are about."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        form = {name: value[0] for name, value in parse_qs(content.decode()).items()}
        reply = self.server.handle(Request(self.path, form, dict(self.headers.items())))
        octets = reply.octets
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(octets)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(octets)

    do_GET = do_POST  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""
