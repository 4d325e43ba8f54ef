"""A server that system emails leave through, and programs that hand them over."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.e2e.program import run, settings_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.servers.certs import Certificates
    from tests.servers.postfix import Postfix

PASSWORD: Final = {"SMTP_DESK_PASSWORD": "s3cret"}
IMPORTABLE: Final = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
"""For a program that runs in another folder."""

_SECONDS: Final = 60.0


def use(postfix: Postfix, certs: Certificates) -> Postfix:
    """Configure, prove and switch on a server; its mailboxes are empty afterwards."""
    settings = settings_for(postfix.starttls_port, certs.root.chain_file)
    options = ("--from-name", "Example Ltd", "--to", "rcpt@example.test")
    assert run("configure", *settings, *options, env=PASSWORD).returncode == 0
    assert run("enable", env=PASSWORD).returncode == 0
    postfix.mailboxes.wait("rcpt", 1)
    postfix.mailboxes.clear()
    return postfix


def pipe(
    command: Sequence[str], message: bytes, env: Mapping[str, str] = PASSWORD
) -> subprocess.CompletedProcess[bytes]:
    """Give a message to a command, as a program does that calls a sendmail."""
    return subprocess.run(
        command,
        input=message,
        capture_output=True,
        env={**os.environ, **IMPORTABLE, **env},
        timeout=_SECONDS,
        check=False,
    )


def assert_quiet(done: subprocess.CompletedProcess[bytes]) -> None:
    """It went well, without a word."""
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
