"""Replies of real servers get their one true cause."""

import re
from collections.abc import Mapping
from typing import Final

import hypothesis
import pytest
from hypothesis import strategies as st

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.catalogue import CatalogueEntry
from smtp_desk.core.findings.needles import that_may_match
from smtp_desk.core.findings.pattern import (
    NormalisedReply,
    ReplyPattern,
    alternatives_of,
    compiled,
    plain,
)
from smtp_desk.core.reply import Reply
from smtp_desk.core.stages import Facts, Json, Stage
from tests.core import replies
from tests.corpus import GENERIC
from tests.table import each_row

_CATALOGUE: Final = replies.load_catalogue()
_LANGUAGES: Final = replies.load_languages()
MOST_HEADS: Final = 12
"""A class of words has up to a hundred; each is tried six times."""

_ROWS: Final = [row for entry in _CATALOGUE.entries for row in entry.replies]
_EXAMPLES: Final = list(replies.examples(*replies.FILES))
_PHRASES: Final = sorted(
    {line for example in _EXAMPLES for line in example.reply.lines if line}
    | {line for row in _ROWS for line in replies.reply_of(row.example).lines if line}
)
_SPOKEN: Final = [stage for stage in Stage if any(stage in row.stages for row in _ROWS)]
_CONTEXTS: Final[list[Mapping[str, Json]]] = [
    {},
    {"host": "smtp.gmail.com", "password_shape": "grouped"},
    {"host": "smtp.gmail.com", "mechanism": "XOAUTH2"},
    {"host": "smtp.office365.com"},
    {"host": "smtp.mail.me.com"},
    {"host": "smtp.mail.yahoo.com"},
    {"host": "smtp.qq.com", "mechanism": "LOGIN"},
]


def _best(stage: Stage, reply: Reply, context: Mapping[str, Json]) -> list[ReplyPattern]:
    """Return the rows that no other row beats, in the reply's words or else in English ones."""
    facts = _CATALOGUE._facts(stage, context, reply)
    said = NormalisedReply.of(reply)
    best = _unbeaten(stage, said, facts)
    if any(row.words or row.about for row in best) or not (
        english := _LANGUAGES.in_english(said.words)
    ):
        return best
    told = _unbeaten(stage, said.with_words(english), facts)
    return told if any(row.words or row.about for row in told) else best


def _unbeaten(stage: Stage, said: NormalisedReply, facts: Facts) -> list[ReplyPattern]:
    ranks = [
        (rank, row)
        for row in _ROWS
        if stage in row.stages and (rank := row.match(stage, said, facts))
    ]
    top = max(rank for rank, _ in ranks)
    return [row for rank, row in ranks if rank == top]


@each_row("example", _EXAMPLES, ids=str)
def test_example(example: replies.Example) -> None:
    failure = SmtpFailure(example.stage, reply=example.reply)
    finding = _CATALOGUE.find(failure, example.context)
    assert finding.code == example.finding
    assert finding.reply == example.reply
    assert {row.finding for row in _best(example.stage, example.reply, example.context)} == {
        example.finding
    }


@each_row("row", _ROWS, ids=lambda row: f"{row.finding} {row.example[:50]}")
def test_every_row_carries_an_example_of_itself(row: ReplyPattern) -> None:
    reply = replies.reply_of(row.example)
    assert row.source
    for stage in row.stages:
        matches = _CATALOGUE.matches(stage, reply, _CATALOGUE._facts(stage, row.context, reply))
        assert matches[0].row.finding == row.finding
        assert row in [match.row for match in matches]


@each_row("stage", _SPOKEN)
@each_row("words", [b"", b"\xff\xfe", "ничего".encode(), b"{host} {"])
def test_any_reply_at_any_stage_has_one_cause(stage: Stage, words: bytes) -> None:
    for code in (220, 250, 334, 354, *range(400, 600)):
        rows = _best(stage, Reply.from_lines(code, [words]), {})
        assert len({row.finding for row in rows}) == 1, code


_replies = st.builds(
    lambda code, enhanced, words: Reply(code, enhanced and f"{code // 100}.{enhanced}", words),
    st.sampled_from([421, 432, 450, 451, 452, 454, 501, 504, 530, 534, 535, 550, 552, 553, 554]),
    st.sampled_from(["", "1.1", "1.8", "2.2", "3.4", "4.5", "5.3", "7.0", "7.1", "7.8", "7.26"]),
    st.lists(st.sampled_from(_PHRASES), min_size=1, max_size=3).map(tuple),
)


@hypothesis.given(st.sampled_from(_SPOKEN), _replies, st.sampled_from(_CONTEXTS))
def test_no_two_causes_are_equally_near(
    stage: Stage, reply: Reply, context: Mapping[str, Json]
) -> None:
    rows = _best(stage, reply, context)
    assert len({row.finding for row in rows}) == 1, [(row.finding, row.example) for row in rows]


