"""`configure` saves what a test has proven, and nothing else."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.report_reader import read_report
from smtp_desk.core.texts import SUCCESS
from smtp_desk.store.credentials import CredentialsUnavailableError, UnavailableReason
from tests.cli.desk import RECIPIENT
from tests.store.settings import secret_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from smtp_desk.core.secret import Secret
    from smtp_desk.sandbox.server import Sandbox
    from tests.cli.desk import Desk


def test_what_passed_is_saved_with_its_password(
    desk: Desk, sandbox: Sandbox, settings: list[str], password: bytes
) -> None:
    ended = desk("configure", *settings, "--to", RECIPIENT, "--password-stdin", stdin=password)
    assert ended.status == 0
    assert ended.out.splitlines()[-1].startswith("Saved. ")
    server = desk.services.store.load().server
    assert server is not None
    assert server.settings.username == sandbox.username
    assert secret_of(desk.services.store, server) == sandbox.password


def test_emails_per_hour_are_saved_and_shown(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    given = (*settings, "--per-hour", "250", "--to", RECIPIENT, "--password-stdin")
    assert desk("configure", *given, stdin=password).status == 0
    server = desk.services.store.load().server
    assert server is not None
    assert server.settings.per_hour == 250
    (line,) = (line for line in desk("show").out.splitlines() if "per hour" in line)
    assert line.endswith("250")
    refused = desk("configure", *settings, "--per-hour", "0", "--to", RECIPIENT)
    assert refused.status == 65


def test_what_failed_is_not_saved_and_what_was_saved_stays(
    desk: Desk, sandbox: Sandbox, settings: list[str], password: bytes
) -> None:
    arguments = ("configure", *settings, "--to", RECIPIENT, "--password-stdin")
    failed = desk(*arguments, stdin=b"wrong")
    assert failed.status == 77
    assert desk.services.store.load().server is None
    desk(*arguments, stdin=password)
    assert desk(*arguments, stdin=b"wrong").status == 77
    server = desk.services.store.load().server
    assert server is not None
    assert secret_of(desk.services.store, server) == sandbox.password


def test_with_json_the_report_stands_alone(
    desk: Desk, settings: list[str], password: bytes
) -> None:
    ended = desk(
        *("configure", *settings, "--to", RECIPIENT, "--password-stdin", "--json"), stdin=password
    )
    assert read_report(ended.out.encode()).message == SUCCESS
    assert ended.err.startswith("Saved. ")


def test_without_a_keyring_nothing_is_saved(
    desk: Desk, settings: list[str], password: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(key: str, secret: Secret) -> None:
        raise CredentialsUnavailableError(UnavailableReason.MISSING)

    monkeypatch.setattr(desk.services.credentials, "set", missing)
    ended = desk("configure", *settings, "--to", RECIPIENT, "--password-stdin", stdin=password)
    assert ended.status == 73
    assert SUCCESS in ended.out
    assert "Not saved. This computer has no keyring" in ended.err
    assert desk.services.store.load().server is None


DAMAGED = {
    "not TOML": lambda file: file.write_text("schema = [\n"),
    "of a newer version": lambda file: file.write_text("schema = 99\n"),
    "binary": lambda file: file.write_bytes(b"\0\1"),
    "a directory": lambda file: file.mkdir(),
    "a broken link": lambda file: file.symlink_to("nowhere"),
    "changeable by others": lambda file: (file.write_text(""), file.chmod(0o666)),
}


def _state(file: Path) -> tuple[int, ...]:
    """What a write changes: to read a link is enough for another time of access."""
    found = os.lstat(file)
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@pytest.mark.skipif(sys.platform == "win32", reason="has neither these modes nor such links")
@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_file_that_can_not_be_read_is_never_overwritten(
    desk: Desk,
    sandbox: Sandbox,
    settings: list[str],
    password: bytes,
    damage: Callable[[Path], object],
) -> None:
    paths = desk.services.paths
    paths.ensure()
    damage(paths.settings_file)
    before = _state(paths.settings_file)
    mails = len(sandbox.inbox.mails())
    arguments = ("configure", *settings, "--to", RECIPIENT, "--password-stdin")
    ended = desk(*arguments, stdin=password)
    assert ended.status == 73
    assert ended.err.startswith("smtp-desk: Nothing was tested. ")
    assert str(paths.settings_file) in ended.err
    assert "--keep-copy" in ended.err
    assert len(sandbox.inbox.mails()) == mails
    assert _state(paths.settings_file) == before

    failed = desk(*arguments, "--keep-copy", stdin=b"wrong")
    assert failed.status == 77
    assert _state(paths.settings_file) == before, "only what is proven takes its place"

    ended = desk(*arguments, "--keep-copy", stdin=password)
    assert ended.status == 0
    kept = paths.settings_file.with_name("settings.toml.unreadable-1")
    assert f"was kept as {kept}.\n" in ended.out
    assert _state(kept)[0] == before[0]
    assert desk.services.store.load().server is not None
    again = desk(*arguments, "--keep-copy", stdin=password)
    assert again.status == 0
    assert "kept" not in again.out, "there is nothing to keep"
