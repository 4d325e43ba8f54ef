"""oidc-provider, a real sign-in service (OAuth 2.0), run by Node.js, and what opens its pages."""

from __future__ import annotations

import base64
import http.cookiejar
import json
import re
import ssl
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.servers import parts
from tests.servers.node_process import NodeProcess
from tests.servers.process import server_folder

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.servers.certs import Certificates

LIFETIME: Final = 300
CLIENT_SECRET: Final = "platform-s3cret+"


class OidcProvider(NodeProcess):
    """A running service. Its clients: desk, elsewhere (native), platform (secret), signed (key).

    Attributes:
        url: where it is.
        audience: for whom its access tokens are, as JWTs; "" where they are opaque.
    """

    def __init__(
        self, folder: pathlib.Path, certs: Certificates, audience: str = "", mailbox: str = ""
    ) -> None:
        """Start it; with an `audience` the tokens of applications are for `mailbox`."""
        identity, client = certs.good, certs.good_rsa
        self._ca_file = certs.root.chain_file
        self.audience = audience
        super().__init__(
            "oidc.mjs",
            *(identity.key_file, identity.chain_file, client.chain_file, LIFETIME),
            *((audience, mailbox) if audience else ()),
            log=folder / "oidc.log",
        )
        self._process.wait_ready(lambda: bool(self._events("listening")))
        self.url = f"https://localhost:{self._events('listening')[0]['port']}"

    @property
    def keys(self) -> dict[str, bytes]:
        """What its tokens are checked with, as it publishes it; see `SignsTokens`."""
        browser = FormBrowser(self._ca_file)
        browser.open(f"{self.url}/jwks")
        return {f"RS256/{each['kid']}": _pem(each) for each in json.loads(browser.page)["keys"]}

    @property
    def access(self) -> list[str]:
        """The opaque access tokens that were given, in order."""
        return [event["token"] for event in self._events("issued")]

    @property
    def revoked(self) -> int:
        """How many sign-ins it ended because an old refresh token came, or as it was asked."""
        return len(self._events("revoked"))


class FormBrowser:
    """A browser without a screen and without scripts: it follows links, and fills in forms.

    Attributes:
        url: of the page that is open.
        page: its text.
    """

    def __init__(self, ca_file: pathlib.Path) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        tls = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_file))
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies, tls)
        self.url = self.page = ""

    def open(self, url: str, form: dict[str, str] | None = None) -> None:
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        with self._opener.open(url, data, timeout=20) as response:
            self.url, self.page = response.url, response.read().decode()

    def submit(self, **fields: str) -> None:
        """Fill in the only form, and press its button."""
        (action,) = re.findall(r'<form[^>]* action="([^"]*)"', self.page)
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', self.page)
        self.open(urllib.parse.urljoin(self.url, action), {**dict(hidden), **fields})

    def sign_in(self, url: str, login: str) -> None:
        """Sign in on the service's page, and agree to what it asks for."""
        self.open(url)
        self.submit(login=login, password="any")
        self.submit()

    def confirm_device(self, url: str, user_code: str, login: str) -> None:
        """Enter a device code, sign in, and agree."""
        self.open(url)
        self.submit(user_code=user_code)
        self.submit(confirm="yes")
        self.submit(login=login, password="any")
        self.submit()


def _pem(jwk: dict[str, str]) -> bytes:
    """The public key of a JWK (RFC 7517, 7518)."""
    e, n = (int.from_bytes(base64.urlsafe_b64decode(f"{jwk[name]}==")) for name in ("e", "n"))
    public = rsa.RSAPublicNumbers(e, n).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="session")
def oidc(certs: Certificates) -> Iterator[OidcProvider]:
    """A running sign-in service; what it does is remembered for the whole session."""
    parts.require("oidc")
    with server_folder("oidc") as folder, OidcProvider(folder, certs) as service:
        yield service
