"""What is wrong with a command line, in the language in use: Click has it in English."""

import re
from typing import Final

import click

from smtp_desk.core.translation import _, mark

# What Click says most often; what is not among these stays English.
_OF_CLICK: Final = (
    mark("default: {value}"),
    mark("required"),
    mark("Invalid value for {name}: {why}"),
    mark("Missing option {name}."),
    mark("Missing argument {name}."),
    mark("Missing command."),
    mark("No such option {name}."),
    mark("No such option {name}. Did you mean {other}?"),
    mark("No such command {name}."),
    mark("No such command {name}. Did you mean {other}?"),
    mark("Option {name} requires an argument."),
    mark("Option {name} does not take a value."),
    mark("Got unexpected extra argument ({arguments})"),
    mark("Got unexpected extra arguments ({arguments})"),
    mark("{value} is not one of {choices}."),
    mark("{value} is not a valid integer."),
    mark("{value} is not a valid float."),
    mark("{value} is not in the range {range}."),
    mark("File {name} does not exist."),
    mark("File {name} is a directory."),
)


def tell_usage(error: click.UsageError) -> None:
    """Say on standard error how a command is used, and what is wrong."""
    if error.ctx is not None:
        hint = _(
            "Try '{command} {option}' for help.",
            command=error.ctx.command_path,
            option=max(error.ctx.help_option_names, key=len),
        )
        click.echo(f"{error.ctx.get_usage()}\n{hint}\n", err=True)
    message = in_language(error.format_message())
    click.echo(_("Error: {message}", message=message), err=True)


def in_language(said: str) -> str:
    """Return what Click says, in the language in use; what it isn't known to say as it is."""
    for english in _OF_CLICK:
        if found := _pattern(english).fullmatch(said):
            facts = found.groupdict()
            if "why" in facts:
                facts["why"] = in_language(facts["why"])
            return _(english, **facts)
    return said


def _pattern(english: str) -> re.Pattern[str]:
    """Return what finds this sentence, with its facts."""
    pieces = re.split(r"\{(\w+)\}", english)
    pieces[::2] = map(re.escape, pieces[::2])
    pieces[1::2] = [f"(?P<{name}>.+?)" for name in pieces[1::2]]
    return re.compile("".join(pieces), re.DOTALL)
