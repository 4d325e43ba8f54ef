"""What a `Query` asks for, in SQL that both engines understand.

A search for a text goes back from the newest entries, slice by slice, through the rows themselves:
an index of words would be faster, and keep words of what was erased.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from smtp_desk.core.address import mailbox_key
from smtp_desk.sender.outbox.entries import EntryState
from smtp_desk.sender.outbox.outbox import EVERYTHING, Counts, EntryPage, Query
from smtp_desk.sender.outbox.rows import SELECT, entry_of

Value: TypeAlias = str | int
Ask: TypeAlias = Callable[[str, list[Value]], list[tuple[Any, ...]]]
"""Asks the database, with a `?` in the statement for each value; returns the rows."""

_OF_KEY: Final = """
    message_id = (SELECT message_id FROM sending_keys WHERE name = ?)
    AND message = (SELECT message FROM sending_keys WHERE name = ?)
"""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an engine says what it has words of its own for.

    Attributes:
        contains: That a column has a text in it.
        among: That `id` is in a JSON array.
        mailbox: The recipient in lower case, as its index has it.
        odd: That the recipient may be spelled in other ways, as its index has it.
    """

    contains: str
    among: str
    mailbox: str
    odd: str


SQLITE: Final = Dialect(
    contains="instr({}, ?) > 0",
    among="id IN (SELECT value FROM json_each(?))",
    mailbox="lower(recipient)",
    odd="recipient GLOB '*[^!#-~]*'",
)
POSTGRES: Final = Dialect(
    contains="strpos({}, ?) > 0",
    among="id = ANY (ARRAY(SELECT json_array_elements_text(?::json)))",
    mailbox='lower(recipient COLLATE "C")',
    odd="recipient COLLATE \"C\" ~ '[^!#-~]'",
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads entries within one transaction.

    Args:
        ask: Asks the database.
        dialect: The engine's.
    """

    ask: Ask
    dialect: Dialect

    def entries_to(self, recipient: str) -> tuple[str, ...]:
        """Return the ids of all entries to this mailbox, however it is spelled."""
        plain, values = self._plain(recipient)
        found = self.ask(f"SELECT id FROM entries WHERE {plain}", values)  # noqa: S608 - constants
        return tuple(sorted([*(entry_id for (entry_id,) in found), *self._odd(recipient)]))

    def page(self, query: Query, before: str | None, limit: int, searched: int) -> EntryPage:
        """Return what `OutboxRecords.page` does; a slice of a search has `searched` rows."""
        end = self._end_of_slice(query, before, searched) if query.searches else None
        condition, values = self._condition(replace(query, states=frozenset()))
        for sign, bound in (("<", before), (">=", end)):
            if bound:
                condition, values = f"{condition} AND id {sign} ?", [*values, bound]
        selections = _by_state(query, f"{SELECT} WHERE {condition}", values, f"LIMIT {limit + 1}")
        found = self.ask(f"{selections[0]} ORDER BY id DESC LIMIT {limit + 1}", selections[1])
        entries = tuple(map(entry_of, found[:limit]))
        return EntryPage(entries, entries[-1].id if len(found) > limit else end)

    def counts(self, query: Query) -> Counts:
        """Return what `OutboxRecords.counts` does."""
        condition, values = self._condition(query)
        if replace(query, states=frozenset(), route="") == EVERYTHING:
            tables, number = "entry_counts", "sum(entries)"
        else:
            joined = query.kind or query.message_id or query.key
            tables = "entries JOIN messages ON key = message" if joined else "entries"
            number = "count(*)"
        found = self.ask(
            f"""
            SELECT state, route, {number} FROM {tables} WHERE {condition}
            GROUP BY state, route HAVING {number} > 0
            """,  # noqa: S608 - constants and question marks
            values,
        )
        return Counts({(EntryState(state), route): int(count) for state, route, count in found})

    def _end_of_slice(self, query: Query, before: str | None, searched: int) -> str | None:
        """Return the last entry to look at; None if all that are left are few enough."""
        selection = f"SELECT id FROM entries WHERE {'id < ?' if before else 'TRUE'}"  # noqa: S608 - constants
        last = f"LIMIT 1 OFFSET {searched - 1}"
        ends, values = _by_state(query, selection, [before] if before else [], last)
        found = self.ask(f"{ends} ORDER BY id DESC LIMIT 1", values)
        return str(found[0][0]) if found else None

    def _condition(self, query: Query) -> tuple[str, list[Value]]:
        """Return the condition of `Query.matches`, and its values."""
        conditions: list[str] = ["TRUE"]
        values: list[Value] = []
        if query.states:
            conditions.append(f"state IN ({', '.join('?' * len(query.states))})")
            values += sorted(query.states)
        for column, value in query.columns.items():
            conditions.append(f"{column} = ?")
            values.append(value)
        if query.recipient:
            plain, sought = self._plain(query.recipient)
            odd = self._odd(query.recipient)
            conditions.append(f"({plain} OR {self.dialect.among})" if odd else plain)
            values += [*sought, *([json.dumps(odd)] if odd else ())]
        if query.ids is not None:
            conditions.append(self.dialect.among)
            values.append(json.dumps(sorted(query.ids)))
        if query.key:
            conditions.append(_OF_KEY)
            values += [query.key] * 2
        if query.untold:
            conditions.append("untold = 1")
        if query.text:
            found = (self.dialect.contains.format(column) for column in ("searched", "code"))
            conditions.append(f"({' OR '.join(found)})")
            values += [query.text.casefold()] * 2
        return " AND ".join(conditions), values

    def _plain(self, recipient: str) -> tuple[str, list[Value]]:
        """Return the condition for the one address as nearly all spell it."""
        odd, mailbox = self.dialect.odd, self.dialect.mailbox
        return f"{mailbox} = ? AND NOT {odd}", [mailbox_key(recipient)]

    def _odd(self, recipient: str) -> list[str]:
        """Return the ids of the entries to this mailbox that may be spelled in other ways."""
        sought = mailbox_key(recipient)
        found = self.ask(f"SELECT id, recipient FROM entries WHERE {self.dialect.odd}", [])  # noqa: S608 - a constant
        return [entry_id for entry_id, known in found if mailbox_key(known) == sought]


def _by_state(
    query: Query, selection: str, values: list[Value], limit: str
) -> tuple[str, list[Value]]:
    """Return the newest of each state, each read from its own end of an index."""
    states = sorted(query.states)
    state = "state || ''" if query.indexed else "state"  # keeps to the index of the few
    chosen = [f"{selection} AND {state} = ?" for _ in states] or [selection]
    parts = [
        f"SELECT * FROM ({each} ORDER BY id DESC {limit}) AS part{number}"  # noqa: S608 - constants
        for number, each in enumerate(chosen)
    ]
    asked = [[*values, state] for state in states] or [values]
    return " UNION ALL ".join(parts), [value for each in asked for value in each]
