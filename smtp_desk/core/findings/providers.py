"""Mail service providers, found by host, banner or address, and what their passwords look like."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar, final
from urllib.parse import urlsplit

from smtp_desk.core.findings.needles import Alternative, alternatives, that_may_match
from smtp_desk.core.findings.ready import Load
from smtp_desk.core.lazy import LazyProperty
from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security
from smtp_desk.core.stages import Facts, Json

_Value = TypeVar("_Value")


class SignIn(StrEnum):
    """What a provider accepts to sign in."""

    PASSWORD = "password"  # noqa: S105 - the name of a way to sign in
    APP_PASSWORD = "app_password"  # noqa: S105 - as above
    OAUTH = "oauth"
    API_KEY = "api_key"


@dataclass(frozen=True, slots=True)
class SubmissionServer:
    """A server through which a provider's customers send.

    Attributes:
        host: Its name.
        port: Its port.
        security: How TLS begins there; never AUTO.
        domains: Domains of the addresses that send through it, ".example.com" for those below one.
        mx: Hosts that receive mail for its customers' own domains, written as `domains`.
    """

    host: str
    port: int
    security: Security
    domains: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> "SubmissionServer":
        """Read one of `servers`."""
        security = Security(_taken(table, "security", str))
        if security is Security.AUTO:
            raise ValueError("security: nothing is left to be found out")
        port = _taken(table, "port", int)
        if not 0 < port < 1 << 16:
            raise ValueError(f"port: {port}")
        return cls(
            host=_taken(table, "host", str),
            port=port,
            security=security,
            domains=_names(table, "domains"),
            mx=_names(table, "mx"),
        )


@dataclass(frozen=True, slots=True)
class SendingLimits:
    """How much a provider lets one account send, according to its own pages.

    Attributes:
        text: Worded to follow "Example allows"; "" where no figure was found on its pages.
        pages: The provider's pages that say so, or where one would expect it.
        checked: When they were read, a date.
        connections: How many connections at a time; 0 where it does not say.
    """

    text: str
    pages: tuple[str, ...]
    checked: str
    connections: int = 0

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> "SendingLimits":
        """Read `limits`: either figures, or the note that none were found."""
        if ("text" in table) == (table.get("none_found") is True):
            raise ValueError("limits: text, or none_found")
        return cls(
            text=_taken(table, "text", str) if "text" in table else "",
            pages=_pages(table),
            checked=_taken(table, "checked", str),
            connections=table.get("connections", 0),
        )

    @property
    def facts(self) -> Facts:
        """The facts that texts need; none where no figure is known."""
        if not self.text:
            return {}
        known: dict[str, Json] = {"limits": self.text, "limits_url": self.pages[0]}
        return {**known, "limits_connections": self.connections} if self.connections else known


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider.

    Attributes:
        id: Stable name, for example "google"; the fact `provider` of rows and texts.
        name: The provider's name as it writes it.
        hosts: Host names of its submission servers, and domains such as ".example.com" for
            every host below them.
        banner: Pattern on banner and EHLO words, or "".
        facts: Facts for texts about it: addresses of help pages, host, fixed username…
        limits: How much it lets one account send.
        servers: Its submission servers, and whose mail each accepts, the usual one first.
        sign_in: What it accepts to sign in, the best first.
        source: Where this row is from.
        checked: When it was compared with its source, a date.
    """

    id: str
    name: str
    hosts: tuple[str, ...]
    banner: str
    facts: Facts
    limits: SendingLimits
    servers: tuple[SubmissionServer, ...] = ()
    sign_in: tuple[SignIn, ...] = ()
    source: str = ""
    checked: str = ""

    @classmethod
    def parse(cls, name: str, table: Mapping[str, Any]) -> "Provider":
        """Read one table of the TOML; every key that isn't an attribute is a fact.

        Raises:
            ValueError: A value isn't valid; the message names provider and key.
        """
        try:
            limits = SendingLimits.parse(_taken(table, "limits", dict))
            facts = {key: value for key, value in table.items() if key not in _NO_FACTS}
            return cls(
                id=name,
                name=_taken(table, "name", str),
                hosts=_names(table, "hosts"),
                banner=table.get("banner", ""),
                facts={**facts, **limits.facts},
                limits=limits,
                servers=tuple(_servers(table)),
                sign_in=tuple(SignIn(way) for way in _names(table, "auth")),
                source=_taken(table, "source", str),
                checked=_taken(table, "checked", str),
            )
        except ValueError as error:
            raise ValueError(f"[{name}] {error}") from error

    @property
    def hosts_of_pages(self) -> tuple[str, ...]:
        """The hosts of its own pages and servers; ".example.com" means all hosts below it."""
        texts = (value for value in self.facts.values() if isinstance(value, str))
        pages = (urlsplit(text).hostname for text in texts)
        return (*self.hosts, *(host for host in pages if host))

    def submits_at(self, host: str) -> bool:
        """Whether `host` is one of its submission servers, not only a host of its domain."""
        wanted = host.strip().rstrip(".").casefold()
        return wanted in self.hosts or any(wanted == server.host for server in self.servers)

    def username(self, local_part: str, address: str) -> str:
        """Return the username of its customer with this address; "" where it can't be known."""
        if fixed := self.facts.get("fixed_username"):
            return str(fixed)
        if self.facts.get("key_service"):
            return ""
        return local_part if self.facts.get("username_is_local_part") else address


