"""Nothing that a terminal shows goes past the language in use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from babel.messages.pofile import read_po

from smtp_desk.cli.main import cli
from smtp_desk.cli.manual import each_command
from smtp_desk.core import translation
from tests.cli.desk import RECIPIENT
from tests.pseudo import CODE, Pseudo, speaking_pseudo, untranslated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.cli.desk import Desk

_TEMPLATE = Path(__file__).parents[2] / "resources" / "translations" / "messages.pot"
with _TEMPLATE.open("rb") as _file:
    _IN_TEMPLATE = {message.id for message in read_po(_file)}
_RANGE = re.compile(r"x>=1")


class _Heard(click.HelpFormatter):
    """Notes the texts of a help page without what is typed: terms and command lines."""

    def __init__(self) -> None:
        super().__init__(width=10_000)
        self.texts: list[str] = []

    def write_heading(self, heading: str) -> None:
        self.texts.append(heading)

    def write_text(self, text: str) -> None:
        self.texts.append(text)

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        del prog, args
        self.texts.append(prefix or "Usage:")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        del col_max, col_spacing
        self.texts += [_RANGE.sub("", meaning) for _term, meaning in rows]


class _Asked(Pseudo):
    """Notes what is looked up."""

    def __init__(self) -> None:
        self.texts: set[str] = set()

    def gettext(self, message: str, /) -> str:
        self.texts.add(message)
        return super().gettext(message)


@pytest.mark.parametrize(
    "context",
    list(each_command(cli, "smtp-desk")),
    ids=lambda context: context.command_path.replace(" ", "-"),
)
def test_a_help_page_is_in_the_language_whole(context: click.Context) -> None:
    heard, asked = _Heard(), _Asked()
    with speaking_pseudo():
        translation.install(CODE, asked)
        context.command.format_help(context, heard)
        heard.texts.append(context.command.get_short_help_str())
    assert len(heard.texts) > 10
    assert [text for text in heard.texts if not text or untranslated(text)] == []
    assert asked.texts - _IN_TEMPLATE == set(), "mark these texts, and run `make messages`"


@pytest.mark.parametrize(
    "line",
    [
        "show", "enable", "export x.toml", "outbox list", "outbox list --state held",
        "outbox retry", "outbox retry --cause sender.quota", "outbox retry --cause no.code",
        "outbox erase ", "check", "check --host h --domain --no-login", "check --dkim-selector x",
        "configure --to ann@example.org", "send", "send message", "send message --set x",
        "find nonsense", "find ann@example.org --ca-file no.pem", "version --json",
        "version --check", "status --json --prometheus", "default smtp --host h", "worker --once",
        "sendmail", "sendmail -bd", "sendmail -f", "sendmail --no-such",
        "report --json --html no.json", "default notify",
        "sign-in --client-secret-expires 2027-05-30", "import no.toml", "no-such",
        "status --jsno", "send --key", "outbox list --limit x", "outbox list --limit 0",
        "outbox list --state x", "status x", "status x y", "report", "status --json=x",
    ],
)  # fmt: skip
def test_what_a_command_says_is_in_the_language(desk: Desk, line: str) -> None:
    words = line.split(" ")
    with speaking_pseudo():
        ended = desk(*words)
    said = ended.out + ended.err
    assert "⟦" in said
    # What was typed, placeholders and codes are the same in every language.
    known = {
        *words,
        "smtp-desk",
        RECIPIENT,
        "OPTIONS",
        "COMMAND",
        "ARGS",
        "SETTINGS",
        "ADDR",
        "KIND",
        "ID",
        "FILE",
    }
    for word in sorted(known - {""}, key=len, reverse=True):
        said = said.replace(word, "")
    assert not untranslated(said), ended


@pytest.mark.parametrize("option", ["-bs", "-b s"])
def test_replies_of_smtp_are_english(desk: Desk, option: str) -> None:
    with speaking_pseudo():
        ended = desk("sendmail", *option.split(), stdin=b"MAIL FROM:<>\r\nRCPT TO:<bad>\r\n")
    assert "553 5.1.3 " in ended.out
    assert not re.search(r"[^\x00-\x7f]|\?{2}|~", ended.out)
