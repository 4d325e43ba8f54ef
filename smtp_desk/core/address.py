"""Host names and mailboxes: parsed in both spellings, or told exactly what is wrong."""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import idna

if TYPE_CHECKING:
    from email_validator import ValidatedEmail

MAX_HOST = 253
MAX_LABEL = 63

_SCHEME = re.compile(r"(?i)^([a-z][a-z0-9+.-]*)://")
_PORT = re.compile(r"^(.*[^:]):(\d+)$")
# What else stands for a dot between labels, in texts of East Asia (RFC 3490, 3.1).
_DOTS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))
_LABEL = re.compile(r"(?!-)[a-z0-9_-]+(?<!-)")
_QUOTED = re.compile(r"\\(.)")
_ADDRESS_LITERAL = re.compile(r"\[(?:(?i:IPv6):)?([0-9A-Fa-f:.]+)\]")
# Of a zone such as %eth0 (RFC 4007, 11), which is the name of a network interface.
_NOT_IN_ZONE = re.compile(r"[^A-Za-z0-9_.-]")
# Reserved by RFC 2606, 6761 and 6762: fine inside a company, never on the internet.
_INTRANET_SUFFIXES = ("test", "local", "localhost", "invalid", "arpa", "onion", "internal", "lan")
_PLAIN_DOMAIN = "example.com"
# Addresses as nearly all are: any reading of the RFCs takes them, exactly as they are typed.
_PLAIN = re.compile(
    r"[a-zA-Z0-9_+-]+(?:\.[a-zA-Z0-9_+-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)*[a-z][a-z0-9]*"
)
_PLAIN_LENGTH = 64


class AddressError(ValueError):
    """The text isn't a valid host or mailbox.

    Attributes:
        code: The rule that is broken, a key of `texts.PROBLEMS`.
        params: Values for the text.
    """

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class Host:
    """A host in both spellings.

    Attributes:
        ascii: A-labels in lower case, or an IP address without brackets: for the wire.
        unicode: The same for people; equal to `ascii` unless the name is an IDN.
        is_ip: Whether it is an IP address.
    """

    ascii: str
    unicode: str
    is_ip: bool = False

    @property
    def is_idn(self) -> bool:
        """Whether the two spellings differ."""
        return self.ascii != self.unicode


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address, local part and domain kept apart (RFC 5321, 4.1.2).

    Attributes:
        local: The local part, exactly.
        domain: The domain for people.
        ascii_domain: The domain for the wire.
    """

    local: str
    domain: str
    ascii_domain: str

    @property
    def address(self) -> str:
        """The address for people."""
        return f"{self.local}@{self.domain}"

    @property
    def wire(self) -> str:
        """The address for MAIL and RCPT; not ASCII only where the local part is not."""
        return f"{self.local}@{self.ascii_domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the server must offer SMTPUTF8 (RFC 6531)."""
        return not self.local.isascii()

    @property
    def is_intranet(self) -> bool:
        """Whether the domain can exist only inside an organization."""
        return _is_intranet(self.ascii_domain)


def has_control(text: str) -> bool:
    """Whether `text` holds CR, LF, NUL or any other control character, or half a surrogate pair."""
    return any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text)


def parse_host(text: str) -> Host:
    """Parse a host as a person typed it, ignoring spaces around it.

    Raises:
        AddressError: It isn't a valid host; the code says exactly why.
    """
    if has_control(text):
        raise AddressError("control_character")
    host = text.strip()
    _refuse_what_is_no_host(host)
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        ip = str(ipaddress.ip_address(bare))
    except ValueError:
        return _parse_name(host)
    if odd := _NOT_IN_ZONE.search(ip.partition("%")[2]):
        raise AddressError("host.invalid_character", character=odd[0])
    return Host(ip, ip, is_ip=True)


def parse_ehlo_name(text: str) -> str:
    """Parse an EHLO argument: a domain or an address literal (RFC 5321, 4.1.3).

    Raises:
        AddressError: It is neither.
    """
    name = text.strip(" ")
    literal = _ADDRESS_LITERAL.fullmatch(name)
    if literal is None:
        host = parse_host(name)
        return _literal(host.ascii) if host.is_ip else host.ascii
    try:
        return _literal(literal[1])
    except ValueError as error:
        raise AddressError("host.invalid_character", character=name[1]) from error


@lru_cache(maxsize=1024)
def parse_mailbox(text: str) -> Mailbox:
    """Parse a mailbox as a person typed it: one address, no display name.

    Intranet domains (`corp.local`, `localhost`, `.test`, single labels) are valid.

    Raises:
        AddressError: It isn't a valid mailbox; the code says exactly why.
    """
    if has_control(text):
        raise AddressError("control_character")
    address = text.strip()
    if not address:
        raise AddressError("email.empty")
    if len(address) <= _PLAIN_LENGTH and _PLAIN.fullmatch(address):
        local, _, domain = address.partition("@")
        return Mailbox(local, domain, domain)
    return _parse_mailbox(address)


