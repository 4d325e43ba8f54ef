"""Every text for people can be translated; what can't yet is listed: that only gets shorter."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smtp_desk.core.texts import OUTCOMES
from smtp_desk.core.translation import names_in
from tests.prose import MARKING, unmarked
from tests.table import each_row

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE: Final = Path(__file__).resolve().parent.parent / "smtp_desk"

FOR_MACHINES: Final = {
    "app/routes/metrics": "what Prometheus reads",
    "app/services": "what a report says of versions",
    "contrib/logging": "an email about a log, which is in English",
    "contrib/opentelemetry": "as metrics",
    "core/arrived": "a header of SpamAssassin",
    "core/findings/oauth_errors": "patterns",
    "core/findings/vocabulary": "patterns",
    "core/handover": "what two processes say to each other",
    "core/hiding": "words that are looked for",
    "core/oauth": "the first line of a PEM file",
    "core/stages": "a type",
    "discovery/https": "a request",
    "sandbox/authority": "names in certificates",
    "sandbox/conversation": "replies of a mail server",
    "sandbox/published": "an answer of autoconfig",
    "sandbox/safe_html": "names of elements",
    "sender/__init__": "a warning for programmers",
    "sender/async_sender": "names of threads",
    "sender/mail/wellformed": "a header",
    "sender/outbox/handovers": "SQL and the log",
    "sender/outbox/postgres_rows": "SQL",
    "sender/outbox/queries": "SQL",
    "sender/outbox/rows": "SQL",
    "sender/routes/health_postgres": "SQL",
    "sender/routes/health_rows": "SQL",
    "sender/routes/share": "the log",
    "sender/routes/throttle_postgres": "SQL",
    "sender/routes/throttle_sqlite": "SQL",
    "sender/worker": "the log",
    "smtp/net/tls_failures": "names of products",
    "smtp/session/failures": "names of protocols",
    "smtp/session/opening": "the name of a thread",
    "smtp/session/session": "exceptions of programmers",
    "smtp/session/transaction": "exceptions of programmers",
    "smtp/wire/commands": "exceptions of programmers",
    "smtp/wire/protocol": "exceptions of programmers",
    "store/paths": "the name of the program",
}
"""Modules whose text no person reads, or that is the same in every language, and why."""

NOT_YET: Final = {
    "app/arrived": ("email_file presenter words"),
    "app/delivery": ("export overview_words presenter rows words"),
    "app/diagnostics": (
        "comparison presenter report_file report_html report_markdown report_text support_message"
    ),
    "app/email_types": ("presenter words"),
    "app/general": ("alerting presenter updating"),
    "app/integrations": ("earlier sign_in trust words"),
    "app/proposals": ("presenter words"),
    "app/proving": ("belief domain"),
    "app/routes": ("default notifying outage send_once sign_in status"),
    "core": ("address report_reader"),
    "oauth": ("link listener source"),
    "sender": ("alert_process alerts dispatcher notices receipts"),
    "sender/mail": (
        "address_list aliases bounded headers kinds message personal_copy stdlib_message "
        "submission templates variables"
    ),
    "sender/outbox": (
        "database lifecycle memory migrations outbox postgres postgres_address postgres_database "
        "postgres_migrations sqlite"
    ),
    "sender/routes": ("identities route sendmail"),
    "smtp/domain": ("answers dkim dmarc dns lookup receiving spf spf_record tags"),
    "smtp/net": ("certificates dial http resolve"),
    "smtp/session": ("auth_exchange"),
    "smtp/wire": ("auth"),
    "store": ("credentials ownership portable resources save_protocol settings_toml"),
    "ui": ("application desk dropping faults leaving main_window menus navigation palette wiring"),
    "ui/arrived": ("paste_card result_cards view"),
    "ui/delivery": (
        "action_bar day_chart details_card dialogs filter_bar overview_card table view words"
    ),
    "ui/diagnostics": (
        "action_bar comparison_card domain_card evidence fact_table report_buttons report_files "
        "time_line verdict_card view welcome words"
    ),
    "ui/email_types": ("action_bar preview_card type_list view words"),
    "ui/general": ("alerts_card default_card relay_dialog updates_card view"),
    "ui/integrations": (
        "action_bar earlier_fold find_words finding_panel form oauth_fields password sender_card "
        "sign_in_prompt stage_list test_panel trust_dialog words"
    ),
    "ui/sandbox": ("hints inbox_window mail_list reader sandbox_desk"),
    "ui/widgets": ("file_field step"),
}
"""By folder: the modules whose texts nobody has marked yet."""


def texts_of(path: Path) -> list[tuple[int, str]]:
    return [
        (line, text)
        for line, text in unmarked(path.read_text("utf-8"))
        if text not in OUTCOMES.values()
    ]


def test_what_is_listed_is_needed_and_what_is_not_is_marked() -> None:
    listed = {f"{folder}/{name}" for folder, names in NOT_YET.items() for name in names.split()}
    assert not listed & FOR_MACHINES.keys()
    found = {
        path.relative_to(_PACKAGE).with_suffix("").as_posix(): texts
        for path in sorted(_PACKAGE.rglob("*.py"))
        if (texts := texts_of(path))
    }
    assert {
        name: texts for name, texts in found.items() if name not in listed | FOR_MACHINES.keys()
    } == {}, "mark these texts, see CONTRIBUTING"
    assert (listed | FOR_MACHINES.keys()) - found.keys() == set(), (
        "marked by now: list them no more"
    )


def test_each_placeholder_has_its_fact() -> None:
    wrong = [
        (path.stem, call.lineno, text)
        for path in _PACKAGE.rglob("*.py")
        for call, text in texts_with_facts(path.read_text("utf-8"))
        if not names_in(text) <= {"count", *(each.arg for each in call.keywords)}
    ]
    assert wrong == []


def texts_with_facts(source: str) -> Iterator[tuple[ast.Call, str]]:
    """The calls that fill in a text that stands in them, and that text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            of_table = node.func.id == "mark" and not node.keywords
            unknown = any(each.arg is None for each in node.keywords)
            if node.func.id in MARKING and not of_table and not unknown:
                for each in node.args:
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        yield node, each.value


@each_row(
    ("source", "said"),
    [
        ('TEXT = "Nobody has marked this."', ["Nobody has marked this."]),
        ('say(f"The server {host} is down.")', ["The server {} is down."]),
        ('_(f"The server {host} is down.")', ["The server {} is down."]),
        ('_("The server " + "is down")', ["The server ", "is down"]),
        ('_("Because of {why}.", why="a full disk")', ["a full disk"]),
        ('raise ExitError("Nothing was changed.")', ["Nothing was changed."]),
        ('TEXT = mark("Somebody has marked this.")', []),
        ('plural("{count} email is here", "{count} emails are here", 3)', []),
        ('def f():\n    """Return what it says."""', []),
        ('_log.warning("the disk is full: %s", why)', []),
        ('raise ValueError("there is no host")', []),
        ('re.compile("no such user|no such mailbox")', []),
        ('SQL = "SELECT kind FROM entries"', []),
        ('name = "settings_file"', []),
        ('command(examples=[("See it", "git log --all")])', ["See it"]),
        ('show_command(out, "export HOME=/tmp in it")', []),
        ('say("smtp-desk runs no command")', []),
        ('say("smtp-desk: the log is full")', ["smtp-desk: the log is full"]),
    ],
)
def test_what_counts_as_a_text_for_people(source: str, said: list[str]) -> None:
    assert [text.rstrip() for _, text in unmarked(source)] == [text.rstrip() for text in said]
