"""The form as a proposal or a remedy fills it in for the person, who sees and tests it then."""

from collections.abc import Callable, Mapping
from typing import Final

from smtp_desk.app.integrations.form import Form
from smtp_desk.core.problems import Field
from smtp_desk.core.settings import SettingsDraft


class Filling:
    """What stands in a form, and a way to put values there."""

    def __init__(self, form: Form, changed: Callable[[], None]) -> None:
        """Fill in `form`; `changed` is called behind it."""
        self._form: Final = form
        self._changed: Final = changed

    @property
    def draft(self) -> SettingsDraft:
        """What stands in the form at this moment."""
        return self._form.draft

    @property
    def locked(self) -> frozenset[Field]:
        """The fields that the organization has locked."""
        return self._form.managed.locked

    def fill(self, changes: Mapping[Field, str]) -> None:
        """Put values into fields."""
        for field, value in changes.items():
            self._form.edit(field, value)
        self._changed()
