"""Names of files on the command line."""

from pathlib import Path
from typing import Any

import click


class FileName(click.Path):
    """The name of a file. An empty one, mostly of a variable that is not set, is none."""

    def __init__(
        self, *, exists: bool = False, dir_okay: bool = True, allow_dash: bool = False
    ) -> None:
        super().__init__(exists=exists, dir_okay=dir_okay, allow_dash=allow_dash, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's signature
        """Return the path."""
        if value == "":
            self.fail("The name of the file is empty.", param, ctx)
        return super().convert(value, param, ctx)
