"""The saved preferences, read and written in the background."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from smtp_desk.app.routes.custom import failure_text
from smtp_desk.store.stored import Preferences

if TYPE_CHECKING:
    from smtp_desk.app.runner import Emit, Runner
    from smtp_desk.smtp.net.deadline import Cancel
    from smtp_desk.store.settings_store import SettingsStore


class PreferencesKeeper(QObject):
    """Keeps the preferences; every change is saved at once.

    Signals:
        changed: These preferences hold now.
        saved: They are in the file.
        failed: They could not be read or saved, and why.
    """

    changed = Signal(Preferences)
    saved = Signal()
    failed = Signal(str)

    def __init__(self, store: SettingsStore, runner: Runner) -> None:
        super().__init__()
        self._store = store
        self._runner = runner
        self.preferences = Preferences()

    def load(self) -> None:
        """Read them."""
        store = self._store

        def read(_emit: Emit, _cancel: Cancel) -> Preferences:
            return store.load().preferences

        self._runner.run(read, on_done=self._loaded, on_error=self._failed)

    def change(self, **values: str) -> None:
        """Change the named preferences and save them; equal values save nothing."""
        after = replace(self.preferences, **values)
        if after == self.preferences:
            return
        self.preferences = after
        self.changed.emit(after)
        store = self._store

        def write(_emit: Emit, _cancel: Cancel) -> None:
            # What another process changed meanwhile stays.
            store.save_preferences(replace(store.load().preferences, **values))

        self._runner.run(write, on_done=self._written, on_error=self._failed)

    def _loaded(self, preferences: Preferences) -> None:
        self.preferences = preferences
        self.changed.emit(preferences)

    def _written(self, _nothing: None) -> None:
        self.saved.emit()

    def _failed(self, error: Exception) -> None:
        self.failed.emit(failure_text(error))
