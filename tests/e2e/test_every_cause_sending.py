"""What only sending finds out: why a saved route is not used, and what a mail program answers."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smtp_desk.core.secret import Secret
from smtp_desk.store.credentials import MemoryCredentials
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.store.unattended import GivenSecrets, UnattendedCredentials
from tests.e2e.causes import Cause, Checking
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer
from tests.store.failing_credentials import FailingCredentials

if TYPE_CHECKING:
    from tests.cli.desk import Desk, Ended
    from tests.servers.certs import Certificates

WORDS = "the words of the mail program"
DIFFERS = "settings.secret_differs"
FROM = "platform@example.test"


def send(desk: Desk) -> Ended:
    """One email, and its receipt."""
    variables = ("--set", "title=Test", "--set", "body=Hello.")
    return desk("send", "notification", "--to", "ann@example.test", *variables, "--json")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            *("desk@example.test", "eve@example.test"),
            marks=pytest.mark.cause("settings.not_proven", stage="settings", status=0),
        ),
        pytest.param(
            *("[", "[[["),
            marks=pytest.mark.cause("settings.file_unreadable", stage="settings", status=0),
        ),
    ],
)
def test_a_settings_file_that_somebody_edited(
    cause: Cause, *, check: Checking, certs: Certificates, before: str, after: str
) -> None:
    file = check.desk.services.paths.settings_file
    with ScriptedServer(Script(tls=certs.good.tls)) as server:
        assert check(server, command="configure").status == 0
        assert check.desk("enable").status == 0
        server.forget()
        file.write_text(file.read_text("utf-8").replace(before, after), "utf-8")
        ended = send(check.desk)
        assert not server.sessions
    cause.told_by_receipt(ended.status, ended.out)
    assert [each["fate"] for each in json.loads(ended.out)["recipients"]] == ["queued"]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(
            each,
            marks=pytest.mark.cause("settings.secret_differs", stage="settings", status=status),
        )
        for each, status in (("check", 65), ("send", 0))
    ],
)
@pytest.mark.parametrize("keyring", ["locked", "empty", "answers with another"])
def test_another_password_than_the_tested_one(
    cause: Cause, *, check: Checking, certs: Certificates, command: str, keyring: str
) -> None:
    services = check.desk.services
    with ScriptedServer(Script(tls=certs.good.tls)) as server:
        assert check(server, command="configure").status == 0
        assert check.desk("enable").status == 0
        server.forget()
        (key,) = services.store.load().keys
        behind = FailingCredentials("get") if keyring == "locked" else MemoryCredentials()
        if keyring == "answers with another":
            behind.set(key, Secret("not the tested one"))
        given = UnattendedCredentials(GivenSecrets(Secret("another")), behind)
        store = SettingsStore(services.paths, given)
        check.desk.services = dataclasses.replace(services, credentials=given, store=store)
        if command == "send":
            ended = send(check.desk)
            cause.told_by_receipt(ended.status, ended.out)
        else:
            ended = check.desk("check", "--to", "ann@example.test", "--json")
            cause.told(ended.status, ended.out)
        assert not server.sessions, "no sign-in, not even a connection"


@pytest.mark.skipif(sys.platform == "win32", reason="a mail program of POSIX")
class TestMailProgram:
    @pytest.mark.parametrize(
        "end",
        [
            pytest.param(end, marks=pytest.mark.cause(code, stage=stage, status=status), id=end)
            for code, stage, status, end in (
                ("sendmail.refused", "message", 69, "exit 65"),
                ("sendmail.unknown_recipient", "recipient", 69, "exit 67"),
                ("sendmail.unavailable", "message", 0, "exit 69"),
                ("sendmail.temporary", "message", 0, "exit 75"),
                ("sendmail.failed", "message", 0, "exit 3"),
                ("sendmail.unconfirmed", "message", 0, "kill -KILL $$"),
            )
        ],
    )
    def test_its_end(self, cause: Cause, check: Checking, tmp_path: Path, end: str) -> None:
        program = tmp_path / "mail-program"
        self.install(program, f"cat >/dev/null; echo {WORDS} >&2; {end}", check.desk)
        ended = send(check.desk)
        cause.told_by_receipt(ended.status, ended.out)
        assert WORDS in ended.out

    @pytest.mark.cause("sendmail.not_found", stage="settings", status=0)
    def test_it_is_gone(self, cause: Cause, check: Checking, tmp_path: Path) -> None:
        program = tmp_path / "mail-program"
        self.install(program, "exit 0", check.desk)
        program.unlink()
        ended = send(check.desk)
        cause.told_by_receipt(ended.status, ended.out)

    @pytest.mark.cause("sendmail.is_this_program", stage="settings", status=0)
    def test_it_became_this_program(self, cause: Cause, check: Checking, tmp_path: Path) -> None:
        program = tmp_path / "mail-program"
        self.install(program, "exit 0", check.desk)
        program.unlink()
        program.symlink_to(shutil.which("smtp-desk", path=Path(sys.executable).parent) or "")
        ended = send(check.desk)
        cause.told_by_receipt(ended.status, ended.out)

    @staticmethod
    def install(program: Path, script: str, desk: Desk) -> None:
        """Make a program of these commands the default email service."""
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        assert desk("default", "sendmail", str(program), "--from-email", FROM).status == 0
