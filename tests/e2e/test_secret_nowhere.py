"""The password is in the keyring, and nowhere else: not in a file, a stream, a process's data.

The server of these tests is hostile: it echoes the password in every coding, wherever it can.
"""

from __future__ import annotations

import base64
import html
import json
import re
import sys
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.program import run, settings_for, start
from tests.servers.script import CREDENTIALS, END_OF_DATA, Action, Reply, Script, Silence
from tests.servers.scripted import ScriptedServer
from tests.servers.secret_service import password_in

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.servers.certs import Certificates
    from tests.servers.secret_service import SecretService

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs a Secret Service and /proc"),
    pytest.mark.needs("gnome_keyring"),
]

USERNAME: Final = "desk"
PASSWORD: Final = "pä%s'q\"Zt\\9 ü+/&k<7"
LINE: Final = f"{PASSWORD}\n".encode()
OCTETS: Final = PASSWORD.encode()
_LEAST: Final = 6


def blobs() -> list[bytes]:
    """What SASL sends: PLAIN with and without authorization identity, LOGIN."""
    return [
        f"\0{USERNAME}\0{PASSWORD}".encode(),
        f"{USERNAME}\0{USERNAME}\0{PASSWORD}".encode(),
        OCTETS,
    ]


def spellings() -> dict[str, bytes]:
    """The password as a server could write it."""
    texts = {
        "plain": PASSWORD,
        "percent": urllib.parse.quote(PASSWORD, safe=""),
        "percent lower": urllib.parse.quote(PASSWORD, safe="").lower(),
        "form": urllib.parse.quote_plus(PASSWORD),
        "JSON": json.dumps(PASSWORD)[1:-1],
        "JSON with letters": json.dumps(PASSWORD, ensure_ascii=False)[1:-1],
        "Python": repr(PASSWORD)[1:-1],
        "HTML": html.escape(PASSWORD),
        "hexadecimal": OCTETS.hex(),
    }
    found = {name: text.encode() for name, text in texts.items()}
    found["Latin-1"] = PASSWORD.encode("latin-1")
    for number, blob in enumerate(blobs()):
        found[f"base64 {number}"] = base64.b64encode(blob)
        found[f"base64 for URLs {number}"] = base64.urlsafe_b64encode(blob)
    return found


