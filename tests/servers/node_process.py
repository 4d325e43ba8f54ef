"""A server run by Node.js that writes what happens to its log, a JSON object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from tests.servers import parts
from tests.servers.process import ServerProcess

if TYPE_CHECKING:
    import pathlib


class NodeProcess:
    """A running script of the folder `node`; its subclass waits until it is ready."""

    def __init__(self, script: str, *arguments: object, log: pathlib.Path) -> None:
        command = [parts.program("node"), str(parts.NODE_FOLDER / script), *map(str, arguments)]
        self._process = ServerProcess(command, log)

    def stop(self) -> None:
        self._process.stop()

    def _events(self, kind: str) -> list[dict[str, Any]]:
        lines = self._process.log.read_text().splitlines(keepends=True)
        events = [json.loads(line) for line in lines if line.startswith("{") and line[-1] == "\n"]
        return [event for event in events if event["event"] == kind]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
