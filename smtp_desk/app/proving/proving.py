"""Prove settings with a real test email, and save what was proven."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_desk.app.logs import hide_in_log, log_report
from smtp_desk.app.proving.connection import counted
from smtp_desk.app.proving.signing_in import TokenSignIn, sign_in_for, unchanged, with_account
from smtp_desk.app.runner import Emit
from smtp_desk.app.services import Services
from smtp_desk.app.words import keyring_fact
from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.problems import OAUTH_FIELDS, Field, Problem, errors_among
from smtp_desk.core.report import CheckReport, ReportOutcome, fold_stages
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import OAUTH, CaFile, Security, SettingsDraft, Snapshot
from smtp_desk.core.stages import Json, Stage, StageEvent, StageStatus
from smtp_desk.core.texts import problem_fact
from smtp_desk.core.translation import mark
from smtp_desk.core.validation import InvalidDraftError, parse, validate_recipient
from smtp_desk.oauth.prompt import Ask
from smtp_desk.sender.mail.message import compose_test
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT
from smtp_desk.smtp.check.check import CheckRequest, Steps, run_check
from smtp_desk.smtp.net.deadline import Cancel, CancelledError
from smtp_desk.store.company_ca import read_ca_file
from smtp_desk.store.credentials import CredentialsUnavailableError
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.stored import StoredServer, StoredSettings, evaluate

if TYPE_CHECKING:
    from smtp_desk.smtp.domain.facts import Selector

_HIDDEN = {Field.PASSWORD, Field.RECIPIENT, *OAUTH_FIELDS}
_SHOWN = tuple(str(field) for field in Field if field not in _HIDDEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRequest:
    """What to test: the form at the moment of the click, parsed there and then.

    Attributes:
        draft: The form as typed, for the report if it isn't valid settings.
        recipient: The recipient of the test email; needed only if `steps` is FULL.
        steps: How far to go; only a FULL test proves anything.
        total_seconds: Limit of the whole test, the wait for a connection aside; see `counted`.
        resolver: `HOST:PORT` of a DNS server to ask instead of the system.
        domain: Whether to ask the DNS about the From domain afterwards; it may take
            `proving.domain.SECONDS` more, and its result is never more than a warning.
        selectors: The selectors whose DKIM keys to check there.
        ask: Shows a person what to do if somebody has to sign in; None if nobody is there.
        signed_in: The sign-in of an earlier test of this session.
        today: The day by UTC, if the day on which a client secret expires was just given.
        values: The values of the form except the CA files, which the test itself reads; None
            if they aren't valid settings.
        problems: What prevents the test, as far as it is known without reading files.
    """

    draft: SettingsDraft
    recipient: str = ""
    steps: Steps = Steps.FULL
    total_seconds: float = 60.0
    resolver: str | None = None
    domain: bool = False
    selectors: "tuple[Selector, ...]" = ()
    ask: Ask | None = None
    signed_in: TokenSignIn | None = None
    today: date | None = None
    values: Snapshot | None = field(init=False, default=None)
    problems: tuple[Problem, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        """Parse the form, this once."""
        values: Snapshot | None = None
        problems: tuple[Problem, ...] = ()
        try:
            login = self.steps is not Steps.NO_LOGIN
            values = parse(self.draft, login=login, today=self.today)
        except InvalidDraftError as error:
            problems = error.problems
        if self.steps is Steps.FULL:
            problems += validate_recipient(self.recipient)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "problems", errors_among(problems))


@dataclass(frozen=True, slots=True)
class ProofResult:
    """The result of a test.

    Attributes:
        report: The report.
        values: What was tested, or None if the draft wasn't valid settings.
        secret: The password that was used, or None if there was none.
        proven: Whether `values` may be saved.
        signed_in: The sign-in by OAuth 2.0 that was used; pass it to the next test.
    """

    report: CheckReport
    values: Snapshot | None = None
    secret: Secret | None = None
    proven: bool = False
    signed_in: TokenSignIn | None = None

    def expiring(self, day: date | None) -> "ProofResult":
        """Return it with another last day of the client secret, which no test proves."""
        if self.values is None:
            return self
        settings = self.values.settings.with_expiry(day)
        return replace(self, values=replace(self.values, settings=settings))


class _NotTestableError(Exception):
    """The test ends before the first packet."""

    def __init__(self, failure: SmtpFailure) -> None:
        super().__init__(failure)
        self.failure = failure


def _not_testable(code: str, **facts: Json) -> _NotTestableError:
    return _NotTestableError(SmtpFailure(Stage.SETTINGS, code, facts=facts))


def prove(services: Services, request: ProofRequest, emit: Emit, cancel: Cancel) -> ProofResult:
    """Run one test of the draft; blocks until it ends, and never raises for what a server does.

    Args:
        services: They contain the stored secret, the catalogue and the versions.
        request: What to test.
        emit: Called for every stage that begins or ends.
        cancel: Ends the test within 100 ms.
    """
    report_id = secrets.token_hex(8)
    values: Snapshot | None = None
    secret: Secret | None = None
    server: StoredServer | None = None
    try:
        values = _values(request)
        if request.steps is not Steps.NO_LOGIN:
            server = _owner(services, values)
            secret = _secret(services, values, server)
    except _NotTestableError as error:
        report = _failed_report(services, request, error.failure, emit, report_id)
        _log(services, report)
        return ProofResult(report, values)
    hide_in_log(secret)
    sign_in = sign_in_for(services, values, server, request.ask, request.signed_in)
    with counted(services, values.settings, cancel) as known:
        report = run_check(
            CheckRequest(
                settings=values.settings,
                secret=sign_in.source if sign_in else secret,
                recipient=request.recipient.strip(),
                content=_test_message(services, request, values),
                steps=request.steps,
                total_seconds=request.total_seconds,
                resolver=request.resolver,
                known=known,
            ),
            catalogue=lambda: services.catalogue,
            on_event=emit,
            cancel=cancel,
            environment=services.environment,
            report_id=report_id,
        )
    if sign_in is not None:
        values = sign_in.named(values)
        report = with_account(services, report, sign_in)
    if request.domain and not report.cancelled:
        report = _with_domain(services, request, values, report, emit=emit, cancel=cancel)
    _log(services, report)
    proven = report.sent and request.steps is Steps.FULL
    return ProofResult(report, values, secret, proven, sign_in)


def _with_domain(
    services: Services,
    request: ProofRequest,
    values: Snapshot,
    report: CheckReport,
    *,
    emit: Emit,
    cancel: Cancel,
) -> CheckReport:
    # Imported here: few tests ask about the domain.
    from smtp_desk.app.proving import domain  # noqa: PLC0415

    asked = domain.DomainRequest(
        from_email=values.settings.from_email,
        host=values.settings.host,
        selectors=request.selectors,
        resolver=request.resolver,
    )
    resolved = next(
        (each.status for each in report.stages if each.stage is Stage.RESOLVE), StageStatus.SKIPPED
    )
    emit(StageEvent(Stage.RESOLVE, StageStatus.STARTED))
    try:
        check = domain.check_domain(services, asked, cancel)
    except CancelledError:
        # What came of the test itself stands.
        check = domain.unchecked(asked, "cancelled")
    emit(StageEvent(Stage.RESOLVE, resolved, facts=check.facts))
    return domain.with_domain(report, check)


def save(services: Services, result: ProofResult, *, default: bool = False) -> StoredSettings:
    """Save what `result` proved, secret and settings together, and end the route's pause.

    Args:
        services: The services to save with.
        result: A test that passed.
        default: Save it as the relay of the default email service, and make that the default.

    Raises:
        ValueError: The result proves nothing.
        SaveError: It could not be saved; what was saved before remains in use.
    """
    if not result.proven or result.values is None:
        raise ValueError("only a successful test email can be saved")
    mode = Security(result.report.mode)
    settings, store = result.values.settings, services.store
    if result.signed_in is None:
        stored = store.save_server(settings, mode, result.secret, default=default)
    else:
        # Nobody renews it between the look at what is kept and the save under another key.
        with unchanged(result.signed_in) as entry:
            stored = store.save_server(
                settings,
                mode,
                entry.secret,
                refresh_token=entry.refresh_token,
                access_token=entry.access_token,
                refresh_lifetime=entry.refresh_lifetime,
                default=default,
            )
    from smtp_desk.app.routes.outage import end_rest  # noqa: PLC0415 - of what is saved

    end_rest(services, DEFAULT if default else CUSTOM)
    return stored


def keep_copy(services: Services) -> Path | None:
    """Rename a settings file that can't be read, so that a save can create a new one.

    Returns:
        Its new path; None if it can be read and stays.

    Raises:
        SaveError: It can't be renamed.
    """
    try:
        services.store.load()
    except SettingsFileError:
        return services.store.copy_aside()
    return None


def _log(services: Services, report: CheckReport) -> None:
    if not services.sandboxed:  # nothing of a sandbox reaches the person's own log
        log_report(report)


def _values(request: ProofRequest) -> Snapshot:
    named = {Field.CA_FILE: request.draft.ca_file}
    if request.draft.auth_method == OAUTH and request.steps is not Steps.NO_LOGIN:
        named[Field.OAUTH_CA_FILE] = request.draft.oauth.ca_file
    wrong = {problem.field for problem in request.problems}
    cas = {
        field: read_ca_file(path.strip())
        for field, path in named.items()
        if path.strip() and field not in wrong
    }
    unread = [
        Problem(field, ca.problem, {"path": ca.path}) for field, ca in cas.items() if ca.problem
    ]
    if request.values is None or request.problems or unread:
        raise _problem_failure([*request.problems, *unread])
    nothing = CaFile()
    return request.values.with_cas(
        cas.get(Field.CA_FILE, nothing).pem, cas.get(Field.OAUTH_CA_FILE, nothing).pem
    )


def _owner(services: Services, values: Snapshot) -> StoredServer | None:
    """Return the saved server whose stored secret the values name; None where one was typed."""
    if isinstance(values.secret, Secret):
        return None
    try:
        servers = services.store.load().servers
    except SettingsFileError as error:
        raise _not_testable("settings.file_unreadable", problem=str(error)) from error
    server = next((server for server in servers if server.key == values.secret.key), None)
    if server is None:
        raise _not_testable("settings.secret_unavailable", reason="not_found")
    return server


def _secret(services: Services, values: Snapshot, server: StoredServer | None) -> Secret | None:
    if server is None:
        return values.secret or None if isinstance(values.secret, Secret) else None
    if server.settings.identity != values.settings.identity:
        problem = problem_fact(Problem(Field.PASSWORD, "password.stored_elsewhere"))
        raise _not_testable("settings.credentials_incomplete", field="password", problem=problem)
    try:
        entry = services.store.entry(server)
    except CredentialsUnavailableError as error:
        raise _not_testable(
            "settings.secret_unavailable",
            reason=str(error.reason),
            problem=keyring_fact(error.reason, error.detail),
        ) from error
    if entry is None:
        raise _not_testable("settings.secret_unavailable", reason="not_found")
    # The one that an unattended machine is given may be another, and must reach no server that
    # it was not proven with.
    status = evaluate(server, entry)
    if status.code == "settings.secret_differs":
        raise _not_testable(status.code, reason=str(status.reason))
    return entry.secret


def _problem_failure(problems: list[Problem]) -> _NotTestableError:
    errors = sorted(problems, key=lambda problem: list(Field).index(problem.field))
    first = errors[0]
    if first.field is Field.HOST:
        code = "settings.host_invalid"
    elif first.field is Field.CA_FILE:
        code = "settings.ca_file_unreadable"
    elif first.code.startswith("credentials."):
        code = "settings.credentials_incomplete"
    else:
        code = "settings.value_invalid"
    facts: dict[str, Json] = {
        "field": str(first.field),
        "problem": problem_fact(first),
        "problems": [
            mark("{field}: {problem}", field=problem.field, problem=problem_fact(problem))
            for problem in errors
        ],
    }
    return _not_testable(code, **facts)


def _test_message(services: Services, request: ProofRequest, values: Snapshot) -> bytes:
    if request.steps is not Steps.FULL:
        return b""
    settings = values.settings
    return compose_test(
        host=settings.host,
        port=settings.port,
        sender=settings.from_email,
        sender_name=settings.from_name,
        recipient=request.recipient,
        now=services.now(),
    )


def _failed_report(
    services: Services, request: ProofRequest, failure: SmtpFailure, emit: Emit, report_id: str
) -> CheckReport:
    events = (
        StageEvent(Stage.SETTINGS, StageStatus.STARTED),
        StageEvent(Stage.SETTINGS, StageStatus.FAILED, facts=failure.facts),
    )
    for event in events:
        emit(event)
    draft = request.draft
    facts: dict[str, Json] = {"host": draft.host.strip()}
    if draft.auth_method == OAUTH:
        facts["oauth_flow"] = draft.oauth.flow
    shown = {field: getattr(draft, field) for field in _SHOWN}
    if request.steps is Steps.FULL:
        shown[Field.RECIPIENT] = request.recipient.strip()
    return CheckReport(
        outcome=ReportOutcome.UNREACHABLE,
        finding=services.catalogue.find(failure, facts),
        stages=fold_stages(events),
        transcript=(),
        settings=shown,
        environment=services.environment,
        id=report_id,
    )