def traces() -> dict[str, bytes]:
    """What must be found nowhere: each spelling, and what base64 of any longer blob shows."""
    found = spellings()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + OCTETS)
        # Without the groups of four letters that also depend on what stands around it.
        core = encoded[4 if shift else 0 : (shift + len(OCTETS)) // 3 * 4]
        assert len(core) >= _LEAST
        found[f"inside base64 at {shift}"] = core
        found[f"inside base64 for URLs at {shift}"] = core.translate(bytes.maketrans(b"+/", b"-_"))
    return found


def assert_nowhere(octets: bytes, where: str) -> None:
    for name, trace in traces().items():
        assert trace not in octets, f"{name} of the password is in {where}"


def echo(code: str) -> Reply:
    """A reply of several lines, each with one spelling."""
    spelled = [spelling.decode("utf-8", "replace") for spelling in spellings().values()]
    lines = [f"{code[:3]}-{code[4:]} {text}" for text in spelled]
    return Reply(*lines, f"{code} bye {PASSWORD}")


def hostile(certs: Certificates, *, credentials: str, **more: Action) -> Script:
    on: dict[str, Action] = {
        CREDENTIALS: echo(credentials),
        END_OF_DATA: echo("250 2.0.0 taken"),
        "QUIT": echo("221 2.0.0 closing"),
        **more,
    }
    return Script(
        tls=certs.good.tls,
        extensions=("AUTH PLAIN LOGIN",),
        users={USERNAME: PASSWORD},
        on=on,
    )


@pytest.fixture
def env(secret_service: SecretService, clean_environment: Path) -> dict[str, str]:
    return {**secret_service.env, "SMTP_DESK_HOME": str(clean_environment)}


class Witness:
    """Runs commands and keeps all that they show."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env
        self.shown: dict[str, bytes] = {}

    def __call__(self, *arguments: str, stdin: bytes = b"") -> int:
        done = run(*arguments, stdin=stdin, env=self._env)
        name = f"{len(self.shown)} {arguments[0]}"
        self.shown[f"{name}, standard output"] = done.stdout
        self.shown[f"{name}, standard error"] = done.stderr
        return done.returncode


def files_below(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file())


def test_only_the_keyring_has_it(
    env: dict[str, str],
    secret_service: SecretService,
    certs: Certificates,
    clean_environment: Path,
    tmp_path: Path,
) -> None:
    witness = Witness(env)
    reports = tmp_path / "reports"
    reports.mkdir()
    to = ("--to", "ann@example.test")
    scripts = (
        hostile(certs, credentials="235 2.7.0 welcome"),
        hostile(certs, credentials="235 2.7.0 welcome"),
        hostile(certs, credentials="535 5.7.8 refused"),
        hostile(certs, credentials="235 2.7.0 welcome", MAIL=echo("550 5.7.1 refused")),
    )
    with ScriptedServer(*scripts) as server:
        settings = settings_for(server.port, certs.root.chain_file)
        assert witness("configure", *settings, *to, "--password-stdin", stdin=LINE) == 0
        saved = (reports / "sent.json", reports / "rejected.json", reports / "refused.json")
        assert witness("check", *to, "--json", "--report", str(saved[0])) == 0
        assert witness("check", *to, "--json", "--report", str(saved[1])) == 77
        assert witness("check", *to, "--report", str(saved[2])) == 77
        assert server.auth_attempts == 4
        assert sum(session.password == PASSWORD for session in server.sessions) == 4
    for command in ("show", "enable", "show", "disable"):
        assert witness(command) == 0
    for report in saved:
        assert witness("report", str(report)) == 0
        assert witness("report", str(report), "--markdown") == 0
        assert witness("report", str(report), "--json") == 0
    for name, octets in witness.shown.items():
        assert_nowhere(octets, name)
    files = list(files_below(clean_environment, reports, Path(env["HOME"])))
    assert {"settings.toml", "smtp-desk.log", "sent.json"} <= {path.name for path in files}
    for path in files:
        assert_nowhere(path.read_bytes(), str(path))
    assert b"\xe2\x80\xb9hidden\xe2\x80\xba" in saved[1].read_bytes()
    assert kept(secret_service, clean_environment) == [PASSWORD]
    keys = keys_of(clean_environment)
    assert witness("remove") == 0
    assert kept_under(secret_service, keys) == []


def keys_of(home: Path) -> list[str]:
    """All that can be keys of the keyring in the settings file."""
    return re.findall(r'"([0-9a-f]{32})"', (home / "config" / "settings.toml").read_text())


def kept(service: SecretService, home: Path) -> list[str]:
    return kept_under(service, keys_of(home))


def kept_under(service: SecretService, keys: list[str]) -> list[str]:
    """The secrets that the keyring has under these keys."""
    return [password_in(text) for key, text in service.entries() if key in keys]


@pytest.mark.parametrize("source", ["variable", "standard input"])
def test_nobody_reads_it_from_the_process_while_it_runs(
    source: str, certs: Certificates, clean_environment: Path
) -> None:
    script = hostile(certs, credentials="235 2.7.0 welcome", MAIL=Silence())
    by_variable = source == "variable"
    with ScriptedServer(script) as server:
        settings = settings_for(server.port, certs.root.chain_file)
        with start(
            *("check", *settings, "--to", "ann@example.test"),
            *([] if by_variable else ["--password-stdin"]),
            env={"SMTP_DESK_PASSWORD": PASSWORD} if by_variable else {},
        ) as program:
            assert program.stdin is not None
            program.stdin.write(b"" if by_variable else LINE)
            program.stdin.close()
            server.wait_for(lambda server: any("MAIL" in line for line in server.commands))
            look_into(program)
            program.terminate()
            assert program.stdout is not None
            assert program.stderr is not None
            shown = program.stdout.read() + program.stderr.read()
            assert program.wait(20) == 130
    assert_nowhere(shown, "the output")
    for path in files_below(clean_environment):
        assert_nowhere(path.read_bytes(), str(path))


def look_into(program: subprocess.Popen[bytes]) -> None:
    for name in ("cmdline", "environ"):
        octets = Path(f"/proc/{program.pid}/{name}").read_bytes()
        assert octets
        assert_nowhere(octets, name)


def test_the_search_would_find_each_spelling() -> None:
    for name, spelling in spellings().items():
        with pytest.raises(AssertionError, match="of the password is in"):
            assert_nowhere(b"before " + spelling + b" after", name)
    for shift in range(4):
        blob = base64.b64encode(b"u" * shift + OCTETS + b" trailing")
        with pytest.raises(AssertionError, match="of the password is in"):
            assert_nowhere(blob, "a blob")
