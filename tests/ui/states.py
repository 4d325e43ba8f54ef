"""Scenes of the Integrations page, made by hand: for screenshots and for tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from smtp_desk.app.integrations.earlier import EarlierState
from smtp_desk.app.integrations.form_offers import Offer
from smtp_desk.app.integrations.state import IntegrationsState
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy
from smtp_desk.app.routes.route_status import HealthReport, HealthState, RouteStatus
from smtp_desk.core.findings.finding import Finding, FindingSeverity, Remedy, Scope, Who
from smtp_desk.core.gate import Outcome, SaveHint
from smtp_desk.core.oauth import OAuthDraft, OAuthFlow, OAuthProvider
from smtp_desk.core.problems import Field, Problem, Severity
from smtp_desk.core.reply import Reply
from smtp_desk.core.report import StageResult
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import OAUTH, Security, ServerSettings, SettingsDraft
from smtp_desk.core.stages import Stage, StageStatus
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.sender.routes.health import RouteHealth
from smtp_desk.sender.routes.route import CUSTOM
from smtp_desk.store.resources import read_providers
from smtp_desk.store.stored import DefaultKind, DefaultService, ServerState, StoredServer

FRESH = SettingsDraft(from_name="Example Partners")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is shown: the texts, the state, the field with the focus, the part unfolded."""

    state: IntegrationsState
    draft: SettingsDraft = FRESH
    recipient: str = ""
    focus: Field | None = None
    unfolded: str = ""
    earlier: EarlierState = field(default_factory=EarlierState)


SERVICE = DefaultService(DefaultKind.SENDMAIL, "/usr/sbin/sendmail", "desk@example.org")
SERVER = StoredServer(
    ServerSettings(host="smtp.example.org", port=587, from_email="desk@example.org"),
    Security.STARTTLS,
    "",
    None,
)
NOT_CONFIGURED = RouteStatus(service=SERVICE)
ACTIVE = RouteStatus(kind=ServerState.ACTIVE, proven=True, server=SERVER, service=SERVICE)
OFF = replace(ACTIVE, kind=ServerState.OFF)
_TEN = datetime(2026, 11, 30, 10, 2, tzinfo=UTC)
UNAVAILABLE = replace(
    ACTIVE,
    health=HealthReport(
        state=HealthState.SHUT,
        until=None,
        summary="The server does not accept this username and password.",
        known=RouteHealth(
            route=CUSTOM, shut=True, code="auth.rejected", out_since=_TEN, fallbacks=12
        ),
        at=_TEN,
    ),
)

FILLED = SettingsDraft(
    host="smtp.example.org",
    port="587",
    username="desk@example.org",
    secret=Secret("correct horse"),
    from_name="Example Partners",
    from_email="desk@example.org",
)
STORED = replace(FILLED, secret=StoredSecret("a1"))

EMPTY = IntegrationsState(
    status=NOT_CONFIGURED,
    save_hint=SaveHint.NEEDS_TEST,
)
TYPED = replace(EMPTY, changed=True)

_TIMES = {
    Stage.SETTINGS: 1,
    Stage.RESOLVE: 12,
    Stage.CONNECT: 24,
    Stage.GREETING: 31,
    Stage.EHLO: 42,
    Stage.TLS: 88,
    Stage.AUTH: 135,
    Stage.SENDER: 21,
    Stage.RECIPIENT: 22,
    Stage.MESSAGE: 1240,
    Stage.DONE: 19,
}


def stages(until: Stage, last: StageStatus = StageStatus.PASSED) -> tuple[StageResult, ...]:
    """Return the results of a test that came to `until`."""
    begun = list(_TIMES)[: list(_TIMES).index(until) + 1]
    return tuple(
        StageResult(stage, last if stage is until else StageStatus.PASSED, _TIMES[stage], {})
        for stage in begun
    )


