"""What sends is loaded when a sender is there: a fork may cut an import for ever."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.certs import Certificates

_PROGRAM = """
import json, sys
from pathlib import Path
from tests.sender.sending_process import Place, short

folder, port, ca_file, default = sys.argv[1:]
place = Place(Path(folder), int(port), Path(ca_file).read_text(), int(default))
imported = []

class Note:
    def find_spec(self, name, path=None, target=None):
        imported.append(name)

with place.sender() as (sender, outbox):
    sys.meta_path.insert(0, Note())
    sender.send(short("first"))
    for _ in sender.send_many([short("second"), short("third")]):
        pass
    sender.queue(short("fourth"))
    counted = dict(outbox.counts().by_state_and_route)
print(json.dumps([imported, sum(counted.values())]))
"""


def test_sending_imports_nothing(certs: Certificates, tmp_path: Path) -> None:
    tls = certs.good.server_context()
    with (
        ScriptedServer(Script(tls=tls)) as server,
        ScriptedServer(Script(tls=tls)) as default,
    ):
        command = [sys.executable, "-c", _PROGRAM, str(tmp_path), str(server.port)]
        command += [str(certs.root.chain_file), str(default.port)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        assert len(server.messages) == 3
    imported, count = json.loads(run.stdout)
    assert count == 4
    assert imported == [], sorted(imported)
