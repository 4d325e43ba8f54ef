"""Settings that find themselves, by the program as it is, on an internet of this machine's own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.discovery.unknown_domains import ADDRESS, DOMAINS, UnknownDomain, published
from tests.e2e.program import COMMAND
from tests.servers.namespaces import available

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.certs import Certificates

pytestmark = [
    pytest.mark.usefixtures("clean_environment"),
    pytest.mark.soak,
    pytest.mark.skipif(not available(), reason="makes network namespaces, as root"),
]


@pytest.mark.parametrize("dropping", [False, True], ids=["alone", "others-dropped"])
@pytest.mark.parametrize("domain", DOMAINS, ids=lambda each: str(each.source))
def test_an_unknown_domain(
    domain: UnknownDomain,
    certs: Certificates,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    dropping: bool,
) -> None:
    """The right server is proposed first; how long the whole program took is printed."""
    ca_file = str(certs.root.chain_file)
    with published(domain, certs, tmp_path, dropping=dropping) as inside:
        command = [*inside, *COMMAND, "find", ADDRESS, "--json", "--ca-file", ca_file]
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
        took = time.monotonic() - began
    first = json.loads(done.stdout)["candidates"][0]
    found = (first["host"], first["port"], first["source"])
    assert found == (domain.host, domain.port, domain.source)
    with capsys.disabled():
        sys.stdout.write(f"\n{domain.source}, others dropped: {dropping}: {took:.2f} s\n")