WRONG_PASSWORD = Finding(
    code="auth.credentials_refused",
    stage=Stage.AUTH,
    severity=FindingSeverity.ERROR,
    summary="The server does not accept this username and password.",
    explanation="Server and port are right: the server answered, the connection is encrypted, "
    "and it refused the sign-in. Most often the password is mistyped or has changed, or the "
    "account needs an app password.",
    who=Who.YOU,
    scope=Scope.ROUTE,
    remedies=(
        Remedy("check_username", "Check that the username is the full email address."),
        Remedy("type_again", "Type the password again, or reveal it and compare."),
        Remedy(
            "use_full_address",
            "Use desk@example.org as the username.",
            {"username": "desk@example.org"},
        ),
    ),
    reply=Reply(535, "5.7.8", ("Error: authentication failed: (reason unavailable)",)),
)
CHAIN = Finding(
    code="tls.certificate_expires_soon",
    stage=Stage.TLS,
    severity=FindingSeverity.WARNING,
    summary="The server’s certificate expires in 9 days.",
    explanation="Test emails work now. From then on every connection would be refused.",
    who=Who.MAIL_ADMINISTRATOR,
    scope=Scope.NONE,
    remedies=(Remedy("renew", "Ask the administrator to renew it."),),
)
LONG = replace(
    WRONG_PASSWORD,
    summary=(WRONG_PASSWORD.summary + " ") * 2,
    explanation=WRONG_PASSWORD.explanation * 2,
    reply=Reply(535, "5.7.8", ("x" * 300, "BadCredentials " * 40)),
)

NO_KEYRING = Notice(
    "This computer has no keyring, and SMTP Desk doesn’t store passwords anywhere else. Install "
    "GNOME Keyring, KeePassXC or KWallet and sign in to your desktop session. On an unattended "
    "machine, provide the password in SMTP_DESK_PASSWORD or the systemd credential "
    "smtp-desk.password.",
    error=True,
)
PROBLEMS = (
    Problem(Field.HOST, "host.scheme", {"scheme": "https://"}),
    Problem(Field.PORT, "port.range"),
    Problem(Field.PASSWORD, "credentials.no_password"),
    Problem(Field.FROM_EMAIL, "email.intranet", {"domain": "corp.local"}, Severity.NOTICE),
    Problem(Field.CA_FILE, "ca_file.missing", {"path": "/etc/ssl/none.pem"}),
    Problem(Field.RECIPIENT, "email.empty"),
)
_FAILED = replace(
    TYPED,
    outcome=Outcome.UNREACHABLE,
    stages=stages(Stage.AUTH, StageStatus.FAILED),
    finding=WRONG_PASSWORD,
)
_SAVED = replace(EMPTY, status=ACTIVE, secret_stored=True)

_MICROSOFT = OAuthDraft(
    provider=OAuthProvider.MICROSOFT,
    flow=OAuthFlow.BROWSER,
    client_id="0f8fad5b-d9cb-469f-a165-70867728950e",
    tenant="example.onmicrosoft.com",
)
_CUSTOM = OAuthDraft(
    provider=OAuthProvider.CUSTOM,
    flow=OAuthFlow.DEVICE,
    client_id="desk",
    token_url="https://login.example.com/token",
    device_url="https://login.example.com/device",
    scope="smtp offline_access",
)
PROMPT = Prompt("https://login.example.com/activate", "WDJB-MJHT", 300)

