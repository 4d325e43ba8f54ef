"""Providers of mail service: told by their host names, or by the words of their banner.

What a password looks like: a fact for findings that tells nothing of the password.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, final

from smtp_desk.core.secret import Secret
from smtp_desk.core.stages import Facts


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider.

    Attributes:
        id: Stable name, for example "google"; the fact `provider` of rows and texts.
        name: As the provider writes itself.
        hosts: Host names of its submission servers, and domains as ".example.com" that
            stand for every host below them.
        banner: Pattern on banner and EHLO words, or "".
        facts: What texts about it need: addresses of help pages, host, fixed username…
    """

    id: str
    name: str
    hosts: tuple[str, ...]
    banner: str
    facts: Facts

    @classmethod
    def parse(cls, name: str, table: Mapping[str, Any]) -> "Provider":
        """Read one table of the TOML; every key but `name`, `hosts` and `banner` is a fact."""
        known = {"name", "hosts", "banner"}
        facts = {key: value for key, value in table.items() if key not in known}
        return cls(name, table["name"], tuple(table["hosts"]), table.get("banner", ""), facts)


@final
class Providers:
    """The table of providers. The TOML is read at the first question."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._texts = texts

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Providers":
        """Take the TOML texts of `resources/providers/`."""
        return cls(tuple(texts))

    @cached_property
    def all(self) -> tuple[Provider, ...]:
        """Every provider, in the order of the table."""
        tables = (tomllib.loads(text) for text in self._texts)
        return tuple(Provider.parse(name, row) for table in tables for name, row in table.items())

    def by_host(self, host: str) -> Provider | None:
        """Return the provider whose server `host` is: the longest name that fits decides."""
        wanted = host.strip().rstrip(".").casefold()
        labels = wanted.split(".")
        domains = ("." + ".".join(labels[start:]) for start in range(len(labels)))
        names = (name for name in (wanted, *domains) if name in self._by_name)
        return next((self._by_name[name] for name in names), None)

    def by_banner(self, words: str) -> Provider | None:
        """Return the provider that a banner or EHLO line names: a weaker sign than the host."""
        return next(
            (
                provider
                for provider in self.all
                if provider.banner and re.search(provider.banner, words, re.IGNORECASE)
            ),
            None,
        )

    @cached_property
    def _by_name(self) -> dict[str, Provider]:
        return {host.casefold(): provider for provider in self.all for host in provider.hosts}


class PasswordShape(StrEnum):
    """The look of a secret, as far as it helps to name a cause."""

    NONE = "none"
    GROUPED = "grouped"
    """Four groups of four letters with spaces: an app password as Google and Yahoo show it."""
    APP_PASSWORD = "app_password"  # noqa: S105 - the name of a shape
    """Sixteen letters, or four groups of four with hyphens as Apple shows it."""
    SURROUNDED = "surrounded"
    """A space at its beginning or end, surely pasted."""
    IAM_SECRET = "iam_secret"  # noqa: S105 - the name of a shape
    """Forty characters of base64: a secret key of AWS, not an SMTP password of SES."""
    TOKEN = "token"  # noqa: S105 - the name of a shape
    """An OAuth access token."""
    OTHER = "other"


_SHAPES: Final = (
    (re.compile(r"\s*[A-Za-z]{4}(?:\s+[A-Za-z]{4}){3}\s*"), PasswordShape.GROUPED),
    (re.compile(r"\s.*|.*\s", re.DOTALL), PasswordShape.SURROUNDED),
    (re.compile(r"[a-z]{16}|[a-z]{4}(?:-[a-z]{4}){3}"), PasswordShape.APP_PASSWORD),
    (re.compile(r"ya29\..+|eyJ[\w-]+\.[\w-]+\.[\w-]*|EwB\S{200,}"), PasswordShape.TOKEN),
    (re.compile(r"[A-Za-z0-9/+]{40}"), PasswordShape.IAM_SECRET),
)


def password_shape(password: Secret | None) -> PasswordShape:
    """Return what `password` looks like."""
    typed = password.reveal() if password is not None else ""
    if not typed:
        return PasswordShape.NONE
    shapes = (shape for pattern, shape in _SHAPES if pattern.fullmatch(typed))
    return next(shapes, PasswordShape.OTHER)
