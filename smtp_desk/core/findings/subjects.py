"""Whose matter a reply tells: what its sentences are about.

"The recipient's account is suspended" and "your account is suspended" differ by one word, but are
matters of two people. So what a clause begins with decides which causes it can't be, whatever the
words that follow.
"""

import re
from functools import cache, lru_cache
from typing import Final, NamedTuple

_VERB: Final = (
    r"(?:is|was|are|were|has|have|had|does|do|did|can|could|may|must|needs?|will|would|exceed\w*|"
    r"reached|receives?|sends?|accepts?|(?:is|was|are|were|has|have|does|do|did|ca|could|wo)n't|"
    r"cannot|suspended|blocked|disabled|locked|over|full|unknown)"
)
_BEGINS: Final = r"(?:^|(?<=[.:;,] )|(?<=\bbecause )|(?<=\bthat )|(?<=\bsince ))[\W\d]*"
_KIND: Final = (
    r"(?:(?: (?:e-?mail|mail|user|smtp))*"
    r" (?:address(?:es)?|mail ?box|inbox|accounts?|users?|domains?|organi[sz]ation|server|quota|"
    r"policy))?"
)
_WHICH: Final = r"(?: (?:\S*@\S*|\(\S*\)|\[\S*\]|\d\S*\.\S*))?"
_FEW: Final = 16


class _Subject(NamedTuple):
    noun: str
    excluded: frozenset[str]


_SUBJECTS: Final = (
    _Subject(
        (
            r"(?:one or more )?(?:intended )?"
            rf"(?:recipients?|addressees?|rcpt(?: to)?)(?:'s?)?{_KIND}|"
            rf"(?:mail ?box|account|user|domain) of (?:the |this )?(?:recipient|addressee)"
        ),
        frozenset(
            {
                *("sender.not_verified", "sender.blocked", "sender.quota", "sender.not_owned"),
                *("sender.login_required", "sender.domain_not_found", "message.concurrency"),
            }
        ),
    ),
    _Subject(
        (
            rf"your(?: own)?(?: \w+)? (?:account|mail ?box|organi[sz]ation|domain|key|login)|"
            rf"your (?:account|mail ?box|organi[sz]ation|domain|login)|"
            rf"(?:sender|sending (?:user|account|domain))(?:'s?)?{_KIND}"
        ),
        frozenset({"recipient.unknown", "recipient.mailbox_full"}),
    ),
    _Subject(
        (
            r"(?:your|client|connecting|sending|remote) (?:ip(?: address)?|host|server)|"
            r"ip(?: address)?"
        ),
        frozenset(
            {
                *("recipient.unknown", "recipient.mailbox_full", "sender.account_restricted"),
                *("sender.domain_not_found", "sender.not_verified"),
            }
        ),
    ),
    _Subject(
        (
            r"(?:links?|urls?|uris?|images?|attachments?|attached files?|reply-to|dkim)"
            r"(?: (?:domains?|address))?"
            r"(?: (?:in|of) (?:the|your|this) (?:message|mail|e-?mail|body))?"
        ),
        frozenset(
            {
                *("sender.not_verified", "sender.blocked", "sender.quota", "sender.not_owned"),
                *("sender.login_required", "sender.account_restricted", "message.concurrency"),
                *("sender.domain_not_found", "recipient.unknown", "recipient.mailbox_full"),
                *("recipient.relay_denied", "recipient.throttled"),
            }
        ),
    ),
)


@lru_cache(_FEW)  # rows and senses ask for the same reply
def not_about(words: str) -> frozenset[str]:
    """Return the causes that a reply can't tell, by what its clauses begin with.

    Args:
        words: As `NormalisedReply` has them.
    """
    excluded = (it.excluded for it in _SUBJECTS if _clause(it.noun).search(words))
    return frozenset().union(*excluded)


@cache
def _clause(noun: str) -> re.Pattern[str]:
    return re.compile(rf"{_BEGINS}(?:(?:the|this|that|an?) )?(?:{noun}){_WHICH} {_VERB}\b")
