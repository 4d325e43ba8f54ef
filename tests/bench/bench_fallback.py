"""What a black-holed server costs each email: `python -m tests.bench.bench_fallback [FOLDER]`.

Paired: in each round the same emails leave by a default service alone, and by a sender whose
custom server never answers a connect. The first email waits for its connect; the second and all
later ones must take no longer than through the default service alone.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sender.mail.addressing import Identity
from smtp_desk.sender.mail.templates import Templates
from smtp_desk.sender.outbox.database import Database
from smtp_desk.sender.outbox.sqlite import SqliteOutbox
from smtp_desk.sender.routes.health_sqlite import SqliteHealth
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT, Routes
from smtp_desk.sender.routes.smtp import SmtpRoute
from smtp_desk.sender.sender import Sender
from smtp_desk.sender.testing import MemoryThrottle
from tests.bench.bench_send import stored
from tests.sender.post_office import FixedRoutes
from tests.sender.ways import CATALOGUE
from tests.servers.certs import Certificates
from tests.servers.ports import black_hole
from tests.servers.sink import Sink

if TYPE_CHECKING:
    from smtp_desk.sender.receipts import Receipt

ROUNDS: Final = 7
MAILS: Final = 150


def route(name: str, port: int, certs: Certificates) -> SmtpRoute:
    settings = ServerSettings(
        host="127.0.0.1",
        port=port,
        from_email="ann@example.test",
        username="desk",
        ca_pem=certs.root.chain_file.read_text(),
    )
    identity = Identity(settings.from_email)
    return SmtpRoute(
        name, settings, Security.STARTTLS, Secret("s3cret"), identity, CATALOGUE, MemoryThrottle()
    )


def times(routes: Routes, parent: str | None) -> list[float]:
    """Return the milliseconds that each email took, from the call to its receipt."""
    took = []
    with (
        tempfile.TemporaryDirectory(dir=parent) as folder,
        Database(Path(folder) / "outbox.sqlite3") as database,
        Sender(
            SqliteOutbox(database),
            SqliteHealth(database),
            FixedRoutes(routes),
            Templates(Path(folder)),
            CATALOGUE,
        ) as sender,
    ):
        for number in range(MAILS):
            begun = time.perf_counter()
            receipt: Receipt = sender.send(stored(number))
            took.append(1000 * (time.perf_counter() - begun))
            assert receipt.route == DEFAULT
    return took


def main(parent: str | None) -> None:
    """Measure and print."""
    ratios, firsts, medians = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        certs = Certificates(Path(folder))
        with Sink(certs.good) as sink, black_hole() as port:
            for _ in range(ROUNDS):
                alone = times(Routes(default=route(DEFAULT, sink.port, certs)), parent)
                custom = route(CUSTOM, port, certs)
                both = Routes(custom=custom, default=route(DEFAULT, sink.port, certs))
                fallen_back = times(both, parent)
                ratios.append(statistics.median(fallen_back[1:]) / statistics.median(alone[1:]))
                firsts.append(fallen_back[0] / 1000)
                medians.append(statistics.median(fallen_back[1:]))
    sys.stdout.write(
        f"custom server black-holed: first email {statistics.median(firsts):.1f} s, later ones"
        f" {statistics.median(medians):.1f} ms, {statistics.median(ratios):.2f}"
        f" ({min(ratios):.2f}..{max(ratios):.2f}) of the default service alone\n"
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
