"""Emails as subject, text and HTML, from our templates or a person's own.

A variant has three files: `NAME.subject.txt`, `NAME.txt` and `NAME.html`. The HTML extends
`layout.html` and is built from `parts.html`. A file with the same name in the folder for overrides
replaces ours: `layout.html` alone changes the look of all emails.
"""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from smtp_desk.core.address import has_control
from smtp_desk.core.reply import visible
from smtp_desk.sender.mail.variables import EmailError
from smtp_desk.smtp.net.forks import gate
from smtp_desk.store.ownership import refuse_changeable
from smtp_desk.store.resources import resource_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Environment
    from jinja2.nodes import EvalContext
    from markupsafe import Markup

    from smtp_desk.sender.mail.kinds import Email

_PARTS: Final = ("subject.txt", "txt", "html")
_SHARED: Final = ("layout.html", "parts.html")
_OWN_S: Final = 5.0
"""A person's own templates are ready by then, or ours are used."""

# What `urlize` may take for a link.
_MAY_LINK: Final = re.compile(r"[.@:]")


@dataclass(frozen=True, slots=True)
class Rendered:
    """An email's content, the same on every route.

    Attributes:
        subject: One line.
        text: The plain text.
        html: The same as HTML; "" for an email without HTML.
        problem: Why the person's own templates aren't used although there are some, as a
            sentence; "" if they are used, or if there are none.
        overrides: The person's own files that were used, or would have been.
    """

    subject: str
    text: str
    html: str
    problem: str = ""
    overrides: tuple[str, ...] = ()


class _SubjectError(ValueError):
    """The subject isn't allowed in a header."""


class Templates:
    """Renders emails. Safe to use from several threads.

    The person's own templates are read again when they change. They run in a sandbox, and if
    one fails the email is still sent: ours is used, and `Rendered.problem` says why.
    """

    def __init__(self, folder: Path | None) -> None:
        """Prepare, without reading anything yet.

        Args:
            folder: The folder of the person's own templates, which need not exist; None for none.
        """
        self._folder = folder
        self._environments: dict[Path, Environment] = {}

    @gate
    def render(self, email: Email, *, company: str = "") -> Rendered:
        """Return subject, text and HTML of an email.

        Args:
            email: The email.
            company: Name of the company that sends it; "" if it isn't known.

        Raises:
            EmailError: The templates of a program's own kind can't be used.
        """
        variables = {"company": _one_line(company), **email.variables()}
        names = [f"{email.variant}.{part}" for part in _PARTS]
        if email.templates is not None:
            return self._of_program(email.templates, names, variables)
        if self._folder is None:
            return _rendered(self._ours, names, variables)
        return self._overridden(self._folder, names, variables)

    def _overridden(
        self, folder: Path, names: Sequence[str], variables: Mapping[str, object]
    ) -> Rendered:
        overrides: tuple[str, ...] = ()
        problem = ""
        try:
            overrides = tuple(n for n in (*names, *_SHARED) if (folder / n).is_file())
            if overrides:
                for path in folder.rglob("*"):
                    refuse_changeable(path)
                from smtp_desk.sender.mail.bounded import in_time  # noqa: PLC0415 - as below

                with in_time(_OWN_S):
                    own = _rendered(self._environment(folder), names, variables)
                return replace(own, overrides=overrides)
        except Exception as error:  # noqa: BLE001 - the caller decides what an error means
            problem = _told(error, folder, overrides)
        ours = _rendered(self._ours, names, variables)
        return replace(ours, problem=problem, overrides=overrides)

    def _of_program(
        self, folder: Path, names: Sequence[str], variables: Mapping[str, object]
    ) -> Rendered:
        try:
            return _rendered(self._environment(folder), names, variables)
        except Exception as error:
            raise EmailError("templates", _told(error, folder, names)) from error

    @cached_property
    def _ours(self) -> Environment:
        return _environment(resource_path("templates"))

    def _environment(self, folder: Path) -> Environment:
        if folder not in self._environments:
            self._environments[folder] = _environment(folder, resource_path("templates"))
        return self._environments[folder]


def _told(error: Exception, folder: Path, names: Sequence[str]) -> str:
    """Say what is wrong, and in which line of which file if that can be known."""
    from jinja2 import TemplateNotFound, TemplateSyntaxError  # noqa: PLC0415 - as below

    place, words = _place(error, folder), str(error) or type(error).__name__
    if isinstance(error, TemplateSyntaxError):
        place = f"{error.name or 'A template'}, line {error.lineno}: "
    elif isinstance(error, TemplateNotFound):
        words = f"there is no template “{error.name}”"
    elif isinstance(error, UnicodeDecodeError):
        undecodable = (name for name in names if _is_undecodable(folder / name))
        place = f"{next(undecodable, 'A template')}: "
        words = "not UTF-8"
    elif isinstance(error, OSError):
        place = f"{Path(error.filename or folder).name}: "
        words = error.strerror or words
    return visible(f"{place}{words.rstrip('.')}.")


def _place(error: Exception, folder: Path) -> str:
    """Find the line that was at work: jinja2 lets tracebacks name templates."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(folder):
            return f"{Path(frame.filename).name}, line {frame.lineno}: "
    return ""


def _is_undecodable(file: Path) -> bool:
    try:
        file.read_text("utf-8")
    except UnicodeDecodeError:
        return True
    except OSError:
        return False
    return False


def _environment(*folders: Path) -> Environment:
    # Imported here: only those who send pay for it.
    from jinja2 import (  # noqa: PLC0415
        FileSystemLoader,
        StrictUndefined,
        pass_eval_context,
        select_autoescape,
    )
    from jinja2.filters import do_urlize  # noqa: PLC0415
    from markupsafe import Markup, escape  # noqa: PLC0415

    from smtp_desk.sender.mail.bounded import BoundedEnvironment  # noqa: PLC0415

    @pass_eval_context
    def linked(context: EvalContext, lines: Sequence[str]) -> Markup:
        """Join the lines of a paragraph, their links made ones; most lines have none."""
        return Markup("<br>").join(
            do_urlize(context, line) if _MAY_LINK.search(line) else escape(line) for line in lines
        )

    environment = BoundedEnvironment(
        loader=FileSystemLoader(folders),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"paragraphs": _paragraphs, "linked": linked}
    return environment


def _rendered(
    environment: Environment, names: Sequence[str], variables: Mapping[str, object]
) -> Rendered:
    subject, text = (environment.get_template(name).render(variables) for name in names[:2])
    html = _html(environment, names[2], variables)
    subject = subject.strip()
    if not subject:
        raise _SubjectError(f"{names[0]}: the subject is empty")
    if has_control(subject):
        raise _SubjectError(f"{names[0]}: the subject has a line break or a control character")
    return Rendered(subject, f"{text.strip()}\n", html)


def _html(environment: Environment, name: str, variables: Mapping[str, object]) -> str:
    """Return the HTML; "" where a program's own kind has none."""
    from jinja2 import TemplateNotFound  # noqa: PLC0415 - as above

    try:
        template = environment.get_template(name)
    except TemplateNotFound:
        return ""
    return f"{template.render(variables).strip()}\n"


def _paragraphs(text: str) -> list[list[str]]:
    """Cut a text at its empty lines; each paragraph is a list of lines."""
    return [part.split("\n") for part in re.split(r"\n(?:[ \t]*\n)+", text.strip())]


def _one_line(text: str) -> str:
    return " ".join("".join(" " if has_control(c) else c for c in text).split())
