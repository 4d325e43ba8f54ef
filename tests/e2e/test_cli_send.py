"""`smtp-desk send` and `smtp-desk worker` with a real server."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.outgoing import PASSWORD, desk_at
from tests.e2e.program import run, start

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.servers.postfix import Postfix

INVITE: Final = (
    *("send", "invitation", "--set", "invited_by=Bo"),
    *("--set", "link=https://example.org/join"),
)
NOTIFY: Final = ("send", "notification", "--set", "title=Grüße", "--set", "body=Bis bald.")
_SECONDS: Final = 20.0


@contextlib.contextmanager
def running_worker() -> Iterator[subprocess.Popen[bytes]]:
    """A worker that has said that it waits."""
    with start("worker", env=PASSWORD) as program:
        try:
            assert program.stderr is not None
            assert program.stderr.readline() == b"Waiting for emails. Press Ctrl-C to stop.\n"
            yield program
        finally:
            program.kill()


def test_affiliates_never_see_each_other(server: Postfix, tmp_path: Path) -> None:
    file = tmp_path / "rates.pdf"
    file.write_bytes(b"%PDF\0")
    done = run(
        *("send", "message", "--to", "ann@example.test", "--to", "bo@example.test"),
        *("--set", "audience=affiliates", "--set", "subject=Neue Sätze", "--set", "body=Ab Mai."),
        *("--attach", str(file), "--json"),
        env=PASSWORD,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    receipt = json.loads(done.stdout)
    assert [each["fate"] for each in receipt["recipients"]] == ["accepted", "accepted"]
    for name in ("ann", "bo"):
        (mail,) = server.mailboxes.messages(name, at_least=1)
        assert mail["To"] == f"{name}@example.test"
        assert mail["From"] == "Example Ltd <desk@example.test>"
        assert mail["Subject"] == "Neue Sätze"
        assert mail["Message-ID"] == receipt["message_id"]
        (attached,) = mail.iter_attachments()
        assert (attached.get_filename(), attached.get_content()) == ("rates.pdf", b"%PDF\0")


def test_refused_by_the_server(server: Postfix) -> None:
    done = run(*INVITE, "--to", "nobody@example.test", env=PASSWORD)
    assert (done.returncode, done.stderr) == (69, b"")
    assert done.stdout.startswith(b"nobody@example.test: refused by the custom server. ")


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_worker_sends_what_waits_until_a_signal(
    server: Postfix, clean_environment: Path, number: signal.Signals
) -> None:
    desk = desk_at(clean_environment)
    assert desk("disable").status == 0
    waiting = desk(*NOTIFY, "--to", "ann@example.test")
    assert (waiting.status, waiting.err) == (0, "")
    said, why = waiting.out.splitlines()
    assert said == "ann@example.test: waits in the outbox"
    assert why.startswith("The custom server is off. ")
    with running_worker() as program:
        assert desk("enable").status == 0
        (mail,) = server.mailboxes.messages("ann", at_least=1)
        assert mail["Subject"] == "Grüße"
        program.send_signal(number)
        out, err = program.communicate(timeout=_SECONDS)
    assert (program.returncode, out) == (0, b"")
    settings, connected, email, end = err.decode().splitlines()
    assert settings == "other settings are used from now on"
    assert connected.startswith("connected to localhost, TLSv1.")
    assert re.fullmatch(r"notification \w{26} accepted by custom", email)
    assert end == "Stopped. 1 email processed."


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_a_worker_with_nothing_to_do_ends_at_once() -> None:
    with running_worker() as program:
        program.send_signal(signal.SIGTERM)
        _, err = program.communicate(timeout=_SECONDS)
    assert (program.returncode, err) == (0, b"Stopped. 0 emails processed.\n")
