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
        status: How the server stands that the page configures.
        problems: The problems to show now, each beside its field.
        secret_stored: Whether the password field stands for the stored secret.
        offers: What can be typed for the person.
        host_and_port: What HOST_AND_PORT would type; two empty texts while it is not offered.
        stages: The live list of the newest test.
        outcome: The outcome line, or None where it is empty.
        finding: The true cause of the newest failed test, until the next one, or None.
        last_test: Whether stages and finding are of other values than those in the form.
        warnings: What the newest successful test noticed.
        report: The newest report, for Diagnostics, or None.
        ca_offer: The company CA that the person is asked about just now, or None.
        host: The host in the form as it stands in a report, or "" while it is none.
        provider: The known provider whose server that is, or None.
        may_save: Whether Save is enabled.
        save_hint: Why Save is disabled.
        changed: Whether the form differs from what is saved.
        outdated: Whether something else was saved meanwhile, and what was typed is not that.
        test_notice: What Send test email has to say besides the outcome.
        locked: The fields that the organization has locked.
        contact: Whom to ask about them, or "".
        outage_notice: What came of Try again while the server is still out.
        oauth: The fields of the sign-in by OAuth 2.0; with no provider where it is by password.
        from_key_file: Whether the secret came from a file.
        prompt: What a person has to do just now to sign in, or None.
        may_sign_in: Whether a person can sign in again for what is saved.
    """

    status: RouteStatus = field(default_factory=RouteStatus)
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
        """Whether a test or a sign-in runs: then Cancel is shown, and no other one can begin."""
        return self.busy in (Busy.TESTING, Busy.SIGNING_IN, Busy.CANCELLING)

    @property
    def proven(self) -> bool:
        """Whether nothing is left to test: the values in the form are proven."""
        return self.may_save or self.save_hint is SaveHint.ALL_SAVED

    @property
    def leads(self) -> bool:
        """Whether nothing is configured yet: the page leads from the address to the server."""
        loading = self.busy is Busy.LOADING
        return self.status.kind is ServerState.NOT_CONFIGURED and not loading

    @property
    def may_turn_on(self) -> bool:
        """Whether the next step is the switch: all is saved and proven, and off."""
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
