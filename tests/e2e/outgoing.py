"""A server that system emails leave through, and programs that hand them over."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smtp_desk.app.services import Services
from tests.cli.desk import Desk
from tests.e2e.program import settings_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.servers.certs import Certificates
    from tests.servers.postfix import Postfix

PASSWORD: Final = {"SMTP_DESK_PASSWORD": "s3cret"}
IMPORTABLE: Final = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
"""For a program that runs in another folder."""

_SECONDS: Final = 60.0


def desk_at(home: Path) -> Desk:
    """The command line in this process, a tenth of the cost of another, for what only prepares."""
    environ = {**PASSWORD, "SMTP_DESK_HOME": str(home)}
    return Desk(home, Services.open(environ, interactive=False), environ)


def configure(home: Path, postfix: Postfix, certs: Certificates) -> None:
    """Configure, prove and switch on a server in a new home; its mailboxes are empty then."""
    settings = settings_for(postfix.starttls_port, certs.root.chain_file)
    options = ("--from-name", "Example Ltd", "--to", "rcpt@example.test")
    desk = desk_at(home)
    assert desk("configure", *settings, *options).status == 0
    assert desk("enable").status == 0
    postfix.mailboxes.wait("rcpt", 1)
    postfix.mailboxes.clear()


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


def say_smtp(program: subprocess.Popen[bytes], line: str, code: str) -> None:
    """Say a line to a program that speaks SMTP, and read its answer, which begins with the code."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(line.encode())
    program.stdin.flush()
    while (answer := program.stdout.readline().decode())[3:4] == "-":
        pass
    assert answer.startswith(code), answer
