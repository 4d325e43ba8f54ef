"""The explanation of a received email in words, for the window and the terminal."""

from collections.abc import Iterator, Mapping
from typing import Final

from smtp_desk.core.arrived import Arrival, AuthResult, Belief, Hop, SpamVerdict

BELIEFS: Final[Mapping[Belief, str]] = {
    Belief.BELIEVED: "The receiver confirmed that the email comes from its From domain.",
    Belief.DOUBTED: "The receiver checked who sent it, but not against the From domain (no DMARC).",
    Belief.DISBELIEVED: "The receiver couldn’t confirm that the email comes from its From domain.",
    Belief.UNKNOWN: "The receiver didn’t record its checks.",
}
"""What the results come to, in a sentence."""

_MEANINGS: Final[Mapping[tuple[str, str], str]] = {
    ("spf", "pass"): "{domain} allows this server to send for it.",
    ("spf", "fail"): "{domain} doesn’t allow this server to send for it.",
    ("spf", "softfail"): "{domain} probably doesn’t allow this server to send for it.",
    ("spf", "neutral"): "{domain} says nothing about this server.",
    ("spf", "none"): "{domain} has no SPF record.",
    ("spf", "permerror"): "The SPF record of {domain} has an error.",
    ("spf", "temperror"): "The SPF record of {domain} couldn’t be read at that moment.",
    ("dkim", "pass"): "{domain} signed the email, and the signature is valid.",
    ("dkim", "fail"): (
        "The signature of {domain} doesn’t match: the email was changed on the way, or the key "
        "in DNS is a different one."
    ),
    ("dkim", "none"): "The email isn’t signed.",
    ("dkim", "neutral"): "The signature of {domain} couldn’t be used.",
    ("dkim", "policy"): "The receiver doesn’t accept the signature of {domain}.",
    ("dkim", "permerror"): "The signature of {domain}, or its key in the DNS, has an error.",
    ("dkim", "temperror"): "The key of {domain} couldn’t be read at that moment.",
    ("dmarc", "pass"): "SPF or DKIM confirms the From domain {domain}.",
    ("dmarc", "bestguesspass"): "SPF or DKIM confirms the From domain {domain}, which has no DMARC "
    "record.",
    ("dmarc", "fail"): "Neither SPF nor DKIM confirms the From domain {domain}.",
    ("dmarc", "none"): "{domain} has no DMARC record.",
    ("dmarc", "permerror"): "The DMARC record of {domain} has an error.",
    ("dmarc", "temperror"): "The DMARC record of {domain} couldn’t be read at that moment.",
}
_THE_DOMAIN: Final = "The domain"
_TONES: Final[Mapping[str, str]] = {
    "pass": "success",
    "bestguesspass": "success",
    "fail": "danger",
    "hardfail": "danger",
    "permerror": "danger",
    "softfail": "warning",
    "policy": "warning",
    "temperror": "warning",
}
_MINUTE: Final = 60
_HOUR: Final = 3600
_NO_NAME: Final = "(no name)"
OWN_ONLY: Final = "Only results under the receiver’s own name count."
"""Why other results are left out."""


def counted_text(found: Arrival) -> str:
    """Return which server's results these are, and whose don't count."""
    if found.receiver:
        told = f"Checked by {found.receiver}."
    elif found.results:
        told = "The receiver checked it, but didn’t give its name."
    else:
        told = "The receiver wrote no result under its own name."
    if not found.ignored:
        return f"{told} {OWN_ONLY}"
    return (
        f"{told} {OWN_ONLY} Not counted: {ignored_text(found)}. The sender could have written that."
    )


def ignored_text(found: Arrival) -> str:
    """Return the names under which results stand that don't count."""
    return ", ".join(name or _NO_NAME for name in found.ignored)


def result_meaning(result: AuthResult) -> str:
    """Return what a result means; "" for one that is in no table."""
    text = _MEANINGS.get((result.method, result.result), "")
    meaning = text.format(domain=result.domain or _THE_DOMAIN.lower())
    return meaning[:1].upper() + meaning[1:] if not result.domain else meaning


def result_tone(result: AuthResult) -> str:
    """Return whether a result is good, bad or in between."""
    return _TONES.get(result.result, "muted")


def spam_text(spam: SpamVerdict | None) -> str:
    """Return the verdict of the receiver's filter."""
    if spam is None:
        return "The receiver’s spam filter left no result."
    verdict = {
        True: "Marked as spam",
        False: "Not marked as spam",
        None: "The spam filter only gave a score",
    }[spam.spam]
    score = f", score {spam.score}" if spam.score else ""
    doubt = (
        ""
        if spam.own
        else " It’s among the sender’s own headers, so the sender could have written it."
    )
    return f"{verdict}{score} ({spam.field}).{doubt}"


def hop_way(hop: Hop) -> str:
    """Return where a hop came from and went to."""
    return " → ".join(filter(None, (hop.sent_by, hop.taken_by))) or "Not stated"


def hop_details(hop: Hop) -> str:
    """Return when a hop was, how long it took, and whether it was encrypted."""
    at = f"{hop.at:%Y-%m-%d %H:%M:%S} UTC" if hop.at else ""
    return ", ".join(filter(None, (at, delay_text(hop.seconds), hop.protocol, tls_text(hop))))


def tls_text(hop: Hop) -> str:
    """Return whether a hop was encrypted; "" if the header doesn't say."""
    return {True: hop.tls_version or "encrypted", False: "not encrypted", None: ""}[hop.tls]


def delay_text(seconds: float | None) -> str:
    """Return how much later than the one before a hop was."""
    if seconds is None:
        return ""
    if seconds < 0:
        return f"{-seconds:.0f} s earlier: the clocks differ"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s later"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s later"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min later"


def arrival_rows(found: Arrival) -> Iterator[tuple[str, str]]:
    """Return all of it as labels and texts."""
    yield "from", found.sender
    yield "checked by", found.receiver
    if found.ignored:
        yield "not counted", ignored_text(found)
    for each in found.results:
        parts = (each.domain, each.selector and f"selector {each.selector}", each.reason)
        yield each.method.upper(), ", ".join(filter(None, (each.result, *parts)))
    if found.spam is not None:
        yield "spam", spam_text(found.spam)
    for number, hop in enumerate(found.hops, start=1):
        yield f"hop {number}", f"{hop_way(hop)}, {hop_details(hop)}".rstrip(", ")
    if found.added:
        yield "added in transit", ", ".join(found.added)
