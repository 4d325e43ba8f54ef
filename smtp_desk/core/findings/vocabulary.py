"""The words of replies in classes: what they speak of, and what is said of it.

A pattern of the table writes `{account} … {inactive}`: a class in braces stands for each of its
words, an ellipsis for up to a few words of the same sentence. So one row holds for replies that
nobody collected, and a word that is missing is added once.
"""

import re
from typing import Final

_CLASSES: Final = {
    # what it speaks of
    "account": (
        r"(?:sub-?)?accounts?|organi[sz]ations?|tenants?|customers?|company|companies|workspaces?|"
        r"subscriptions?|plans?|user ?names?|users?|logins?|credentials?|profiles?|konto|compte|"
        r"cuenta|conta"
    ),
    "sender": (
        r"(?:envelope |header |mail )?(?:senders?|from)|mail from|return[- ]path|sending address"
    ),
    "outgoing": (
        r"send(?:ing|s)?|sent|outgoing|outbound|submi(?:t|ssion|tted)|relay(?:ing|ed)?|smtp|"
        r"e-?mail(?:s|ing)?|mails|mailing|messages?|out-?mail"
    ),
    "own": (
        r"(?:envelope |header )?(?:senders?|originators?|from(?=:| (?:address|header|e-?mail|"
        r"domain|field|line|must|should|does|doesn't|and|is|isn't)))|sender.s (?:domain|address)|"
        r"mail from|return[- ]path|(?:sending|your|envelope) (?:address|domain)|domain used"
    ),
    "login": (
        r"authenticat\w+|auth|(?:smtp )?log-?ins?|logged[- ]in|signed[- ]in|sign-?in|"
        r"user ?names?|users?|accounts?|credentials?|smtp_auth"
    ),
    # what a refused login speaks of: its secret, and that it is wrong; and what else it may be
    "secret": (
        r"pass(?:word|wd|code|phrase)?s?|pwd|log-?in|log ?on|sign-?in|user ?(?:name|id)s?|users?|"
        r"accounts?|credentials?|auth\w*|sasl|identity|keys?|tokens?|secrets?|mail ?box|alias\w*|"
        r"e-?mail address"
    ),
    "wrong": (
        r"fail\w*|invalid|incorrect|wrong|bad|unknown|reject\w*|refused?|denied|declined|errors?|"
        r"unsuccessful|mismatch\w*|revoked|illegal|unauthori[sz]ed|no such|nonexistent|"
        r"\w*simple|sorry|requis\w*|"
        r"(?:not|\w*n't) (?:be |is )?(?:\w+ing|accepted|valid|correct|right|found|find|known?|"
        r"recogni[sz]\w*|verify|authenticate|belong\w*|exist|match\w*|succe\w+|allowed|"
        r"authori[sz]ed|have a)"
    ),
    "otherwise": (
        r"suspend\w*|status|subscri\w+|domains?|ip|country|protocol|mechanism|initial-?response|"
        r"messages?|plan|billing|invoice|pay\w*|quota|limit\w*|expired?|disabled|deactivated|"
        r"closed|locked|blocked|banned|maintenance|overload\w*|sender|from|recipient|tls|ssl|"
        r"certificate|encrypt\w*|policy|permission|step|terms|connection|server failed|command|"
        r"syntax|internal|busy|back-?end|database|ldap|radius|licen[cs]e|migrat\w*|upgrade|later|"
        r"temporar\w*|unavailable|unreachable|(?:time|timed) ?out|server error|configur\w*|client|"
        r"program|software|connect|decode\w*|saslauthd|daemon|implement\w*|slow down|in the last"
    ),
    "ip": (r"(?:ip|ipv4|ipv6)(?:[ -]?address(?:es)?)?|(?:client|source|remote|network) address"),
    "header": r"header(?: field| line)?s?|header-?fields?",
    "field": (
        r"[\"']?(?:from|to|cc|bcc|date|subject|sender|message-?id|reply-to|return-path|"
        r"content-(?:type|transfer-encoding)|mime-version)[\"']?:?"
    ),
    "unit": r"seconds?|secs?|minutes?|mins?|hours?|hrs?|h|days?|weeks?|months?",
    # what is said of it
    "not": r"not|[acdhimnsw][a-z]{0,5}n't|never|no longer|cannot",
    "differs": (
        r"(?:(?:does|do|did|is|are|must|should|can) ?(?:not|n.t) (?:be )?)(?:the )?"
        r"(?:match|same|equal|identical|belong|correspond|conform|fit|agree)\w*|mismatch\w*|differs?|"
        r"different|(?:must|should|has to|have to|needs? to) "
        r"(?:be (?:the )?(?:same|equal|identical)|match|equal|correspond|belong)|"
        r"not (?:the same|equal|matching|identical)|"
        r"(?:not|\w*n't) (?:allowed|authori[sz]ed|permitted|valid|enabled) (?:for|with|by)"
    ),
    "inactive": (
        r"(?:not|\w*n't|never)(?: \w+){0,2} (?:activated|active|enabled|approved|verified|"
        r"validated|confirmed|provisioned|reviewed)|inactive|unverified|unconfirmed|unapproved|"
        r"(?:pending|awaiting|under|in|requires?|needs?|waiting for)(?: \w+){0,2} "
        r"(?:activation|approval|review|verification|validation|confirmation)|"
        r"(?:must|needs? to|has to|have to) (?:first )?be (?:activated|approved|verified|confirmed|"
        r"validated|reviewed)"
    ),
    "ended": (
        r"expired|ended|over(?! (?:\w+ )?(?:quota|limit|size|storage))|lapsed|cancell?ed|"
        r"terminated|finished"
    ),
    "missing": (
        r"missing|without|no|lacks?|lacking|absent|required|mandatory|needs?|needed|must have|"
        r"(?:does not|doesn't|do not|don't) (?:have|contain|include)|"
        r"not (?:present|found|specified)"
    ),
    "twice": (
        r"duplicated?s?|duplicates|multiple|more than (?:one|1|once)|several|repeated|two|too many|"
        r"twice|\d+ times|only once"
    ),
    "broken": (
        r"malformed|mal-formed|ill-formed|invalid|illegal|bad|broken|improper(?:ly)?|"
        r"incorrect(?:ly)?|corrupt(?:ed)?|unpars[e]?able|not valid|"
        r"not well[- ]formed|non-?compliant|syntax errors?|"
        r"not (?:rfc )?(?:\d+ )?compliant|violat\w*|prohibited|disallowed|unsupported"
    ),
}
_CLASS: Final = re.compile(r"\{([a-z]+)\}")
_GAP: Final = r"\b(?:[^.!?;]|\.(?=\S)){0,60}?\b"


def expanded(words: str) -> str:
    """Return a pattern with its classes and gaps written out.

    Raises:
        KeyError: There is no such class.
    """
    classes = _CLASS.sub(lambda found: rf"\b(?:{_CLASSES[found[1]]})\b", words)
    return classes.replace(" … ", _GAP)
