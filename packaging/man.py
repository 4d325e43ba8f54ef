"""Writes the manual pages, one a command and language, from what `--help` says.

usage: python packaging/man.py FOLDER, such as /usr/share/man: English in `man1`, German in
`de/man1`
"""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smtp_desk import __version__
from smtp_desk.cli.main import cli
from smtp_desk.cli.manual import commands_of, each_command, section_names
from smtp_desk.core.translation import ENGLISH, OFFERED
from smtp_desk.store.translations import speak

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_PROGRAM = "smtp-desk"


class RoffFormatter(click.HelpFormatter):
    """Writes as the input of `man` what Click writes for a terminal (groff_man(7))."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the synopsis, and the heading of the text that Click lets follow."""
        del prefix
        self.write_heading(section_names()[1])
        self.write(f".B {_escaped(prog)}\n{_escaped(args)}\n")
        self.write_heading(section_names()[2])

    def write_heading(self, heading: str) -> None:
        """Write a heading."""
        self.write(f".SH {_escaped(heading).upper()}\n")

    def write_paragraph(self) -> None:
        """Begin a paragraph; Click does so before each section, where none is needed."""

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        for paragraph in re.split(r"\n\s*\n", text.replace("\b\n", "").strip()):
            self.write(f".PP\n{_escaped(' '.join(paragraph.split()))}\n")

    def write_dl(
        self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write terms and their meanings."""
        del col_max, col_spacing
        for term, meaning in rows:
            self.write(f".TP\n.B {_escaped(term)}\n{_escaped(' '.join(meaning.split()))}\n")

    def write(self, string: str) -> None:
        """Take lines; those that are shown as they are, the examples, come indented."""
        if string.startswith(" "):
            string = f".RS 4\n.EX\n{_escaped(string.strip())}\n.EE\n.RE\n"
        super().write(string)


def pages() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page."""
    for context in each_command(cli, _PROGRAM):
        yield _page(context)


def write_manual(folder: Path, languages: Iterable[str] = OFFERED) -> None:
    """Write the pages of each language where `man` looks for them."""
    for code in languages:
        speak(code)
        write_pages(folder / "man1" if code == ENGLISH else folder / code / "man1")


def write_pages(folder: Path) -> None:
    """Write all pages in the language in use, packed as they are installed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages():
        # Without a time, so that the same text gives the same file.
        packed = gzip.compress(text.encode(), compresslevel=9, mtime=0)
        (folder / f"{name}.1.gz").write_bytes(packed)


def _page(context: click.Context) -> tuple[str, str]:
    command, name = context.command, context.command_path.replace(" ", "-")
    formatter = RoffFormatter(width=10_000)
    command.format_help(context, formatter)
    summary = command.get_short_help_str(limit=10_000).rstrip(".")
    title = f'"{_escaped(name).upper()}" 1 "" "SMTP Desk {__version__}" "SMTP Desk"'
    heading = section_names()[0].upper()
    head = f".TH {title}\n.SH {heading}\n{_escaped(name)} \\- {_escaped(summary)}\n"
    return name, head + formatter.getvalue() + _see_also(context)


def _see_also(context: click.Context) -> str:
    """Return the pages of the commands below this one, and of the one above."""
    near = [inner.command_path for inner in commands_of(context)]
    if context.parent is not None:
        near.insert(0, context.parent.command_path)
    listed = ",\n".join(f".BR {_escaped(path.replace(' ', '-'))} (1)" for path in near)
    return f".SH {section_names()[3].upper()}\n{listed}\n"


def _escaped(text: str) -> str:
    """Return text that means itself to roff."""
    text = text.replace("\\", "\\(rs").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)


if __name__ == "__main__":
    write_manual(Path(sys.argv[1]))
