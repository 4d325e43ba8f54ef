"""Faults of the server itself, where a reply names the part that failed but not a cause.

"Rate limiter unavailable" isn't a rate limit, "virus scanner error" isn't a virus, and a full disk
on the server isn't a full mailbox. Such words say that something broke and what it would have
checked, but not why the email was refused: they are removed before causes are looked for.
"""

import re
from functools import cache
from typing import Final

from smtp_desk.core.findings.needles import Alternative, alternatives, that_may_match

_PART: Final = (
    r"(?:rate[- ]?)?limit(?:er|ing)|rate[- ]?limit|throttl(?:er|ing)|gr[ae]y-?list(?:er|ing)|"
    r"polic(?:y|ies)|milters?|filter(?:s|ing)?|scan(?:ners?|ning)?|engine|anti-?(?:virus|spam)|"
    r"virus|(?<!dns )(?<!domain )look-?ups?|data-?base|db|directory|ldap|redis|"
    r"(?:my|postgre)?sql|back-?ends?|(?<=[a-z] )services?|daemon|server|subsystem|system|"
    r"process(?:ing)?|resolver|storage|spool|queue|quota|cache|gateway|intake|disk|i/o|socket"
)
# What the part is for is no cause either: "virus scanner error" speaks of no virus.
_PURPOSE: Final = (
    r"(?:(?:(?:anti-?)?(?:virus|spam|malware)|content|message|mail|mailbox|user|sender|recipient|"
    r"rate|limit|quota|polic(?:y|ies)|password|account|auth\w*|log-?in|spf|dkim|dmarc|rbl|dnsbl|"
    r"reputation|gr[ae]y-?list\w*|ownership|address|verification|relay) ){0,3}"
)
_STATE: Final = (
    r"unavailable|not (?:currently |yet )?available|down|off-?line|unreachable|unresponsive|"
    r"(?:not|\w*n't) (?:be )?(?:reach\w*|respond\w*|contact\w*|ready|running|working)|"
    r"tim(?:ed?|ing)[- ]?out|crash\w*|broken|out of (?:service|order|memory)|failed to respond|"
    r"failing|errors?|failures?|fault|exception|malfunction\w*"
)
_VERBS: Final = (
    r"(?: (?:is|are|was|were|has|have|had|been|be|can|could|did|does|temporarily|currently|now|"
    r"momentarily|too))*"
)
_KIND: Final = (
    r"internal|server|system|software|data-?base|db|back-?end|ldap|sql|i/o|disk|configuration|"
    r"config|unexpected|milter|scanner|queue|storage|(?<!dns )(?<!domain )lookup|"
    r"(?:temporary|transient)(?: \w+)?"
)
_UNREACHED: Final = (
    r"(?:could|can|did|was|were) ?(?:not|n't) (?:be )?|(?:unable|failed|failing) to |error while "
)
_WORK: Final = (
    r"(?:reach|contact|connect to|query|open|access|read|load|look up in|talk to)(?:ing)?"
)
_FULL: Final = (
    r"(?:disk|device|spool|partition|file ?system|volume|queue|hard drive)(?: is| are| was)? "
    r"(?:now )?(?:full\b|exhausted|out of space)|"
    r"(?:no|not enough|insufficient|out of)(?: free| available)? "
    r"(?:disk space|disk(?! space)|memory|system \w+|server \w+|spool\w*|queue)\b"
    r"(?! quota)(?!(?: left| available)? (?:for|in|of) )|"
    r"(?:space|storage)(?: \w+){0,3} (?:on|in)(?: \w+)? (?:server|device|disk|system|spool)"
)
_NOT_FOR_ME: Final = r"(?! (?:for|to|in|on|with) (?:this|your|the|you|users?)\b)"
_FAULT: Final = (
    rf"\b{_PURPOSE}(?:{_PART})(?: service| server| check)?{_VERBS} (?:{_STATE})\b{_NOT_FOR_ME}|"
    rf"\b{_PURPOSE}(?:data-?base|db|engine|scanner|signatures?)(?: licen[cs]e)?{_VERBS} "
    r"(?:(?:being )?(?:updated|locked|reloaded|rebuilt)|expired)\b|"
    rf"\b(?:{_UNREACHED})(?:{_WORK}) (?:the |our |its |a )?{_PURPOSE}(?:{_PART})\b|"
    rf"\b(?:{_KIND})(?: \w+)? (?:errors?|failures?|fault|exception|problems?)\b|\b(?:{_FULL})|"
    rf"\b{_PURPOSE}(?<!dns )(?<!domain )look-?ups? failed\b"
)
_BUSY: Final = rf"\b{_PURPOSE}(?:{_PART}){_VERBS} (?:busy|overload\w*)\b"
_PERMANENT: Final = 500


def without_faults(words: str, code: int) -> tuple[str, bool]:
    """Return the words of a reply without those about faults, and whether there were any.

    A "busy" server that refuses for good isn't a fault: its code says more than the word.
    """
    left = _without(_FAULT, words)
    if code < _PERMANENT:
        left = _without(_BUSY, left)
    return left, left != words


def _without(pattern: str, words: str) -> str:
    if not any(that_may_match(_alternatives(pattern), words)):
        return words
    return _compiled(pattern).sub("", words)


@cache
def _alternatives(pattern: str) -> list[Alternative]:
    return alternatives(pattern)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern, compiled at the first reply that may tell of a fault."""
    return re.compile(pattern)
