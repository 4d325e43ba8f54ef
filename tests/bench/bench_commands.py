"""Whole processes, beside the tools people know: `python -m tests.bench.bench_commands`.

Each is started anew in each round, in turns: wall time and CPU time of the process and what it
starts. `check`, swaks and msmtp do the same: STARTTLS, login, one email to the same server.
`sendmail` stores the email first; the password comes from the environment, so the proof of the
saved settings costs one scrypt.
"""

from __future__ import annotations

import dataclasses
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.bench_send import targets
from tests.bench.mail_tools import TOOLS, Call, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUNDS: Final = 9
_MAIL: Final = "From: ann@example.test\nSubject: Test\n\nHello.\n"
_DESK: Final = (sys.executable, "-m", "smtp_desk")
_SENDER: Final = "from smtp_desk.sender import Sender\nSender.from_settings().close()\n"


@dataclasses.dataclass(frozen=True)
class Figure:
    """What one process took.

    Attributes:
        wall_ms: until it had ended.
        cpu_ms: of it and what it started.
    """

    wall_ms: float
    cpu_ms: float


def calls(target: Target, home: Path) -> Mapping[str, Call]:
    """Return what is measured: settings for `target` are saved in `home`."""
    env = {"SMTP_DESK_HOME": str(home), "SMTP_DESK_PASSWORD": target.password}
    settings = (
        *("--host", target.host, "--port", str(target.port), "--security", "starttls"),
        *("--username", "desk", "--from-email", "desk@example.test"),
        *("--ca-file", str(target.ca_file), "--to", "ann@example.test"),
    )
    for command in (["configure", *settings], ["enable"]):
        subprocess.run(
            [*_DESK, *command], env={**os.environ, **env}, check=True, capture_output=True
        )
    peers = {tool.name: tool.call(target) for tool in TOOLS if tool.name in ("swaks", "msmtp")}
    return {
        "`smtp-desk check`": Call([*_DESK, "check", *settings], env=env),
        "`smtp-desk sendmail`": Call([*_DESK, "sendmail", "ann@example.test"], _MAIL, env),
        "`smtp-desk status`": Call([*_DESK, "status"], env=env),
        "import of the sender, first `Sender`": Call([sys.executable, "-c", _SENDER], env=env),
        **peers,
        "smtplib": next(tool.call(target) for tool in TOOLS if tool.name == "smtplib"),
        "Python itself": Call([sys.executable, "-c", "pass"]),
    }


def run(call: Call) -> Figure:
    """Run a process to its good end."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        call.argv,
        input=call.stdin,
        env={**os.environ, **call.env},
        text=True,
        check=True,
        capture_output=True,
    )
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Figure(wall * 1000, cpu * 1000)


def measured() -> dict[str, list[Figure]]:
    """Run each in turn, so many rounds; the first one, which fills caches, does not count."""
    with targets() as found, tempfile.TemporaryDirectory() as name:
        sink, folder = found[0], Path(name)
        target = Target(sink.host, sink.port, "starttls", sink.password, sink.ca_file, folder)
        asked = calls(target, folder / "home")
        rounds = [{name: run(call) for name, call in asked.items()} for _ in range(ROUNDS + 1)]
    return {name: [each[name] for each in rounds[1:]] for name in asked}


def table(figures: Mapping[str, list[Figure]]) -> list[str]:
    """Return the table, each beside swaks where that is installed."""
    lines = ["| a whole process | wall | CPU | wall beside swaks |", "|---|---:|---:|---:|"]
    for name, own in figures.items():
        wall, cpu = (
            statistics.median(getattr(each, field) for each in own)
            for field in ("wall_ms", "cpu_ms")
        )
        beside = ""
        if peers := figures.get("swaks"):
            pairs = zip(own, peers, strict=True)
            beside = f"{statistics.median(one.wall_ms / peer.wall_ms for one, peer in pairs):.2f}"
        lines.append(f"| {name} | {wall:.0f} ms | {cpu:.0f} ms | {beside} |")
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(table(measured())) + "\n")
