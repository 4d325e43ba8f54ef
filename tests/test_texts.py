"""Every text that a person reads is plain English: nothing that a colleague would not say."""

import ast
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from smtp_desk.cli.main import cli
from tests.table import each_row

ROOT: Final = Path(__file__).resolve().parent.parent
_RESOURCES: Final = ROOT / "resources"

# A pattern for the phrase and its kind, and what to write instead.
STILTED: Final = {
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bwhoever fills in\b": "the person who set up email; whoever manages these settings",
    r"\b(is|was) left alone until\b": "we won’t retry until",
    r"\bshut until\b|\brests until\b": "unavailable until",
    r"\b(took|went|take) another way\b": "were sent by the default service",
    r"\bby itself\b": "automatically; on its own",
    r"\bthere is none\b": "none; you have none",
    r"\bis none\b|\bis no (valid|PEM|JSON|program|mail server|email address)\b": "isn’t a …",
    r"\buntil a route works\b": "until a server is available",
    r"\bthe password is another\b": "the password has changed",
    r"\bleaves? through\b|\bleaves? by\b": "is sent through",
    r"\bwhatever comes of\b": "the result",
    r"\bmail does(n’t| not) go out\b": "email isn’t being sent",
    r"\bthe line to it\b|\bmade private\b": "the connection is encrypted",
    r"\bnobody listens\b|\bcalled ports\b": "nothing is listening; ports",
    r"\bintroduce ourselves\b|\bannounce the sender\b|\bsign off\b": "Say hello (EHLO); …",
    r"\blooks? into the (spam|log|sign-in log|folder)\b": "check",
    r"\bwants a pause\b": "asks you to wait",
    r"\bmakes (unknown senders|strangers) wait\b": "delays unknown senders",
    r"\bdoes(n’t| not) send to \S+ for you\b": "won’t relay email to",
    r"\bis certainly right\b": "if you’re sure … is correct",
    r"\bover and over\b": "repeated",
    r"\bempty (both|the field)\b|\bempty: nobody\b": "clear both; clear the field; leave empty",
    r"\bon the wire\b": "is sent as",
    r"\bcan’t stand\b|\bstands? below\b|\bit stands here\b": "can’t contain; is below",
    r"\bsurely\b": "too large for",
    r"\bport lies between\b": "enter a port from 1 to 65535",
    r"\bbeside the address\b": "next to the address",
    r"\bas the system\b(?!’s)": "follow system",
    r"\btell this address\b": "notify this address",
    r"\bits fate\b": "its result",
    r"\bleave it as it is\b": "keep",
    r"\bpassword at hand\b": "No password?",
    r"\bsolve the problems\b": "fix the errors",
    r"\bno longer through\b": "stop sending through",
    r"\bthe whole story\b": "the whole workflow",
    r"\blongest time for\b": "time limit for",
    r"\bdealt with\b": "processed",
    r"\bemail is due now\b": "is queued to send now",
    r"\bas well as it can\b": "you can keep working",
    r"\bslipped in\b": "injected",
    r"\bsomebody (between|may|in between)\b": "someone; something in between",
    r"\bbuilt by the rules\b": "malformed",
    r"\bno common way to encrypt\b": "share no cipher",
    r"\bjust now\b": "right now",
    r"\bmostly\b": "usually",
    r"\banew\b": "again; a new …",
    r"\bin so many words\b": "explicitly",
    r"\bhung up\b|\bhangs up\b(?! in the middle)": "closed the connection",
    r"\bmakers of\b": "developers of",
    r"\bbe believed\b|\bbelieves? (email|that)\b|\bnot believed\b": "trust; confirm",
    r"\btaken for spam\b|\brefused for good\b": "marked as spam; permanently refused",
    r"\bserver’s words\b": "server’s reply",
    r"\bwhat came of\b|\bcomes? of it\b": "the result; what happened",
    r"\bthe way it took\b|\btries the way\b": "how it traveled; checks the connection",
    r"\bemail (itself )?is handed over\b|\bhand over the (message|email)\b": "is sent",
    r"\b(type|enter) (it|the password) again\b|\btyped again\b": "retype",
    r"\breport (is|was) made\b|\breport was begun\b": "was created",
    r"^A sendmail\b": "act as sendmail",
    r"\bonce no answer\b|\bonce did(n’t| not) confirm it\b(?!\.)": "the server didn’t confirm it",
    r"\bSMTP Desk itself failed\b": "ran into an internal error",
    r"\bholds? (no|a) password\b|\bholds what\b": "contains",
    r"(?<!#)\bmails\b(?! \()": "emails",
    r"\b(this|that|one|each) mail\b(?! (server|provider|program|service|admin))": "this email",
    r"\bwhoever holds\b|\bsits between\b": "anyone who controls; is intercepting",
    r"\bkey in the DNS is another\b|\bis another one\b": "is a different one",
    r"\basks? the DNS\b": "check in DNS",
    r"\bcertificate (\w+ ){0,6}ends\b": "expires",
    r"\bmade illegible\b|\bno trace\b": "removed; no record",
    r"\bthe surest first\b": "the most likely first",
    r"\bthe (header|DNS|report|file) tells all\b": "is enough",
    r"\b(what|which) (it|this) has to say\b|\bsays of itself\b": "contains",
    r"\bas the standard wants\b": "follow the standard",
    r"\bdoes it make sense\b|\bstands? for\b(?= the host| a host)": "is correct; has",
    r"\bchoose it last\b": "use it only if nothing else works",
}
_PATTERNS: Final = {re.compile(stilted, re.IGNORECASE): said for stilted, said in STILTED.items()}


