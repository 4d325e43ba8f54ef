"""A field for the path of a file, typed or chosen."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QPushButton, QWidget

from smtp_desk.ui.widgets.field import TextField
from smtp_desk.ui.widgets.file_dialog import ask_what_to_open

CERTIFICATES: Final = "Certificates (*.pem *.crt *.cer);;All files (*)"
"""The files to choose a CA from."""


class FileField(TextField):
    """A path with a Browse button."""

    def __init__(
        self, key: str, label: str, files: str, *, hint: str = "", browse: str = "&Browse…"
    ) -> None:
        """Build the field.

        Args:
            key: Which one.
            label: The visible label, with its mnemonic.
            files: Name filters of the dialog.
            hint: What helps to fill it.
            browse: The text of the button.
        """
        super().__init__(key, label, hint=hint)
        self._files = files
        self._button = QPushButton(browse)
        self._button.setObjectName(f"browse_{key}")
        self._button.setAccessibleDescription(f"Choose the {self.name}")
        self._button.clicked.connect(self._browse)
        self.controls.addWidget(self._button)

    @property
    def tab_chain(self) -> tuple[QWidget, ...]:
        """The path, then Browse."""
        return (self.edit, self._button)

    @Slot()
    def _browse(self) -> None:
        ask_what_to_open(self, self.name, self._files, self._selected)

    @Slot(str)
    def _selected(self, path: str) -> None:
        self.edit.setText(path)
        self.finished.emit(self.key)
