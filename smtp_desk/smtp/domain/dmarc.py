"""DMARC (RFC 9989): the record that applies to a domain, and where an organization begins."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from smtp_desk.core.reply import decode_text
from smtp_desk.smtp.domain.dns import Questions
from smtp_desk.smtp.domain.facts import DmarcPolicy, InvalidRecordError
from smtp_desk.smtp.domain.tags import read_tags, versioned

_VERSION: Final = "DMARC1"
_MOST_QUESTIONS: Final = 8
_NONE: Final = "none"
_POLICIES: Final = frozenset({_NONE, "quarantine", "reject"})
_REPORT_TO: Final = re.compile(r"mailto:[^\s,!@]+@[^\s,!@]+(?:![0-9]+[kmgt]?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _WalkStep:
    """One name of a tree walk, with the record that applies there.

    Attributes:
        domain: The name without `_dmarc`.
        record: Its one record; None where it has none, or several.
        fault: What is wrong with its records.
    """

    domain: str
    record: bytes | None
    fault: str

    @property
    def boundary(self) -> str:
        """What the record says about where an organization begins (`psd=`): "y", "n" or ""."""
        if self.record is None:
            return ""
        try:
            return read_tags(self.record).get("psd", "").lower()
        except InvalidRecordError:
            return ""


def dmarc_texts(questions: Questions, domain: str) -> list[str]:
    """Return the domain's own texts that are meant as DMARC records.

    Raises:
        UnansweredError: The DNS did not answer.
        CancelledError: Cancelled.
    """
    texts = map(decode_text, questions.texts(f"_dmarc.{domain}"))
    return [text for text in texts if text.lstrip().lower().startswith("v=dmarc1")]


def find_dmarc(questions: Questions, domain: str) -> DmarcPolicy | None:
    """Return the policy that applies to the domain, its own or a parent domain's (4.10.1).

    Raises:
        InvalidRecordError: It is not valid, or there are several.
        UnansweredError: The DNS did not answer.
        CancelledError: Cancelled.
    """
    steps: list[_WalkStep] = []
    for step in _walk(questions, domain):
        steps.append(step)
        if step.domain == domain and (step.record is not None or step.fault):
            break
    own = steps[0]
    if own.fault:
        raise InvalidRecordError(own.fault)
    start = _organization(steps)
    found = {step.domain: step.record for step in steps if step.record is not None}
    suffix = next((step.domain for step in steps[1:] if step.boundary == "y"), "")
    where = next((each for each in (domain, start, suffix) if each in found), "")
    if where:
        return _policy(questions, domain, where, found[where])
    if fault := next((step for step in steps if step.fault), None):
        raise InvalidRecordError(f"{fault.domain}, above it: {fault.fault}")
    return None


def organization(questions: Questions, domain: str) -> str:
    """Return the organizational domain (4.10.2): names below the same one are aligned.

    Raises:
        UnansweredError: The DNS did not answer.
        CancelledError: Cancelled.
    """
    return _organization(list(_walk(questions, domain)))


def _walk(questions: Questions, domain: str) -> Iterator[_WalkStep]:
    """Yield the names from the domain upwards, to the first that ends the walk (4.10)."""
    labels = domain.split(".")
    above = range(max(1, len(labels) - _MOST_QUESTIONS + 1), len(labels))
    for at in (0, *above):
        step = _step(questions, ".".join(labels[at:]))
        yield step
        if step.boundary in ("y", "n"):
            return


def _step(questions: Questions, domain: str) -> _WalkStep:
    records, fault = versioned(questions.texts(f"_dmarc.{domain}"), _VERSION)
    if len(records) > 1:
        return _WalkStep(
            domain, None, f"the domain has {len(records)} DMARC records, but only one is allowed"
        )
    return _WalkStep(domain, records[0], "") if records else _WalkStep(domain, None, fault)


def _organization(steps: list[_WalkStep]) -> str:
    start = steps[0].domain
    found = [step for step in steps if step.record is not None]
    for step in found:
        if step.boundary == "n":
            return step.domain
        if step.boundary == "y" and step.domain != start:
            below = start.removesuffix(f".{step.domain}")
            return f"{below.rpartition('.')[2]}.{step.domain}"
    return found[-1].domain if found else start


def _policy(questions: Questions, domain: str, where: str, record: bytes) -> DmarcPolicy:
    tags = read_tags(record)
    wrong = next((name for name in ("p", "sp", "np") if not _is_policy(tags, name)), None)
    if wrong is not None:
        raise InvalidRecordError(
            f"“{wrong}={tags[wrong]}” isn’t one of {', '.join(sorted(_POLICIES))}"
        )
    if "p" not in tags and not any(map(_REPORT_TO.fullmatch, _uris(tags.get("rua", "")))):
        raise InvalidRecordError("it has neither “p=” nor an address in “rua=”")
    policy = tags.get("p", _NONE)
    if where != domain:
        below = "sp" if "np" not in tags or questions.exists(domain) else "np"
        policy = tags.get(below, policy)
    return DmarcPolicy(
        record=decode_text(record),
        domain=where,
        policy=policy.lower(),
        testing=tags.get("t", "").lower() == "y",
        dkim_strict=tags.get("adkim", "").lower() == "s",
    )


def _is_policy(tags: dict[str, str], name: str) -> bool:
    return name not in tags or tags[name].lower() in _POLICIES


def _uris(value: str) -> Iterator[str]:
    return (uri.strip() for uri in value.split(","))
