"""Where the password comes from, byte for byte; and that it is never an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from smtp_desk.cli import check as check_command
from smtp_desk.cli.settings_options import SETTINGS as SETTINGS_NAMES
from smtp_desk.cli.settings_options import options_of
from smtp_desk.core.secret import KeyringEntry, Secret
from tests.cli.desk import RECIPIENT
from tests.cli.test_manual import PAGES
from tests.table import each_row

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.app.proving.proving import ProofRequest
    from tests.cli.desk import Desk


class StoppedError(Exception):
    """The command got as far as the test."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[ProofRequest]:
    """What would have been tested; the test itself is left out."""
    requests: list[ProofRequest] = []

    def note(_invocation: object, request: ProofRequest, _shape: object) -> object:
        requests.append(request)
        raise StoppedError

    monkeypatch.setattr(check_command, "run_shown", note)
    return requests


SETTINGS = ("--host", "localhost", "--username", "ann", "--to", RECIPIENT)


@pytest.mark.parametrize(
    ("stdin", "password"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b"s3cret\n\n", "s3cret\n"),
        (b"s3cret\r", "s3cret\r"),
        (b" p\xc3\xa4ss word ", " päss word "),
        (b"", ""),
        (b"\n", ""),
    ],
)
def test_one_final_line_end_of_standard_input_is_dropped(
    desk: Desk, asked: list[ProofRequest], stdin: bytes, password: str
) -> None:
    desk("check", *SETTINGS, "--password-stdin", stdin=stdin)
    assert asked[0].draft.secret == Secret(password)


def test_standard_input_that_is_no_text(desk: Desk, asked: list[ProofRequest]) -> None:
    ended = desk("check", *SETTINGS, "--password-stdin", stdin=b"\xff")
    assert (ended.status, asked) == (64, [])


def test_standard_input_comes_before_the_variable(desk: Desk, asked: list[ProofRequest]) -> None:
    desk.environ["SMTP_DESK_PASSWORD"] = "from the variable"
    desk("check", *SETTINGS, "--password-stdin", stdin=b"typed")
    desk("check", *SETTINGS)
    given = [request.draft.secret for request in asked]
    assert given == [Secret("typed"), Secret("from the variable")]


@pytest.mark.parametrize(
    "given", ["from systemd\n", KeyringEntry(Secret("from systemd"), b"x" * 32).write().reveal()]
)
def test_a_systemd_credential(
    desk: Desk, asked: list[ProofRequest], tmp_path: Path, given: str
) -> None:
    (tmp_path / "smtp-desk.password").write_text(given)
    desk.environ["CREDENTIALS_DIRECTORY"] = str(tmp_path)
    desk("check", *SETTINGS)
    assert asked[0].draft.secret == Secret("from systemd")


def test_a_systemd_credential_that_can_not_be_read(
    desk: Desk, asked: list[ProofRequest], tmp_path: Path
) -> None:
    (tmp_path / "smtp-desk.password").mkdir()
    desk.environ["CREDENTIALS_DIRECTORY"] = str(tmp_path)
    ended = desk("check", *SETTINGS)
    assert (ended.status, asked) == (65, [])
    assert "can’t be read (smtp-desk.password: " in ended.err


def test_a_person_is_asked(
    desk: Desk, asked: list[ProofRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.attended = True
    hidden: list[bool] = []

    def prompt(_text: str, *, hide_input: bool, **_: object) -> str:
        hidden.append(hide_input)
        return " as typed "

    monkeypatch.setattr(click, "prompt", prompt)
    desk("check", *SETTINGS)
    assert asked[0].draft.secret == Secret(" as typed ")
    assert hidden == [True]


@pytest.mark.parametrize("arguments", [("--no-login",), ("--username", "")])
def test_nobody_is_asked_for_what_is_not_needed(
    desk: Desk,
    asked: list[ProofRequest],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    desk.attended = True
    monkeypatch.setattr(click, "prompt", lambda *_, **__: pytest.fail("asked"))
    desk("check", *SETTINGS, *arguments)
    assert asked[0].draft.secret == Secret("")


def test_a_prompt_that_is_not_answered(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.attended = True

    def prompt(*_: object, **__: object) -> str:
        raise click.Abort

    monkeypatch.setattr(click, "prompt", prompt)
    assert desk("check", *SETTINGS).status == 130


def test_without_any_password_the_form_says_so(desk: Desk) -> None:
    ended = desk("check", *SETTINGS, "--from-email", "ann@example.org")
    assert ended.status == 65
    assert "code: settings.credentials_incomplete" in ended.out


def test_every_setting_reaches_the_draft(desk: Desk, asked: list[ProofRequest]) -> None:
    desk(
        "check", "--host", "h", "--port", "70000", "--username", "u", "--from-name", "n",
        "--from-email", "f", "--security", "tls", "--ca-file", "c", "--ehlo-name", "e",
        "--auth", "cram-md5", "--to", RECIPIENT, "--timeout", "7", "--resolver", "[::1]:53",
        "--password-stdin", stdin=b"p",
    )  # fmt: skip
    draft = asked[0].draft
    typed = (draft.host, draft.port, draft.username, draft.from_name, draft.from_email)
    advanced = (draft.security, draft.ca_file, draft.ehlo_name, draft.auth_method)
    assert typed == ("h", "70000", "u", "n", "f")
    assert advanced == ("tls", "c", "e", "cram-md5")
    assert (asked[0].total_seconds, asked[0].resolver) == (7.0, "[::1]:53")


def test_no_command_takes_a_password_as_an_argument() -> None:
    for command in PAGES.values():
        for parameter in command.params:
            if "password" in str(parameter.name):
                assert isinstance(parameter, click.Option)
                assert parameter.is_flag


@each_row(
    ("changes", "options"),
    [
        ({}, ""),
        ({"security": "starttls"}, "--security starttls"),
        ({"auth_method": "login"}, "--auth login"),
        ({"port": "465", "security": "tls"}, "--port 465 --security tls"),
        ({"from_email": "ann@example.org"}, "--from-email ann@example.org"),
        ({"ca_file": ""}, "without --ca-file"),
        ({"host": "a; rm -rf ~"}, "--host 'a; rm -rf ~'"),
        ({"host": "$(id)'`id`"}, """--host '$(id)'"'"'`id`'"""),
        ({"host": "a\x1b[2Jb"}, ""),
        ({"host": "a\nb", "port": "25"}, ""),
        ({"host": "a\u202eb"}, ""),
        ({"password": "x"}, ""),
    ],
)
def test_the_changes_of_a_remedy_as_options(changes: dict[str, str], options: str) -> None:
    assert options_of(changes) == options


def test_every_setting_has_the_option_that_a_remedy_names() -> None:
    options = {
        parameter.name: parameter.opts[0]
        for parameter in PAGES["check"].params
        if parameter.name in SETTINGS_NAMES
    }
    named = {name: options_of({name: "x"}).split()[0] for name in SETTINGS_NAMES}
    assert named == options
