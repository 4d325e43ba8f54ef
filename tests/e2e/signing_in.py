"""Who gives tokens and who takes them, and a person who signs in where the program asks for it."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.e2e.program import run, start
from tests.oauth.test_assertions import parts_of
from tests.servers.sign_in_service import Reply, Request, refusal

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Mapping

    from tests.servers.certs import Identity
    from tests.servers.dovecot import DovecotWithInbox
    from tests.servers.oidc import OidcProvider
    from tests.servers.tokens import TokenIssuer

ANN: Final = "ann@example.org"
"""The account whose mailbox sends."""
GOOGLE: Final = "oauth2.googleapis.com"

_SECONDS: Final = 90.0


@dataclass(frozen=True)
class Organization:
    """A sign-in service (oidc-provider), and a mail server (Dovecot) that checks its tokens.

    Attributes:
        provider: Its clients are "desk" for people, "platform" with a secret, "signed" with a
            certificate.
        mail: The mail server; what it accepted is in `mail.inbox`.
        ca_file: Trusted for both.
    """

    provider: OidcProvider
    mail: DovecotWithInbox
    ca_file: pathlib.Path

    def settings(self, flow: str = "browser", client: str = "desk") -> list[str]:
        """SETTINGS for them; see `settings_for`."""
        url, port = self.provider.url, self.mail.starttls_port
        return settings_for(port, url, self.ca_file, flow, client)


def settings_for(
    port: int, url: str, ca_file: pathlib.Path, flow: str = "browser", client: str = "desk"
) -> list[str]:
    """SETTINGS of a sign-in by oidc-provider at `url`, and `--to`."""
    scope = "smtp" if flow == "app" else "openid offline_access smtp"
    return [
        *("--host", "localhost", "--port", str(port), "--security", "starttls"),
        *("--username", ANN, "--from-email", ANN, "--ca-file", str(ca_file)),
        *("--auth", "oauth", "--oauth-provider", "custom", "--oauth-flow", flow),
        *("--client-id", client, "--oauth-token-url", f"{url}/token", "--oauth-scope", scope),
        *("--oauth-ca-file", str(ca_file), "--to", "bo@example.org"),
        *(["--oauth-authorize-url", f"{url}/auth"] * (flow == "browser")),
        *(["--oauth-device-url", f"{url}/device/auth"] * (flow == "device")),
    ]


class ServiceAccounts:
    """Google's way to give tokens: to a service account that acts for a mailbox (RFC 7523).

    Everything of its assertion is checked, the signature with the account's public key; who
    acts for another mailbox than `ANN` is refused. Put it in place of the answers at "/token".
    """

    EMAIL: Final = "desk@project.iam.gserviceaccount.com"

    def __init__(self, identity: Identity, issuer: TokenIssuer) -> None:
        """Give the tokens of `issuer` to the account whose key is that of `identity` (RSA)."""
        self._public: Any = identity.key.public_key()
        self._issuer = issuer
        self.key_file: Final = json.dumps(
            {
                "type": "service_account",
                "client_email": self.EMAIL,
                "private_key_id": "k1",
                "private_key": identity.key_file.read_text(),
            },
            indent=2,
        )

    def __call__(self, request: Request) -> Reply:
        assert request.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        head, claims, signed, signature = parts_of(request.form["assertion"])
        self._public.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        assert (head["alg"], head["kid"]) == ("RS256", "k1")
        assert (claims["iss"], claims["aud"]) == (self.EMAIL, f"https://{GOOGLE}/token")
        assert claims["scope"] == "https://mail.google.com/"
        assert claims["iat"] <= time.time() + 1 < claims["exp"] <= claims["iat"] + 3600
        if claims["sub"] != ANN:
            return refusal("unauthorized_client", "Client is unauthorized", 401)
        token = self._issuer.token(ANN)
        return Reply(content={"access_token": token, "token_type": "Bearer", "expires_in": 3599})


@dataclass(frozen=True)
class Workspace:
    """Google's token service, as programs reach it by the proxy of `env`, and a mail server.

    Attributes:
        accounts: Who may ask for tokens.
        mail: The mail server; what it accepted is in `mail.inbox`.
        ca_file: Trusted for the mail server.
        env: What programs need in their environment.
    """

    accounts: ServiceAccounts
    mail: DovecotWithInbox
    ca_file: pathlib.Path
    env: Mapping[str, str]

    @property
    def settings(self) -> list[str]:
        """SETTINGS, and `--to`."""
        return [
            *("--host", "localhost", "--port", str(self.mail.starttls_port)),
            *("--security", "starttls", "--username", ANN, "--from-email", ANN),
            *("--ca-file", str(self.ca_file), "--to", "bo@example.org"),
            *("--auth", "oauth", "--oauth-provider", "google"),
            *("--oauth-flow", "service-account"),
        ]


def run_signing_in(
    *arguments: str,
    act: Callable[[str, subprocess.Popen[bytes]], None],
    env: Mapping[str, str],
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end; once it names a page, `act` is called with its address."""
    program = start(*arguments, env=env)
    assert program.stdin is not None
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdin.write(stdin)
    program.stdin.close()
    shown: list[bytes] = []
    errors: list[bytes] = []
    listening = threading.Thread(target=lambda: errors.extend(program.stderr or ()), daemon=True)
    listening.start()
    watch = threading.Timer(_SECONDS, program.kill)
    watch.start()
    try:
        for line in program.stdout:
            shown.append(line)
            word = line.decode().strip()
            if word.startswith("https://"):
                act(word, program)
        listening.join()
        returncode = program.wait()
    finally:
        watch.cancel()
        program.kill()
        program.stdout.close()
        program.stderr.close()
    return subprocess.CompletedProcess(arguments, returncode, b"".join(shown), b"".join(errors))


def assert_sent(env: Mapping[str, str]) -> None:
    """An email leaves by what is saved, in a process of its own."""
    values = ("title=Hello", "body=By the saved sign-in.")
    options = [option for value in values for option in ("--set", value)]
    done = run("send", "notification", "--to", "bo@example.org", *options, env=env)
    assert done.returncode == 0, done
    assert b"custom" in done.stdout, done
