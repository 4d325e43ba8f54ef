"""The results of finding settings: proposed servers, and each question with its result."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from smtp_desk.core.address import Mailbox
from smtp_desk.core.findings.providers import Provider, Providers, SignIn, SubmissionServer
from smtp_desk.core.settings import Security


class Source(StrEnum):
    """Where a candidate was found, or a question was asked; the surest first."""

    PROVIDER = "provider"
    AUTOCONFIG = "autoconfig"
    WELL_KNOWN = "well_known"
    ISPDB = "ispdb"
    MX = "mx"
    SRV = "srv"
    GUESS = "guess"

    @property
    def rank(self) -> int:
        """Its place in this order."""
        return tuple(Source).index(self)


class SearchResult(StrEnum):
    """The result of a question."""

    FOUND = "found"
    NOTHING = "nothing"
    NO_ANSWER = "no_answer"
    """Nobody answered in time."""
    UNREACHABLE = "unreachable"
    """There is such a name, and it can't be connected to."""
    UNTRUSTED = "untrusted"
    """The certificate or the encryption failed."""
    DNS_FAILED = "dns_failed"
    """The DNS reported a fault, or can't be asked."""
    NOT_HTTP = "not_http"
    HTTP_STATUS = "http_status"
    """The server refused (detail: the status)."""
    TOO_LARGE = "too_large"
    REDIRECTED_TO_HTTP = "redirected_to_http"
    BAD_REDIRECT = "bad_redirect"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    NOT_XML = "not_xml"
    ENTITIES = "entities"
    """The XML declares entities or a document type."""
    OTHER_XML = "other_xml"
    """XML of another kind or namespace (detail: its root)."""
    NO_SERVER = "no_server"
    """A configuration without a usable server for sending."""
    PLAINTEXT_ONLY = "plaintext_only"
    """A configuration whose servers for sending all lack TLS."""
    UNKNOWN_SIGN_IN = "unknown_sign_in"
    """A configuration whose servers take no sign-in that this program has."""
    TAKES_NO_MAIL = "takes_no_mail"
    """A null MX (RFC 7505)."""
    OTHER_PROVIDER = "other_provider"
    """The MX is none that the provider data knows."""
    NO_SERVICE = "no_service"
    """An SRV record to "." (RFC 2782): decidedly not offered."""
    BAD_RECORD = "bad_record"
    """A record that names what can't be (detail: which)."""
    PUBLIC_SUFFIX = "public_suffix"
    """The domain belongs to a registry: nobody has a mailbox there."""
    IP_LITERAL = "ip_literal"
    """The address names an IP address, not a domain."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and its answer.

    Attributes:
        source: The kind of question.
        target: What was asked: a domain, a name and record type, or the address of a page.
        result: The result; None while it isn't known.
        detail: A detail of the result, such as an HTTP status.
        redirects: The addresses that it was redirected to, in order.
    """

    source: Source
    target: str
    result: SearchResult | None = None
    detail: str = ""
    redirects: tuple[str, ...] = ()


class NotFoundError(Exception):
    """A question found no server.

    Attributes:
        result: Why not.
        detail: A detail, or "".
        redirects: The addresses that it was redirected to.
    """

    def __init__(
        self, result: SearchResult, detail: str = "", redirects: tuple[str, ...] = ()
    ) -> None:
        super().__init__(result)
        self.result = result
        self.detail = detail
        self.redirects = redirects


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A server that may be the right one.

    Attributes:
        host: Its name.
        port: Its port.
        security: How TLS begins there; never AUTO.
        username: The username; "" if there is no sign-in, or it isn't known.
        sign_in: What it accepts to sign in, the best first; empty if there is no sign-in.
        source: Where it was found.
        known: The known provider that it belongs to, or None.
        only_dns: Whether only the DNS, which can be forged on the way, leads from the address to
            a server outside its domain.
    """

    host: str
    port: int
    security: Security
    username: str
    sign_in: tuple[SignIn, ...]
    source: Source
    known: Provider | None = None
    only_dns: bool = False

    @property
    def rank(self) -> int:
        """A number that is smaller the surer it is: what a forged MX can name is no surer."""
        return max(self.source.rank, Source.MX.rank) if self.only_dns else self.source.rank

    @property
    def provider(self) -> str:
        """The id of the known provider, or ""."""
        return self.known.id if self.known else ""

    @property
    def oauth_provider(self) -> str:
        """Whose accounts a sign-in by OAuth 2.0 there is for (`OAuthProvider`); "" if unknown."""
        known = self.known
        if known is None or known.facts.get("smtp_host") != self.host:
            return ""
        return str(known.facts.get("oauth_provider", ""))

    @property
    def url(self) -> str:
        """A page about signing in there: for app passwords, or else the help page; or ""."""
        facts = self.known.facts if self.known else {}
        return str(facts.get("app_password_url") or facts.get("help_url") or "")


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found for an address.

    Attributes:
        address: The address.
        candidates: The servers, the surest first.
        asked: Every question and its answer, in the order of their sureness.
    """

    address: str
    candidates: tuple[Candidate, ...]
    asked: tuple[Asked, ...]

    @classmethod
    def of(cls, address: str, found: Iterable[tuple[Asked, Iterable[Candidate]]]) -> "Discovery":
        """Sort answers; a server that several name appears once, with its surest source.

        Args:
            address: The address.
            found: Each question with what it found, in the order in which they were asked.
        """
        answers = sorted(found, key=lambda each: each[0].source.rank)
        ranked = sorted(
            (each for _, several in answers for each in several), key=lambda each: each.rank
        )
        servers: dict[tuple[str, int], Candidate] = {}
        for each in ranked:
            servers.setdefault((each.host, each.port), each)
        return cls(address, tuple(servers.values()), tuple(asked for asked, _ in answers))


def of_provider(
    provider: Provider,
    server: SubmissionServer,
    mailbox: Mailbox,
    source: Source,
    *,
    only_dns: bool = False,
) -> Candidate:
    """Return what the provider data say for an address."""
    return Candidate(
        host=server.host,
        port=server.port,
        security=server.security,
        username=provider.username(mailbox.local, mailbox.wire),
        sign_in=provider.sign_in,
        source=source,
        known=provider,
        only_dns=only_dns,
    )


def of_host(
    host: str,
    port: int,
    security: Security,
    *,
    mailbox: Mailbox,
    source: Source,
    providers: Providers,
) -> Candidate:
    """Return a server known only by DNS and its certificate; its provider may be known."""
    provider = providers.by_host(host)
    return Candidate(
        host=host,
        port=port,
        security=security,
        username=provider.username(mailbox.local, mailbox.wire) if provider else mailbox.wire,
        sign_in=provider.sign_in if provider else (SignIn.PASSWORD,),
        source=source,
        known=provider,
        only_dns=is_outside(host, mailbox),
    )


def is_outside(host: str, mailbox: Mailbox) -> bool:
    """Whether a host is outside the address's domain."""
    domain = mailbox.ascii_domain
    return host != domain and not host.endswith(f".{domain}")
