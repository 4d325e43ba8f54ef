"""What the Integrations page shows, as one value: faces render it, tests compare it."""

from dataclasses import dataclass, field

from smtp_desk.app.integrations.ca_offer import CaOffer
from smtp_desk.app.integrations.form import Form
from smtp_desk.app.integrations.form_offers import Offer, host_and_port, offers_of
from smtp_desk.app.integrations.sign_in import from_key_file
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy, PageState
from smtp_desk.app.routes.route_status import RouteStatus
from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.findings.providers import Provider, Providers
from smtp_desk.core.gate import Outcome, SaveHint
from smtp_desk.core.oauth import OAuthDraft
from smtp_desk.core.problems import Field, Problem
from smtp_desk.core.report import CheckReport, StageResult
from smtp_desk.core.secret import StoredSecret
from smtp_desk.oauth.prompt import Prompt
from smtp_desk.store.stored import ServerState


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationsState(PageState):
    """Everything on the Integrations page except the texts that the person types.

    Attributes:
        status: The status of the server that the page configures.
        ends: What that server needs and that expires soon, in sentences; "" for nothing.
        problems: The problems to show now, each beside its field.
        secret_stored: Whether the password field stands for the stored secret.
        offers: What can be filled in for the person.
        host_and_port: What HOST_AND_PORT would fill in; two empty texts while it isn't offered.
        stages: The live list of the latest test.
        outcome: The outcome line, or None if it is empty.
        finding: The true cause of the latest failed test, until the next one, or None.
        last_test: Whether stages and finding belong to values other than those in the form.
        warnings: What the latest successful test noticed.
        report: The latest report, for Diagnostics, or None.
        ca_offer: The company CA that the person is being asked about, or None.
        host: The host in the form as in a report, or "" while it isn't valid.
        provider: The known provider of that server, or None.
        may_save: Whether Save is enabled.
        save_hint: Why Save is disabled.
        changed: Whether the form differs from what is saved.
        outdated: Whether something else was saved meanwhile that differs from what was typed.
        test_notice: What Send test email has to say besides the outcome.
        locked: The fields that the organization has locked.
        contact: Who to ask about them, or "".
        outage_notice: The result of Try again while the server is still unavailable.
        oauth: The fields of the sign-in by OAuth 2.0; without a provider for a password.
        from_key_file: Whether the secret came from a file.
        prompt: What a person has to do now to sign in, or None.
        may_sign_in: Whether a person can sign in again for what is saved.
    """

    status: RouteStatus = field(default_factory=RouteStatus)
    ends: str = ""
    problems: tuple[Problem, ...] = ()
    secret_stored: bool = False
    offers: frozenset[Offer] = frozenset()
    host_and_port: tuple[str, str] = ("", "")
    stages: tuple[StageResult, ...] = ()
    outcome: Outcome | None = None
    finding: Finding | None = None
    last_test: bool = False
    warnings: tuple[Finding, ...] = ()
    report: CheckReport | None = None
    ca_offer: CaOffer | None = None
    host: str = ""
    provider: Provider | None = None
    may_save: bool = False
    save_hint: SaveHint = SaveHint.NONE
    changed: bool = False
    outdated: bool = False
    test_notice: Notice | None = None
    locked: frozenset[Field] = frozenset()
    contact: str = ""
    outage_notice: Notice | None = None
    oauth: OAuthDraft = field(default_factory=OAuthDraft)
    from_key_file: bool = False
    prompt: Prompt | None = None
    may_sign_in: bool = False

    @property
    def testing(self) -> bool:
        """Whether a test or a sign-in runs: Cancel is shown then, and no other can begin."""
        return self.busy in (Busy.TESTING, Busy.SIGNING_IN, Busy.CANCELLING)

    @property
    def proven(self) -> bool:
        """Whether the values in the form are proven, so that there is nothing left to test."""
        return self.may_save or self.save_hint is SaveHint.ALL_SAVED

    @property
    def leads(self) -> bool:
        """Whether nothing is configured yet: the page leads from the address to the server."""
        loading = self.busy is Busy.LOADING
        return self.status.kind is ServerState.NOT_CONFIGURED and not loading

    @property
    def may_turn_on(self) -> bool:
        """Whether the next step is the switch: everything is saved and proven, but off."""
        return not self.changed and bool(self.status.proven) and not self.status.on


def of_form(form: Form, providers: Providers) -> dict[str, object]:
    """Return what follows from the form alone, by field of the state."""
    draft = form.draft
    stored = isinstance(draft.secret, StoredSecret) and not form.stored_elsewhere
    return {
        "problems": form.visible_problems,
        "secret_stored": stored,
        "offers": frozenset(offers_of(form)),
        "host_and_port": host_and_port(draft.host),
        "host": form.host,
        "provider": providers.by_host(form.host) if form.host else None,
        "oauth": draft.oauth,
        "from_key_file": from_key_file(draft),
        "locked": form.managed.locked,
        "contact": form.managed.contact,
        "changed": form.changed,
    }
