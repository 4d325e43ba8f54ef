"""What the DNS says about the From domain, as warnings of a test or on its own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from smtp_desk.app.proving.belief import believe
from smtp_desk.app.services import Services
from smtp_desk.core.address import AddressError, parse_host, parse_mailbox
from smtp_desk.core.arrived import Belief
from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.problems import Field, Problem
from smtp_desk.core.report import CheckReport, StageResult
from smtp_desk.core.settings import SettingsDraft
from smtp_desk.core.stages import Facts, Json, Stage, StageStatus
from smtp_desk.smtp.domain.facts import (
    DkimKey,
    DomainFacts,
    DomainQuestion,
    Found,
    RecordStatus,
    Selector,
    Server,
)
from smtp_desk.smtp.domain.lookup import GRACE_SECONDS, look_up
from smtp_desk.smtp.net.deadline import Cancel, Deadline

SECONDS: Final = 15.0
"""How long it may take in all."""

_NONE: Final = "none"
_NOT_CHECKED: Final = "not_checked"
_NAMES: Final = ("MX", "SPF", "DMARC", "MTA-STS", "TLS-RPT")


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRequest:
    """What to ask about.

    Attributes:
        from_email: The From address, whose domain is checked.
        host: The server that is to send for it, or "" if there is none yet.
        selectors: The selectors whose DKIM keys to check.
        resolver: `HOST:PORT` of a DNS server to ask instead of the system.
    """

    from_email: str
    host: str = ""
    selectors: tuple[Selector, ...] = ()
    resolver: str | None = None

    @classmethod
    def of(cls, draft: SettingsDraft, selectors: tuple[Selector, ...] = ()) -> "DomainRequest":
        """Return the question for the content of a form without `from_problems`."""
        return cls(
            from_email=draft.from_email.strip(), host=draft.host.strip(), selectors=selectors
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainCheck:
    """The result of checking the From domain.

    Attributes:
        from_email: The From address that was checked.
        host: The server that was checked, or "".
        facts: What was seen, safe to show, with `belief`, `belief_reason` and `not_checked`: what
            could not be checked, and why.
        warnings: What isn't as it should be; empty if all is well or not known.
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
    def belief(self) -> Belief:
        """Whether receivers will trust the server's mail from this domain."""
        return Belief(str(self.facts["belief"]))

    @property
    def summary(self) -> str:
        """The same in one sentence, with the reason."""
        return str(self.facts["belief_reason"])

    @property
    def not_checked(self) -> tuple[str, ...]:
        """What could not be checked, and why, one sentence each."""
        told = self.facts.get(_NOT_CHECKED)
        return tuple(str(each) for each in told) if isinstance(told, list) else ()

    @property
    def in_order(self) -> bool:
        """Whether everything could be checked, and is well."""
        return not (self.warnings or self.not_checked)

    def belongs_to(self, report: CheckReport) -> bool:
        """Whether the report is about the same From address and server."""
        tested = (report.settings.get("from_email"), report.settings.get("host"))
        return tested == (self.from_email, self.host)


def check_domain(services: Services, request: DomainRequest, cancel: Cancel) -> DomainCheck:
    """Ask the DNS about the From domain; blocks until it has answered, `SECONDS` at most.

    Raises:
        AddressError: The From address isn't valid, or has an IP address instead of a domain.
        CancelledError: Cancelled, within 100 ms.
    """
    server = _server(services, request.host)
    question = DomainQuestion(
        domain=domain_of(request.from_email),
        local_part=request.from_email.rpartition("@")[0],
        server=server,
        selectors=request.selectors,
        resolver=request.resolver,
    )
    found = look_up(question, cancel, Deadline.after(SECONDS - GRACE_SECONDS))
    belief, summary = believe(found, server.host if server else "")
    facts = {**_facts(found, server), "belief": str(belief), "belief_reason": summary}
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
            services.catalogue.warning(code, Stage.RESOLVE, {**context, **details})
            for code, details in _codes(found)
        ),
    )


def unchecked(request: DomainRequest, reason: str) -> DomainCheck:
    """Return a result that says nothing is known about the domain, because of `reason`."""
    domain = domain_of(request.from_email)
    facts: Facts = {
        "from_domain": domain,
        _NOT_CHECKED: [f"{', '.join(_NAMES)}: {reason}"],
        "belief": str(Belief.UNKNOWN),
        "belief_reason": f"Whether email from {domain} will be trusted is unknown: {reason}.",
    }
    return DomainCheck(from_email=request.from_email, host=request.host, facts=facts, warnings=())


def domain_of(from_email: str) -> str:
    """Return the domain of an address, in ASCII.

    Raises:
        AddressError: It isn't an address, or has an IP address instead of a domain.
    """
    domain = parse_mailbox(from_email).ascii_domain
    if domain.startswith("["):
        raise AddressError("email.domain", domain=domain)
    return domain


