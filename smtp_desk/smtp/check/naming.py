"""Naming the true cause of a failure: what the catalogue is told beside it.

What a failure's facts are called in the texts of the catalogue.
"""

from collections.abc import Callable, Mapping
from typing import Final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.findings.providers import password_shape
from smtp_desk.core.findings.wording import plain_name
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.core.stages import Facts, Json, Stage, StageEvent
from smtp_desk.smtp.check.clock_evidence import OUT_OF_DATE, clock_evidence, installed_at
from smtp_desk.smtp.net.resolve import is_ip
from smtp_desk.smtp.session.redaction import Redactor
from smtp_desk.smtp.wire.auth import Credential, Token

_NAMES: Final[Mapping[str, str]] = {
    "suggestion": "suggested_name",
    "certificate": "expired_subject",
    "since": "not_after",
    "begins": "not_before",
    "clock": "now",
    "mode": "working_security",
    "detail": "reason",
    "violation": "reason",
    "error": "reason",
    "dead_addresses": "failed_addresses",
}


def for_texts(facts: Facts) -> dict[str, Json]:
    """Return `facts` with those the texts name otherwise added, in the form in which they read.

    Addresses become "192.0.2.1 (refused)"; moments become dates; names in certificates
    "Example CA (Example Ltd)"; `ca` says that the issuer is a CA.
    """
    told = dict(facts)
    for name, shown in _NAMES.items():
        if name in facts and not told.get(shown):
            told[shown] = _plain(facts[name])
    addresses = facts.get("addresses")
    if isinstance(addresses, list):
        told["addresses"] = [_address(each) for each in addresses]
    soon = facts.get("expires_soon")
    if isinstance(soon, dict):
        told.update(soon)
    for name, reads in _READS.items():
        if isinstance(text := told.get(name), str):
            told[name] = reads(text)
    if isinstance(clock := facts.get("clock"), str):
        told["now"] = f"{clock.replace('T', ' ')[:16]} UTC"
    # OpenSSL's reason is the same for every certificate it refuses; these are the words for it.
    if words := facts.get("verify_message"):
        told["reason"] = words
    problems = facts.get("form_problems")
    if isinstance(problems, list) and problems:
        told["reason"] = ", ".join(map(_problem, problems))
    told["issuer_is_ca"] = "ca" in facts
    return told


def _day(moment: str) -> str:
    return moment.partition("T")[0]


def _plain(value: Json) -> Json:
    return value.replace("_", " ") if isinstance(value, str) and value.isidentifier() else value


def _problem(each: Json) -> str:
    if not isinstance(each, dict):
        return str(each)
    return f"{_plain(each.get('problem'))} ({each.get('certificate')})"


def _address(each: Json) -> Json:
    if not isinstance(each, dict):
        return each
    return f"{each.get('address')} ({each.get('result')})"


_READS: Final[Mapping[str, Callable[[str], str]]] = {
    "not_after": _day,
    "not_before": _day,
    "expired_too": _day,
    "issuer": plain_name,
    "expired_subject": plain_name,
}


class Overheard:
    """What one session told of its stages; give it to the session as `observe`."""

    def __init__(self) -> None:
        self._facts: dict[Stage, dict[str, Json]] = {}

    def __call__(self, event: StageEvent) -> None:
        """Take an event."""
        self._facts.setdefault(event.stage, {}).update(event.facts)

    def facts(self, stage: Stage) -> Facts:
        """Return what is known of a stage so far."""
        return self._facts.get(stage, {})


def context_of(
    settings: ServerSettings,
    credential: Credential | None,
    mode: Security,
    heard: Overheard,
    redactor: Redactor,
) -> dict[str, Json]:
    """Return what is known beside a failure of a session; of the secret only its look.

    Args:
        settings: The server, as the person set it.
        credential: What the session signs in with.
        mode: How TLS begins in this session.
        heard: What the session told.
        redactor: Hides secrets in it.
    """
    password = credential.access if isinstance(credential, Token) else credential
    told = {
        "ehlo_name": heard.facts(Stage.EHLO).get("ehlo_name"),
        "banner": heard.facts(Stage.GREETING).get("banner"),
        "mechanism": heard.facts(Stage.AUTH).get("mechanism"),
        "mechanisms": heard.facts(Stage.AUTH).get("mechanisms"),
    }
    return {
        **{name: redactor.json(value) for name, value in told.items()},
        "host": settings.host,
        "host_is_ip": is_ip(settings.host),
        "port": settings.port,
        "security": str(settings.security),
        "mode": str(mode),
        "username": settings.username,
        "from_email": settings.from_email,
        "password_shape": str(password_shape(password)),
    }


def finding_of(
    failure: SmtpFailure, context: Facts, catalogue: Catalogue, redactor: Redactor
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
        facts=for_texts(facts),
        acceptance=failure.acceptance,
    )
    return catalogue.find(told, context)
