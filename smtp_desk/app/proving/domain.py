"""What the DNS says of the From domain: as warnings of a test, or by itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from smtp_desk.app.extras import Extra, installed, missing_text
from smtp_desk.app.services import Services
from smtp_desk.core.address import AddressError, parse_host, parse_mailbox
from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.problems import Field, Problem
from smtp_desk.core.report import CheckReport, StageResult
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.stages import Facts, Json, Stage, StageStatus
from smtp_desk.smtp.domain.facts import DomainFacts, Found, RecordStatus, Server
from smtp_desk.smtp.domain.lookup import GRACE_SECONDS, look_up
from smtp_desk.smtp.net.deadline import Cancel, Deadline

SECONDS: Final = 15.0
"""How long it may take in all."""

_NONE: Final = "none"
_NOT_CHECKED: Final = "not_checked"
_NAMES: Final = ("mx", "spf", "dmarc")


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRequest:
    """What to ask about.

    Attributes:
        from_email: The From address; its domain is asked about.
        host: The server that is to send for it, or "" where there is none yet.
        resolver: `HOST:PORT` of a DNS server to ask instead of the system.
    """

    from_email: str
    host: str = ""
    resolver: str | None = None

    @classmethod
    def of(cls, draft: SettingsDraft) -> "DomainRequest":
        """Return the question about what stands in a form without `from_problems`."""
        return cls(from_email=draft.from_email.strip(), host=draft.host.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainCheck:
    """What came of it.

    Attributes:
        from_email: The From address that was asked about.
        host: The server that was asked about, or "".
        facts: The records seen, safe to show: `from_domain`, `domain_exists` where it is
            false, `mx`, `spf`, `dmarc` (each "none" where there is none), `spf_allows_server`
            where it does, and `not_checked` with what nobody could tell, and why.
        warnings: What is not as it should be; empty where all is well or not known.
    """

    from_email: str
    host: str
    facts: Facts
    warnings: tuple[Finding, ...]

    @property
    def domain(self) -> str:
        """The domain."""
        return str(self.facts["from_domain"])

    @property
    def not_checked(self) -> tuple[str, ...]:
        """What could not be checked, and why, one sentence each."""
        told = self.facts.get(_NOT_CHECKED)
        return tuple(str(each) for each in told) if isinstance(told, list) else ()

    @property
    def in_order(self) -> bool:
        """Whether all was told, and all is well."""
        return not (self.warnings or self.not_checked)

    @property
    def summary(self) -> str:
        """What it comes to, in one sentence."""
        if self.warnings:
            if len(self.warnings) == 1:
                return f"One thing is not as it should be at {self.domain}."
            return f"{len(self.warnings)} things are not as they should be at {self.domain}."
        if self.not_checked:
            return f"Not all of {self.domain} could be checked."
        return f"All that the DNS says of {self.domain} is in order."

    def belongs_to(self, report: CheckReport) -> bool:
        """Whether the report is of the same From address and server."""
        tested = (report.settings.get("from_email"), report.settings.get("host"))
        return tested == (self.from_email, self.host)


def check_domain(services: Services, request: DomainRequest, cancel: Cancel) -> DomainCheck:
    """Ask the DNS about the From domain; blocks until it has answered, `SECONDS` at most.

    Raises:
        AddressError: The From address is none, or names no domain but an IP address.
        CancelledError: Cancelled, within 100 ms.
    """
    domain = domain_of(request.from_email)
    if not installed(Extra.DOMAIN):
        return unchecked(request, missing_text(Extra.DOMAIN, services.catalogue))
    server = _server(services, request.host)
    deadline = Deadline.after(SECONDS - GRACE_SECONDS)
    found = look_up(domain, server, request.resolver, cancel, deadline)
    facts = _facts(found, server)
    context: dict[str, Json] = {
        **facts,
        "from_email": request.from_email,
        "host": request.host,
        "spf_include": _spf_include(server) if server else "",
        "null_mx": found.mx.status is RecordStatus.MISSING and bool(found.mx.records),
    }
    return DomainCheck(
        from_email=request.from_email,
        host=request.host,
        facts=facts,
        warnings=tuple(
            services.catalogue.warning(code, Stage.RESOLVE, {**context, "reason": reason})
            for code, reason in _codes(found)
        ),
    )


def unchecked(request: DomainRequest, reason: str) -> DomainCheck:
    """Return that nothing of the domain is known, because of `reason`."""
    facts: Facts = {
        "from_domain": domain_of(request.from_email),
        _NOT_CHECKED: [f"MX, SPF, DMARC: {reason}"],
    }
    return DomainCheck(from_email=request.from_email, host=request.host, facts=facts, warnings=())


def domain_of(from_email: str) -> str:
    """Return the domain of an address, in ASCII.

    Raises:
        AddressError: It is no address, or names no domain but an IP address.
    """
    domain = parse_mailbox(from_email).ascii_domain
    if domain.startswith("["):
        raise AddressError("email.domain", domain=domain)
    return domain


def from_problems(draft: SettingsDraft) -> tuple[Problem, ...]:
    """Return what keeps the DNS from being asked about the From address of a form."""
    try:
        domain_of(draft.from_email)
    except AddressError as error:
        return (Problem(Field.FROM_EMAIL, error.code, error.params),)
    return ()


def with_domain(report: CheckReport, check: DomainCheck) -> CheckReport:
    """Return the report with what the DNS says: facts of the stage `resolve`, and warnings."""
    stages = tuple(
        replace(each, facts={**each.facts, **check.facts}) if each.stage is Stage.RESOLVE else each
        for each in report.stages
    )
    if stages == report.stages:
        stages += (StageResult(Stage.RESOLVE, StageStatus.SKIPPED, 0, check.facts),)
    return replace(report, stages=stages, warnings=(*report.warnings, *check.warnings))


def _server(services: Services, host: str) -> Server | None:
    try:
        name = parse_host(host).ascii
    except AddressError:
        return None
    provider = services.providers.by_host(name)
    if provider is None:
        return Server(name)
    spf = provider.facts.get("spf_include")
    named = tuple(str(each).casefold() for each in spf) if isinstance(spf, list) else ()
    return Server(name, named, of_provider=True)


def _spf_include(server: Server) -> str:
    """Return what the SPF record should include for `server`: the usual, or that of its country."""
    if not server.spf:
        return ""
    *_, domain, country = server.host.split(".")
    if server.spf[0].endswith(f".{country}"):
        return server.spf[0]
    named = (name for name in server.spf if name.endswith(f"{domain}.{country}"))
    return next(named, server.spf[0])


def _codes(found: DomainFacts) -> Iterator[tuple[str, str]]:
    """Yield the code of each warning, and why."""
    if found.mx.status is RecordStatus.MISSING:
        yield "domain.no_mail_exchanger", ""
    if found.exists is False:
        return  # Said already: of a domain that does not exist nothing else is worth telling.
    if found.spf.status is RecordStatus.MISSING:
        yield "domain.spf_missing", ""
    if found.spf.status is RecordStatus.INVALID:
        yield "domain.spf_invalid", found.spf.reason
    if found.excludes_server:
        yield "domain.spf_excludes_server", ""
    if found.dmarc.status is RecordStatus.MISSING:
        yield "domain.dmarc_missing", ""
    if found.dmarc.status is RecordStatus.INVALID:
        yield "domain.dmarc_invalid", found.dmarc.reason


def _facts(found: DomainFacts, server: Server | None) -> dict[str, Json]:
    kinds = dict(zip(_NAMES, (found.mx, found.spf, found.dmarc), strict=True))
    facts: dict[str, Json] = {"from_domain": found.domain}
    if found.exists is False:
        facts["domain_exists"] = False
    facts.update((name, shown) for name, kind in kinds.items() if (shown := _records(kind)))
    unknown = list(_unknown(kinds))
    if server is not None and found.spf.status is RecordStatus.GOOD:
        if found.excludes_server is None:
            unknown.append(f"SPF for {server.host}: the DNS alone does not tell")
        else:
            facts["spf_allows_server"] = not found.excludes_server
    if unknown:
        facts[_NOT_CHECKED] = unknown
    return facts


def _unknown(kinds: Mapping[str, Found]) -> Iterator[Json]:
    """Yield what nobody could tell; what has the same reason in one sentence."""
    reasons: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        if kind.status is RecordStatus.UNKNOWN:
            reasons.setdefault(kind.reason, []).append(name.upper())
    for reason, names in reasons.items():
        yield f"{', '.join(names)}: {reason}"


def _records(kind: Found) -> list[Json]:
    if kind.records:
        return list(kind.records)
    return [_NONE] if kind.status is RecordStatus.MISSING else []
