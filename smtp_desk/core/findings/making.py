"""Makes the tables of `resources/` ready, when the program is built (see `ready`)."""

import json
import tomllib
from collections.abc import Iterable
from typing import Final

from smtp_desk.core.findings.needles import Alternative
from smtp_desk.core.findings.pattern import ReplyPattern, alternatives_of
from smtp_desk.core.findings.ready import Tables, digest

_PATTERNS: Final = ("words", "without", "about")


def make_ready(texts: Iterable[str], maker: str) -> str:
    """Return the TOML texts as `ReadyTables` reads them, the same for the same texts.

    Args:
        texts: The texts.
        maker: The code that takes patterns apart; other code has to do it anew.
    """
    made = (f"{digest(text)} {_json(_taken_apart(tomllib.loads(text)))}" for text in texts)
    return "\n".join([digest(maker), *made])


def _json(tables: Tables) -> str:
    return json.dumps(tables, ensure_ascii=False, separators=(",", ":"))


def _taken_apart(tables: Tables) -> Tables:
    """Add to the rows of findings the alternatives of their patterns."""
    for code, table in tables.items():
        for row in table.get("replies", ()):
            pattern = ReplyPattern.parse(code, row, table.get("without", ""))
            row["alternatives"] = {
                name: [_listed(part) for part in alternatives_of(words)]
                for name in _PATTERNS
                if (words := getattr(pattern, name))
            }
    return tables


def _listed(part: Alternative) -> tuple[str, list[list[str]]]:
    return part.pattern, [sorted(each) for each in part.needles]
