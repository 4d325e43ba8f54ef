"""What README and packaging/examples show runs as it stands, against the sandbox."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import pytest

from tests.e2e.program import run, start
from tests.servers.child import Child
from tests.servers.ports import free_port
from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell runs the commands"),
    pytest.mark.xdist_group("examples"),  # they share a sandbox
]
ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = (ROOT / "README.md").read_text("utf-8")
EXAMPLES: Final = ROOT / "packaging" / "examples"
PATH: Final = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
_SECONDS: Final = 60.0


def block(start: str, language: str = "python") -> str:
    """The block of README that has `start` in it."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (found,) = (each for each in blocks if start in each)
    return str(found)


def commands(start: str) -> list[str]:
    """The commands of a block, without those that fetch what is here."""
    lines = block(start, "sh").splitlines()
    return [line for line in lines if not line.startswith("pip install ")]


class Output:
    """The lines that a program prints, read as they come: nobody waits for ever for one more."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines: list[str] = []
        self._read = 0
        self._thread = threading.Thread(target=self._take, args=(stream,), daemon=True)
        self._thread.start()

    def until(self, last: str) -> list[str]:
        """The lines up to the next one that begins with `last`."""
        end = self._read

        def found() -> bool:
            nonlocal end
            while end < len(self._lines):
                end += 1
                if self._lines[end - 1].startswith(last):
                    return True
            return False

        wait_until(found, last, _SECONDS)
        begin, self._read = self._read, end
        return self._lines[begin:end]

    def _take(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._lines.append(line.decode().rstrip("\n"))


@dataclass
class Newcomer:
    """Somebody who has pasted the lines that the sandbox prints."""

    folder: Path
    environ: dict[str, str]
    inbox: Output

    def sh(self, *lines: str) -> subprocess.CompletedProcess[str]:
        """Run lines as a terminal does, where each ends well."""
        done = subprocess.run(
            ["sh", "-ec", "\n".join(lines)],
            env=self.environ,
            cwd=self.folder,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done
        return done

    def serve(self, command: str, cwd: Path, **environ: str) -> Child[bytes]:
        """Start a server by a command line."""
        return Child(shlex.split(command), cwd=cwd, env={**self.environ, **environ})

    def received(self, subject: str, recipient: str = "ann@example.org") -> None:
        """Wait for an email."""
        assert f"to: {recipient}" in self.inbox.until(f"subject: {subject}")[-2:]


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    folder = tmp_path_factory.mktemp("newcomer")
    environ = {"PATH": PATH, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    measured = "COVERAGE_PROCESS_CONFIG"
    environ |= {name: os.environ[name] for name in (measured,) if name in os.environ}
    with start("sandbox") as sandbox:
        assert sandbox.stdout is not None
        inbox = Output(sandbox.stdout)
        introduction = inbox.until("Press Ctrl-C to stop the sandbox")
        at = next(number for number, line in enumerate(introduction) if "Or save it" in line)
        person = Newcomer(folder, environ, inbox)
        found = person.sh(*introduction[at + 1 : -1], "env -0").stdout.rpartition("\n")[2]
        names = ("SMTP_DESK_HOME", "SMTP_DESK_PASSWORD")
        environ |= {
            name: value
            for name, _, value in (each.partition("=") for each in found.split("\0"))
            if name in names
        }
        person.received("Test email")
        yield person
        sandbox.send_signal(signal.SIGTERM)


def ask(port: int, wanted: dict[str, str], child: Child[bytes]) -> tuple[int, dict[str, str]]:
    """POST as README's curl does, once the server answers."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invitations",
        json.dumps(wanted).encode(),
        {"Content-Type": "application/json"},
    )
    answers: list[tuple[int, bytes]] = []

    def answered() -> bool:
        assert child.poll() is None
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                answers.append((answer.status, answer.read()))
        except urllib.error.HTTPError as error:
            with error:
                answers.append((error.code, error.read()))
        except OSError:
            return False
        return True

    wait_until(answered, "the server", _SECONDS)
    status, body = answers[-1]
    return status, json.loads(body)


INVITED: Final = {"to": "ann@example.org", "invited_by": "Bo", "link": "https://example.org/join"}