@hypothesis.given(st.data())
def test_no_pattern_says_what_another_cause_says(data: st.DataObject) -> None:
    row = data.draw(st.sampled_from([row for row in _ROWS if row.words]), "row")
    alternatives = st.from_regex(re.compile(row.words, re.IGNORECASE | re.ASCII), fullmatch=True)
    words = data.draw(alternatives, "words")
    stage = data.draw(st.sampled_from(sorted(row.stages)), "stage")
    codes = [int(code.replace("xx", "50")) for code in row.codes]
    reply = Reply(data.draw(st.sampled_from(codes)), None, (words,))
    rows = _best(stage, reply, {})
    assert len({row.finding for row in rows}) == 1, [(row.finding, row.example) for row in rows]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "entry", [entry for entry in _CATALOGUE.entries if entry.replies], ids=lambda entry: entry.code
)
def test_no_words_of_a_hostile_server_keep_a_pattern_busy(entry: CatalogueEntry) -> None:
    for row in entry.replies:
        heads = sorted({"", *re.findall(r"[a-z]{4,}", row.words + row.without + row.about)})
        for words in filter(None, (row.words, row.without, row.about)):
            for head in heads[:: 1 + len(heads) // MOST_HEADS]:
                for tail in ("a@b.c ", "a.b ", "<x> ", "has ", "your ", "aaaa"):
                    text = f"{head} {tail * 400}"[:500]
                    for part in that_may_match(alternatives_of(words), text):
                        compiled(part.pattern).search(text)


def test_words_are_in_lower_case_as_those_of_replies_are() -> None:
    literals = (re.sub(r"\\.", "", row.words + row.without + row.about) for row in _ROWS)
    assert [literal for literal in literals if literal != literal.lower()] == []


@each_row(
    ("said", "enhanced"),
    [
        ("550 sorry, no mailbox here by that name. (#5.1.1)", "5.1.1"),
        ("554-mail.example.org\n554 5.7.1 rejected", "5.7.1"),
        ("550 5.1.1 first #5.7.1 later", "5.1.1"),
        ("450 version 5.1.1 is not of this class", ""),
        ("550 from 5.1.1.7", ""),
        ("550 5.1.1.7 is an address", ""),
    ],
)
def test_the_enhanced_code_is_found_where_servers_hide_it(said: str, enhanced: str) -> None:
    assert NormalisedReply.of(replies.reply_of(said)).enhanced == enhanced


def test_words_are_compared_without_accents_quotes_and_line_breaks() -> None:
    assert plain("La  boîte est\npleine, n’est-ce pas") == "La boite est pleine, n'est-ce pas"
    assert plain("メールボックスが一杯") == plain(plain("メールボックスが一杯"))


@each_row(
    ("said", "meant"),
    [
        ("Empfaenger ungueltig", "Empfanger ungultig"),
        ("Kontingent UEBERSCHRITTEN", "Kontingent UBERSCHRITTEN"),
        ("nicht zulaessig fuer Absender", "nicht zulassig fur Absender"),
        ("Speicher ausgeschoepft", "Speicher ausgeschopft"),
        ("e-mail adress unknown, adresses", "e-mail address unknown, addresses"),
        ("no mail-box here, the Mail-Boxes", "no mailbox here, the mailboxes"),
        ("the queue has no value", "the queue has no value"),
        ("adresse inconnue", "adresse inconnue"),
    ],
)
def test_umlauts_as_ascii_spells_them_are_compared_too(said: str, meant: str) -> None:
    assert plain(said) == meant


@each_row(
    ("said", "sure"),
    [
        ("not delivered. it may not exist, they may be blocked, or lack dns.", "not delivered."),
        ("refused! it might be full or perhaps gone. bye", "refused! bye"),
        ("no. maybe a virus or possibly spam", "no."),
        ("login refused: the account could be locked, or may be new", ""),
        ("your address may be blocked", "your address may be blocked"),
        ("you may not relay or use this host", "you may not relay or use this host"),
        ("example.org may be full. it may wait", "example.org may be full. it may wait"),
    ],
)
def test_a_sentence_of_guesses_is_no_word(said: str, sure: str) -> None:
    assert NormalisedReply.of(Reply(550, None, (said,))).words == sure


def test_words_may_stand_in_parts() -> None:
    row = {
        "stages": "auth",
        "words": ["one|two", "three"],
        "example": "550 three",
        "source": "test",
    }
    assert ReplyPattern.parse("auth.failed", row).words == "one|two|three"


@each_row(
    ("said", "words"),
    [
        ("550 See https://www.example.org/spam/blocked?quota", "see www.example.org"),
        ("550 <quota@example.org>: User unknown", "<a@b>: user unknown"),
        ("550 Mailbox spam+full@example.org unknown", "mailbox a@b unknown"),
        ("550 blocked using https://bl.example.net", "blocked using bl.example.net"),
        ("550 at last", "at last"),
        ("550 sender_not_owned", "sender not owned"),
        ("550 5.7.1 SenderNotOwned", "sender not owned"),
        ("535 SMTPAuthDisabled, use OAuth", "smtp auth disabled, use oauth"),
        ("550 McAfee, SpamCop and StartTLS", "mcafee, spamcop and starttls"),
    ],
)
def test_words_are_found_where_they_stand_alone_or_together(said: str, words: str) -> None:
    assert NormalisedReply.of(replies.reply_of(said)).words == words


def test_letters_without_an_accent_of_their_own_are_compared_too() -> None:
    assert plain("hasło, kullanıcı, zu groß, adgangskode på østlig đ") == (
        "haslo, kullanici, zu gross, adgangskode pa ostlig d"
    )


@each_row(
    "row",
    [row for row in _ROWS if row.about and not row.words],
    ids=lambda row: f"{row.finding} {row.example[:50]}",
)
def test_a_code_names_no_cause_where_the_words_speak_of_something_else(row: ReplyPattern) -> None:
    stage = min(row.stages)
    code = int(row.codes[0].replace("xx", "50"))
    enhanced = row.enhanced[0].replace("x", str(code // 100)) if row.enhanced else None
    for words in (b"the moon is made of cheese", b"coffee machine on fire"):
        said = NormalisedReply.of(Reply.from_lines(code, [words]))
        found = NormalisedReply(said.code, enhanced or "", said.words)
        assert row.match(stage, found, row.context) is None
    alone = NormalisedReply(code, enhanced or "", "")
    assert row.match(stage, alone, {**row.condition.when}) is not None


@each_row(
    ("stage", "said", "finding"),
    [
        # Two causes in one reply, that the table does not know together.
        ("recipient", "550 mailbox is full, please authenticate first", "recipient.refused"),
        ("message", "554 mailbox full; the attachment has a virus", "message.refused"),
        ("message", "554 infected with a virus, daily sending limit exceeded", "message.refused"),
        ("auth", "535 password expired, or too many failed attempts", "auth.failed"),
        ("sender", "550 domain not found, must authenticate first", "sender.refused"),
        ("recipient", "450 greylisted, mailbox full", "recipient.temporary"),
        # Two that it knows together: the more specific one.
        ("recipient", "550 Relay access denied - please authenticate", "recipient.relay_denied"),
        ("recipient", "550 Invalid recipient: Relaying not allowed", "recipient.relay_denied"),
        ("sender", "550 Sender domain is not verified", "sender.not_verified"),
    ],
)
def test_what_contradicts_itself_is_as_good_as_unknown(stage: str, said: str, finding: str) -> None:
    failure = SmtpFailure(Stage(stage), reply=replies.reply_of(said))
    assert _CATALOGUE.find(failure, {}).code == finding


def test_causes_stand_beside_others_that_there_are() -> None:
    for entry in _CATALOGUE.entries:
        assert entry.beside <= _CATALOGUE.codes - {entry.code}
        assert not any(entry.code in _CATALOGUE._entry(other).beside for other in entry.beside)


@pytest.mark.parametrize(
    ("said", "finding"),
    [
        (
            "550 5.1.7 Sender address rejected: undeliverable address: host a said: 550 no user",
            "sender.refused",
        ),
        (
            "450 4.1.7 Sender address rejected: unverified address: host a said: 452 Mailbox full",
            "sender.temporary",
        ),
        (
            "550 Sender address rejected: unverified address: connect to a: Host not found",
            "sender.refused",
        ),
        (
            "550 5.1.1 Recipient address rejected: undeliverable address: host a said: 550 No user",
            "recipient.unknown",
        ),
    ],
)
def test_what_another_server_said_of_the_sender_is_no_word_about_the_recipient(
    said: str, finding: str
) -> None:
    failure = SmtpFailure(Stage.RECIPIENT, reply=replies.reply_of(said))
    assert _CATALOGUE.find(failure, {}).code == finding


@pytest.mark.parametrize(
    "row",
    [row for row in _ROWS if not (row.words or row.general or row.condition.count)],
    ids=lambda row: f"{row.finding} {row.example[:50]}",
)
def test_a_code_alone_names_no_cause(row: ReplyPattern) -> None:
    generic = row.finding in GENERIC or row.finding == "session.protocol_error"
    # A reason without words rests on codes that one vendor alone has, and documents.
    assert generic or row.about or row.reason
