"""What a failed token request leaves behind for tracebacks: no secret in any frame."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.oauth import OAuthFlow
from smtp_desk.core.secret import Secret
from smtp_desk.oauth.link import ProviderLink
from smtp_desk.smtp.net.deadline import Cancel
from tests.oauth.test_client import SECRET, client
from tests.servers.sign_in_service import Reply, SignInService, refusal


@pytest.mark.parametrize(
    "reply",
    [
        refusal("invalid_grant"),
        refusal("invalid_client", status=401),
        Reply(307, headers={"Location": "https://elsewhere.test/"}),
        Reply(503),
        Reply(200, b"<html>"),
    ],
)
@pytest.mark.parametrize("way", ["renew", "fetch", "sign_in", "revoke"])
def test_no_frame_that_a_failure_passes_shows_a_secret(
    service: SignInService, link: ProviderLink, reply: Reply, way: str
) -> None:
    """As error trackers show it: with the locals of every frame, those of its causes too."""
    flow = OAuthFlow.DEVICE if way == "sign_in" else OAuthFlow.APP
    asking = client(service, link, flow, SECRET)
    service.replies |= dict.fromkeys(("/token", "/device", "/revoke"), reply)
    published = {"revocation_endpoint": f"{service.url}/revoke"}
    service.replies["/.well-known/oauth-authorization-server"] = Reply(content=published)
    refresh = Secret(f"refresh {SECRET}")
    ways: dict[str, Callable[[], object]] = {
        "renew": lambda: asking.renew(refresh, Cancel()),
        "fetch": lambda: asking.fetch(Cancel()),
        "sign_in": lambda: asking.sign_in(lambda _prompt: None, Cancel()),
        "revoke": lambda: asking.revoke(refresh, Cancel()),
    }
    if way == "revoke" and reply.status in (400, 401):  # it says so, and that is all
        assert not ways[way]()
        return
    with pytest.raises(SmtpFailure) as told:
        ways[way]()
    shown = traceback.TracebackException.from_exception(told.value, capture_locals=True)
    assert SECRET not in "".join(shown.format())
    assert told.value.__context__ is None
