"""Log a storage outage once, and once more when it is over, however often the storage fails."""

import logging
from typing import final


@final
class OutageLog:
    """Logs when a storage stops working and when it works again.

    Args:
        log: The logger.
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
        """Note that the storage failed."""
        if not self._is_away:
            self._is_away = True
            self._log.log(self._level, self._away, error)

    def worked(self) -> None:
        """Note that the storage works."""
        if self._is_away:
            self._is_away = False
            self._log.info(self._back)