SCENES = {
    "oauth": Scene(
        state=replace(_SAVED, oauth=_MICROSOFT, may_sign_in=True),
        draft=replace(STORED, auth_method=OAUTH, oauth=_MICROSOFT),
    ),
    "signing_in": Scene(
        state=replace(
            TYPED,
            busy=Busy.TESTING,
            oauth=_CUSTOM,
            stages=stages(Stage.SETTINGS, StageStatus.STARTED),
            prompt=PROMPT,
        ),
        draft=replace(FILLED, auth_method=OAUTH, oauth=_CUSTOM),
        recipient="ann@example.org",
    ),
    "empty": Scene(state=EMPTY, focus=Field.HOST),
    "problems": Scene(
        state=replace(
            TYPED,
            problems=PROBLEMS,
            test_notice=Notice("Fix the 5 errors first. Nothing was sent.", error=True),
        ),
        draft=replace(
            FILLED,
            host="https://smtp.example.org",
            port="70000",
            secret=Secret(""),
            from_email="desk@corp.local",
            ca_file="/etc/ssl/none.pem",
        ),
        focus=Field.HOST,
    ),
    "testing": Scene(
        state=replace(TYPED, busy=Busy.TESTING, stages=stages(Stage.TLS, StageStatus.STARTED)),
        draft=FILLED,
        recipient="ann@example.org",
        focus=Field.RECIPIENT,
    ),
    "success": Scene(
        state=replace(
            TYPED,
            outcome=Outcome.SUCCESS,
            stages=stages(Stage.DONE),
            may_save=True,
            save_hint=SaveHint.NONE,
            warnings=(CHAIN,),
        ),
        draft=FILLED,
        recipient="ann@example.org",
    ),
    "failure": Scene(state=_FAILED, draft=FILLED, recipient="ann@example.org"),
    "changed": Scene(
        state=replace(
            TYPED,
            outcome=Outcome.CHANGED,
            last_test=True,
            stages=stages(Stage.DONE),
            save_hint=SaveHint.CHANGED,
        ),
        draft=replace(FILLED, port="465"),
        recipient="ann@example.org",
    ),
    "not_saved": Scene(
        state=replace(
            TYPED,
            outcome=Outcome.SUCCESS,
            stages=stages(Stage.DONE),
            may_save=True,
            notice=NO_KEYRING,
        ),
        draft=FILLED,
        recipient="ann@example.org",
    ),
    "saved_off": Scene(
        state=replace(
            _SAVED,
            status=OFF,
            save_hint=SaveHint.ALL_SAVED,
            notice=Notice("Saved. Turn on the switch to send system emails through this server."),
        ),
        draft=STORED,
        recipient="ann@example.org",
        focus=Field.HOST,
    ),
    "pasted": Scene(
        state=replace(
            TYPED,
            offers=frozenset({Offer.HOST_AND_PORT, Offer.PASSWORD_END}),
            host_and_port=("smtp.example.org", "465"),
            problems=(
                Problem(Field.HOST, "host.scheme", {"scheme": "smtp://"}),
                Problem(Field.PASSWORD, "control_character"),
            ),
        ),
        draft=replace(FILLED, host="smtp://smtp.example.org:465/x"),
        focus=Field.HOST,
    ),
    "last_test": Scene(
        state=replace(_FAILED, outcome=Outcome.CHANGED, last_test=True, save_hint=SaveHint.CHANGED),
        draft=replace(FILLED, username="desk"),
        recipient="ann@example.org",
    ),
    "saved": Scene(
        state=replace(
            _SAVED,
            save_hint=SaveHint.ALL_SAVED,
            notice=Notice("Saved. System emails are now sent through this server."),
        ),
        draft=STORED,
        recipient="ann@example.org",
        focus=Field.HOST,
    ),
    "earlier": Scene(
        state=replace(_SAVED, save_hint=SaveHint.ALL_SAVED),
        draft=STORED,
        unfolded="earlier",
        earlier=EarlierState(
            previous="mail.example.org, port 465 as desk, in use until 2026-11-28 09:12.",
            changes=(
                ("2026-11-30 10:02", "SMTP server host: mail.example.org → smtp.example.org"),
                ("2026-11-30 10:02", "Username: desk → desk@example.org"),
                ("2026-11-30 10:02", "Password or sign-in: saved again"),
                ("2026-11-28 09:12", "CA certificate: added"),
            ),
        ),
    ),
    "earlier_none": Scene(
        state=replace(_SAVED, save_hint=SaveHint.ALL_SAVED),
        draft=STORED,
        unfolded="earlier",
        earlier=EarlierState(
            changes=(("2026-11-30 10:02", "SMTP server host: (empty) → smtp.example.org"),),
        ),
    ),
    "known_provider": Scene(
        state=replace(TYPED, provider=read_providers().by_host("smtp.protonmail.ch")),
        draft=replace(FILLED, host="smtp.protonmail.ch", per_hour="50"),
        focus=Field.PER_HOUR,
    ),
    "outage": Scene(
        state=replace(_SAVED, status=UNAVAILABLE, save_hint=SaveHint.ALL_SAVED),
        draft=STORED,
    ),
    "stored_password": Scene(
        state=replace(
            _SAVED,
            secret_stored=False,
            offers=frozenset({Offer.STORED_PASSWORD, Offer.PASSWORD_SPACES}),
            problems=(Problem(Field.PASSWORD, "password.spaces", severity=Severity.NOTICE),),
            changed=True,
            outcome=Outcome.CHANGED,
            save_hint=SaveHint.CHANGED,
        ),
        draft=replace(FILLED, host="smtp.gmail.com", secret=Secret("abcd efgh ijkl mnop")),
        focus=Field.PASSWORD,
    ),
    "long": Scene(
        state=replace(
            _FAILED,
            finding=LONG,
            status=replace(ACTIVE, kind=ServerState.UNPROVEN, why="The file was edited. " * 6),
            problems=(
                Problem(Field.HOST, "host.label_long", {"label": "l" * 255, "length": "255"}),
                *PROBLEMS[1:],
            ),
        ),
        draft=replace(FILLED, host="l" * 255),
        recipient="ann@example.org",
    ),
}