_NO_FACTS: Final = frozenset(
    {
        *("name", "hosts", "banner", "source", "checked"),
        *("smtp_security", "domains", "mx", "servers", "auth", "limits"),
    }
)


def _servers(table: Mapping[str, Any]) -> Iterator[SubmissionServer]:
    if "smtp_security" in table:
        usual = {name: table.get(f"smtp_{name}") for name in ("host", "port", "security")}
        yield SubmissionServer.parse({**table, **usual})
    elif "domains" in table or "mx" in table:
        raise ValueError("domains, mx: of no server")
    for each in table.get("servers", ()):
        yield SubmissionServer.parse(each)


def _pages(table: Mapping[str, Any]) -> tuple[str, ...]:
    pages = _taken(table, "pages", list)
    if not all(isinstance(page, str) and page.startswith("https://") for page in pages):
        raise ValueError(f"pages: {pages!r}")
    return tuple(pages)


def _taken(table: Mapping[str, Any], key: str, kind: type[_Value]) -> _Value:
    value = table.get(key)
    if not isinstance(value, kind) or not value:
        raise ValueError(f"{key}: {value!r}")
    return value


def _names(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = table.get(key, [])
    if not isinstance(names, list) or not all(isinstance(each, str) and each for each in names):
        raise ValueError(f"{key}: {names!r}")
    return tuple(name.casefold() for name in names)


@final
class Providers:
    """The table of providers. The TOML is loaded when first needed."""

    def __init__(self, texts: tuple[str, ...], load: Load) -> None:
        self._texts = texts
        self._load = load
        self._known: dict[str, Provider] = {}

    @classmethod
    def parse(cls, texts: Iterable[str], load: Load = tomllib.loads) -> "Providers":
        """Take the TOML texts of `resources/providers/`."""
        return cls(tuple(texts), load)

    @LazyProperty
    def all(self) -> tuple[Provider, ...]:
        """Every provider, in the order of the table."""
        return tuple(self._provider(name) for name in self._rows)

    def by_host(self, host: str) -> Provider | None:
        """Return the provider that `host` belongs to: the longest matching name decides."""
        name = _longest(self._by_host, host)
        return None if name is None else self._provider(name)

    def by_domain(self, domain: str) -> tuple[Provider, SubmissionServer] | None:
        """Return the provider, and its server, for addresses at `domain`."""
        return _longest(self._by_domain, domain)

    def by_mx(self, host: str) -> tuple[Provider, SubmissionServer] | None:
        """Return the same for a domain whose MX record names `host`."""
        return _longest(self._by_mx, host)

    def by_banner(self, words: str) -> Provider | None:
        """Return the provider that a banner or EHLO line names: weaker evidence than the host."""
        said = words.lower()
        for name, pattern, parts in self._banners:
            if any(that_may_match(parts, said)) and re.search(pattern, words, re.IGNORECASE):
                return self._provider(name)
        return None

    def _provider(self, name: str) -> Provider:
        """Return one; few of them are needed in one process."""
        if name not in self._known:
            self._known[name] = Provider.parse(name, self._rows[name])
        return self._known[name]

    @LazyProperty
    def _rows(self) -> dict[str, Mapping[str, Any]]:
        tables = (self._load(text) for text in self._texts)
        return {name: row for table in tables for name, row in table.items()}

    @LazyProperty
    def _banners(self) -> list[tuple[str, str, list[Alternative]]]:
        """The patterns of banners, and in lower case what they need."""
        named = ((name, row.get("banner", "")) for name, row in self._rows.items())
        return [(name, banner, alternatives(banner.lower())) for name, banner in named if banner]

    @LazyProperty
    def _by_host(self) -> dict[str, str]:
        return {host: name for name, row in self._rows.items() for host in _names(row, "hosts")}

    @LazyProperty
    def _by_domain(self) -> dict[str, tuple[Provider, SubmissionServer]]:
        return {name: (each, server) for each, server in self._servers for name in server.domains}

    @LazyProperty
    def _by_mx(self) -> dict[str, tuple[Provider, SubmissionServer]]:
        return {name: (each, server) for each, server in self._servers for name in server.mx}

    @property
    def _servers(self) -> Iterator[tuple[Provider, SubmissionServer]]:
        return ((provider, server) for provider in self.all for server in provider.servers)


def _longest(table: Mapping[str, _Value], name: str) -> _Value | None:
    """Return the value of `name` itself, or of the longest ".domain" that it is in."""
    wanted = name.strip().rstrip(".").casefold()
    labels = wanted.split(".")
    domains = ("." + ".".join(labels[start:]) for start in range(len(labels)))
    return next((table[each] for each in (wanted, *domains) if each in table), None)


class PasswordShape(StrEnum):
    """What a secret looks like, as far as that helps to name a cause."""

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