def test_a_program(newcomer: Newcomer) -> None:
    (newcomer.folder / "program.py").write_text(block("Sender.from_settings() as sender:\n    rec"))
    done = newcomer.sh("python program.py")
    assert (done.stdout, done.stderr) == ("ann@example.org accepted by custom\n", "")
    newcomer.received("Bo invites you")


def test_fastapi(newcomer: Newcomer) -> None:
    (newcomer.folder / "main.py").write_text(block("FastAPI("))
    (command,) = commands("uvicorn")
    (curl,) = commands("curl")
    assert json.loads(shlex.split(curl)[2]) == INVITED
    port = free_port()
    with newcomer.serve(command, newcomer.folder, UVICORN_PORT=str(port)) as server:
        assert ask(port, INVITED, server) == (200, {"ann@example.org": "accepted"})
        newcomer.received("Bo invites you")
        status, told = ask(port, {**INVITED, "to": "nobody"}, server)
        assert (status, told["detail"][:4]) == (422, "to: ")
        server.send_signal(signal.SIGTERM)


def test_flask_with_workers_that_gunicorn_forks(newcomer: Newcomer) -> None:
    (command,) = re.findall(r"^gunicorn .*$", (EXAMPLES / "flask_app.py").read_text(), re.MULTILINE)
    port = free_port()
    bind = f"--bind 127.0.0.1:{port}"
    with newcomer.serve(command, ROOT, GUNICORN_CMD_ARGS=bind) as server:
        for _ in range(3):
            assert ask(port, INVITED, server) == (200, {"ann@example.org": "accepted"})
            newcomer.received("Bo invites you")
        assert ask(port, {**INVITED, "to": "nobody"}, server)[0] == 422
        server.send_signal(signal.SIGTERM)


def test_a_celery_task(newcomer: Newcomer) -> None:
    """By a broker in memory, so worker and caller are one process."""
    program = f"""
from celery.contrib.testing.worker import start_worker
from celery_tasks import app, invite
app.conf.result_backend = "cache+memory://"
with start_worker(app, perform_ping_check=False):
    invite.delay(*{list(INVITED.values())}).get(timeout={_SECONDS})
"""
    (newcomer.folder / "call.py").write_text(program)
    where = {"CELERY_BROKER_URL": "memory://", "PYTHONPATH": str(EXAMPLES)}
    with newcomer.serve("python call.py", newcomer.folder, **where) as caller:
        assert caller.wait(_SECONDS) == 0
    newcomer.received("Bo invites you")


def test_django(newcomer: Newcomer) -> None:
    lines = commands("startproject")
    if _django_has_mailers():
        (line,) = re.findall(r"`(MAILERS = .*?)`", README)
        lines = [re.sub(r"'EMAIL_BACKEND.*?'", shlex.quote(line), each) for each in lines]
    done = newcomer.sh(*lines)
    assert done.stderr == ""
    newcomer.received("Test email from ")


def _django_has_mailers() -> bool:
    import django  # noqa: PLC0415 - for its version

    return bool(django.VERSION >= (6, 1))


def test_errors_by_email(newcomer: Newcomer) -> None:
    (newcomer.folder / "errors.py").write_text(block("EmailHandler("))
    newcomer.sh("python errors.py")
    newcomer.received("[shop] ERROR: The disk is full", "it@example.org")


def test_cron(newcomer: Newcomer) -> None:
    lines = (EXAMPLES / "crontab").read_text().splitlines()
    jobs = [line.split(None, 5)[5] for line in lines if not line.startswith("#")]
    assert not any("%" in job.replace("\\%", "") for job in jobs)  # cron ends a command there
    for job, subject in zip(jobs, ("", "Disk usage"), strict=True):
        newcomer.sh(job)
        if subject:
            newcomer.received(subject, "it@example.org")


def test_every_example_is_listed_and_run() -> None:
    table = (EXAMPLES / "README.md").read_text()
    files = {each.name for each in EXAMPLES.iterdir() if each.is_file()} - {"README.md"}
    assert files == set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE))
    assert all(name in Path(__file__).read_text() for name in ("flask_app", "celery_tasks"))


def test_every_command_in_readme_is_there() -> None:
    known_commands = set(re.findall(r"smtp-desk ([a-z][a-z-]*)\b", README))
    known = run("--help").stdout.decode()
    missing = {
        name for name in known_commands if not re.search(rf"^  {name} ", known, re.MULTILINE)
    }
    assert not missing
