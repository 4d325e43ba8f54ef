"""Runs the benches and writes the tables of README: `python -m tests.bench`, or `make bench`.

The wire, the stored emails, the growth of an outbox, whole processes and the window fill the tables
between two marks; the other benches are run after them and print what they find. It takes a quarter
of an hour.
"""

from __future__ import annotations

import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from tests.bench import bench_commands, bench_growth, bench_send, bench_window, bench_wire
from tests.servers import parts

if TYPE_CHECKING:
    from tests.bench.bench_wire import Figure

README: Final = pathlib.Path(__file__).parents[2] / "README.md"
BEGINNING: Final = "<!-- written by make bench -->"
END: Final = "<!-- end of make bench -->"
OTHERS: Final = ("outbox", "postgres", "fallback", "delivery", "start", "causes")
OURS: Final = ("SMTP Desk, 1 connection", "SMTP Desk, 4 connections")

_VERSIONS: Final = {
    "Postfix": ("postconf", "-d", "mail_version"),
    "stunnel": ("stunnel4", "-version"),
    "Node.js": ("node", "--version"),
    "swaks": ("swaks", "--version"),
    "msmtp": ("msmtp", "--version"),
    "curl": ("curl", "--version"),
}


def ours_beside(name: str) -> str:
    """Return which of ours a peer is compared with: one connection with one, several with four."""
    return OURS[0] if re.search(r"\b1\b|a process an email", name) else OURS[1]


def wire_table(measured: dict[str, dict[str, list[Figure]]]) -> list[str]:
    """Return the table of the wire alone, a client a line."""
    heads = [f"{server}: emails/s | CPU an email | SMTP Desk is" for server in measured]
    lines = [f"| the wire alone | {' | '.join(heads)} |", f"|---|{'---:|' * 3 * len(measured)}"]
    for name in dict.fromkeys(name for figures in measured.values() for name in figures):
        cells = [name]
        for figures in measured.values():
            if name not in figures:
                cells += ["–", "–", "–"]
                continue
            middle = bench_wire.medians(figures[name])
            times = bench_wire.ratio(figures, ours_beside(name), name)
            cells += [f"{middle.rate:,.0f}", f"{middle.cpu_ms:.3f} ms"]
            cells.append("" if name in OURS else f"{times:.2f}×")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def stored_table(measured: dict[str, dict[str, list[bench_send.Figure]]]) -> list[str]:
    """Return the table of emails that are stored first, beside smtplib, which stores nothing."""
    lines = [
        "| every email stored first | emails/s | smtplib, unstored | ratio | commits | syncs |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for server, figures in measured.items():
        for name in bench_send.STORING:
            mine, peers = figures[name], figures[bench_send.peer_of(name)]
            pairs = zip(mine, peers, strict=True)
            middle = {
                field: statistics.median(getattr(each, field) for each in mine)
                for field in ("rate", "commits", "syncs")
            }
            peer = statistics.median(each.rate for each in peers)
            ratio = statistics.median(each.rate / other.rate for each, other in pairs)
            lines.append(
                f"| {server}: `{name.partition(',')[0]}`,{name.partition(',')[2]}"
                f" | {middle['rate']:,.0f} | {peer:,.0f} | {ratio:.2f}"
                f" | {middle['commits']:.2f} | {middle['syncs']:.2f} |"
            )
    return lines


def versions() -> str:
    """Return what was measured, and where."""
    found = [f"Python {platform.python_version()}"]
    for name, command in _VERSIONS.items():
        try:
            told = subprocess.run(
                [parts.program(command[0]), *command[1:]],
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            continue
        number = re.search(r"\d+(?:\.\d+)+", told.stdout + told.stderr)
        found += [f"{name} {number[0]}"] if number else []
    missing = bench_wire.missing_clients()
    left_out = f" Not installed, so not measured: {', '.join(missing)}." if missing else ""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}"
    return f"{' · '.join(found)}; {machine}; medians of {bench_wire.ROUNDS}.{left_out}"


def main(parent: str | None) -> None:
    """Measure, write the tables and run the other benches."""
    wire = {}
    for start in bench_wire.servers():
        with start() as server:
            wire[server.name] = bench_wire.measured(server)
    with bench_send.targets() as found:
        stored = {target.name: bench_send.measured(target, parent) for target in found}
    grown = bench_growth.growth_table(parent)
    started = bench_commands.table(bench_commands.measured())
    window = bench_window.window_table(bench_window.measured())
    figures = (wire_table(wire), stored_table(stored), grown, started, window)
    tables = (*figures, [versions()])
    written = "\n\n".join("\n".join(table) for table in tables)
    before, _, rest = README.read_text().partition(BEGINNING)
    README.write_text(f"{before}{BEGINNING}\n\n{written}\n\n{END}{rest.partition(END)[2]}")
    sys.stdout.write(f"{written}\n")
    for name in OTHERS:
        sys.stdout.write(f"\n{name}\n")
        sys.stdout.flush()
        subprocess.run([sys.executable, "-m", f"tests.bench.bench_{name}"], check=False)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
