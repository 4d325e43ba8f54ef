"""The commands on the outbox of many machines, each with a home of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.services import Services
from smtp_desk.store.paths import HOME_VARIABLE, Paths
from tests.cli.desk import Desk, Ended
from tests.e2e.outgoing import PASSWORD, configure
from tests.e2e.program import run, start
from tests.servers.line import Line
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from tests.servers.certs import Certificates
    from tests.servers.postfix import Postfix
    from tests.servers.postgres import Postgres

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.xdist_group("postgres")]

NOTIFY = ("send", "notification", "--set", "title=Hello", "--set", "body=All.")


class Machine:
    """A home whose settings name the database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.env: Mapping[str, str] = {HOME_VARIABLE: str(folder), **PASSWORD}
        self.paths = Paths.below(folder)
        self.name(url)

    def name(self, url: str) -> None:
        """Name a database in the settings file."""
        file = self.paths.settings_file
        lines = file.read_text("utf-8").splitlines() if file.exists() else ["schema = 1"]
        kept = [line for line in lines if not line.startswith("outbox =")]
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text("\n".join([f'outbox = "{url}"', *kept, ""]), "utf-8")
        file.chmod(0o600)

    def __call__(self, *arguments: str, **more: str) -> Ended:
        """Run a command in this process; what it leaves open, the end of its own would close."""
        environ = {**self.env, **more}
        services = Services.open(environ, interactive=False)
        ended = Desk(self.paths.config.parent, services, environ)(*arguments)
        if "_storage" in vars(services):
            services._storage.close()
        return ended

    def submit(self, recipient: str) -> subprocess.CompletedProcess[bytes]:
        """Hand an email over to be stored, as cron does; this machine sends nothing itself."""
        octets = b"Subject: Hello\n\nAll.\n"
        return run("sendmail", "-odq", recipient, stdin=octets, env=self.env)

    def listed(self) -> list[dict[str, object]]:
        listed = self("outbox", "list", "--json")
        assert listed.status == 0, listed
        entries: list[dict[str, object]] = json.loads(listed.out)["entries"]
        return entries


def test_what_one_machine_stores_another_sees_and_sends(
    postgres: Postgres, postfix: Postfix, certs: Certificates, tmp_path: Path
) -> None:
    url = postgres.empty_database()
    sending = Machine(tmp_path / "one", url)
    assert sending.submit("ann@example.test").returncode == 0
    configure(tmp_path / "two", postfix, certs)
    working = Machine(tmp_path / "two", url)
    (entry,) = working.listed()
    assert entry["recipient"] == "ann@example.test"
    assert json.loads(working("status", "--json").out)["outbox"]["ready"] == 1
    with start("worker", env={**os.environ, **working.env}) as worker:
        postfix.mailboxes.wait("ann", 1)
        assert sending.submit("bo@example.test").returncode == 0
        postfix.mailboxes.wait("bo", 1)
        worker.terminate()
    assert {entry["state"] for entry in sending.listed()} == {"accepted"}
    for machine in (sending, working):
        assert not machine.paths.outbox_file.exists()


def test_while_the_database_is_gone_emails_wait_here(postgres: Postgres, tmp_path: Path) -> None:
    name = postgres.empty_database().rpartition("/")[2]
    with Line(postgres.port) as line:
        machine = Machine(tmp_path / "one", postgres.tcp_url(name, port=line.port))
        line.open = False
        stored = run(*NOTIFY, "--to", "ann@example.test", "--json", env=machine.env)
        assert stored.returncode == 0
        (receipt,) = json.loads(stored.stdout)["recipients"]
        assert (receipt["status"], receipt["local"]) == ("queued", True)
        said = machine(*NOTIFY, "--to", "bo@example.test").out
        assert "waits on this computer, because the shared outbox can’t be reached" in said
        listed = machine("outbox", "list")
        assert listed.status == 75
        assert f"The outbox database {name} on 127.0.0.1 can’t be used" in listed.err
        assert "can’t be used" in machine("status").out
        line.open = True
        with start("worker", env={**os.environ, **machine.env}) as worker:
            wait_until(lambda: len(machine.listed()) == 2, "both to be handed over")
            worker.terminate()
        assert receipt["entry_id"] in {entry["id"] for entry in machine.listed()}


def test_a_password_in_the_address_is_refused_and_shown_nowhere(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "one", "postgresql://desk:s3cr3t@localhost/mail")
    for arguments, status in (
        (("outbox", "list"), 78),
        ((*NOTIFY, "--to", "ann@example.test"), 75),
        (("worker", "--once"), 75),
        (("status",), 78),
        (("show",), 78),
    ):
        done = machine(*arguments)
        said = done.out + done.err
        assert done.status == status, (arguments, said)
        assert "s3cr3t" not in said
        assert arguments[0] == "show" or "contains a password" in said, said
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    holding = [file.name for file in written if b"s3cr3t" in file.read_bytes()]
    assert holding == ["settings.toml"]
    env = {**machine.env, "SMTP_DESK_OUTBOX": "postgresql://u:0ther@localhost/m"}
    of_the_environment = run(*NOTIFY, "--to", "ann@example.test", env=env)
    assert b"0ther" not in of_the_environment.stdout + of_the_environment.stderr
    assert of_the_environment.returncode == 75


def test_the_variable_is_stronger_and_saving_keeps_what_is_named(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.empty_database()
    machine = Machine(tmp_path / "one", "postgresql://localhost:1/nowhere")
    stored = machine(*NOTIFY, "--to", "ann@example.test", "--json", SMTP_DESK_OUTBOX=url)
    assert json.loads(stored.out)["recipients"][0]["local"] is False
    assert machine("default", "outbox").status == 0
    first, *_ = machine.paths.settings_file.read_text("utf-8").splitlines()
    assert first == 'outbox = "postgresql://localhost:1/nowhere"'
    exported = tmp_path / "exported.toml"
    machine("export", str(exported))
    assert not exported.exists() or "postgresql" not in exported.read_text("utf-8")
