"""Ask for a file, in a dialog that keeps nobody waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable


def ask_what_to_open(
    parent: QWidget, title: str, files: str, then: Callable[[str], None], name: str = ""
) -> None:
    """Ask for a file that is there.

    Args:
        parent: Whose dialog it is.
        title: What is asked.
        files: Name filters.
        then: A slot; gets the path, unless the person cancels.
        name: The dialog's object name.
    """
    dialog = QFileDialog(parent, title, "", files)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    _open(dialog, then, name)


def ask_where_to_save(
    parent: QWidget,
    title: str,
    files: str,
    then: Callable[[str], None],
    name: str,
    *,
    proposed: str,
) -> None:
    """Ask for a file to write, as `ask_what_to_open`; the dialog asks before it names one there.

    The suffix of `proposed` is also that of a name which is typed without one.
    """
    dialog = QFileDialog(parent, title, "", files)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(proposed.rpartition(".")[2])
    dialog.selectFile(proposed)
    _open(dialog, then, name)


def _open(dialog: QFileDialog, then: Callable[[str], None], name: str) -> None:
    dialog.setObjectName(name)
    dialog.fileSelected.connect(then)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
