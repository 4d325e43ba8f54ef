"""The catalogue of findings: from a failure to its true cause and what to do about it.

The table is data (`resources/findings/*.toml`, one file a prefix). A failure whose cause
is known without the server's words comes with its code; any other is found by the stage
and the reply: the most specific row wins (the rule stands in `pattern`). Each stage
has rows that ask for no more than the class of the reply, so there is always an answer,
and where nothing better is known it is the stage's generic code, never a guess.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, final

from smtp_desk.core.address import AddressError, parse_ehlo_name
from smtp_desk.core.errors import Acceptance, SmtpFailure
from smtp_desk.core.findings.finding import Finding, FindingSeverity, Remedy, Scope, Who
from smtp_desk.core.findings.languages import Languages
from smtp_desk.core.findings.offers import with_offers
from smtp_desk.core.findings.pattern import (
    NormalisedReply,
    Rank,
    ReplyPattern,
    is_for,
    may_be_general,
)
from smtp_desk.core.findings.providers import Provider, Providers
from smtp_desk.core.findings.ready import Load
from smtp_desk.core.findings.senses import Senses
from smtp_desk.core.findings.subjects import not_about
from smtp_desk.core.findings.wording import Condition, Wording, fill
from smtp_desk.core.lazy import LazyProperty
from smtp_desk.core.reply import Reply
from smtp_desk.core.stages import Facts, Json, Stage
from smtp_desk.core.translation import Text, mark

_HEADING: Final = re.compile(r'^\["([a-z]+\.[a-z_]+)"\]', re.MULTILINE)

_FALLBACK: Final = "session.internal_error"
_CUT: Final = "session.closed"
_CUT_AT: Final = {
    Stage.GREETING: "greeting.closed",
    Stage.TLS: "tls.handshake_closed",
    Stage.AUTH: "auth.closed",
    Stage.MESSAGE: "message.lost_before_end",
}
_UNCONFIRMED: Final = "message.unconfirmed"
_STAGES: Final[Mapping[str, Stage]] = {
    **{str(stage): stage for stage in Stage},
    "oauth": Stage.TOKEN,
}
"""By the prefix of a code."""
_BEFORE_THE_SERVER: Final = (Stage.SETTINGS, Stage.TOKEN)

# Keys, ids and the like by which services know a login: no typing error of an email address.
_KEY: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\w-]+(?:\.[\w-]+){2,}"
    r"|(?=.*\d)[\w.+/=-]{16,}",
    re.IGNORECASE,
)

_MOMENTS: Final = {
    Stage.SETTINGS: mark("while we checked the settings"),
    Stage.TOKEN: mark("while we requested a token from the provider"),
    Stage.RESOLVE: mark("while we looked up the name"),
    Stage.CONNECT: mark("while connecting"),
    Stage.GREETING: mark("while we waited for its greeting"),
    Stage.EHLO: mark("after our hello (EHLO)"),
    Stage.TLS: mark("while encryption was being set up"),
    Stage.AUTH: mark("during sign-in"),
    Stage.SENDER: mark("while checking the sender"),
    Stage.RECIPIENT: mark("while checking the recipient"),
    Stage.MESSAGE: mark("during the message"),
    Stage.DONE: mark("at the end of the session"),
}


@dataclass(frozen=True, slots=True)
class Match:
    """A row that stands for a reply, and how specific it is."""

    rank: Rank
    row: ReplyPattern


@dataclass(frozen=True, slots=True)
class _RemedyTemplate:
    id: str
    text: Wording
    changes: Mapping[str, str]
    condition: Condition

    def fill(self, facts: Facts) -> Remedy | None:
        """Return the remedy; None where it does not apply or a placeholder is unknown."""
        text = self.text.fill(facts) if self.condition.holds(facts) else ""
        changes = {field: fill(value, facts) for field, value in self.changes.items()}
        known = {field: str(value) for field, value in changes.items() if value is not None}
        if not text or known.keys() != changes.keys():
            return None
        return Remedy(self.id, text, known)


_RIGHT_SERVER: Final = _RemedyTemplate(
    "use_provider_server",
    Wording.parse(mark("Use {smtp_host}, port {smtp_port}, as {provider_name} recommends.")),
    {"host": "{smtp_host}", "port": "{smtp_port}"},
    Condition(),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """One code of the catalogue, its texts not yet filled with facts.

    `who_if` and `scope_if` replace `who` and `scope` where their condition holds. `beside` lists
    the causes that one reply may name together with this one; either of the two lists the other.
    """

    code: str
    who: Who
    who_if: tuple[tuple[Who, Condition], ...]
    scope: Scope
    scope_if: tuple[tuple[Scope, Condition], ...]
    alarm: bool
    severity: FindingSeverity
    summary: Wording
    explanation: Wording
    remedies: tuple[_RemedyTemplate, ...]
    replies: tuple[ReplyPattern, ...]
    beside: frozenset[str]

    @classmethod
    def parse(cls, code: str, table: Mapping[str, Any]) -> "CatalogueEntry":
        """Read the TOML table of one code.

        Raises:
            KeyError: A key is missing.
            ValueError: A value isn't one of those allowed.
        """
        return cls(
            code=code,
            who=Who(table["who"]),
            who_if=tuple(
                (Who(row["who"]), Condition.parse(row)) for row in table.get("who_if", ())
            ),
            scope=Scope(table["scope"]),
            scope_if=tuple(
                (Scope(row["scope"]), Condition.parse(row)) for row in table.get("scope_if", ())
            ),
            alarm=table.get("alarm", False),
            severity=FindingSeverity(table.get("severity", "error")),
            # The alternatives of the one sentence of a summary stand in a plain list.
            summary=Wording.parse([table["summary"]]),
            explanation=Wording.parse(table["explanation"]),
            remedies=tuple(
                _RemedyTemplate(
                    row["id"],
                    Wording.parse([row["text"]]),
                    row.get("changes", {}),
                    Condition.parse(row),
                )
                for row in table.get("remedies", ())
            ),
            replies=tuple(
                ReplyPattern.parse(code, row, table.get("without", ""))
                for row in table.get("replies", ())
            ),
            beside=frozenset(table.get("beside", "").split()),
        )

    @property
    def wordings(self) -> tuple[Wording, ...]:
        """All that it says: the cause, what it means, what to do."""
        return (self.summary, self.explanation, *(remedy.text for remedy in self.remedies))

    def fill(self, stage: Stage, facts: Facts, reply: Reply | None) -> Finding:
        """Return the finding for these facts, in English."""
        remedies = (remedy.fill(facts) for remedy in self.remedies)
        others = (who for who, condition in self.who_if if condition.holds(facts))
        scopes = (scope for scope, condition in self.scope_if if condition.holds(facts))
        return Finding(
            code=self.code,
            stage=stage,
            severity=self.severity,
            summary=self.summary.fill(facts),
            explanation=self.explanation.fill(facts),
            who=next(others, self.who),
            scope=next(scopes, self.scope),
            alarm=self.alarm,
            remedies=tuple(remedy for remedy in remedies if remedy is not None),
            reply=reply,
        )


class _FindingsFile:
    """One TOML file; its codes are known at once, the rest is read when first needed."""

    def __init__(self, text: str, load: Load) -> None:
        self._text = text
        self._load = load
        self.codes = tuple(_HEADING.findall(text))
        self.entry = cache(self._entry)

    @LazyProperty
    def tables(self) -> dict[str, dict[str, Any]]:
        return self._load(self._text)

    def _entry(self, code: str) -> CatalogueEntry:
        """Return one; few of them are needed in one process."""
        return CatalogueEntry.parse(code, self.tables[code])


@final
class Catalogue:
    """Every finding, and how to recognize it."""

    def __init__(
        self,
        tables: list[_FindingsFile],
        providers: Providers,
        languages: Languages,
        senses: Senses,
    ) -> None:
        self._tables = {code: table for table in tables for code in table.codes}
        self._all = tables
        self._rows_for = cache(self._rows)
        self._providers = providers
        self._languages = languages
        self._senses = senses

    @classmethod
    def parse(
        cls,
        texts: Iterable[str],
        providers: Providers,
        languages: Languages,
        senses: Senses,
        load: Load = tomllib.loads,
    ) -> "Catalogue":
        """Take the TOML texts of `resources/findings/`. Each is loaded when it is first needed."""
        return cls([_FindingsFile(text, load) for text in texts], providers, languages, senses)

    @property
    def codes(self) -> frozenset[str]:
        """Every code."""
        return frozenset(self._tables)

    @property
    def entries(self) -> tuple[CatalogueEntry, ...]:
        """Every entry, in the order of the table."""
        return tuple(self._entry(code) for code in self._tables)

    def find(self, failure: SmtpFailure, context: Mapping[str, Json]) -> Finding:
        """Return the true cause of `failure`.

        Args:
            failure: Where the session ended, with the code or the reply that ended it.
            context: What else is known, without secrets: `host`, `port`, `security`,
                `username`, `from_email`, `recipient`, `ehlo_name`, `mechanism` (as sent),
                `mechanisms` (as offered), `banner`, `signed_in`, and `password_shape` (see
                `password_shape`). The failure's own facts take precedence.
        """
        known = {**context, **failure.facts}
        provider = self._provider(known)
        facts = self._facts(failure.stage, known, failure.reply)
        finding = self._find(failure, facts)
        remedies = with_offers(
            finding.remedies,
            failure.stage,
            failure.reply,
            facts,
            provider.hosts_of_pages if provider else (),
        )
        by_host = self._providers.by_host(_text(known, "host"))
        return replace(finding, remedies=(*_right_server(finding, by_host, facts), *remedies))

    def _find(self, failure: SmtpFailure, facts: Facts) -> Finding:
        if failure.code is not None and failure.code in self._tables:
            return self._entry(failure.code).fill(failure.stage, facts, failure.reply)
        if failure.reply is None:
            code = _FALLBACK if failure.code else _closed(failure)
            return self._entry(code).fill(failure.stage, facts, None)
        best, untold = self._read(failure.stage, failure.reply, facts)
        if not best:
            return self._entry(_FALLBACK).fill(failure.stage, facts, failure.reply)
        row = best[0].row
        if untold and (cause := self._senses.told(failure.stage, untold)):
            return self._entry(cause).fill(failure.stage, facts, failure.reply)
        return self._entry(row.finding).fill(failure.stage, {**facts, **row.facts}, failure.reply)

    def warning(self, code: str, stage: Stage, facts: Mapping[str, Json]) -> Finding:
        """Return the finding `code`, known without a reply.

        Raises:
            KeyError: There is no such code.
        """
        return self._entry(code).fill(stage, self._facts(stage, facts, None), None)

    def matches(self, stage: Stage, reply: Reply, facts: Facts) -> list[Match]:
        """Return the rows that match `reply` at `stage`, most specific first.

        Rows of different codes that match equally name no cause: they are left out, so
        that the next less specific row answers. (The tests hold that there are none.)
        Nor do words that name two causes, unless these stand `beside` each other or one is the
        reason that the reply gives for the other ("limited because unauthenticated"): then only
        the class of the reply is left. What no row tells in another language is compared by
        its English; and what this tells counts as a second cause.
        """
        return self._read(stage, reply, facts)[0]

    def _read(
        self, stage: Stage, reply: Reply, facts: Facts
    ) -> tuple[list[Match], NormalisedReply | None]:
        """Return the rows as `matches` does, and the reply in English if none knows its words."""
        said = NormalisedReply.of(reply)
        found = self._found(stage, said, facts)
        others: list[Match] = []
        if english := self._languages.in_english(said.words):
            said = said.with_words(english)
            others = self._found(stage, said, facts)
            if not _is_told(found) and _is_told(others):
                found = others
        if self._contradicts([*found, *others]):
            given = self._found(stage, said.reason, facts) if said.reason else []
            if given and given[0].rank.named and not self._contradicts(given):
                return given, None
            return [match for match in found if match.row.general], None
        others_matter = not_about(said.words)
        found = [match for match in found if match.row.finding not in others_matter]
        first = next(iter(found), None)
        known = first is None or first.rank.named or first.row.finding not in self._general
        return found, None if known or said.is_fault else said

    def _found(self, stage: Stage, said: NormalisedReply, facts: Facts) -> list[Match]:
        """Return the rows that stand for the reply, without those that match equally."""
        found = [
            Match(rank, row)
            for row in self._rows_for(stage, str(said.code)[0])
            if (rank := row.match(stage, said, facts)) is not None
        ]
        found.sort(key=attrgetter("rank"), reverse=True)
        levels = [list(level) for _, level in groupby(found, key=attrgetter("rank"))]
        clear = (level for level in levels if len({match.row.finding for match in level}) == 1)
        return [match for level in clear for match in level]

    def _contradicts(self, found: list[Match]) -> bool:
        """Whether another cause is named than the first, with no fact that tells them apart."""
        if not found or not found[0].rank.named:
            return False
        first = found[0].row.finding
        facts = found[0].rank.facts
        named = {it.row.finding for it in found if it.rank.named and it.rank.facts >= facts}
        return first not in self._general and any(
            other not in self._entry(first).beside and first not in self._entry(other).beside
            for other in named - self._general - {first}
        )

    @LazyProperty
    def _general(self) -> frozenset[str]:
        """The codes that say no more than where and how for long it was refused."""
        return frozenset(row.finding for row in self._read_rows(may_be_general) if row.general)

    def _rows(self, stage: Stage, kind: str) -> list[ReplyPattern]:
        """Return the rows that may stand for a reply of this class at this stage."""
        return list(self._read_rows(partial(is_for, stage, kind)))

    def _read_rows(self, wanted: Callable[[Mapping[str, Any]], bool]) -> Iterator[ReplyPattern]:
        for code, table in (each for file in self._all for each in file.tables.items()):
            for row in filter(wanted, table.get("replies", ())):
                yield ReplyPattern.parse(code, row, table.get("without", ""))

    def _entry(self, code: str) -> CatalogueEntry:
        return self._tables[code].entry(code)

    def _facts(self, stage: Stage, known: Mapping[str, Json], reply: Reply | None) -> Facts:
        """Return `known` with what follows from it."""
        facts: dict[str, Json] = {
            "moment": Text.of((_MOMENTS[stage], {})),
            "reply_code": reply.code if reply else None,
        }
        if (provider := self._provider(known)) is not None:
            named = {"provider": provider.id, "provider_name": provider.name}
            facts |= {**provider.facts, **named}
        return {**facts, **_of_addresses(known), **known}

    def _provider(self, known: Mapping[str, Json]) -> Provider | None:
        provider = self._providers.by_host(_text(known, "host"))
        if provider is None and (banner := _text(known, "banner")):
            provider = self._providers.by_banner(banner)
        return provider


def _of_addresses(known: Mapping[str, Json]) -> Facts:
    """Return what the addresses tell beside themselves."""
    username, sender = _text(known, "username"), _text(known, "from_email")
    return {
        "username_is_email": "@" in username,
        "username_is_key": _KEY.fullmatch(username) is not None,
        "from_is_username": bool(sender) and sender.casefold() == username.casefold(),
        "from_domain": sender.rpartition("@")[2],
        "suggested_ehlo_name": _ehlo_name(sender, _text(known, "ehlo_name")),
        "recipient_domain": _text(known, "recipient").rpartition("@")[2],
    }


def _right_server(finding: Finding, provider: Provider | None, facts: Facts) -> tuple[Remedy, ...]:
    """Return the provider's submission server as a remedy, where the host is another of its own.

    Whatever failed there: a host of the provider that takes no mail from programs.
    """
    if provider is None or finding.scope is not Scope.ROUTE or finding.stage in _BEFORE_THE_SERVER:
        return ()
    if provider.submits_at(_text(facts, "host")):
        return ()
    if any("host" in remedy.changes for remedy in finding.remedies):
        return ()
    remedy = _RIGHT_SERVER.fill(facts)
    return () if remedy is None else (remedy,)


def _is_told(found: list[Match]) -> bool:
    """Whether the words of the reply, and not only its codes, chose the first row."""
    return bool(found and (found[0].row.words or found[0].row.about))


def _closed(failure: SmtpFailure) -> str:
    """Return the code for a session that was cut without a reply."""
    if failure.stage is Stage.MESSAGE and failure.acceptance is Acceptance.UNKNOWN:
        return _UNCONFIRMED
    return _CUT_AT.get(failure.stage, _CUT)


def _ehlo_name(sender: str, refused: str) -> str:
    """Return the domain of the From email as an EHLO name, or "" where it would be no other one."""
    try:
        name = parse_ehlo_name(sender.rpartition("@")[2])
    except AddressError:
        return ""
    return "" if name.casefold() == refused.casefold() else name


def _text(facts: Mapping[str, Json], name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""


def cause(catalogue: Catalogue, code: str, facts: Facts | None = None) -> Finding:
    """Return the finding `code`; a code that is unknown by now reads as a fault of our own."""
    prefix = code.partition(".")[0]
    stage = _STAGES.get(prefix, Stage.CONNECT)
    return catalogue.warning(code if code in catalogue.codes else _FALLBACK, stage, facts or {})
