"""Scenes of the form with a sign-in in place of a password: each flow, its guide, its prompts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.oauth import FLOWS, OAuthDraft, OAuthFlow, OAuthProvider
from smtp_desk.core.problems import Field, Problem
from smtp_desk.core.report import StageResult
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import OAUTH
from smtp_desk.core.stages import Stage, StageStatus
from smtp_desk.oauth.prompt import Prompt
from tests.ui.states import FILLED, PROMPT, TYPED, Scene, stages

if TYPE_CHECKING:
    from collections.abc import Iterator

_DRAFT: Final = OAuthDraft(
    client_id="0f8fad5b-d9cb-469f-a165-70867728950e",
    tenant="example.onmicrosoft.com",
    authorize_url="https://login.example.com/authorize",
    token_url="https://login.example.com/token",
    device_url="https://login.example.com/device",
    scope="smtp offline_access",
)
_DAY: Final = {"client_secret_expires": "2027-05-30"}
_ENDS: Final = (
    "By the date in the settings, the client secret expires on 2027-05-30, in 12 days. Create a "
    "new one before then, and configure the server with it."
)
_BROWSER: Final = Prompt("https://login.example.com/authorize?client_id=desk", "", 300)


def _scene(provider: OAuthProvider, flow: OAuthFlow, **shown: object) -> Scene:
    oauth = replace(_DRAFT, provider=provider, flow=flow)
    draft = replace(FILLED, auth_method=OAUTH, oauth=oauth, secret=Secret(""))
    state = replace(TYPED, oauth=oauth, **shown)  # type: ignore[arg-type]
    return Scene(state=state, draft=draft, recipient="ann@example.org")


def _scenes() -> Iterator[tuple[str, Scene]]:
    for provider, flows in FLOWS.items():
        for flow in flows:
            yield f"{provider}_{flow}", _scene(provider, flow)
        yield f"{provider}_guide", replace(_scene(provider, flows[0]), unfolded="guide")
    microsoft, browser = OAuthProvider.MICROSOFT, OAuthFlow.BROWSER
    begun = stages(Stage.SETTINGS), StageResult(Stage.TOKEN, StageStatus.STARTED, 0, {})
    running = {"busy": Busy.TESTING, "stages": (*begun[0], begun[1])}
    yield "prompt_browser", _scene(microsoft, browser, prompt=_BROWSER, **running)
    device = OAuthFlow.DEVICE
    yield "prompt_code", _scene(OAuthProvider.CUSTOM, device, prompt=PROMPT, **running)
    wrong = _scene(
        microsoft,
        browser,
        problems=(
            Problem(Field.CLIENT_ID, "oauth.client_id_empty"),
            Problem(Field.TENANT, "oauth.tenant"),
        ),
    )
    yield "problems", wrong
    stored = _scene(microsoft, OAuthFlow.APP, secret_stored=True)
    soon = replace(stored.state, ends=_ENDS, oauth=replace(stored.state.oauth, **_DAY))
    expires = replace(stored, state=soon, draft=replace(stored.draft, oauth=soon.oauth))
    yield "secret_expires", expires
    past = Problem(Field.CLIENT_SECRET_EXPIRES, "oauth.expires_past")
    yield "secret_expired", replace(expires, state=replace(soon, problems=(past,)))
    yield "stored_key", replace(stored, draft=replace(stored.draft, secret=StoredSecret("a1")))


OAUTH_SCENES: Final = dict(_scenes())
