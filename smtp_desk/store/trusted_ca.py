"""The company CAs that a person trusted by their fingerprint, each for one host only."""

import hashlib
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from smtp_desk.store.atomic import write_atomic

_PRIVATE: Final = 0o700
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9.-]")
_LONGEST_HOST: Final = 64


class TrustedCas:
    """One file for each CA and host: the file is there, so the host may be served with it."""

    def __init__(self, folder: Path) -> None:
        """Touch nothing yet; `folder` is made when the first CA is trusted."""
        self._folder = folder

    def path(self, host: str, pem: str) -> Path:
        """Where the file for this host and this content lies, trusted or not.

        Args:
            host: As it stands in the settings.
            pem: The certificate, PEM.
        """
        digest = hashlib.sha256(f"{host}\n{pem}".encode()).hexdigest()
        return self._folder / f"{_NOT_IN_NAMES.sub('_', host)[:_LONGEST_HOST]}-{digest[:16]}.pem"

    def add(self, host: str, pem: str) -> Path:
        """Trust `pem` for `host`, and return the file, readable by this user only.

        Raises:
            OSError: It can't be written.
        """
        path = self.path(host, pem)
        path.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        write_atomic(path, pem.encode())
        return path

    def has(self, host: str, pem: str) -> bool:
        """Whether a person trusted `pem` for `host`."""
        return self.path(host, pem).is_file()

    def keep_only(self, used: Collection[tuple[str, str]]) -> None:
        """Trust none any more but these pairs of host and content, as far as the disk allows."""
        kept = {self.path(host, pem) for host, pem in used}
        for path in self._folder.glob("*.pem"):
            if path not in kept:
                with suppress(OSError):
                    path.unlink()
