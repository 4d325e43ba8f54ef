"""Collect the texts for translators, and bring what they have up to date.

usage: python packaging/messages.py. Writes `resources/translations/messages.pot`, and into the
catalogue of each language what is new; a text that has changed is marked as fuzzy there, which
means: not translated until a person has looked at it.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).resolve().parent.parent
TRANSLATIONS: Final = ROOT / "resources" / "translations"
TEMPLATE: Final = TRANSLATIONS / "messages.pot"
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
        for message, comments, context in texts_in(path.read_text("utf-8")):
            found.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    for name, code, text in _findings():
        found.add(text, None, [(name, 0)], auto_comments=[code])
    for name, command, text in _commands():
        found.add(text, None, [(name, 0)], auto_comments=[command])
    return found


def texts_in(source: str) -> Iterator[tuple[str | tuple[str, str], list[str], str | None]]:
    """Yield each text of a module, one and many of a count, with its comments and its context.

    Babel would miss, before Python 3.12, what stands in an f-string.
    """
    lines = source.splitlines()
    calls = (each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call))
    for node in sorted(calls, key=lambda each: (each.lineno, each.col_offset)):
        if not isinstance(node.func, ast.Name):
            continue
        said = [each.value for each in node.args if isinstance(each, ast.Constant)]
        comments = _comments_above(lines[: node.lineno - 1])
        match node.func.id, said:
            case "_" | "mark", [str(english), *_]:
                yield english, comments, None
            case "plural", [str(one), str(many), *_]:
                yield (one, many), comments, None
            case "pgettext", [str(context), str(english), *_]:
                yield english, comments, context


def _comments_above(lines: list[str]) -> list[str]:
    """Return what the comment at the end of these lines tells translators."""
    told: list[str] = []
    for line in reversed(lines):
        if not line.lstrip().startswith("#"):
            return []
        told.insert(0, line.strip(" #"))
        if told[0].startswith(COMMENT):
            return [told[0].removeprefix(COMMENT).strip(), *told[1:]]
    return []


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
