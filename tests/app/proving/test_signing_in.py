"""A test that signs in by OAuth 2.0, from the click to the mailbox, and what of it is saved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from smtp_desk.app.proving.proving import ProofRequest, ProofResult, prove, save
from smtp_desk.app.routes.custom import load_saved, saved_draft
from smtp_desk.app.services import Services
from smtp_desk.core.oauth import OAuthDraft, OAuthFlow
from smtp_desk.core.secret import KeyringEntry, Secret, StoredSecret
from smtp_desk.core.settings import OAUTH, SettingsDraft
from smtp_desk.core.stages import Stage, StageEvent, StageStatus
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.smtp.check.check import Steps
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.save_protocol import SaveError
from smtp_desk.store.stored import ServerState, StoredServer
from tests.oauth.person import Person
from tests.oauth.test_account import jwt
from tests.servers.certs import Certificates
from tests.servers.scripted import ScriptedServer
from tests.servers.sign_in_service import Reply, SignInService, refusal
from tests.servers.token_mail import takes_tokens

ANN = "ann@example.org"


@dataclass
class Setting:
    """A sign-in service, a mail server that takes its tokens, and a person with a browser."""

    services: Services
    service: SignInService
    server: ScriptedServer
    ca_file: Path
    ask: Person
    events: list[StageEvent] = field(default_factory=list)

    def draft(self, flow: OAuthFlow = OAuthFlow.BROWSER, secret: str = "") -> SettingsDraft:
        browser, device = flow is OAuthFlow.BROWSER, flow is OAuthFlow.DEVICE
        return SettingsDraft(
            host="localhost",
            port=str(self.server.port),
            username=ANN,
            secret=Secret(secret),
            from_email=ANN,
            security="starttls",
            ca_file=str(self.ca_file),
            auth_method=OAUTH,
            oauth=OAuthDraft(
                provider="custom",
                flow=flow,
                client_id="desk",
                authorize_url=f"{self.service.url}/authorize" if browser else "",
                token_url=f"{self.service.url}/token",
                device_url=f"{self.service.url}/device" if device else "",
                scope="smtp offline_access",
                ca_file=str(self.ca_file),
            ),
        )

    def test(self, draft: SettingsDraft, **more: object) -> ProofResult:
        fields = {"recipient": "bo@example.org", "ask": self.ask, **more}
        request = ProofRequest(draft=draft, **fields)  # type: ignore[arg-type]
        return prove(self.services, request, self.events.append, Cancel())

    @property
    def entry(self) -> KeyringEntry:
        server = self.services.store.load().server
        assert server is not None
        entry = self.services.store.entry(server)
        assert entry is not None
        return entry


@pytest.fixture
def setting(services: Services, certs: Certificates) -> Iterator[Setting]:
    tls = certs.good_rsa.tls
    with SignInService(tls) as service, ScriptedServer(takes_tokens(service, tls, ANN)) as server:
        yield Setting(services, service, server, certs.root.chain_file, Person(service))


def stages_of(result: ProofResult) -> list[str]:
    return [f"{each.stage} {each.status}" for each in result.report.stages][:4]


Flow = Callable[[Setting], SettingsDraft]


@pytest.mark.parametrize(
    ("flow", "secret"),
    [
        (OAuthFlow.BROWSER, ""),
        (OAuthFlow.BROWSER, "client secret"),
        (OAuthFlow.DEVICE, ""),
        (OAuthFlow.APP, "client secret"),
    ],
)
def test_from_the_click_to_the_mailbox_and_saved(
    setting: Setting, flow: OAuthFlow, secret: str
) -> None:
    result = setting.test(setting.draft(flow, secret))
    assert result.report.finding is None
    assert result.proven
    assert stages_of(result)[:2] == ["settings passed", "token passed"]
    assert len(setting.server.messages) == 1
    assert bool(setting.ask.prompts) == (flow is not OAuthFlow.APP)
    save(setting.services, result)
    assert setting.entry.secret == Secret(secret)
    assert setting.entry.access_token is not None
    refresh = "" if flow is OAuthFlow.APP else setting.service.refresh
    assert setting.entry.refresh_token == Secret(refresh)
    saved = load_saved(setting.services)
    assert saved.proven is not None
    assert result.values is not None
    assert saved.proven.settings == result.values.settings
    assert saved.draft.auth_method == OAUTH


def test_the_stage_begins_before_the_person_is_asked_and_tells_what_was_got(
    setting: Setting,
) -> None:
    result = setting.test(setting.draft())
    token = [event for event in setting.events if event.stage is Stage.TOKEN]
    assert [event.status for event in token] == [StageStatus.STARTED, StageStatus.PASSED]
    assert token[-1].facts["flow"] == "browser"
    assert token[-1].facts["token_host"] == "localhost"
    shown = result.report.settings
    assert (shown["oauth_provider"], shown["flow"], shown["client_id"]) == (
        *("custom", "browser", "desk"),
    )
    assert shown["token_url"] == f"{setting.service.url}/token"
    assert "tenant" not in shown
    report = repr(result.report.to_json())
    for secret in (setting.service.access[-1], setting.service.refresh, "code_challenge", "state="):
        assert secret not in report


def test_a_second_test_of_the_same_values_asks_nobody(setting: Setting) -> None:
    first = setting.test(setting.draft())
    second = setting.test(setting.draft(), signed_in=first.signed_in)
    assert second.proven
    assert len(setting.ask.prompts) == 1
    other = replace(setting.draft(), username="bo@example.org")
    setting.test(other, signed_in=second.signed_in)
    assert len(setting.ask.prompts) == 2


def saved(setting: Setting) -> tuple[StoredServer, SettingsDraft]:
    """What is saved after a test, and the form as it shows it."""
    save(setting.services, setting.test(setting.draft()))
    store = setting.services.store
    server = store.load().server
    assert server is not None
    return server, saved_draft(server, store.paths)


def test_what_is_saved_is_tested_without_a_person(setting: Setting) -> None:
    _, untouched = saved(setting)
    assert isinstance(untouched.secret, StoredSecret)
    renamed = replace(untouched, from_name="Example")
    before = setting.entry
    result = setting.test(renamed, ask=None)
    assert result.proven
    save(setting.services, result)
    assert setting.entry.refresh_token == before.refresh_token
    assert setting.services.store.status().state is not ServerState.UNPROVEN
    assert len(setting.ask.prompts) == 1


def test_a_token_that_was_rotated_between_test_and_save_is_not_lost(setting: Setting) -> None:
    server, untouched = saved(setting)
    result = setting.test(replace(untouched, from_name="Example"))
    access = setting.entry.access_token
    assert access is not None
    setting.services.store.keep_tokens(server, Secret("rotated meanwhile"), access)
    save(setting.services, result)
    assert setting.entry.refresh_token == Secret("rotated meanwhile")


def test_a_keyring_that_is_gone_at_save_saves_nothing(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, untouched = saved(setting)
    result = setting.test(replace(untouched, from_name="Example"))
    setting.services.credentials.delete(server.key)
    with pytest.raises(SaveError):
        save(setting.services, result)
    assert setting.services.store.load().server == server


@pytest.mark.parametrize(
    ("identity", "account"),
    [
        ({}, ("", "")),
        ({"iss": "https://login", "sub": "17", "email": ANN}, ("https://login", "17")),
    ],
)
def test_the_account_that_signed_in_is_part_of_the_proof(
    setting: Setting, identity: dict[str, str], account: tuple[str, str]
) -> None:
    setting.service.gives = {"id_token": jwt(**identity)} if identity else {}
    save(setting.services, setting.test(setting.draft()))
    server = setting.services.store.load().server
    assert server is not None
    assert server.settings.oauth is not None
    assert (server.settings.oauth.issuer, server.settings.oauth.subject) == account


def test_another_account_than_the_username_is_a_warning(setting: Setting) -> None:
    setting.service.gives = {"id_token": jwt(iss="https://login", sub="1", email="bo@example.org")}
    result = setting.test(setting.draft())
    assert result.proven
    (warning,) = result.report.warnings
    assert (warning.code, warning.severity) == ("oauth.account_mismatch", "warning")
    assert "bo@example.org" in warning.summary


@pytest.mark.parametrize("steps", [Steps.FULL, Steps.NO_SEND])
def test_nobody_is_there_to_sign_in(setting: Setting, steps: Steps) -> None:
    result = setting.test(setting.draft(), ask=None, steps=steps)
    finding = result.report.finding
    assert finding is not None
    assert (finding.code, finding.stage) == ("auth.sign_in_again", Stage.TOKEN)
    assert not setting.server.sessions


def test_up_to_tls_no_token_is_asked_for(setting: Setting) -> None:
    result = setting.test(setting.draft(), steps=Steps.NO_LOGIN)
    assert result.report.passed
    assert "token" not in {str(each.stage) for each in result.report.stages}
    assert not setting.service.requests


@pytest.mark.parametrize(
    ("reply", "code", "status"),
    [
        (refusal("invalid_client"), "oauth.client_invalid", 401),
        (Reply(307, headers={"Location": "https://evil.example"}), "oauth.untrusted", 307),
        (Reply(503, b""), "oauth.unreachable", 503),
        (Reply(content=b"<html>"), "oauth.untrusted", 200),
    ],
)
def test_no_token_ends_the_test_before_the_mail_server(
    setting: Setting, reply: Reply, code: str, status: int
) -> None:
    setting.service.replies["/token"] = replace(reply, status=status)
    result = setting.test(setting.draft(OAuthFlow.APP, "client secret"))
    finding = result.report.finding
    assert finding is not None
    assert (finding.code, finding.stage) == (code, Stage.TOKEN)
    assert result.report.message == "Could not reach the SMTP server. Verify the host and port."
    assert stages_of(result) == ["settings passed", "token failed"]
    assert not setting.server.sessions
    assert not result.proven


def test_the_person_declines(setting: Setting) -> None:
    setting.ask.changes = {"error": "access_denied", "code": ""}
    finding = setting.test(setting.draft()).report.finding
    assert finding is not None
    assert finding.code == "oauth.denied"


def test_a_cancel_while_the_person_signs_in(setting: Setting) -> None:
    cancel = Cancel()
    request = ProofRequest(
        draft=setting.draft(), recipient="bo@example.org", ask=lambda _prompt: cancel.cancel()
    )
    result = prove(setting.services, request, setting.events.append, cancel)
    assert result.report.cancelled
    assert not setting.server.sessions


def test_the_time_of_the_person_is_not_that_of_the_server(setting: Setting) -> None:
    def slowly(prompt: Prompt) -> None:
        threading.Timer(1.2, setting.ask, args=(prompt,)).start()

    result = setting.test(setting.draft(), ask=slowly, total_seconds=1.0)
    assert result.proven
    assert next(each.ms for each in result.report.stages if each.stage is Stage.TOKEN) >= 1000


def test_a_refused_token_is_named_and_the_next_test_gets_another(setting: Setting) -> None:
    first = setting.test(setting.draft())
    setting.service.access.append("what the mail server wants now")
    refused = setting.test(setting.draft(), signed_in=first.signed_in)
    finding = refused.report.finding
    assert finding is not None
    assert finding.code == "auth.token_rejected"
    again = setting.test(setting.draft(), signed_in=refused.signed_in)
    assert again.proven
    assert len(setting.ask.prompts) == 1


def test_a_token_of_20_kb_is_named_and_hidden(setting: Setting) -> None:
    token = "x7" * 10_000
    setting.service.access = [token]
    setting.service._access = lambda: {"access_token": token, "expires_in": 3600}  # type: ignore[method-assign]
    result = setting.test(setting.draft(OAuthFlow.APP, "client secret"))
    finding = result.report.finding
    # SMTP takes no more than 12,288 octets (RFC 4954, 4).
    assert finding is not None
    assert finding.code == "auth.token_rejected"
    assert "x7x7" not in repr(result.report.to_json())
