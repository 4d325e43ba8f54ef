"""The form of the Integrations page: what is typed, and which problems are already shown."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Final

from smtp_desk.core.address import AddressError, parse_host
from smtp_desk.core.oauth import OAuthDraft, OAuthFlow
from smtp_desk.core.problems import Field, Problem, Severity, errors_among
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import (
    OAUTH,
    AuthMethod,
    CaFile,
    ServerSettings,
    SettingsDraft,
    Snapshot,
)
from smtp_desk.core.validation import (
    InvalidDraftError,
    parse,
    validate,
    validate_recipient,
)
from smtp_desk.store.managed import Managed


class CompanyCas:
    """The CA files named in the form: their content when last read, and the host each may serve."""

    def __init__(self) -> None:
        self._read: dict[str, CaFile] = {}
        self._only_host: dict[str, str] = {}

    def remember(self, ca: CaFile, only_host: str = "") -> None:
        """Remember what was read from a file.

        Args:
            ca: Its content.
            only_host: The only host that a person trusted it for, as in settings; "" changes
                nothing.
        """
        self._read[ca.path] = ca
        if only_host:
            self._only_host[ca.path] = only_host

    def remember_tested(self, draft: SettingsDraft, settings: ServerSettings) -> None:
        """Remember what a test read from the files named in a draft."""
        self.remember(CaFile(draft.ca_file.strip(), settings.ca_pem))
        self.remember_sign_in(draft, settings)

    def remember_sign_in(self, draft: SettingsDraft, settings: ServerSettings) -> None:
        """Remember what was read from the CA file of the sign-in by OAuth 2.0."""
        path = draft.oauth.ca_file.strip()
        if settings.oauth is not None and path:
            self.remember(CaFile(path, settings.oauth.ca_pem))

    def read(self, path: str) -> CaFile | None:
        """Return what was read from `path`; None if nothing was, or no file is named."""
        return self._read.get(path.strip()) if path.strip() else CaFile()

    def trusted_elsewhere(self, path: str, host: str) -> str:
        """Return the only host that this CA was trusted for, or "" if it may serve `host`."""
        only = self._only_host.get(path.strip(), "")
        return "" if only == host else only


_OTHER_HOST: Final = "ca_file.other_host"
_STORED_ELSEWHERE: Final = "password.stored_elsewhere"
_LOCKED: Final = "managed.locked"
_LOCKED_SINCE: Final = "managed.locked_since"
_OF_STORED: Final = "oauth.expires_of_stored"
_CAUSED_ELSEWHERE: Final = (_OTHER_HOST, _STORED_ELSEWHERE, _LOCKED, _LOCKED_SINCE, _OF_STORED)
_IDENTITY: Final = ("host", "port", "username", "security", "ca_file", "auth_method", "oauth")
OF_OAUTH: Final = {
    Field.OAUTH_FLOW: "flow",
    Field.CLIENT_ID: "client_id",
    Field.TENANT: "tenant",
    Field.OAUTH_AUTHORIZE_URL: "authorize_url",
    Field.OAUTH_TOKEN_URL: "token_url",
    Field.OAUTH_DEVICE_URL: "device_url",
    Field.OAUTH_SCOPE: "scope",
    Field.OAUTH_CA_FILE: "ca_file",
    Field.CLIENT_SECRET_EXPIRES: "client_secret_expires",
}
"""The fields of `OAuthDraft`; its provider is the choice of a credential."""


class Form:
    """The draft, the recipient, and the fields that the person has left at least once.

    A field shows its problems after its first `editingFinished`, then with every keystroke.

    Attributes:
        draft: What is typed.
        recipient: The recipient of the test email, as typed.
        managed: What the organization fills in and locks.
        cas: What is known about the CA files that were named.
    """

    def __init__(self, today: Callable[[], date]) -> None:
        """Create an empty form; `today` returns the day by UTC."""
        self._today = today
        self.draft = SettingsDraft()
        self.recipient = ""
        self.managed = Managed()
        self.cas: Final = CompanyCas()
        self._base = self.draft
        self._saved: ServerSettings | None = None
        self._left: set[Field] = set()
        self._credentials: dict[str, tuple[str, OAuthDraft, Secret | StoredSecret]] = {}

    def load(
        self,
        draft: SettingsDraft,
        *,
        saved: ServerSettings | None = None,
        ca: CaFile | None = None,
        ca_host: str = "",
    ) -> None:
        """Start from what is saved, or from an empty form.

        Args:
            draft: The new content of the form.
            saved: The settings that the stored secret belongs to; they contain what was read
                from the CA file of the sign-in.
            ca: What was read from `draft.ca_file`.
            ca_host: The only host that this CA was trusted for, or "".
        """
        self.draft = self._base = draft
        self._saved = saved
        self._credentials.clear()
        if ca is not None:
            self.cas.remember(ca, ca_host)
        if saved is not None:
            self.cas.remember_sign_in(draft, saved)
        self._left.clear()

    def rebase(self, draft: SettingsDraft, saved: ServerSettings | None) -> None:
        """Take what was saved meanwhile, and keep what the person has typed since."""
        self._base = draft
        self._saved = saved
        if isinstance(self.draft.secret, StoredSecret):
            self.draft = replace(self.draft, secret=draft.secret)

    def discard(self) -> None:
        """Go back to what is saved; no field shows problems any more."""
        self.draft = self._base
        self._credentials.clear()
        self._left.clear()

    def edit(self, field: Field, text: str) -> bool:
        """Take what was typed; return whether an SMTP field changed."""
        if field is Field.RECIPIENT:
            self.recipient = text
            return False
        before = self.draft
        if field is Field.PASSWORD:
            self.draft = replace(before, secret=Secret(text))
        elif field is Field.OAUTH_PROVIDER:
            self._choose_credential(text)
        elif field in OF_OAUTH:
            self.draft = replace(before, oauth=replace(before.oauth, **{OF_OAUTH[field]: text}))
        else:
            # The other fields of the form are those of the draft, by name.
            self.draft = replace(before, **{str(field): text})  # type: ignore[arg-type]
        return self.draft != before

    def _choose_credential(self, provider: str) -> None:
        """Take another kind of credential, "" for a password; what was typed for each is kept."""
        draft = self.draft
        if provider == draft.oauth.provider:
            return
        typed = (draft.auth_method, draft.oauth, draft.secret)
        self._credentials[draft.oauth.provider] = typed
        method = OAUTH if provider else AuthMethod.AUTO
        fresh = OAuthDraft(provider=provider, flow=OAuthFlow.BROWSER) if provider else OAuthDraft()
        usual = (str(method), fresh, Secret(""))
        method, oauth, secret = self._credentials.get(provider, usual)
        self.draft = replace(draft, auth_method=method, oauth=oauth, secret=secret)

    def fill(self, draft: SettingsDraft) -> None:
        """Take a draft that the program changed for the person; the saved values stay the base."""
        self.draft = draft

    def leave(self, *fields: Field) -> bool:
        """Show problems of these fields from now on, and trim spaces around host and username.

        Only these two are trimmed, where the person sees it: a password is never altered.

        Returns:
            Whether there were any.
        """
        self._left.update(fields)
        trimmed = {
            str(field): getattr(self.draft, field).strip(" ")
            for field in (Field.HOST, Field.USERNAME)
            if field in fields
        }
        before, self.draft = self.draft, replace(self.draft, **trimmed)
        return self.draft != before

    @property
    def host(self) -> str:
        """The host as in settings, or "" while it isn't valid."""
        try:
            return parse_host(self.draft.host).ascii
        except AddressError:
            return ""

    @property
    def testable(self) -> SettingsDraft:
        """The draft, without a CA that was trusted for another host."""
        return replace(self.draft, ca_file="") if self._ca_trusted_elsewhere else self.draft

    @property
    def values(self) -> Snapshot | None:
        """The values in the form, or None while they aren't valid settings."""
        if self._ca is None or self._oauth_ca is None:
            return None
        try:
            values = parse(self.draft, self._ca, oauth_ca=self._oauth_ca, today=self._new_day)
        except InvalidDraftError:
            return None
        return None if self._of_another(values) or self._ca_trusted_elsewhere else values

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, notices included, whether or not they are shown yet."""
        return (
            *validate(self.draft, self._ca, oauth_ca=self._oauth_ca, today=self._new_day),
            *self._expiry_problem(),
            *self._managed_problems(),
            *self._trusted_ca_problem(),
            *self._stored_secret_problem(),
            *validate_recipient(self.recipient),
        )

    @property
    def visible_problems(self) -> tuple[Problem, ...]:
        """The problems of fields that show them already, and those that another field caused."""
        return tuple(
            problem
            for problem in self.problems
            if problem.field in self._left or problem.code in _CAUSED_ELSEWHERE
        )

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that prevent a test."""
        return errors_among(self.problems)

    @property
    def changed(self) -> bool:
        """Whether the form differs from what is saved."""
        return self.draft != self._base

    @property
    def stored_secret(self) -> StoredSecret | None:
        """The stored secret that the person can go back to, or None if there is none."""
        stored = self._base.secret
        return stored if isinstance(stored, StoredSecret) and self.draft.secret != stored else None

    @property
    def stored_elsewhere(self) -> bool:
        """Whether the form would use the stored secret with a server that it wasn't proven with."""
        if not isinstance(self.draft.secret, StoredSecret):
            return False
        if all(getattr(self.draft, name) == getattr(self._base, name) for name in _IDENTITY):
            return self._saved is None
        try:
            draft = replace(self.draft, from_email="name@example.com", from_name="")
            values = parse(draft, self._ca, oauth_ca=self._oauth_ca)
        except InvalidDraftError:
            return False  # half typed: what is wrong is said beside its field
        return self._of_another(values)

    @property
    def _ca(self) -> CaFile | None:
        """What was read from the CA file that is named now, or None where nothing was yet."""
        return self.cas.read(self.draft.ca_file)

    @property
    def _oauth_ca(self) -> CaFile | None:
        """The same for the CA file of the sign-in service."""
        return self.cas.read(self.draft.oauth.ca_file)

    @property
    def _new_day(self) -> date | None:
        """Today, if the day on which the client secret expires isn't the saved one."""
        typed, saved = self.draft.oauth, self._base.oauth
        same = typed.client_secret_expires == saved.client_secret_expires
        return None if same else self._today()

    def _expiry_problem(self) -> Iterator[Problem]:
        """The saved day is that of the stored secret: a new one expires on another."""
        day = self.draft.oauth.client_secret_expires
        if day and self._new_day is None and self.draft.secret and self.stored_secret:
            yield Problem(Field.CLIENT_SECRET_EXPIRES, _OF_STORED, severity=Severity.NOTICE)

    @property
    def _ca_trusted_elsewhere(self) -> str:
        """The only host that the CA in the form was trusted for, or "" where it may serve."""
        return self.cas.trusted_elsewhere(self.draft.ca_file, self.host)

    def _managed_problems(self) -> Iterator[Problem]:
        """A new lock leaves what is saved in service; what is tested anew must keep to it."""
        code, severity = _LOCKED, Severity.ERROR
        if self._saved is not None and not self.changed:
            code, severity = _LOCKED_SINCE, Severity.NOTICE
        for name in self.managed.against_locks(self.draft):
            yield Problem(name, code, {"value": self.managed.values[name]}, severity)

    def _trusted_ca_problem(self) -> tuple[Problem, ...]:
        """A CA that was trusted by its fingerprint serves the host that showed it, no other."""
        host = self._ca_trusted_elsewhere
        return (Problem(Field.CA_FILE, _OTHER_HOST, {"host": host}),) if host else ()

    def _of_another(self, values: Snapshot) -> bool:
        return isinstance(values.secret, StoredSecret) and (
            self._saved is None or self._saved.identity != values.settings.identity
        )

    def _stored_secret_problem(self) -> tuple[Problem, ...]:
        """The stored secret never goes to another server than the one it was proven with."""
        return (Problem(Field.PASSWORD, _STORED_ELSEWHERE),) if self.stored_elsewhere else ()
