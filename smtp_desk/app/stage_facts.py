"""The few facts of a stage that are worth a place on its line."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from smtp_desk.core.report import StageResult
from smtp_desk.core.stages import Facts, Json, Stage

_LONGEST: Final = 300
_LONGEST_RECORD: Final = 80


def key_facts(result: StageResult) -> str:
    """Return the key facts of a stage on one line, "" where there are none."""
    facts = result.facts
    parts = (*_TELL.get(result.stage, _reply)(facts), *_other_ports(facts))
    told = "; ".join(part for part in parts if part)
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…"


def shown(value: Json) -> str:
    """Return a fact as text for a person."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(shown(item) for item in value)
        case dict():
            return ", ".join(f"{name} {shown(item)}" for name, item in value.items())
        case _:
            return str(value)


def certificates(facts: Facts) -> list[dict[str, Json]]:
    """Return the certificate chain among the facts of a stage, the server's own first."""
    chain = facts.get("chain")
    return [each for each in chain if isinstance(each, dict)] if isinstance(chain, list) else []


def _settings(facts: Facts) -> Iterator[str]:
    yield shown(facts["problems"] if "problems" in facts else facts.get("problem", ""))


def _resolve(facts: Facts) -> Iterator[str]:
    yield _named(facts, "found")
    yield from _reason(facts)
    yield from _from_domain(facts)


def _from_domain(facts: Facts) -> Iterator[str]:
    """Tell what the DNS says of the From domain, where it was asked."""
    for label, name in (
        ("From domain", "from_domain"),
        ("MX", "mx"),
        ("SPF", "spf"),
        ("DMARC", "dmarc"),
        ("not checked:", "not_checked"),
    ):
        if facts.get(name):
            told = f"{label} {shown(facts[name])}"
            yield told if len(told) <= _LONGEST_RECORD else f"{told[: _LONGEST_RECORD - 1]}…"


def _connect(facts: Facts) -> Iterator[str]:
    """Tell of each address how it answered."""
    addresses = facts.get("addresses")
    for each in addresses if isinstance(addresses, list) else []:
        if isinstance(each, dict):
            yield " ".join(shown(each[name]) for name in ("address", "result") if name in each)


def _tls(facts: Facts) -> Iterator[str]:
    yield _named(facts, "version")
    yield _named(facts, "cipher")
    for certificate in certificates(facts)[:1]:
        yield f"certificate {shown(certificate.get('subject', ''))}"
    yield from _reason(facts)


def _ehlo(facts: Facts) -> Iterator[str]:
    yield _named(facts, "extensions") or _named(facts, "extensions_before_tls")
    yield from _reply(facts)


def _recipient(facts: Facts) -> Iterator[str]:
    recipients = facts.get("recipients")
    for each in recipients if isinstance(recipients, list) else []:
        if isinstance(each, dict):
            yield from _reply(each)
    yield from _reply(facts)


def _auth(facts: Facts) -> Iterator[str]:
    yield _named(facts, "mechanism")
    yield from _reply(facts)


def _reply(facts: Facts) -> Iterator[str]:
    words = (facts.get(name) for name in ("reply_code", "enhanced", "words"))
    yield " ".join(shown(word) for word in words if word)
    yield from _reason(facts)


def _other_ports(facts: Facts) -> Iterator[str]:
    """Tell how the other mail ports of the host answered, where they were tried."""
    ports = facts.get("other_ports")
    told = ", ".join(
        f"{shown(each.get('port', '?'))} {shown(each.get('answer', '?'))}"
        for each in (ports if isinstance(ports, list) else [])
        if isinstance(each, dict)
    )
    yield f"other ports: {told}" if told else ""


def _reason(facts: Facts) -> Iterator[str]:
    yield _named(facts, "reason")


def _named(facts: Facts, name: str) -> str:
    return shown(facts[name]) if facts.get(name) else ""


_TELL: Final[Mapping[Stage, Callable[[Facts], Iterator[str]]]] = {
    Stage.SETTINGS: _settings,
    Stage.RESOLVE: _resolve,
    Stage.CONNECT: _connect,
    Stage.EHLO: _ehlo,
    Stage.TLS: _tls,
    Stage.AUTH: _auth,
    Stage.RECIPIENT: _recipient,
}
