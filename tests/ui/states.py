"""Scenes of the Integrations page, made by hand: for screenshots and for tests."""

from __future__ import annotations

from dataclasses import dataclass, replace

from smtp_desk.app.integrations.state import Busy, IntegrationsState
from smtp_desk.app.notice import Notice, StatusKind, StatusLine
from smtp_desk.app.routes.outage import Outage
from smtp_desk.core.findings.finding import Finding, FindingSeverity, Remedy, Scope, Who
from smtp_desk.core.gate import Outcome, SaveHint
from smtp_desk.core.problems import Field, Problem, Severity
from smtp_desk.core.reply import Reply
from smtp_desk.core.report import StageResult
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.stages import Stage, StageStatus
from smtp_desk.core.texts import SAVE_HINTS

FRESH = SettingsDraft(from_name="Example Partners")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is shown: the texts, the state, the field with the focus, an outage."""

    state: IntegrationsState
    draft: SettingsDraft = FRESH
    recipient: str = ""
    focus: Field | None = None
    outage: Outage | None = None


NOT_CONFIGURED = StatusLine(
    StatusKind.NOT_CONFIGURED,
    "Not configured. System emails leave through the default email service.",
)
OFF = StatusLine(StatusKind.OFF, "Off. System emails leave through the default email service.")
ACTIVE = StatusLine(StatusKind.ACTIVE, "Active. System emails leave through smtp.example.org.")
UNAVAILABLE = StatusLine(
    StatusKind.UNAVAILABLE, "Unavailable, using the default service since 10:02."
)
NOTHING_CHANGED = "Nothing was changed."
NOTHING_CONFIGURED = "Nothing is configured yet."

FILLED = SettingsDraft(
    host="smtp.example.org",
    port="587",
    username="desk@example.org",
    password=Secret("correct horse"),
    from_name="Example Partners",
    from_email="desk@example.org",
)
STORED = replace(FILLED, password=StoredSecret("a1"))

EMPTY = IntegrationsState(
    status=NOT_CONFIGURED,
    switch_reason="Save settings that a test email has proven first.",
    save_hint=SAVE_HINTS[SaveHint.NEEDS_TEST],
    discard_reason=NOTHING_CHANGED,
    remove_reason=NOTHING_CONFIGURED,
)
TYPED = replace(EMPTY, discard_reason="")

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
    "There is no keyring, and SMTP Desk keeps passwords nowhere else. Install GNOME Keyring, "
    "KeePassXC or KWallet and sign in to your desktop session, or, on an unattended machine, give "
    "the password by SMTP_DESK_PASSWORD or the systemd credential smtp-desk.password.",
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
_SAVED = replace(
    EMPTY, status=ACTIVE, enabled=True, switch_reason="", remove_reason="", password_stored=True
)

SCENES = {
    "empty": Scene(state=EMPTY, focus=Field.HOST),
    "problems": Scene(
        state=replace(
            TYPED,
            problems=PROBLEMS,
            test_notice=Notice("Solve the 5 problems first; nothing was sent.", error=True),
        ),
        draft=replace(
            FILLED,
            host="https://smtp.example.org",
            port="70000",
            password=Secret(""),
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
            save_hint="",
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
            stages=stages(Stage.DONE),
            save_hint=SAVE_HINTS[SaveHint.CHANGED],
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
            save_notice=NO_KEYRING,
        ),
        draft=FILLED,
        recipient="ann@example.org",
    ),
    "saved": Scene(
        state=replace(
            _SAVED,
            save_hint=SAVE_HINTS[SaveHint.ALL_SAVED],
            save_notice=Notice("Saved. System emails now leave through this server."),
        ),
        draft=STORED,
        recipient="ann@example.org",
        focus=Field.HOST,
    ),
    "outage": Scene(
        state=replace(_SAVED, status=UNAVAILABLE, save_hint=SAVE_HINTS[SaveHint.ALL_SAVED]),
        draft=STORED,
        outage=Outage(
            since="10:02",
            summary="The server does not accept this username and password.",
            fallbacks=12,
            shut=True,
            held=False,
        ),
    ),
    "stored_password": Scene(
        state=replace(
            _SAVED,
            password_stored=False,
            may_use_stored_password=True,
            spaces_removable=True,
            problems=(Problem(Field.PASSWORD, "password.spaces", severity=Severity.NOTICE),),
            discard_reason="",
            outcome=Outcome.CHANGED,
            save_hint=SAVE_HINTS[SaveHint.CHANGED],
        ),
        draft=replace(FILLED, host="smtp.gmail.com", password=Secret("abcd efgh ijkl mnop")),
        focus=Field.PASSWORD,
    ),
    "long": Scene(
        state=replace(
            _FAILED,
            finding=LONG,
            status=StatusLine(StatusKind.NOT_PROVEN, "Not proven. " + "The file was edited. " * 6),
            problems=(
                Problem(Field.HOST, "host.label_long", {"label": "l" * 255, "length": "255"}),
                *PROBLEMS[1:],
            ),
        ),
        draft=replace(FILLED, host="l" * 255),
        recipient="ann@example.org",
    ),
}
