"""Each command's help is a whole manual page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from smtp_desk import __version__
from smtp_desk.cli.main import cli
from smtp_desk.cli.manual import WIDTH, ManualCommand
from smtp_desk.core.exit_status import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.desk import Desk

COMMANDS = (
    *(
        "check",
        "configure",
        "show",
        "enable",
        "disable",
        "remove",
        "find",
        "sign-in",
        "export",
        "import",
        "default",
        "arrived",
        "report",
        "open",
    ),
    *("send", "sendmail", "worker", "outbox", "status", "sandbox", "demo", "version"),
)


def manual_pages(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """The commands that do something, those of groups among them, as they are typed."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from manual_pages(command, f"{path}{name} ")
        else:
            yield path + name, command


PAGES = dict(manual_pages(cli))


def test_the_commands_are_those_of_the_contract_in_this_order() -> None:
    assert tuple(cli.list_commands(click.Context(cli))) == COMMANDS


def test_the_default_service_has_the_commands_of_the_contract() -> None:
    found = [name.split()[1] for name in PAGES if name.startswith("default ")]
    assert found == ["show", "outbox", "sendmail", "smtp", "notify"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_has_every_section(desk: Desk, name: str, option: str) -> None:
    ended = desk(*name.split(), option)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: smtp-desk {name} [OPTIONS]")
    sections = re.findall(r"^(\w[\w ]*):$", ended.out, re.MULTILINE)
    for section in ("Options", "Exit status", "Environment", "Examples"):
        assert section in sections
    assert max(map(len, ended.out.splitlines())) <= WIDTH
    assert f"    smtp-desk {name}" in ended.out


@pytest.mark.parametrize("name", PAGES)
def test_help_explains_every_option_and_exit_status(desk: Desk, name: str) -> None:
    command = PAGES[name]
    assert isinstance(command, ManualCommand)
    assert {ExitStatus.OK, ExitStatus.USAGE} <= set(command.statuses)
    text = desk(*name.split(), "--help").out
    for status, meaning in command.statuses.items():
        assert re.search(rf"^  {int(status)} +{re.escape(meaning.split()[0])}", text, re.MULTILINE)
    for option in command.params:
        for spelling in option.opts:
            assert spelling in text or not spelling.startswith("-")


def test_help_of_the_program_lists_the_commands_in_order(desk: Desk) -> None:
    text = desk("--help").out
    listed = re.findall(r"^  ([a-z-]+)  +\w", text.partition("Commands:")[2], re.MULTILINE)
    assert tuple(listed[: len(COMMANDS)]) == COMMANDS
    assert "smtp-desk COMMAND --help" in text


def test_version(desk: Desk) -> None:
    ended = desk("--version")
    assert (ended.status, ended.out) == (0, f"SMTP Desk {__version__}\n")
