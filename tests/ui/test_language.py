"""The window speaks the language that the person chose, or the system's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale

from smtp_desk.core import translation
from smtp_desk.core.system import System
from smtp_desk.store.credentials import MemoryCredentials
from smtp_desk.store.paths import Paths
from smtp_desk.store.settings_store import SettingsStore
from smtp_desk.ui import language
from tests.table import each_row

OFFERED = {"en": "English", "de": "Deutsch", "cs": "Čeština"}


class _Locale:
    def uiLanguages(self) -> list[str]:  # noqa: N802 - as Qt names it
        return ["cs-Latn-CZ", "cs-CZ", "cs"]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("language_of", "first_offered"):
        choose = getattr(translation, name)
        monkeypatch.setattr(language, name, lambda asked, of=choose: of(asked, OFFERED))
    monkeypatch.setattr(QLocale, "system", _Locale)


@pytest.mark.usefixtures("offered")
@each_row(
    ("preferred", "system", "code"),
    [
        ("", System.UNIX, "de"),
        ("", System.WINDOWS, "cs"),
        ("", System.MACOS, "cs"),
        ("en", System.UNIX, "en"),
        ("cs", System.UNIX, "cs"),
        ("de", System.WINDOWS, "de"),
        ("xy", System.UNIX, "en"),
    ],
)
def test_the_language_of_the_window(preferred: str, system: System, code: str) -> None:
    environ = {"LANG": "en_US.UTF-8", "LC_MESSAGES": "de_AT.UTF-8", "LC_TIME": "en_GB.UTF-8"}
    assert language.window_language(preferred, environ, system) == code


@pytest.mark.usefixtures("offered")
def test_the_saved_preference_is_spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoken: list[str] = []
    monkeypatch.setattr(language, "speak", spoken.append)
    paths = Paths.below(tmp_path)
    store = SettingsStore(paths, MemoryCredentials())
    language.speak_as_chosen(store, {"LANG": "de"})
    store.save_preferences(replace(store.load().preferences, language="cs"))
    language.speak_as_chosen(store, {"LANG": "de"})
    paths.settings_file.write_text("schema = [", "utf-8")
    language.speak_as_chosen(store, {"LANG": "de"})
    assert spoken == ["de", "cs"]
