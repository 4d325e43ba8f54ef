"""A storage that is away is logged once, and once more when it is back, however often it fails."""

import logging
from typing import final


@final
class OutageLog:
    """Logs the changes between a storage that works and one that does not.

    Args:
        log: Where it is logged.
        away: What to say with the first failure, with `%s` for the error.
        back: What to say with the first success after one.
        level: Of the failure; the success is information.
    """

    def __init__(
        self, log: logging.Logger, away: str, back: str, *, level: int = logging.ERROR
    ) -> None:
        self._log = log
        self._away = away
        self._back = back
        self._level = level
        self._is_away = False

    def failed(self, error: Exception) -> None:
        """Tell that the storage did not work."""
        if not self._is_away:
            self._is_away = True
            self._log.log(self._level, self._away, error)

    def worked(self) -> None:
        """Tell that the storage works."""
        if self._is_away:
            self._is_away = False
            self._log.info(self._back)