def stilted(text: str) -> list[str]:
    """Return what a colleague would not say aloud, each with what to write instead."""
    read = " ".join(text.replace("'", "’").split())
    hits = ((found, said) for wanted, said in _PATTERNS.items() if (found := wanted.search(read)))
    return [f"“{found[0]}”, better “{said}”: {read[:160]}" for found, said in hits]


def _in_table(value: Any) -> Iterator[str]:  # noqa: ANN401 - what a TOML file holds
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _in_table(value.get("text", []))
    elif isinstance(value, list):
        for each in value:
            yield from _in_table(each)


def _findings() -> Iterator[str]:
    for file in sorted((_RESOURCES / "findings").glob("*.toml")):
        for entry in tomllib.loads(file.read_text("utf-8")).values():
            for key in ("summary", "explanation", "remedies"):
                yield from _in_table(entry.get(key, []))


def _constants(file: Path) -> Iterator[str]:
    """Return the texts of a module, without docstrings, patterns and other text for machines."""
    tree = ast.parse(file.read_text("utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in told:
            continue
        if isinstance(node.value, str) and " " in node.value and "\\" not in node.value:
            yield node.value


def _lines(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        yield from file.read_text("utf-8").splitlines()


def _help(command: click.Command, above: click.Context | None = None) -> Iterator[str]:
    # As the program makes it: a command remembers by which options it gave help first.
    given = cli.context_settings if above is None else {}
    context = click.Context(command, info_name=command.name, parent=above, **given)
    yield command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _help(below, context)


def _modules(*folders: str) -> Iterator[str]:
    for folder in folders:
        for file in sorted((ROOT / "smtp_desk" / folder).rglob("*.py")):
            yield from _constants(file)


_PLACES: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    "findings": _findings,
    "guides": lambda: _lines(sorted((_RESOURCES / "guides").glob("*.md"))),
    "templates": lambda: _lines(sorted((_RESOURCES / "templates").iterdir())),
    "form": lambda: _constants(ROOT / "smtp_desk" / "core" / "texts.py"),
    "notices": lambda: _constants(ROOT / "smtp_desk" / "sender" / "notices.py"),
    "app": lambda: _modules("app"),
    "command line": lambda: _modules("cli"),
    "window": lambda: _modules("ui"),
    "sandbox": lambda: _modules("sandbox"),
    "sign-in": lambda: _modules("oauth"),
    "help": lambda: _help(cli),
    "documents": lambda: _lines([ROOT / "README.md", ROOT / "SECURITY.md"]),
}


@each_row("place", _PLACES)
def test_texts_say_what_a_colleague_would_say(place: str) -> None:
    texts = list(_PLACES[place]())
    assert len(texts) > 8, "something is read"
    assert [hit for text in texts for hit in stilted(text)] == []


@each_row(
    "text",
    [
        "Who can mend it: you",
        "The server is tried again by itself.",
        "“x” is no valid domain",
        "This is no PEM file.",
        "Ask the administrator to look into the log.",
        "Enter both, or empty both.",
        "An address that looks like one but is none.",
        "The details of the chosen one stand below.",
        "The server hangs up at once.",
        "Email from example.org will be believed.",
        "Not taken for spam",
        "3 emails were refused for good.",
        "The server’s words: 535",
        "Whatever it is, what came of it is shown here.",
        "The way it took",
        "The email itself is handed over.",
        "The password must be typed again.",
        "When the report was made",
        "A sendmail: one message on standard input.",
        "It may have arrived twice: once no answer came after the email was sent.",
        "SMTP Desk itself failed.",
        "A report file holds no password.",
        "Received mails",
        "This mail has no headers.",
        "Whoever holds this CA can read your emails.",
        "The key in the DNS is another one.",
        "It asks the DNS about the domain.",
        "The certificate of your server ends on Monday.",
        "The address was made illegible in the log.",
        "Found 3 servers, the surest first.",
        "The header tells all of it.",
        "What the token says of itself",
        "Line ends are not as the standard wants",
        "Is everything filled in, and does it make sense?",
        "Many organizations block this; choose it last.",
    ],
)
def test_a_planted_sentence_is_found(text: str) -> None:
    assert stilted(text)


def test_what_is_read_covers_each_kind_of_text(tmp_path: Path) -> None:
    module = tmp_path / "words.py"
    module.write_text(
        '"""Mend it."""\nTEXT = f"Mend {1} of them."\n\ndef f():\n    """Mend it."""\n', "utf-8"
    )
    assert len([hit for text in _constants(module) for hit in stilted(text)]) == 1
    entry = {"summary": ["Fix it.", [{"text": "Mend it.", "when": {"reason": "mend it"}}]]}
    assert [hit[:6] for text in _in_table(entry["summary"]) for hit in stilted(text)] == ["“Mend”"]
