"""The language of the window: the one that the person chose on General, or the system's."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale

from smtp_desk.core.system import System, this_system
from smtp_desk.core.translation import first_offered, language_of
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.translations import speak

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtp_desk.store.settings_store import SettingsStore


def speak_as_chosen(store: SettingsStore, environ: Mapping[str, str]) -> None:
    """Speak the language of the saved preferences from now on.

    Settings that can't be read choose none: the pages say what is wrong with them.
    """
    with contextlib.suppress(SettingsFileError):
        speak(window_language(store.load().preferences.language, environ))


def window_language(
    preferred: str, environ: Mapping[str, str], system: System | None = None
) -> str:
    """Return the language to show the window in.

    Args:
        preferred: The language that the person has chosen, or "" to follow the system.
        environ: The environment, which names the language of a Unix desktop.
        system: The operating system; None for this one.
    """
    if preferred:
        return first_offered([preferred])
    if (system or this_system()) is System.UNIX:
        return language_of(environ)
    return first_offered(QLocale.system().uiLanguages())
