"""An internet of this machine's own, in which programs find nothing but what a test put there.

with internet({"autoconfig.example.test": ["A 127.0.0.1"]}, tmp_path) as inside:
    subprocess.run([*inside, "smtp-desk", ...])  # asks the name server that knows that zone alone
    ...and servers of the test may listen on ports below 1024...
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from tests.servers import namespaces
from tests.servers.dns import NameServer

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.servers.dns import Zone

_DNS_PORT: Final = 53
_HERE: Final = "127.0.0.1"
_ENTER: Final = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'


@contextlib.contextmanager
def internet(zone: Zone, folder: pathlib.Path) -> Iterator[tuple[str, ...]]:
    """Let this thread be there; needs root (`namespaces.available`).

    Args:
        zone: What the name server knows.
        folder: Where a file may be put.

    Yields:
        What stands before the command of a program that is to be there.
    """
    asked = folder / "resolv.conf"
    asked.write_text(f"nameserver {_HERE}\n")
    with namespaces.hub(), NameServer(zone, _HERE, _DNS_PORT):
        yield ("unshare", "--mount", "sh", "-c", _ENTER, str(asked))
