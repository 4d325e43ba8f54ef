"""The catalogues of other languages, in `resources/translations`."""

import logging
from typing import TYPE_CHECKING

from smtp_desk.core.translation import ENGLISH, install, language
from smtp_desk.store.resources import resource_path

if TYPE_CHECKING:
    from gettext import GNUTranslations

_log = logging.getLogger(__name__)


def speak(code: str) -> None:
    """Speak a language from now on; English where its catalogue is missing or broken.

    That is told once in the log, whatever else goes on.
    """
    if code == language():
        return
    messages = None if code == ENGLISH else _read(code)
    install(ENGLISH if messages is None else code, messages)


def _read(code: str) -> "GNUTranslations | None":
    # Imported here: English, which most processes speak, needs none of it.
    from gettext import GNUTranslations  # noqa: PLC0415

    try:
        with resource_path("translations", f"{code}.mo").open("rb") as file:
            return GNUTranslations(file)
    except Exception as error:  # noqa: BLE001 - whatever is wrong in it, English is right
        _log.warning("The catalogue of the language %r can’t be used: %s", code, error)
        return None
