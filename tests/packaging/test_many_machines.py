"""The examples for many machines can be read, and name what there is."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

from smtp_desk.cli.main import cli
from smtp_desk.sender.outbox.postgres_address import read_address
from smtp_desk.store.credentials import SYSTEMD_CREDENTIAL
from smtp_desk.store.paths import HOME_VARIABLE
from smtp_desk.store.settings_store import OUTBOX_VARIABLE
from tests.servers import parts

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "packaging" / "many-machines"
UNIT: Final = EXAMPLES / "smtp-desk-shared-worker.service"


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((EXAMPLES / "compose.yaml").read_text("utf-8"))
    return read


def commands_in(line: str) -> list[list[str]]:
    """The commands of this program in a line of shell."""
    words = shlex.split(line.replace("&&", " "))
    starts = [at for at, word in enumerate(words) if Path(word).name == "smtp-desk"]
    return [words[at + 1 :] for at in starts]


def test_each_command_is_one() -> None:
    of_unit = [
        line for line in UNIT.read_text("utf-8").splitlines() if line.startswith("ExecStart")
    ]
    for line in (compose()["services"]["worker"]["command"][-1], *of_unit):
        ((name, *options),) = commands_in(line)
        assert name in cli.list_commands(click.Context(cli))
        assert not options


def test_the_database_can_be_named_so() -> None:
    unit = UNIT.read_text("utf-8")
    (line,) = (each for each in unit.splitlines() if OUTBOX_VARIABLE in each)
    of_unit = line.partition(f"{OUTBOX_VARIABLE}=")[2].rstrip('"')
    for url in (compose()["services"]["worker"]["environment"][OUTBOX_VARIABLE], of_unit):
        assert read_address(url, {}).parameters["sslmode"] == "verify-full"


def test_containers_name_only_what_is_there() -> None:
    read = compose()
    services = read["services"]
    for service in services.values():
        for secret in service["secrets"]:
            assert (secret if isinstance(secret, str) else secret["source"]) in read["secrets"]
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source.startswith("./") or source in read["volumes"]
    worker = services["worker"]
    assert worker["environment"][HOME_VARIABLE] == "/var/lib/smtp-desk"
    assert {"source": "mail-password", "target": SYSTEMD_CREDENTIAL} in worker["secrets"]
    assert set(worker["depends_on"]) <= set(services)
    assert worker["environment"]["PGPASSFILE"] == "/run/secrets/pgpass"


@pytest.mark.needs("systemd")
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    shutil.copy(UNIT, unit)
    unit.write_text(unit.read_text("utf-8").replace("/usr/local/bin/smtp-desk", "/bin/true"))
    done = subprocess.run(
        [parts.program("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
