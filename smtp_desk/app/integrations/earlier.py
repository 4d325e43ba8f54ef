"""What was saved before, without widgets: the previous working settings, and the log of changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from smtp_desk.app.integrations.filling import Filling
from smtp_desk.app.integrations.form import OF_OAUTH
from smtp_desk.app.page_presenter import PagePresenter, PageState, quietly
from smtp_desk.app.runner import Runner
from smtp_desk.app.services import Services
from smtp_desk.core.problems import Field
from smtp_desk.core.reply import visible
from smtp_desk.core.settings import OAUTH, SettingsDraft
from smtp_desk.store.history import Previous, SavedChange

MOST_SHOWN: Final = 30

_FILLED: Final = (
    "Filled in. Test these settings, then save them. Retype the password where it’s asked for."
)
_NAMES: Final[Mapping[str, str]] = {
    "enabled": "Send system emails through your own server",
    "host": "SMTP server host",
    "port": "Port",
    "username": "Username",
    "from_name": "From name",
    "from_email": "From email",
    "security": "Security",
    "ehlo_name": "EHLO name",
    "auth_method": "Sign-in method",
    "per_hour": "Emails per hour at most",
    "ca_file": "CA certificate",
    "secret": "Password or sign-in",
    "company_name": "Company name",
    "notify": "Notify this address",
    "alerts": "Alert URLs",
    "kind": "Kind",
    "sendmail_path": "Path of sendmail",
}
_MARKED: Final = frozenset({"ca_file", "secret", "alerts"})
"""Of those only a mark is kept: that it changed, not from what to what."""

_TEXTS: Final = (
    *(Field.HOST, Field.PORT, Field.USERNAME, Field.FROM_NAME, Field.FROM_EMAIL, Field.SECURITY),
    *(Field.EHLO_NAME, Field.PER_HOUR),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierState(PageState):
    """What was saved before.

    Attributes:
        previous: The settings that last worked, in a sentence; "" for none.
        changes: When something changed, and what, the latest first.
    """

    previous: str = ""
    changes: tuple[tuple[str, str], ...] = ()


class EarlierFace(Protocol):
    """What the presenter needs of a face; called in the face's own thread."""

    def render_earlier(self, state: EarlierState) -> None:
        """Show this."""


class FormToFill(Protocol):
    """The form of Integrations, as far as it is filled in here."""

    @property
    def filling(self) -> Filling:
        """The way to fill in values."""

    def edit(self, field: Field, text: str) -> None:
        """Take a keystroke."""


class EarlierPresenter(PagePresenter[EarlierState]):
    """Reads what was saved before, and fills it in again; the person tests it then."""

    def __init__(
        self, services: Services, runner: Runner, view: EarlierFace, form: FormToFill
    ) -> None:
        super().__init__(runner, view.render_earlier, EarlierState())
        self._services = services
        self._form = form
        self._previous: Previous | None = None

    def load(self) -> None:
        """Read what was saved before; it changes with each save."""
        history = self._services.store.history

        def read() -> tuple[Previous | None, tuple[SavedChange, ...]]:
            return history.previous(), history.changes()[:MOST_SHOWN]

        def done(found: tuple[Previous | None, tuple[SavedChange, ...]]) -> None:
            self._previous = found[0]
            changes = tuple((_minute(each.at), change_text(each)) for each in found[1])
            self._show(previous=previous_text(found[0]) if found[0] else "", changes=changes)

        self._runner.run(quietly(read), on_done=done, on_error=self._not_read)

    def take(self) -> None:
        """Fill in the settings that last worked."""
        if self._previous is None:
            return
        draft, filling = self._previous.draft, self._form.filling
        values = values_of(draft)
        filling.fill({field: text for field, text in values.items() if field not in filling.locked})
        for field in (Field.CA_FILE, Field.OAUTH_CA_FILE):
            # As typed: what such a file holds is read then.
            if values.get(field) and field not in filling.locked:
                self._form.edit(field, values[field])
        self._tell(_FILLED)

    def _not_read(self, _error: Exception) -> None:
        self._show(previous="", changes=())


def values_of(draft: SettingsDraft) -> dict[Field, str]:
    """Return what to type for a draft, in the order that the form needs; never a secret."""
    signs_in = draft.auth_method == OAUTH
    values = {Field.OAUTH_PROVIDER: draft.oauth.provider if signs_in else ""}
    if signs_in:
        values |= {field: getattr(draft.oauth, name) for field, name in OF_OAUTH.items()}
    else:
        values[Field.AUTH_METHOD] = draft.auth_method
    values |= {field: getattr(draft, field) for field in _TEXTS}
    return {**values, Field.CA_FILE: draft.ca_file}


def previous_text(previous: Previous) -> str:
    """Return which settings last worked, and until when."""
    draft = previous.draft
    name = f" as {visible(draft.username)}" if draft.username else ""
    return (
        f"{visible(draft.host)}, port {draft.port}{name}, in use until {_minute(previous.until)}."
    )


def change_text(change: SavedChange) -> str:
    """Return one change as a line."""
    of_default = change.field.startswith("default.")
    field = change.field.removeprefix("default.")
    name = _NAMES.get(field) or visible(field.replace("oauth.", "").replace("_", " ").capitalize())
    label = f"Default email service: {name}" if of_default else name
    if field in _MARKED:
        said = "saved again" if change.before and change.after else "removed"
        return f"{label}: {said if change.before else 'added'}"
    before, after = (visible(each) or "(empty)" for each in (change.before, change.after))
    return f"{label}: {before} → {after}"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