def _parse_mailbox(address: str) -> Mailbox:
    local, at, typed = address.rpartition("@")
    if not at or not local or not typed:
        raise AddressError("email.no_at")
    if "<" in address or ">" in address:
        raise AddressError("email.display_name")
    if "," in address or ";" in address:
        raise AddressError("email.several")
    domain = typed.translate(_DOTS)
    if domain.startswith("[") or _is_intranet(domain.lower()):
        host = _email_domain(domain)
        return Mailbox(_validated(f"{local}@{_PLAIN_DOMAIN}").local_part, host.unicode, host.ascii)
    valid = _validated(f"{local}@{domain}")
    return Mailbox(valid.local_part, valid.domain, valid.ascii_domain)


def mailbox_key(address: str) -> str:
    """Return what all spellings of one address share: case, IDN, quotes and normal form.

    A text that isn't an address has a key too: itself, in lower case.
    """
    typed = address.strip()
    if typed.isascii() and '"' not in typed:
        return typed.lower()  # by far the most: the rest takes a thousand times as long
    try:
        box = parse_mailbox(typed)
    except AddressError:
        return unicodedata.normalize("NFKC", typed).casefold()
    local = box.local
    if local.startswith('"') and local.endswith('"'):
        local = _QUOTED.sub(r"\1", local[1:-1])
    return f"{unicodedata.normalize('NFKC', local).casefold()}@{box.ascii_domain.lower()}"


def address_literal(ip: str) -> str:
    """Write an IP address as SMTP does (RFC 5321, 4.1.3): `[192.0.2.1]`, `[IPv6:2001:db8::1]`."""
    return _literal(ip)


def _literal(ip: str) -> str:
    # A zone such as %eth0 means something on this machine only (RFC 4007, 11.2).
    parsed = ipaddress.ip_address(ip.partition("%")[0])
    return f"[{'IPv6:' if parsed.version == 6 else ''}{parsed}]"  # noqa: PLR2004 - IPv6


def _refuse_what_is_no_host(host: str) -> None:
    if not host:
        raise AddressError("host.empty")
    if scheme := _SCHEME.match(host):
        raise AddressError("host.scheme", scheme=scheme[0])
    if "@" in host:
        raise AddressError("host.email", host=host.rpartition("@")[2])
    if "/" in host or "\\" in host:
        raise AddressError("host.path", host=re.split(r"[/\\]", host)[0])
    if any(character.isspace() for character in host):
        raise AddressError("host.space")
    port = _PORT.match(host)
    if port and (":" not in port[1] or port[1].endswith("]")):
        raise AddressError("host.port", host=port[1], port=port[2])


def _parse_name(host: str) -> Host:
    name = unicodedata.normalize("NFC", host).removesuffix(".").lower()
    labels = name.translate(_DOTS).split(".")
    if not all(labels):
        raise AddressError("host.label_empty")
    try:
        wire = [label if label.isascii() else _a_label(label) for label in labels]
    except idna.IDNAError as error:
        raise AddressError("host.idn", reason=str(error)) from error
    for label in wire:
        if len(label) > MAX_LABEL:
            raise AddressError("host.label_long", label=label, length=str(len(label)))
        if not _LABEL.fullmatch(label):
            raise AddressError("host.invalid_character", character=_offender(label))
    ascii_name = ".".join(wire)
    if len(ascii_name) > MAX_HOST:
        raise AddressError("host.too_long", length=str(len(ascii_name)))
    if wire[-1].isdigit():
        raise AddressError("host.not_ip", host=ascii_name)
    return Host(ascii_name, _unicode_name(wire))


def _a_label(label: str) -> str:
    try:
        return idna.alabel(idna.uts46_remap(label, std3_rules=True)).decode()
    except idna.IDNAError as error:
        # idna says only "Label too long"; the limit is said as for any other label.
        if "too long" in str(error).lower():
            raise AddressError("host.label_long", label=label, length=f"> {MAX_LABEL}") from error
        raise


def _unicode_name(labels: list[str]) -> str:
    try:
        return ".".join(
            idna.ulabel(label) if label.startswith("xn--") else label for label in labels
        )
    except idna.IDNAError as error:
        raise AddressError("host.idn", reason=str(error)) from error


def _offender(label: str) -> str:
    for character in label:
        if not _LABEL.fullmatch(f"a{character}a"):
            return character
    return "-"


def _is_intranet(domain: str) -> bool:
    labels = domain.rstrip(".").split(".")
    return len(labels) == 1 or labels[-1] in _INTRANET_SUFFIXES


def _email_domain(domain: str) -> Host:
    if domain.startswith("["):
        try:
            name = parse_ehlo_name(domain)
        except AddressError as error:
            raise AddressError("email.domain", domain=domain) from error
        return Host(name, name, is_ip=True)
    try:
        host = parse_host(domain)
    except AddressError as error:
        raise AddressError("email.domain", domain=domain) from error
    return host


def _validated(address: str) -> "ValidatedEmail":
    # Imported here: it compiles patterns over all of Unicode, which only an address needs.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    try:
        return validate_email(
            address,
            check_deliverability=False,
            globally_deliverable=False,
            allow_smtputf8=True,
            allow_quoted_local=True,
            strict=True,
        )
    except EmailNotValidError as error:
        raise AddressError("email.invalid", reason=str(error)) from error
