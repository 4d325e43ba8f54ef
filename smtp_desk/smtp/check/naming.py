"""Naming the true cause of a failure: the facts that the catalogue gets with it."""

from typing import TYPE_CHECKING

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.findings.oauth_errors import oauth_context
from smtp_desk.core.findings.providers import password_shape
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.core.stages import Facts, Json, Stage, StageEvent
from smtp_desk.smtp.check.clock_evidence import OUT_OF_DATE, clock_evidence, installed_at
from smtp_desk.smtp.net.redaction import Redactor
from smtp_desk.smtp.net.resolve import is_ip
from smtp_desk.smtp.wire.auth import Credential, Token

if TYPE_CHECKING:
    from smtp_desk.core.findings.catalogue import Catalogue


class StageFacts:
    """The facts of one session's stages; pass it to the session as `observe`."""

    def __init__(self) -> None:
        self._facts: dict[Stage, dict[str, Json]] = {}

    def __call__(self, event: StageEvent) -> None:
        """Take an event."""
        self._facts.setdefault(event.stage, {}).update(event.facts)

    @property
    def signed_in(self) -> bool:
        """Whether the server accepted the login (RFC 4954, 4)."""
        code = self.facts(Stage.AUTH).get("reply_code")
        return isinstance(code, int) and code // 100 == 2  # noqa: PLR2004 - the class of the reply

    def facts(self, stage: Stage) -> Facts:
        """Return the facts of a stage so far."""
        return self._facts.get(stage, {})


def context_of(
    settings: ServerSettings,
    credential: Credential | None,
    mode: Security,
    heard: StageFacts,
    redactor: Redactor,
) -> dict[str, Json]:
    """Return the facts known about a failed session; of the secret only what it looks like.

    Args:
        settings: The server, as the person set it.
        credential: What the session signs in with.
        mode: How TLS begins in this session.
        heard: The facts of the session's stages.
        redactor: Hides secrets in them.
    """
    secret = credential.access if isinstance(credential, Token) else credential
    told = {
        "ehlo_name": heard.facts(Stage.EHLO).get("ehlo_name"),
        "banner": heard.facts(Stage.GREETING).get("banner"),
        "mechanism": heard.facts(Stage.AUTH).get("mechanism"),
        "mechanisms": heard.facts(Stage.AUTH).get("mechanisms"),
    }
    if settings.oauth is not None:
        told["account"] = heard.facts(Stage.TOKEN).get("account")
    return {
        **{name: redactor.json(value) for name, value in told.items()},
        "signed_in": heard.signed_in,
        "host": settings.host,
        "host_is_ip": is_ip(settings.host),
        "port": settings.port,
        "security": str(settings.security),
        "mode": str(mode),
        "username": settings.username,
        "from_email": settings.from_email,
        "password_shape": str(password_shape(secret)),
        **oauth_context(settings.oauth),
    }


def finding_of(
    failure: SmtpFailure, context: Facts, catalogue: "Catalogue", redactor: Redactor
) -> Finding:
    """Return the true cause of `failure`, secrets hidden in its facts; see `context_of`."""
    clock: Facts = {}
    if failure.code in OUT_OF_DATE:
        clock = clock_evidence(failure.facts, context.get("banner"), installed_at())
    known = {**failure.facts, **clock}
    facts = {name: redactor.json(value) for name, value in known.items()}
    told = SmtpFailure(
        failure.stage,
        failure.code,
        reply=failure.reply,
        facts=facts,
        acceptance=failure.acceptance,
    )
    return catalogue.find(told, context)
