"""`export` and `import`: settings for another workstation, still to be proven there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.desk import RECIPIENT, Desk

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.sandbox.server import Sandbox

HEAD = 'schema = "smtp-desk/settings/1"\n'


@pytest.fixture
def exported(sending_desk: Desk, tmp_path: Path) -> Path:
    path = tmp_path / "server.toml"
    ended = sending_desk("export", str(path))
    assert (ended.status, ended.err) == (0, "")
    assert "without the password" in ended.out
    assert "--ca-file" in ended.out
    return path


@pytest.fixture
def elsewhere(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "elsewhere")


def test_no_secret_travels(exported: Path, sandbox: Sandbox) -> None:
    text = exported.read_text("utf-8")
    assert sandbox.password.reveal() not in text
    assert "proof" not in text
    assert "BEGIN" not in text


def test_settings_are_proven_where_they_are_imported(
    exported: Path, elsewhere: Desk, sandbox: Sandbox, tmp_path: Path, password: bytes
) -> None:
    ended = elsewhere(
        "import",
        str(exported),
        *("--accept", "LocalHost", "--to", RECIPIENT, "--password-stdin"),
        *("--ca-file", str(tmp_path / "sandbox-ca.pem")),
        stdin=password,
    )
    assert ended.status == 0
    assert "SMTP server host: localhost" in ended.out
    saved = elsewhere.services.store.load().server
    assert saved is not None
    assert saved.settings.username == sandbox.username
    assert len(sandbox.inbox.mails()) == 1


def test_a_failed_test_saves_nothing(exported: Path, elsewhere: Desk, tmp_path: Path) -> None:
    arguments = ["import", str(exported), "--accept", "localhost", "--to", RECIPIENT]
    arguments += ["--password-stdin", "--ca-file", str(tmp_path / "sandbox-ca.pem")]
    assert elsewhere(*arguments, stdin=b"wrong\n").status == 77
    assert elsewhere.services.store.load().server is None


def test_what_is_saved_stays(exported: Path, sending_desk: Desk) -> None:
    before = sending_desk.services.store.load()
    ended = sending_desk(
        "import", str(exported), "--accept", "localhost", "--to", RECIPIENT, "--password-stdin"
    )
    assert ended.status != 0
    assert sending_desk.services.store.load() == before


def test_another_host_than_accepted_gets_no_password(exported: Path, elsewhere: Desk) -> None:
    ended = elsewhere("import", str(exported), "--accept", "smtp.example.org", "--to", RECIPIENT)
    assert ended.status == 65
    assert "contains the host localhost, not smtp.example.org" in ended.err


def test_nobody_there_to_accept(exported: Path, elsewhere: Desk) -> None:
    ended = elsewhere("import", str(exported), "--to", RECIPIENT, "--password-stdin")
    assert ended.status == 64
    assert "--accept HOST" in ended.err


def test_a_person_says_no(exported: Path, elsewhere: Desk) -> None:
    elsewhere.attended = True
    ended = elsewhere("import", str(exported), "--to", RECIPIENT, stdin=b"n\n")
    assert ended.status == 130
    assert elsewhere.services.store.load().server is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('schema = "smtp-desk/settings/2"', "newer version"),
        (HEAD + '[default]\nsendmail_path = "/tmp/evil"', "“default”, which exported"),
        (HEAD + '[server]\nhost = "a\\u001b[2Jb"', "“server.host” isn’t"),
        ("<html>", "not TOML"),
        ("", "created by “smtp-desk export”"),
        ("#" * 70000, "larger"),
    ],
)
def test_a_hostile_file(desk: Desk, tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "stranger.toml"
    path.write_text(text, "utf-8")
    ended = desk("import", str(path), "--to", RECIPIENT, "--accept", "x")
    assert (ended.status, ended.out) == (65, "")
    assert words in ended.err


def test_values_of_a_stranger_obey_the_rules_of_the_form(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "stranger.toml"
    path.write_text(HEAD + '[server]\nhost = "https://x/"\nport = 70000\n', "utf-8")
    ended = desk("import", str(path), "--to", RECIPIENT, "--accept", "https://x/")
    assert ended.status == 65


def test_a_file_that_is_not_there(desk: Desk, tmp_path: Path) -> None:
    ended = desk("import", str(tmp_path / "none.toml"), "--to", RECIPIENT, "--accept", "x")
    assert ended.status == 65


def test_nothing_to_export(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    assert desk("export", str(path)).status == 78
    assert not path.exists()


def test_a_place_that_can_t_be_written(sending_desk: Desk, tmp_path: Path) -> None:
    ended = sending_desk("export", str(tmp_path / "none" / "server.toml"))
    assert ended.status == 73
