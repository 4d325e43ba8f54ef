"""Findings: the true cause of a failure, chosen from a table by facts and the server's reply."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from smtp_desk.core.reply import Reply
from smtp_desk.core.stages import Stage


class Who(StrEnum):
    """Who can fix this."""

    YOU = "you"
    MAIL_ADMINISTRATOR = "mail_administrator"
    NETWORK_ADMINISTRATOR = "network_administrator"
    PROVIDER = "provider"
    PROGRAM = "program"


class Scope(StrEnum):
    """What the sender does next, depending on what the cause concerns.

    ROUTE: the server, its settings or the account there: the default service takes over, and the
    route is paused. PROCESS: this process alone: the default service takes over, and other
    processes aren't told. SOFT: the recipient or message, for now: the default service takes
    over, without a pause. SLOW: too fast or too many connections: the same route, slower.
    RECIPIENT, MESSAGE: known and final: refused. GENERIC: a refusal in unknown words: never final
    on one route's word. UNCERTAIN: perhaps accepted. NONE: not a failure to send.
    """

    ROUTE = "route"
    PROCESS = "process"
    SOFT = "soft"
    SLOW = "slow"
    GENERIC = "generic"
    RECIPIENT = "recipient"
    MESSAGE = "message"
    UNCERTAIN = "uncertain"
    NONE = "none"


class FindingSeverity(StrEnum):
    """Whether the finding ended the session."""

    ERROR = "error"
    WARNING = "warning"


REMOVE_PASSWORD_SPACES: Final = "remove_password_spaces"  # noqa: S105 - a name
"""The remedy that changes a field whose value no remedy may hold."""
SIGN_IN_AGAIN: Final = "sign_in_again"
"""The remedy by which a person signs in by OAuth 2.0 for what is saved."""
TRUST_CA: Final = "trust_ca"
"""The remedy that asks the person for a fingerprint before it changes the form."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing to do.

    Attributes:
        id: Stable name, for example "use_port_465".
        text: What to do, one imperative sentence, in English; `_` translates it for a person.
        changes: Form fields that the program can set for the person, by `problems.Field`.
        link: The https page that the server names, opened only after the person has seen the whole
            address; "" for none. Reports don't contain it: there it is part of the text.
    """

    id: str
    text: str
    changes: Mapping[str, str] = field(default_factory=dict)
    link: str = ""

    @property
    def doable(self) -> bool:
        """Whether the program can do it for the person, in the form or by signing in."""
        return bool(self.changes) or self.id in (REMOVE_PASSWORD_SPACES, SIGN_IN_AGAIN, TRUST_CA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The true cause of a failure, as shown and as written to a report.

    Attributes:
        code: Stable `stage.cause` of the catalogue.
        stage: The stage at which it showed.
        severity: ERROR ended the session; WARNING did not.
        summary: One sentence that names the cause, in English; `_` translates it for a person.
        explanation: What it means and how it happens, for a person who doesn't know SMTP; as
            `summary`.
        remedies: What to do, most promising first.
        who: Who can fix this.
        scope: What the sender does next; not part of the report.
        alarm: Whether it may be an attack; not part of the report.
        reply: The server's reply, or None where none came.
    """

    code: str
    stage: Stage
    severity: FindingSeverity
    summary: str
    explanation: str
    who: Who
    scope: Scope
    alarm: bool = False
    remedies: tuple[Remedy, ...] = ()
    reply: Reply | None = None

    @property
    def final(self) -> bool:
        """Whether there is no point in sending the same email to the same recipient again.

        The cause lies with the recipient or the message, and the refusal wasn't only temporary.
        """
        return self.scope in (Scope.RECIPIENT, Scope.MESSAGE) and not self._for_now

    @property
    def unknown(self) -> bool:
        """Whether it is a permanent refusal in unknown words."""
        return self.scope is Scope.GENERIC and not self._for_now

    @property
    def _for_now(self) -> bool:
        """Whether the reply's code is a temporary one, whatever its words (RFC 5321, 4.2.1)."""
        return self.reply is not None and self.reply.transient
