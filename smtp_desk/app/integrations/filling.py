"""Filling in the form from a proposal or a remedy, for a person who then sees and tests it."""

from collections.abc import Callable, Mapping
from typing import Final

from smtp_desk.app.integrations.form import Form
from smtp_desk.core.problems import Field
from smtp_desk.core.settings import SettingsDraft


class Filling:
    """The content of a form, and the way to fill in values."""

    def __init__(self, form: Form, changed: Callable[[], None]) -> None:
        """Fill in `form`; `changed` is called behind it."""
        self._form: Final = form
        self._changed: Final = changed

    @property
    def draft(self) -> SettingsDraft:
        """The current content of the form."""
        return self._form.draft

    @property
    def locked(self) -> frozenset[Field]:
        """The fields that the organization has locked."""
        return self._form.managed.locked

    def fill(self, changes: Mapping[Field, str]) -> None:
        """Fill in values."""
        for field, value in changes.items():
            self._form.edit(field, value)
        self._changed()
