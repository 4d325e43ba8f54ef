"""Replies of real servers, by the finding that each stands for."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from smtp_desk.core.findings.catalogue import Catalogue
from smtp_desk.core.findings.languages import Languages
from smtp_desk.core.findings.providers import Providers
from smtp_desk.core.findings.senses import Senses
from smtp_desk.core.reply import Reply
from smtp_desk.core.stages import Json, Stage

_HERE: Final = Path(__file__).parent
_RESOURCES: Final = _HERE.parents[2] / "resources"
FILES: Final = (
    *("field_notes", "servers", "services", "held_out"),
    *("unseen", "unseen_later", "field_cases", "siblings", "kinds", "newer_kinds"),
)


@dataclass(frozen=True)
class Example:
    """A reply as on the wire, and what it must be named."""

    finding: str
    stage: Stage
    source: str
    text: str
    context: Mapping[str, Json]

    @property
    def reply(self) -> Reply:
        return reply_of(self.text)

    def __str__(self) -> str:
        return f"{self.finding} {self.stage} {self.text[:60]}"


def texts(folder: str) -> list[str]:
    """Return the TOML texts of a folder of `resources/`."""
    return [path.read_text("utf-8") for path in sorted((_RESOURCES / folder).glob("*.toml"))]


def load_catalogue() -> Catalogue:
    """Return the catalogue as the program has it."""
    return Catalogue.parse(
        texts("findings"), Providers.parse(texts("providers")), load_languages(), load_senses()
    )


def load_languages() -> Languages:
    """Return the words of other languages as the program has them."""
    return Languages.parse(texts("languages"))


def load_senses() -> Senses:
    """Return what replies say by the things that they speak of, as the program has it."""
    return Senses.parse(texts("senses"))


def reply_of(text: str) -> Reply:
    """Return a reply from its lines as on the wire."""
    lines = text.splitlines()
    return Reply.from_lines(int(lines[0][:3]), [line[4:].encode() for line in lines])


def examples(*names: str) -> Iterator[Example]:
    """Return the examples of the named files."""
    for name in names:
        table = tomllib.loads((_HERE / f"{name}.toml").read_text("utf-8"))
        for finding, rows in table.items():
            for row in rows:
                yield _example(finding, row)


def _example(finding: str, row: list[Any]) -> Example:
    words = [item for item in row if isinstance(item, str)]
    context = next((item for item in row if isinstance(item, dict)), {})
    source = words[1] if len(words) > 2 else "held out"  # stage, source, reply
    return Example(finding, Stage(words[0]), source, words[-1], context)
