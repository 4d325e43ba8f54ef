"""What each command loads: what it needs and no more."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.certs import Certificates

_PROGRAM: Final = """
import atexit, sys
from smtp_desk.__main__ import main
atexit.register(lambda: print(*sorted(sys.modules), file=sys.__stderr__))
sys.argv = ["smtp-desk", *sys.argv[1:]]
main()
"""
_MESSAGE: Final = b"From: ann@example.org\nTo: bo@example.org\nSubject: Hello\n\nHello.\n"
_NEVER: Final = {
    *("PySide6", "aiosmtpd", "apprise", "asyncio", "dns", "keyring", "multiprocessing", "psycopg"),
    *("publicsuffixlist", "defusedxml", "rich", "tomlkit", "smtplib", "unittest", "filelock"),
    *("smtp_desk.ui", "smtp_desk.sandbox", "smtp_desk.discovery", "smtp_desk.smtp.domain"),
    *("smtp_desk.oauth.client", "smtp_desk.sender.outbox.postgres", "opentelemetry"),
}
"""What only a terminal, a window, a sign-in or a question to the network needs."""
_CATALOGUE: Final = {"smtp_desk.core.findings.catalogue", "smtp_desk.core.findings.pattern"}
_SENDING: Final = {"smtp_desk.sender.sender", "smtp_desk.sender.dispatcher"}
_SESSION: Final = {
    *("ssl", "truststore", "smtp_desk.smtp.net.stream", "smtp_desk.smtp.session.session"),
}


def loaded(home: Path, *arguments: str) -> set[str]:
    """The modules of a process that ran a command to its good end."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        input=_MESSAGE,
        env={**os.environ, "SMTP_DESK_HOME": str(home)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    *_, modules = done.stderr.decode().splitlines()
    assert done.returncode in (0, 78), done.stderr
    found = set(modules.split())
    assert {"click", f"smtp_desk.cli.{arguments[0]}"} <= found
    return found & (_NEVER | _CATALOGUE | _SENDING | _SESSION | _OTHERS)


_KINDS, _HEALTH = "smtp_desk.sender.mail.kinds", "smtp_desk.sender.routes.health"
_OTHERS: Final = {
    *("cryptography", "email_validator", "jinja2", "smtp_desk.cli.outbox", "sqlite3"),
    *(_KINDS, _HEALTH),
}


@pytest.mark.usefixtures("unmeasured")
def test_status_loads_neither_sessions_nor_causes(tmp_path: Path) -> None:
    assert loaded(tmp_path, "status") == {_HEALTH}


@pytest.mark.usefixtures("unmeasured")
def test_a_check_that_passes_loads_neither_outbox_nor_causes(
    certs: Certificates, tmp_path: Path
) -> None:
    with ScriptedServer(Script(tls=certs.good.tls)) as server:
        found = loaded(
            tmp_path,
            *("check", "--host", "localhost", "--port", str(server.port)),
            *("--ca-file", str(certs.root.chain_file), "--security", "starttls"),
            *("--from-email", "ann@example.org", "--to", "bo@example.org"),
        )
    assert len(server.messages) == 1
    assert found == _SESSION | {"cryptography"}


@pytest.mark.usefixtures("unmeasured")
def test_what_stores_an_email_loads_what_sends_and_no_back_end(tmp_path: Path) -> None:
    settings = ("--set", "title=Hello", "--set", "body=Hello.")
    found = loaded(tmp_path, "send", "notification", "--to", "bo@example.org", *settings)
    assert found == _SENDING | _CATALOGUE | _SESSION | {"jinja2", "sqlite3", _KINDS, _HEALTH}
    found = loaded(tmp_path, "sendmail", "-odq", "bo@example.org")
    assert found == _SENDING | _CATALOGUE | _SESSION | {"sqlite3", _KINDS, _HEALTH}
