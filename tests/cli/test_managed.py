"""What an organization fills in and locks, on the command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.cli.desk import RECIPIENT, Desk, settings_of

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.sandbox.server import Sandbox

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root's file is believed"
)

HEAD = 'schema = "smtp-desk/managed/1"\ncontact = "it@example.org"\n'


def manage(desk: Desk, text: str) -> None:
    """Write the site's file; what was read before is forgotten."""
    path = desk.services.paths.managed_file
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o644)
    desk.services.__dict__.pop("managed", None)


def lock_of(sandbox: Sandbox) -> str:
    return (
        f'{HEAD}locked = ["host"]\n[server]\nhost = "localhost"\nport = {sandbox.starttls_port}\n'
    )


def without_server(sandbox: Sandbox, tmp_path: Path) -> list[str]:
    return settings_of(sandbox, tmp_path / "ca.pem")[4:]


def test_managed_values_fill_what_is_not_given(
    desk: Desk, sandbox: Sandbox, tmp_path: Path, password: bytes
) -> None:
    manage(desk, lock_of(sandbox))
    settings = without_server(sandbox, tmp_path)
    ended = desk("configure", *settings, "--to", RECIPIENT, "--password-stdin", stdin=password)
    assert (ended.status, ended.err) == (0, "")
    saved = desk.services.store.load().server
    assert saved is not None
    assert (saved.settings.host, saved.settings.port) == ("localhost", sandbox.starttls_port)
    assert "Managed" not in desk("show").out


def test_another_value_than_the_locked_is_refused(desk: Desk, sandbox: Sandbox) -> None:
    manage(desk, lock_of(sandbox))
    ended = desk("configure", "--host", "smtp.example.com", "--to", RECIPIENT)
    assert ended.status == 65
    assert "Your organization manages these settings: --host localhost." in ended.err
    assert "Ask it@example.org." in ended.err
    assert desk.services.store.load().server is None


def test_an_import_against_a_lock_is_refused_before_the_host_is_accepted(
    sending_desk: Desk, sandbox: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "server.toml"
    assert sending_desk("export", str(file)).status == 0
    elsewhere = Desk(tmp_path / "elsewhere")
    manage(elsewhere, lock_of(sandbox).replace("localhost", "smtp.example.net"))
    ended = elsewhere("import", str(file), "--accept", "localhost", "--to", RECIPIENT)
    assert ended.status == 65
    assert "--host smtp.example.net" in ended.err
    assert elsewhere.services.store.load().server is None


def test_saved_settings_stay_in_use_and_are_marked(sending_desk: Desk, sandbox: Sandbox) -> None:
    manage(sending_desk, lock_of(sandbox).replace("localhost", "smtp.example.net"))
    ended = sending_desk("show")
    assert ended.status == 0
    assert "Managed" in ended.out
    assert "--host smtp.example.net. Ask it@example.org." in " ".join(ended.out.split())


def test_a_file_that_is_not_believed_fills_nothing(desk: Desk, sandbox: Sandbox) -> None:
    manage(desk, lock_of(sandbox))
    desk.services.paths.managed_file.chmod(0o666)
    ended = desk("configure", "--from-email", "ann@example.org", "--to", RECIPIENT)
    assert "--host is missing" in ended.err
