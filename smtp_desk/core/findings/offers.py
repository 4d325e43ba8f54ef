"""What a reply itself offers: the page it names, the time to wait, the address to write to.

A server is a stranger: only a person opens its link, after seeing the whole address, and nothing
from it ever changes the form.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from smtp_desk.core.address import AddressError, parse_host
from smtp_desk.core.findings.finding import Remedy
from smtp_desk.core.reply import Reply
from smtp_desk.core.stages import Facts, Stage
from smtp_desk.core.translation import mark

OPEN_LINK: Final = "open_reply_link"
WAIT_UNTIL: Final = "wait_until"
WRITE_TO: Final = "write_to"
MAX_LINK: Final = 2048
"""Characters of a link that is offered."""
_MAX_TEXT: Final = 8192
_WAITS: Final = frozenset({"wait", "try_later"})
# What is said here is surely said inside TLS, by the server that the certificate names.
_INSIDE_TLS: Final = (Stage.AUTH, Stage.SENDER, Stage.RECIPIENT, Stage.MESSAGE)

# Long links are broken over the lines of a reply: brackets and quotes tell where they end.
_LINKS: Final = (
    re.compile(r"<\s*(https://[^<>\"']+?)\s*>", re.IGNORECASE),
    re.compile(r"href=[\"']?(https://[^\s\"'<>]+)", re.IGNORECASE),
    re.compile(r"(?<![\w<])(https://[^\s<>\"'|\\^`{}]+)", re.IGNORECASE),
)
_END_OF_SENTENCE: Final = ".,;:!?)]}'"
_UNIT: Final = r"(?P<unit>seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?)\b"
_AFTER: Final = re.compile(
    r"\b(?:in|after|for|within|every|wait|next)\s+(?:another |about |at least )?"
    r"(?P<count>\d{1,6})\s*" + _UNIT,
    re.IGNORECASE,
)
_HASTE: Final = re.compile(
    r"\b(?:try|retry|again|back|wait|resend|re-?connect|enabled|possible|reset\w*|later|blocked|"
    r"disabled|suspended|locked|ban\w*|delay\w*|greylist\w*|until)\b",
    re.IGNORECASE,
)
_MOMENT: Final = re.compile(
    r"\b(?:until|after|before|at|till|on)\s+(?:\w{3},\s+)?"
    r"(?P<day>\d{1,2})\s+(?P<month>[A-Z][a-z]{2})\w*\s+(?P<year>20\d\d)\s+"
    r"(?P<time>\d\d:\d\d)(?::\d\d)?\s*(?P<zone>GMT|UTC|[+-]0000)"
)
_ISO_MOMENT: Final = re.compile(
    r"\b(?:until|after|before|at|till|on)\s+(?P<day>20\d\d-\d\d-\d\d)[ T](?P<time>\d\d:\d\d)"
    r"(?::\d\d)?(?:\.\d+)?\s*(?P<zone>Z|GMT|UTC|[+-]00:?00)"
)
_ADDRESS: Final = re.compile(
    r"\b(?:contact|write|e-?mail|mail|ask|report|reach|notify|forward|support|postmaster)\b"
    r"[^.!?]{0,60}?\b(?:to|at|us|via|by|address)?[\s:(<]+(?:mailto:)?"
    r"(?P<address>[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)",
    re.IGNORECASE,
)
_WAITING: Final[Mapping[str, tuple[str, str]]] = {
    "s": (
        mark("The server says it’s possible again in 1 second."),
        mark("The server says it’s possible again in {count} seconds."),
    ),
    "m": (
        mark("The server says it’s possible again in 1 minute."),
        mark("The server says it’s possible again in {count} minutes."),
    ),
    "h": (
        mark("The server says it’s possible again in 1 hour."),
        mark("The server says it’s possible again in {count} hours."),
    ),
    "d": (
        mark("The server says it’s possible again in 1 day."),
        mark("The server says it’s possible again in {count} days."),
    ),
}
"""By the first letter of a unit: for one of it, and for any other number."""


def with_offers(
    remedies: tuple[Remedy, ...],
    stage: Stage,
    reply: Reply | None,
    facts: Facts,
    known_hosts: Iterable[str] = (),
) -> tuple[Remedy, ...]:
    """Return `remedies` together with what the reply offers.

    Args:
        remedies: Our own, the most promising first.
        stage: Where the reply came: a reply outside TLS offers nothing.
        reply: What the server said.
        facts: The session's own addresses (`from_email`, `username`, `recipient`), which are never
            offered as an address to write to.
        known_hosts: Hosts of the provider's own pages, ".example.com" for all below one. Links to
            them come first, other links last.
    """
    if reply is None or stage not in _INSIDE_TLS:
        return remedies
    text = reply.text[:_MAX_TEXT]
    ours = remedies
    if (when := told_time(text)) is not None:
        rest = tuple(remedy for remedy in remedies if remedy.id not in _WAITS)
        ours = (Remedy(WAIT_UNTIL, when), *rest)
    address = next(iter(_addresses(text, facts)), None)
    if address is not None:
        ours = (
            *ours,
            Remedy(WRITE_TO, mark("Write to {address}, as the server asks.", address=address)),
        )
    link = next(iter(links(text)), "")
    if not link:
        return ours
    open_it = mark("Open the page from the server’s reply: {link}", link=link)
    page = Remedy(OPEN_LINK, open_it, link=link)
    return (page, *ours) if _is_known(link, known_hosts) else (*ours, page)


def links(text: str) -> Iterator[str]:
    """Yield the links of a reply that may be offered, their hosts in ASCII."""
    for pattern in _LINKS:
        for found in pattern.finditer(text):
            link = _offered("".join(found[1].split()).rstrip(_END_OF_SENTENCE))
            if link:
                yield link


def told_time(text: str) -> str | None:
    """Return the sentence that tells the time to wait that a reply names; None if it names none."""
    for pattern in (_MOMENT, _ISO_MOMENT):
        if found := pattern.search(text):
            day = found["day"]
            if pattern is _MOMENT:
                day = f"{day} {found['month']} {found['year']}"
            return mark(
                "The server says it’s possible again at {time} UTC on {day}.",
                time=found["time"],
                day=day,
            )
    found = _AFTER.search(text)
    if found is None or not _HASTE.search(text):
        return None
    count = int(found["count"])
    one, many = _WAITING[found["unit"][0].lower()]
    return mark(one if count == 1 else many, count=count)


def _addresses(text: str, facts: Facts) -> Iterator[str]:
    own = {str(facts.get(name)).casefold() for name in ("from_email", "username", "recipient")}
    for found in _ADDRESS.finditer(text):
        if found["address"].casefold() not in own:
            yield found["address"]


def _offered(link: str) -> str:
    """Return a link in the form in which it may be shown and opened; "" for one that may not."""
    try:
        parts = urlsplit(link)
        port = parts.port
        host = parse_host(parts.hostname or "")
    except (ValueError, AddressError):
        return ""
    if parts.scheme.lower() != "https" or "@" in parts.netloc or not link.isprintable():
        return ""
    netloc = host.ascii if port is None else f"{host.ascii}:{port}"
    shown = SplitResult("https", netloc, parts.path, parts.query, parts.fragment).geturl()
    return shown if len(shown) <= MAX_LINK and "." in host.ascii else ""


def _is_known(link: str, known: Iterable[str]) -> bool:
    host = urlsplit(link).hostname or ""
    return any(host == name.lstrip(".") or host.endswith(f".{name.lstrip('.')}") for name in known)
