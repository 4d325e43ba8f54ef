"""A sign-in service, and what it is asked with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smtp_desk.core.oauth import OAuthFlow, OAuthProvider, OAuthSettings
from smtp_desk.oauth.link import ProviderLink
from tests.servers.certs import Certificates
from tests.servers.sign_in_service import SignInService


@pytest.fixture
def service(certs: Certificates) -> Iterator[SignInService]:
    with SignInService(certs.good_rsa.tls) as server:
        yield server


@pytest.fixture
def ca_pem(certs: Certificates) -> str:
    return certs.root.chain_file.read_text()


@pytest.fixture
def link(ca_pem: str) -> ProviderLink:
    return ProviderLink(ca_pem=ca_pem)


def settings_of(
    service: SignInService, flow: OAuthFlow, provider: OAuthProvider = OAuthProvider.CUSTOM
) -> OAuthSettings:
    return OAuthSettings(
        provider=provider,
        flow=flow,
        client_id="desk",
        authorize_url=f"{service.url}/authorize" if flow is OAuthFlow.BROWSER else "",
        token_url=f"{service.url}/token",
        device_url=f"{service.url}/device" if flow is OAuthFlow.DEVICE else "",
        scopes=("smtp", "offline_access"),
    )
