"""`check`: which settings are tested, how far, and how the report is given."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.report_reader import read_report
from smtp_desk.core.texts import SUCCESS, UNREACHABLE
from smtp_desk.store.credentials import CredentialsUnavailableError, UnavailableReason
from tests.cli.desk import RECIPIENT

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.core.secret import Secret
    from smtp_desk.sandbox.server import Sandbox
    from tests.cli.desk import Desk


class Untouchable:
    """Credentials that fail the test when anybody asks for them."""

    name = "untouchable"

    def get(self, key: str) -> Secret | None:
        raise AssertionError(key)

    def set(self, key: str, secret: Secret) -> None:
        raise AssertionError(key)

    def delete(self, key: str) -> None:
        raise AssertionError(key)


def test_settings_and_a_password_on_standard_input(
    desk: Desk, sandbox: Sandbox, settings: list[str], password: bytes
) -> None:
    ended = desk("check", *settings, "--to", RECIPIENT, "--password-stdin", stdin=password)
    assert ended.status == 0
    assert SUCCESS in ended.out.splitlines()
    assert [mail.recipients for mail in sandbox.inbox.mails()] == [(RECIPIENT,)]


def test_each_stage_is_one_line_that_can_be_searched(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    ended = desk("check", *settings, "--to", RECIPIENT, "--password-stdin", stdin=password)
    lines = [line.split() for line in ended.out.splitlines()]
    passed = [line[0] for line in lines if line[1:2] == ["passed"]]
    order = "settings resolve connect greeting ehlo tls ehlo auth sender recipient message done"
    assert passed == order.split()
    assert "\x1b" not in ended.out


def test_json_is_the_report_and_nothing_else(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    ended = desk(
        "check", *settings, "--to", RECIPIENT, "--password-stdin", "--json", stdin=password
    )
    report = read_report(ended.out.encode())
    assert (ended.status, ended.err, report.sent) == (0, "", True)
    assert json.loads(ended.out)["message"] == SUCCESS


def test_a_wrong_password_is_named_though_the_outcome_text_misleads(
    desk: Desk, settings: list[str]
) -> None:
    ended = desk("check", *settings, "--to", RECIPIENT, "--password-stdin", stdin=b"wrong")
    assert ended.status == 77
    lines = ended.out.splitlines()
    at = lines.index(UNREACHABLE)
    assert "code: auth.rejected" in lines[at:]
    assert "who can fix this: you" in lines[at:]
    assert any(line.startswith("server said: 535 5.7.8 ") for line in lines[at:])
    assert any(line.startswith("remedy: ") for line in lines[at:])


def test_the_report_is_also_saved_for_this_user_only(
    desk: Desk, settings: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "report.json"
    before = os.umask(0)
    try:
        ended = desk(
            *("check", *settings, "--to", RECIPIENT, "--password-stdin"),
            *("--report", str(file)),
            stdin=b"wrong",
        )
    finally:
        os.umask(before)
    report = read_report(file.read_bytes())
    assert ended.status == 77
    assert f"report ID: {report.id}" in ended.out.splitlines()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_report_that_can_not_be_saved_is_said_after_the_verdict(
    desk: Desk, settings: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "missing" / "report.json"
    ended = desk("check", *settings, "--no-login", "--report", str(file))
    assert ended.status == 73
    assert "No problems found" in ended.out
    assert "Couldn’t save the report" in ended.err


@pytest.mark.parametrize("other", [(), ("--from-email", "nobody")])
def test_without_login_nothing_but_a_host_is_needed(
    desk: Desk, sandbox: Sandbox, settings: list[str], other: tuple[str, ...]
) -> None:
    ended = desk("check", *settings[:4], *settings[-2:], *other, "--no-login")
    assert ended.status == 0
    assert "auth" not in [line.split(" ")[0] for line in ended.out.splitlines() if "passed" in line]
    assert SUCCESS not in ended.out
    assert UNREACHABLE not in ended.out
    assert "isn’t proof" in ended.out


def test_without_sending_the_sender_is_the_last_stage(
    desk: Desk, sandbox: Sandbox, settings: list[str], password: bytes
) -> None:
    ended = desk("check", *settings, "--no-send", "--password-stdin", stdin=password)
    assert ended.status == 0
    stages = [line.split()[0] for line in ended.out.splitlines() if " passed " in line]
    assert stages[-2:] == ["sender", "done"]
    assert len(sandbox.inbox) == 0


def test_settings_of_the_command_line_never_touch_saved_ones_or_the_keyring(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    object.__setattr__(desk.services, "credentials", Untouchable())
    desk.services.store._credentials = Untouchable()
    desk.services.paths.config.mkdir(parents=True)
    desk.services.paths.settings_file.write_text("this is no TOML")
    ended = desk("check", *settings, "--to", RECIPIENT, "--password-stdin", stdin=password)
    assert ended.status == 0


def test_without_settings_the_saved_ones_are_tested(
    desk: Desk, sandbox: Sandbox, settings: list[str], password: bytes
) -> None:
    configured = desk("configure", *settings, "--to", RECIPIENT, "--password-stdin", stdin=password)
    ended = desk("check", "--to", "bo@example.org")
    assert (configured.status, ended.status) == (0, 0)
    assert sandbox.inbox.mails()[-1].recipients == ("bo@example.org",)


def test_one_option_means_all_come_from_the_command_line(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    desk("configure", *settings, "--to", RECIPIENT, "--password-stdin", stdin=password)
    ended = desk("check", "--port", "2525", "--to", RECIPIENT)
    assert ended.status == 65
    assert "code: settings.host_invalid" in ended.out
    assert ended.err.startswith("--host is missing. ")


def test_a_password_that_the_keyring_no_longer_gives(
    desk: Desk, settings: list[str], password: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk("configure", *settings, "--to", RECIPIENT, "--password-stdin", stdin=password)

    def locked(key: str) -> Secret | None:
        raise CredentialsUnavailableError(UnavailableReason.LOCKED)

    monkeypatch.setattr(desk.services.credentials, "get", locked)
    ended = desk("check", "--to", RECIPIENT)
    assert ended.status == 65
    assert "code: settings.secret_unavailable" in ended.out


def test_nothing_configured(desk: Desk) -> None:
    ended = desk("check", "--to", RECIPIENT)
    assert (ended.status, ended.out) == (78, "")
    assert "Nothing is configured." in ended.err


def test_a_settings_file_that_can_not_be_read(desk: Desk) -> None:
    desk.services.paths.config.mkdir(parents=True)
    desk.services.paths.settings_file.write_text("this is no TOML")
    ended = desk("check", "--to", RECIPIENT)
    assert ended.status == 78
    assert "can’t be read" in ended.err
    assert desk.services.paths.settings_file.read_text() == "this is no TOML"


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--host", "https://smtp.example.org/", "settings.host_invalid"),
        ("--port", "70000", "settings.value_invalid"),
        ("--from-email", "nobody", "settings.value_invalid"),
        ("--from-name", "two\nlines", "settings.value_invalid"),
        ("--ca-file", "/nonexistent", "settings.ca_file_unreadable"),
        ("--username", "", "settings.credentials_incomplete"),
    ],
)
def test_a_value_that_breaks_a_rule_is_a_finding(
    desk: Desk, settings: list[str], option: str, value: str, code: str
) -> None:
    ended = desk(
        *("check", *settings, option, value, "--to", RECIPIENT, "--password-stdin", "--json"),
        stdin=b"x",
    )
    finding = read_report(ended.out.encode()).finding
    assert finding is not None
    assert (ended.status, finding.code) == (65, code)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("check", "--host", "localhost"),
        ("check", "--to"),
        ("check", "--to", RECIPIENT, "--security", "none"),
        ("check", "--to", RECIPIENT, "--auth", "xoauth2"),
        ("check", "--to", RECIPIENT, "--timeout", "0"),
        ("check", "--to", RECIPIENT, "--timeout", "nan"),
        ("check", "--to", RECIPIENT, "--timeout", "soon"),
        ("check", "--to", RECIPIENT, "--resolver", "ns.example.org:53"),
        ("check", "--to", RECIPIENT, "--resolver", "192.0.2.1:99999"),
        ("check", "--to", RECIPIENT, "--password-stdin"),
        ("check", "--to", RECIPIENT, "--password", "x"),
        ("check", "--to", RECIPIENT, "--report", "/"),
        ("check", "--host", "localhost", "--to", RECIPIENT, "--report", ""),
        ("check", "--to", RECIPIENT, "surplus"),
        ("configure", "--to", RECIPIENT),
        ("configure", "--host", "localhost"),
        ("report",),
        ("report", "a", "--markdown", "--json"),
        ("show", "surplus"),
        ("frobnicate",),
        ("--frobnicate",),
    ],
)
def test_a_wrong_command_line(desk: Desk, arguments: tuple[str, ...]) -> None:
    ended = desk(*arguments)
    assert (ended.status, ended.out) == (64, "")
    assert "Error: " in ended.err


def test_what_needs_no_recipient_is_said_where_one_is_missing(desk: Desk) -> None:
    ended = desk("check", "--host", "localhost")
    assert "(--no-login and --no-send don't need it.)" in ended.err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "3601"])
def test_a_time_limit_that_is_none(desk: Desk, seconds: str) -> None:
    ended = desk("check", "--host", "localhost", "--no-login", "--timeout", seconds)
    assert (ended.status, ended.out) == (64, "")
    told = " ".join(ended.err.split())
    assert f"Enter more than 0 and at most 3600 seconds, not {seconds}." in told


def test_a_remedy_names_the_options_where_the_test_was_run(
    desk: Desk, settings: list[str], tmp_path: Path
) -> None:
    file = str(tmp_path / "report.json")
    ended = desk("check", *settings, "--security", "tls", "--no-login", "--report", file)
    assert "code: tls.wrong_mode" in ended.out
    remedy = "remedy: Set Security to STARTTLS."
    assert f"{remedy} Here: --security starttls" in ended.out.splitlines()
    assert remedy in desk("report", file).out.splitlines()


def test_a_remedy_of_what_is_saved_names_the_command_that_changes_it(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    arguments = (*settings, "--security", "starttls", "--to", RECIPIENT, "--password-stdin")
    assert desk("configure", *arguments, stdin=password).status == 0
    file = desk.services.paths.settings_file
    file.write_text(file.read_text().replace('"starttls"', '"tls"'))
    told = desk("check", "--no-login").out
    assert "Here: “smtp-desk configure” with all SETTINGS and --security starttls" in told


def test_a_resolver_replaces_the_system(desk: Desk, settings: list[str]) -> None:
    elsewhere = ("--host", "mail.example.test", "--resolver", "127.0.0.1:1")
    ended = desk("check", *settings, *elsewhere, "--no-login", "--timeout", "1")
    assert ended.status == 75
    assert "code: resolve.temporary" in ended.out
