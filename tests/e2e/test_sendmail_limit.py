"""`-odi` waits 30 s for a server that says nothing, and no longer: the mail is safe meanwhile."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import pytest

from tests.servers.script import END_OF_DATA, Action, Reply, Script, Silence
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.causes import Checking
    from tests.servers.certs import Certificates


@pytest.mark.soak
@pytest.mark.parametrize("silent_at", ["MAIL", END_OF_DATA])
def test_sendmail_returns_after_thirty_seconds(
    check: Checking, certs: Certificates, silent_at: str
) -> None:
    answers: Iterator[Action] = itertools.chain([Reply("250 OK")], itertools.repeat(Silence()))
    script = Script(tls=certs.good.tls, on={silent_at: lambda _session: next(answers)})
    with ScriptedServer(script) as server:
        assert check(server, command="configure").status == 0
        assert check.desk("enable").status == 0
        began = time.monotonic()
        ended = check.desk("sendmail", "-odi", "ann@example.test", stdin=b"Subject: x\n\nhi\n")
        assert 29 <= time.monotonic() - began <= 40
    assert ended.status == 0
    if silent_at == "MAIL":
        assert ended.err.startswith("smtp-desk: stored, not sent yet.")
