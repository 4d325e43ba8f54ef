"""Replies of the field, labelled by people who never saw the patterns.

The catalogue is measured against them, never made from them alone: `rates` tells how often the
cause is right, only general, or a specific one that is wrong. A wrong cause is worse than none.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.findings.finding import Finding
from smtp_desk.core.stages import Json, Stage
from tests.core import replies

_HERE: Final = Path(__file__).parent
_NAMES: Final = {"from": "from_email"}
COLLECTIONS: Final = tuple(sorted(path.stem for path in _HERE.glob("*.toml")))
GENERIC: Final = frozenset(
    {
        "greeting.refused",
        "greeting.busy",
        "ehlo.refused",
        "tls.refused",
        "tls.temporarily_unavailable",
        "auth.failed",
        "auth.temporary",
        "sender.refused",
        "sender.temporary",
        "recipient.refused",
        "recipient.temporary",
        "message.refused",
        "message.temporary",
        "session.closed",
    }
)
"""The last code of each stage and class of reply: the server's words are all that is known."""


class Verdict(StrEnum):
    """How a finding compares with the label."""

    RIGHT = "right"
    GENERIC = "generic"
    WRONG = "wrong"


@dataclass(frozen=True)
class Case:
    """A reply, where it came, and the codes that are right."""

    source: str
    stage: Stage
    text: str
    context: Mapping[str, Json]
    codes: tuple[str, ...]
    scope: str
    who: str

    def find(self, catalogue: Catalogue) -> Finding:
        failure = SmtpFailure(self.stage, reply=replies.reply_of(self.text))
        return catalogue.find(failure, self.context)

    def verdict(self, finding: Finding) -> Verdict:
        if finding.code in self.codes:
            return Verdict.RIGHT
        return Verdict.GENERIC if finding.code in GENERIC else Verdict.WRONG

    def __str__(self) -> str:
        return f"{self.stage} {self.text[:70]!r}"


def cases(collection: str) -> Iterator[Case]:
    """Yield the replies of one collection."""
    table = tomllib.loads((_HERE / f"{collection}.toml").read_text("utf-8"))
    yield from map(_case, table["reply"])


def _case(row: Mapping[str, Any]) -> Case:
    context = {_NAMES.get(name, name): value for name, value in row.get("context", {}).items()}
    told = {name: row[name] for name in ("host", "phase") if name in row}
    return Case(
        source=row["source"],
        stage=Stage(row["stage"]),
        text=row["reply"],
        context={**told, **context},
        codes=(row["code"], *row.get("also", ())),
        scope=row["scope"],
        who=row["who"],
    )
