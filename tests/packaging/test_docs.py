"""The guides are true: their commands are understood, their programs run, their files read."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import click

from smtp_desk.cli.main import cli
from smtp_desk.store.managed import read_managed
from tests.table import each_row

PAGES: Final = Path(__file__).resolve().parents[2] / "docs" / "pages"
TEXTS: Final = {page.stem: page.read_text("utf-8") for page in sorted(PAGES.glob("*.md"))}


def blocks(language: str) -> list[str]:
    found = (re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) for text in TEXTS.values())
    return [block for page in found for block in page]


def commands() -> list[str]:
    """The lines that a person types: indented, of this program."""
    lines = (line for text in TEXTS.values() for line in text.splitlines())
    return sorted({line.strip() for line in lines if line.startswith("    smtp-desk")})


@each_row("line", commands())
def test_the_program_understands_each_command(line: str) -> None:
    """Its name, options and the values that have few choices; nothing is run."""
    words = shlex.split(line)[1:]
    command: click.Command = cli
    context = click.Context(cli, info_name="smtp-desk")
    while isinstance(command, click.Group):
        name, command_found, words = command.resolve_command(context, words)
        assert name is not None
        assert command_found is not None
        command = command_found
        context = click.Context(command, info_name=name, parent=context)
    values, _, _ = command.make_parser(context).parse_args(words)
    for parameter in command.params:
        given = values.get(parameter.name or "")
        if isinstance(parameter.type, click.Choice) and isinstance(given, str):
            parameter.type.convert(given, parameter, context)


def test_the_programs_run_where_nothing_is_configured(tmp_path: Path) -> None:
    """Each email waits in the outbox then."""
    programs = blocks("python")
    assert len(programs) > 1
    environ = {**os.environ, "SMTP_DESK_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(programs)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("ann@example.org queued\n", "")


def test_the_files_are_read(tmp_path: Path) -> None:
    (managed,) = (block for block in blocks("toml") if "managed" in block)
    folder = tmp_path / "site"
    folder.mkdir(mode=0o755)
    file = folder / "managed.toml"
    file.write_text(managed, "utf-8")
    file.chmod(0o644)
    found = read_managed(file, owner=file.stat().st_uid)
    assert found is not None
    assert found.contact == "it@example.org"
    for block in blocks("toml"):
        assert tomllib.loads(block)


def test_each_link_leads_to_a_page_a_heading_or_a_picture() -> None:
    """As `make docs` checks too, which needs a generator of its own."""
    pictures = {path.name for path in (PAGES.parents[1] / "packaging/screenshots").iterdir()}
    anchors = {
        f"{name}.md#{re.sub('[^a-z0-9]+', '-', heading.lower()).strip('-')}"
        for name, text in TEXTS.items()
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    known = anchors | {f"{name}.md" for name in TEXTS} | {f"pictures/{name}" for name in pictures}
    for name, text in TEXTS.items():
        for target in re.findall(r"\]\(([^)]*)\)", text):
            assert (f"{name}.md{target}" if target.startswith("#") else target) in known
