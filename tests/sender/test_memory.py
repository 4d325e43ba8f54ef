"""Memory stays flat however many emails a process sends."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from smtp_desk.sender import Notification
from tests.sender.sending_process import Place
from tests.servers.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.certs import Certificates

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

_MEBIBYTE = 1024 * 1024


def resident() -> int:
    """The octets of memory that this process holds."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def notifications(count: int) -> Iterator[Notification]:
    for number in range(count):
        yield Notification(to=f"p{number}@example.test", title=f"No. {number}", body="Hello\n" * 20)


def growth(certs: Certificates, folder: Path, first: int, more: int) -> int:
    """Send `first` emails, then `more`; return by how much memory grew meanwhile."""
    with Sink(certs.good) as sink:
        place = Place(folder, sink.port, certs.root.chain_file.read_text())
        with place.sender() as (sender, _):
            for _ in sender.send_many(notifications(first)):
                pass
            before = resident()
            for _ in sender.send_many(notifications(more)):
                pass
            after = resident()
        assert sink.mails == first + more
    return after - before


def test_over_a_thousand_emails(certs: Certificates, tmp_path: Path) -> None:
    assert growth(certs, tmp_path, 300, 700) < 6 * _MEBIBYTE


@pytest.mark.soak
def test_over_a_hundred_thousand_emails(
    certs: Certificates, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grown = growth(certs, tmp_path, 5_000, 95_000)
    with capsys.disabled():
        sys.stdout.write(
            f"\n95,000 emails after the first 5,000: {grown / _MEBIBYTE:.1f} MiB more\n"
        )
    assert grown < 16 * _MEBIBYTE
