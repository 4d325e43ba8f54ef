"""The CA files that the form has named: what was read from each, and which host it may serve."""

from smtp_desk.core.draft import CaFile


class CompanyCas:
    """By path as typed; what was read last counts."""

    def __init__(self) -> None:
        self._read: dict[str, CaFile] = {}
        self._only_host: dict[str, str] = {}

    def take(self, ca: CaFile, only_host: str = "") -> None:
        """Take what was read from a file.

        Args:
            ca: Its content.
            only_host: The only host that a person trusted it for, as in settings; "" tells
                nothing new.
        """
        self._read[ca.path] = ca
        if only_host:
            self._only_host[ca.path] = only_host

    def read(self, path: str) -> CaFile | None:
        """Return what was read from `path`; None where nothing was yet, or none is named."""
        return self._read.get(path.strip()) if path.strip() else CaFile()

    def trusted_elsewhere(self, path: str, host: str) -> str:
        """Return the only host that this CA was trusted for, or "" where it may serve `host`."""
        only = self._only_host.get(path.strip(), "")
        return "" if only == host else only