def from_problems(draft: SettingsDraft) -> tuple[Problem, ...]:
    """Return why the DNS can't be asked about the From address of a form."""
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


def _codes(found: DomainFacts) -> Iterator[tuple[str, dict[str, Json]]]:
    """Yield the code of each warning, and what else is to be said there."""
    if found.bogus:
        yield "domain.dnssec_bogus", {}
    if found.mx.status is RecordStatus.MISSING:
        yield "domain.no_mail_exchanger", {}
    if found.exists is False:
        return  # Said already: of a domain that does not exist nothing else is worth telling.
    yield from _of_record(found.spf, "domain.spf_invalid", "domain.spf_missing")
    if found.excludes_server:
        yield "domain.spf_excludes_server", {}
    for key in found.dkim:
        name: dict[str, Json] = {"selector": key.selector, "dkim_domain": key.domain}
        if key.found.status is RecordStatus.MISSING:
            yield "domain.dkim_missing", name
        elif reason := _dkim_fault(key, found.domain):
            yield "domain.dkim_invalid", {**name, "reason": reason}
    yield from _of_record(found.dmarc, "domain.dmarc_invalid", "domain.dmarc_missing")
    yield from _of_record(found.mta_sts, "domain.mta_sts_invalid")
    yield from _of_record(found.tls_rpt, "domain.tls_rpt_invalid")


def _of_record(
    kind: Found, invalid: str, missing: str = ""
) -> Iterator[tuple[str, dict[str, Json]]]:
    if kind.status is RecordStatus.INVALID:
        yield invalid, {"reason": kind.reason}
    if missing and kind.status is RecordStatus.MISSING:
        yield missing, {}


def _dkim_fault(key: DkimKey, domain: str) -> str:
    if key.found.status is RecordStatus.INVALID:
        return key.found.reason
    if not key.aligned:
        return f"DMARC doesn’t count signatures of {key.domain} for {domain}"
    return ""


def _facts(found: DomainFacts, server: Server | None) -> dict[str, Json]:
    facts: dict[str, Json] = {"from_domain": found.domain}
    if found.exists is False:
        facts["domain_exists"] = False
    facts.update(_of_kind("mx", found.mx))
    if found.mx_validated is not None:
        facts["mx_dnssec"] = found.mx_validated
    facts.update(_of_kind("spf", found.spf))
    unknown = list(_unknown(found))
    if server is not None and found.spf.status is RecordStatus.GOOD:
        if found.excludes_server is None:
            unknown.append(f"SPF for {server.host}: DNS alone can’t tell")
        else:
            facts["spf_allows_server"] = not found.excludes_server
    if found.dkim:
        facts["dkim"] = [line for key in found.dkim for line in _key_lines(key)]
    facts.update(_of_kind("dmarc", found.dmarc))
    if found.policy is not None:
        facts["dmarc_policy"] = found.policy.policy
        if found.policy.testing:
            facts["dmarc_testing"] = True
        if found.policy.domain != found.domain:
            facts["dmarc_domain"] = found.policy.domain
    facts.update(_of_kind("mta_sts", found.mta_sts))
    facts.update(_of_kind("tls_rpt", found.tls_rpt))
    facts["not_looked_at"] = list(_not_looked_at(found))
    if unknown:
        facts[_NOT_CHECKED] = unknown
    return facts


def _of_kind(name: str, kind: Found) -> dict[str, Json]:
    if kind.records:
        return {name: list(kind.records)}
    return {name: [_NONE]} if kind.status is RecordStatus.MISSING else {}


def _key_lines(key: DkimKey) -> Iterator[str]:
    name = f"{key.selector}._domainkey.{key.domain}"
    if key.found.status is RecordStatus.MISSING:
        yield f"{name}: {_NONE}"
    yield from (f"{name}: {record}" for record in key.found.records)
    yield from (f"{name}: {note}" for note in key.found.notes)


def _not_looked_at(found: DomainFacts) -> Iterator[Json]:
    """Yield what the DNS can't tell, or wasn't asked."""
    if not found.dkim:
        yield "DKIM (no selector was given)"
    if found.mta_sts.status is RecordStatus.GOOD:
        yield f"the MTA-STS policy at https://mta-sts.{found.domain}/.well-known/mta-sts.txt"
    yield "whether the server keeps the From address as envelope sender, which is what SPF checks"


def _unknown(found: DomainFacts) -> Iterator[Json]:
    """Yield what nobody could tell; what has the same reason in one sentence."""
    reasons: dict[str, list[str]] = {}
    kinds = (found.mx, found.spf, found.dmarc, found.mta_sts, found.tls_rpt)
    named = [
        *zip(_NAMES, kinds, strict=True),
        *((f"DKIM ({key.selector})", key.found) for key in found.dkim),
    ]
    for name, kind in named:
        if kind.status is RecordStatus.UNKNOWN:
            reasons.setdefault(kind.reason, []).append(name)
    for reason, names in reasons.items():
        yield f"{', '.join(names)}: {reason}"
