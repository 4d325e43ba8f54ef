"""Collect the texts for translators, and bring what they have up to date.

usage: python packaging/messages.py. Writes `resources/translations/messages.pot`, and into the
catalogue of each language what is new; a text that has changed is marked as fuzzy there, which
means: not translated until a person has looked at it.
"""

import inspect
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).resolve().parent.parent
TRANSLATIONS: Final = ROOT / "resources" / "translations"
TEMPLATE: Final = TRANSLATIONS / "messages.pot"
KEYWORDS: Final = {"_": None, "mark": None, "plural": (1, 2), "pgettext": ((1, "c"), 2)}
COMMENT: Final = "Translators:"
_HEADER: Final = "# Texts of SMTP Desk. Written by `make messages`."
# A date of its own for each change would be a conflict for everybody who adds a text.
_UNDATED: Final = datetime(2026, 1, 1, tzinfo=UTC)


def collect() -> Catalog:
    """Return the texts of the program, of its findings and its commands, sorted by file."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    found = Catalog(project="SMTP Desk", header_comment=_HEADER, creation_date=_UNDATED)
    for path in sorted((ROOT / "smtp_desk").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for _line, message, comments, context in extract_from_file(
            "python", path, KEYWORDS, [COMMENT], strip_comment_tags=True
        ):
            found.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    for name, code, text in _findings():
        found.add(text, None, [(name, 0)], auto_comments=[code])
    for name, command, text in _commands():
        found.add(text, None, [(name, 0)], auto_comments=[command])
    return found


def _findings() -> Iterator[tuple[str, str, str]]:
    """Yield the file, the code and the text of each sentence about a finding."""
    from smtp_desk.store.resources import read_catalogue  # noqa: PLC0415 - found by now only

    for entry in read_catalogue().entries:
        name = f"resources/findings/{entry.code.partition('.')[0]}.toml"
        for wording in entry.wordings:
            for text in wording.texts:
                yield name, entry.code, text


def _commands() -> Iterator[tuple[str, str, str]]:
    """Yield the file, the command line and each paragraph of what a command says of itself."""
    from smtp_desk.cli.main import cli  # noqa: PLC0415 - as above
    from smtp_desk.cli.manual import each_command, paragraphs  # noqa: PLC0415 - as above

    for context in each_command(cli, "smtp-desk"):
        module = inspect.unwrap(context.command.callback or _commands).__module__
        name = f"{module.replace('.', '/')}.py"
        for text in paragraphs(context.command):
            yield name, context.command_path, text


def main() -> None:
    """Write the template, and bring the catalogues up to date."""
    template = collect()
    TRANSLATIONS.mkdir(exist_ok=True)
    _write(TEMPLATE, template)
    for path in sorted(TRANSLATIONS.glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.stem)
        catalogue.update(template, update_creation_date=False)
        _write(path, catalogue)


def _write(path: Path, catalogue: Catalog) -> None:
    with path.open("wb") as file:
        write_po(file, catalogue, width=100, include_lineno=False, sort_by_file=True)


if __name__ == "__main__":
    main()
