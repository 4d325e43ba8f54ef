"""How often the catalogue names the cause of replies of the field, held by collection.

First pass, before any pattern was changed for them:

    programs  right 157  generic 18  wrong 11  of 186
    servers   right 131  generic 15  wrong  7  of 153
    services  right 106  generic  5  wrong 10  of 121

The later collections met a catalogue that the first ones had mended:

    servers_later   right  89  generic  7  wrong  4  of 100
    services_later  right  86  generic  6  wrong  8  of 100

And five met one that all of these had mended. No row of them repeats a text of another collection
at the same stage; `scope` and `who` tell how often those of the finding were the label's, whose
other accepted codes may have others:

    applications    right  77  generic  5  wrong  2  of  84  scope 74  who 72
    programs_later  right  94  generic  5  wrong  1  of 100  scope 88  who 85
    mailboxes       right 102  generic  7  wrong  2  of 111  scope 91  who 82
    relays          right  90  generic  8  wrong  5  of 103  scope 82  who 81
    software        right  98  generic 12  wrong  5  of 115  scope 95  who 90

One more, of people who set up mail in applications and devices, met what these five had mended:

    devices         right 106  generic  6  wrong  9  of 121  scope 102  who 94

And a sample over all kinds of servers, and one from archives, met what all of these had mended:

    samples         right  95  generic  1  wrong  4  of 100  scope  91  who 90
    archives        right 114  generic  3  wrong  5  of 122  scope 101  who 94

Each was mended then, kind by kind. After that the way of choosing was changed: a code alone names
a cause only where the words agree, and two causes in one reply name none. Replies made up in many
styles, and others found in source code, told what it is worth:

    wordings        right 427  generic 23  wrong 18  of 468  with the old way
    wordings        right 440  generic 28  wrong  0  of 468  with the new way, no cause added
    wordings_later  right 267  generic 29  wrong 10  of 306  more of them, with the new way
    sources         right 181  generic  3  wrong  1  of 185  with what these had mended

Those that another collection has, too, are left out of the files. Two more collections, by people
who knew none of this, met that; nothing was mended for them then:

    submissions     right  54  generic  4  wrong  1  of  59  scope  46  who  44
    bounces         right 100  generic  2  wrong  2  of 104  scope  91  who  81

Three more met it: from submission servers, receiving servers and gateways.

    submitting      right 100  generic 22  wrong  6  of 128  scope 104  who  92
    receiving       right 107  generic 12  wrong  3  of 122  scope 100  who  88
    gateways        right 121  generic 18  wrong  6  of 145  scope 125  who 114

For these the way of reading was changed: identifiers are words, a fault of the server's own is no
cause, and words of other languages are compared in English. Terse replies in thirteen languages,
made up for every cause before that, told what it is worth:

    terse           right 567  generic 237  wrong 11  of 815  scope 714  who 581
    sentences       right 164  generic  75  wrong  4  of 243  scope 206  who 160

The second, in whole sentences, met what the first had mended. Replies quoted in source code, found
by their codes, met both:

    quoted          right  67  generic  11  wrong  8  of  86  scope  72  who  64

And one more, of all stages, by somebody who knew none of this; nothing was mended for it then:

    all_stages      right 105  generic  8  wrong  1  of 114  scope  93  who  88

Then wordings that no row knows were read by the things that they speak of. More met that, each
what the one before had mended:

    met             right 101  generic  3  wrong  3  of 107  scope  89  who  86
    documented      right 109  generic  2  wrong  3  of 114  scope  97  who  93
    in_code         right 107  generic  2  wrong  6  of 115  scope 101  who  92
    app_servers     right 103  generic  0  wrong  6  of 109  scope  92  who  89

Replies reworded in the manner of many servers met that, by somebody who had read the patterns,
and replies whose code or one word stands for a cause elsewhere, but speaks of something else here.
Since then no code alone names a cause, and no cause is told of another than the reply is about:

    reworded        right 253  generic 35  wrong 14  of 302
    otherwise       right  75  generic  1  wrong 59  of 135
    reworded_later  right  99  generic  6  wrong  7  of 112  with what the first had mended

`otherwise` got the siblings of what the later ones tell, too.

Two more, by people who knew none of this, met what these three had mended:

    admin_guides    right 105  generic  0  wrong  2  of 107  scope 101  who  95
    server_sources  right  96  generic  8  wrong  6  of 110  scope  95  who  87

And one more met what these two had mended:

    bounced         right 100  generic  5  wrong  3  of 108  scope  90  who  87

The bounds below are what the catalogue does now.

Three stay wrong, for the catalogue names them otherwise: a sender that is too fast (`throttled`),
one that sends too much in one session (`throttled`, too), and GMX's "mailbox unavailable, failure
sending mail", which nodemailer issue 1555 found to be that.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import pytest

from tests.core import replies
from tests.corpus import COLLECTIONS, Verdict, cases

_CATALOGUE: Final = replies.load_catalogue()
_UNSEEN: Final = (
    *("applications", "programs_later", "mailboxes", "relays", "software"),
    *("devices", "samples", "archives", "submissions", "bounces"),
    *("submitting", "receiving", "gateways", "all_stages"),
    *("met", "documented", "in_code", "app_servers"),
    *("admin_guides", "server_sources", "bounced"),
)


class _Bounds(NamedTuple):
    """At least so many findings with the right code, scope and who; at most so many wrong."""

    right: int
    wrong: int
    scope: int
    who: int


_BOUNDS: Final[Mapping[str, _Bounds]] = {
    "admin_guides": _Bounds(right=106, wrong=1, scope=101, who=96),
    "all_stages": _Bounds(right=109, wrong=0, scope=98, who=90),
    "app_servers": _Bounds(right=109, wrong=0, scope=95, who=91),
    "applications": _Bounds(right=84, wrong=0, scope=78, who=79),
    "archives": _Bounds(right=122, wrong=0, scope=106, who=98),
    "bounced": _Bounds(right=106, wrong=0, scope=95, who=92),
    "bounces": _Bounds(right=102, wrong=0, scope=94, who=87),
    "devices": _Bounds(right=121, wrong=0, scope=111, who=107),
    "documented": _Bounds(right=114, wrong=0, scope=100, who=98),
    "gateways": _Bounds(right=138, wrong=0, scope=131, who=128),
    "in_code": _Bounds(right=115, wrong=0, scope=104, who=97),
    "mailboxes": _Bounds(right=111, wrong=0, scope=99, who=98),
    "met": _Bounds(right=107, wrong=0, scope=93, who=91),
    "programs": _Bounds(right=186, wrong=0, scope=180, who=181),
    "programs_later": _Bounds(right=100, wrong=0, scope=93, who=89),
    "quoted": _Bounds(right=86, wrong=0, scope=83, who=80),
    "otherwise": _Bounds(right=171, wrong=0, scope=165, who=165),
    "receiving": _Bounds(right=116, wrong=0, scope=105, who=93),
    "relays": _Bounds(right=103, wrong=0, scope=96, who=93),
    "reworded": _Bounds(right=254, wrong=0, scope=276, who=257),
    "reworded_later": _Bounds(right=100, wrong=0, scope=101, who=99),
    "samples": _Bounds(right=100, wrong=0, scope=93, who=93),
    "sentences": _Bounds(right=241, wrong=0, scope=242, who=237),
    "server_sources": _Bounds(right=106, wrong=0, scope=102, who=94),
    "servers": _Bounds(right=152, wrong=1, scope=144, who=140),
    "servers_later": _Bounds(right=100, wrong=0, scope=97, who=92),
    "services": _Bounds(right=121, wrong=0, scope=113, who=109),
    "services_later": _Bounds(right=99, wrong=1, scope=93, who=89),
    "software": _Bounds(right=115, wrong=0, scope=107, who=106),
    "sources": _Bounds(right=159, wrong=0, scope=149, who=144),
    "submissions": _Bounds(right=58, wrong=0, scope=49, who=48),
    "submitting": _Bounds(right=128, wrong=0, scope=121, who=115),
    "terse": _Bounds(right=814, wrong=0, scope=814, who=810),
    "wordings": _Bounds(right=436, wrong=0, scope=406, who=404),
    "wordings_later": _Bounds(right=288, wrong=0, scope=266, who=263),
}


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_rates(collection: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = [(case, case.find(_CATALOGUE)) for case in cases(collection)]
    verdicts = [case.verdict(finding) for case, finding in found]
    scope = sum(finding.scope == case.scope for case, finding in found)
    who = sum(finding.who == case.who for case, finding in found)
    rates = ", ".join(f"{verdict} {verdicts.count(verdict)}" for verdict in Verdict)
    told = f"{collection}: {rates} of {len(found)}, scope {scope}, who {who}"
    with capsys.disabled():
        print(f"\n{told}")  # noqa: T201 - the rates are the result
    wrong = [
        f"{finding.code}, not {' or '.join(case.codes)}: {case}"
        for case, finding in found
        if case.verdict(finding) is Verdict.WRONG
    ]
    bounds = _BOUNDS[collection]
    assert len(wrong) <= bounds.wrong, "\n".join(wrong)
    assert verdicts.count(Verdict.RIGHT) >= bounds.right, told
    assert scope >= bounds.scope, told
    assert who >= bounds.who, told


def test_what_is_unseen_repeats_nothing() -> None:
    texts = [(case.stage, case.text) for name in COLLECTIONS for case in cases(name)]
    unseen = {(case.stage, case.text) for name in _UNSEEN for case in cases(name)}
    assert [text for text in unseen if texts.count(text) > 1] == []
