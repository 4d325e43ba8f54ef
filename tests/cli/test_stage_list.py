"""The live list of a terminal, and the lines of a pipe."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from smtp_desk.cli.invocation import Output, Pipe
from smtp_desk.cli.render import StagePrinter
from smtp_desk.core.stages import Json, Stage, StageEvent, StageStatus

EVENTS = (
    StageEvent(Stage.RESOLVE, StageStatus.STARTED),
    StageEvent(Stage.RESOLVE, StageStatus.PASSED, 12.4, {"found": ["192.0.2.1", "2001:db8::1"]}),
    StageEvent(Stage.CONNECT, StageStatus.STARTED),
    StageEvent(Stage.CONNECT, StageStatus.WARNED, 3, {"addresses": []}),
    StageEvent(Stage.GREETING, StageStatus.STARTED),
    StageEvent(Stage.GREETING, StageStatus.FAILED, 9, {"reply_code": 554, "words": "[red]no[/]"}),
    StageEvent(Stage.DONE, StageStatus.SKIPPED, facts={"reason": "failed before"}),
)


def played(console: Output) -> None:
    with StagePrinter(console) as stages:
        for event in EVENTS:
            stages.show(event)


def test_in_a_pipe_each_end_of_a_stage_is_a_line_without_control_characters() -> None:
    output = io.StringIO()
    played(Pipe(output))
    assert output.getvalue().splitlines() == [
        "resolve    passed       12 ms  192.0.2.1, 2001:db8::1",
        "connect    warned        3 ms",
        "greeting   failed        9 ms  554 [red]no[/]",
        "done       skipped       0 ms  failed before",
    ]


def test_in_a_pipe_the_other_ports_are_no_second_failure() -> None:
    output = io.StringIO()
    ports: list[Json] = [{"port": 587, "answer": "closed"}, {"port": 465, "answer": "tls"}]
    with StagePrinter(Pipe(output)) as stages:
        stages.show(StageEvent(Stage.TLS, StageStatus.FAILED, 9, {"reason": "cut"}))
        stages.show(StageEvent(Stage.TLS, StageStatus.FAILED, 0, {"other_ports": ports}))
    assert output.getvalue().splitlines() == [
        "tls        failed        9 ms  cut",
        "other ports: 587 closed, 465 tls",
    ]


@pytest.mark.parametrize(
    ("encoding", "marks"), [("utf-8", "✓!✗–"), ("ascii", "+!x-")], ids=["unicode", "ascii"]
)
def test_on_a_terminal_the_last_picture_stays(encoding: str, marks: str) -> None:
    octets = io.BytesIO()
    stream = io.TextIOWrapper(octets, encoding=encoding)
    played(Console(file=stream, force_terminal=True, width=80, markup=False))
    stream.flush()
    last = octets.getvalue().decode(encoding).split("\x1b[2K")[-1]
    for mark, stage in zip(marks, ("resolve", "connect", "greeting", "done"), strict=True):
        assert any(mark in line and stage in line for line in last.splitlines())
    assert "[red]no[/]" in last
    assert "12 ms" in last


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=80, color_system="truecolor")
    played(console)
    assert "\x1b[3" not in output.getvalue()
