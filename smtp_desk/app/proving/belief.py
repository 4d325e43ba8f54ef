"""Whether receivers will trust a server's mail from a domain, in one sentence."""

from collections.abc import Mapping
from typing import Final

from smtp_desk.core.arrived import Belief
from smtp_desk.smtp.domain.facts import DmarcPolicy, DomainFacts, RecordStatus

_SPF_OF: Final[Mapping[bool | None, str]] = {
    False: "SPF allows the server",
    True: "SPF doesn’t allow the server",
    None: "SPF can’t be judged from DNS alone",
}
_SPF_WITHOUT: Final[Mapping[RecordStatus, str]] = {
    RecordStatus.MISSING: "the domain has no SPF record",
    RecordStatus.INVALID: "the domain’s SPF record isn’t valid",
    RecordStatus.UNKNOWN: "its SPF record couldn’t be checked",
}
_WEAKER: Final[Mapping[str, str]] = {"reject": "quarantine", "quarantine": "none"}


def believe(found: DomainFacts, host: str) -> tuple[Belief, str]:
    """Return whether mail will be trusted, and the sentence that says so and why.

    SPF checks the envelope sender, which is the From address here, so what SPF allows is also
    aligned as DMARC requires (RFC 9989, 4.4.2).
    """
    if told := _hopeless(found):
        return Belief.DISBELIEVED, told
    if not host:
        return _without_server(found)
    subject = f"Email from {found.domain} sent through {host}"
    passes, spf = _spf(found)
    if passes:
        return _by_spf(found, f"{subject} will")
    if _signed(found):
        only = "if" if passes is None else "only if"
        return _by_dkim(found, f"{subject} will be trusted {only} the server", spf)
    unanswered = any(key.found.status is RecordStatus.UNKNOWN for key in found.dkim)
    if passes is None or unanswered:
        sent = f"{subject[0].lower()}{subject[1:]}"
        why = f"{spf}, and DKIM couldn’t be checked" if unanswered else spf
        return Belief.UNKNOWN, f"Whether {sent} will be trusted is unknown: {why}."
    return _by_nothing(found, subject, spf)


def _hopeless(found: DomainFacts) -> str:
    """Return why no server can send for the domain; "" where one can."""
    if found.exists is False:
        return f"Email from {found.domain} won’t be trusted: the domain doesn’t exist."
    if found.bogus:
        return (
            f"Email from {found.domain} won’t be trusted by receivers that check DNSSEC: the "
            "signatures of its DNS records are wrong."
        )
    return ""


def _spf(found: DomainFacts) -> tuple[bool | None, str]:
    """Return whether SPF passes for the server, and that in words."""
    if found.spf.status is RecordStatus.GOOD:
        excluded = found.excludes_server
        return None if excluded is None else not excluded, _SPF_OF[excluded]
    unknown = found.spf.status is RecordStatus.UNKNOWN
    return None if unknown else False, _SPF_WITHOUT[found.spf.status]


def _signed(found: DomainFacts) -> bool:
    """Whether a DKIM key that was asked about would make a signature count."""
    return any(key.aligned and key.found.status is RecordStatus.GOOD for key in found.dkim)


def _without_server(found: DomainFacts) -> tuple[Belief, str]:
    """Return what can be said before a server is known."""
    passes = found.spf.status is RecordStatus.GOOD
    if passes and found.policy is not None:
        told = "SPF and DMARC are set up"
        return (
            Belief.UNKNOWN,
            f"Email from {found.domain} will be trusted if SPF allows its server: {told}.",
        )
    if RecordStatus.UNKNOWN in (found.spf.status, found.dmarc.status):
        told = f"DNS didn’t tell us whether email from {found.domain} will be trusted."
        return Belief.UNKNOWN, told
    why = "it has no valid DMARC record" if passes else _SPF_WITHOUT[found.spf.status]
    return Belief.DOUBTED, f"Email from {found.domain} may not be trusted: {why}."


def _by_spf(found: DomainFacts, subject: str) -> tuple[Belief, str]:
    allows = _SPF_OF[False]
    match found.dmarc.status:
        case RecordStatus.GOOD:
            return Belief.BELIEVED, f"{subject} be trusted: {allows}, and DMARC accepts that."
        case RecordStatus.UNKNOWN:
            why = "DMARC couldn’t be checked"
            return Belief.UNKNOWN, f"{subject} probably be trusted: {allows}; {why}."
        case _:
            but = "large providers also require a valid DMARC record, and the domain has none"
            return Belief.DOUBTED, f"{subject} probably be trusted: {allows}, but {but}."


def _by_dkim(found: DomainFacts, subject: str, spf: str) -> tuple[Belief, str]:
    match found.dmarc.status:
        case RecordStatus.GOOD:
            dmarc = "but the DKIM key is valid and DMARC accepts that"
        case RecordStatus.UNKNOWN:
            dmarc = "and DMARC couldn’t be checked"
        case _:
            dmarc = "and no valid DMARC record was found"
    return Belief.DOUBTED, f"{subject} signs it with DKIM: {spf}, {dmarc}."


def _by_nothing(found: DomainFacts, subject: str, spf: str) -> tuple[Belief, str]:
    unless, why = " unless the server signs it with DKIM", spf
    if found.dkim:
        unless, why = "", f"{spf}, no usable DKIM key was found"
    if found.dmarc.status is RecordStatus.UNKNOWN:
        why = f"{why}, and DMARC couldn’t be checked"
    asked = f"{unless}: {why}, and the DMARC policy asks for that."
    match _asked_for(found.policy):
        case "reject":
            return Belief.DISBELIEVED, f"{subject} will be refused by many receivers{asked}"
        case "quarantine":
            return Belief.DISBELIEVED, (
                f"{subject} will end up in the spam folder at many receivers{asked}"
            )
        case _:
            return Belief.DOUBTED, f"{subject} may be treated as spam{unless}: {why}."


def _asked_for(policy: DmarcPolicy | None) -> str:
    """Return what receivers are asked to do with mail that nothing vouches for."""
    if policy is None:
        return "none"
    return _WEAKER.get(policy.policy, "none") if policy.testing else policy.policy
