"""Certificates as facts: what a person, or whoever fixes the server, must know about them.

Nothing here decides whether a certificate is accepted; OpenSSL or the system does that.
Servers also send malformed certificates, so nothing here fails on one.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from smtp_desk.core.address import AddressError, parse_host
from smtp_desk.core.reply import visible
from smtp_desk.core.stages import Json
from smtp_desk.smtp.net.resolve import is_ip
from smtp_desk.smtp.net.tls import TlsInfo

EXPIRES_SOON: Final = timedelta(days=14)
"""A certificate with less than this left is worth a warning, or less than a third of its lifetime:
those of six days are renewed every other day."""

_CA_EXPIRES_SOON: Final = timedelta(days=30)  # a new one takes a person
# Characters of a subject or issuer; there are certificates of 100 KB.
_MOST_SHOWN: Final = 500
# Not there, or written so that it can't be read.
_NO_EXTENSION: Final = (
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    TypeError,
    ValueError,
)

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


class Certificate:
    """One certificate as the server sent it.

    Attributes:
        der: Its octets.
        subject: Whom it is for, as shown to people.
        issuer: Who signed it, as shown to people.
    """

    def __init__(self, der: bytes) -> None:
        """Read a certificate.

        Raises:
            ValueError: It can't be read at all.
        """
        self.der = der
        try:
            self._parsed = x509.load_der_x509_certificate(der)
            self.subject = _shown(self._parsed.subject)
            self.issuer = _shown(self._parsed.issuer)
        except (x509.InvalidVersion, TypeError) as error:
            raise ValueError(str(error)) from error

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same."""
        return self._parsed.subject == self._parsed.issuer

    @property
    def issuer_organization(self) -> str:
        """The organization that signed it, or ""."""
        found = self._parsed.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return str(found[0].value) if found else ""

    @property
    def not_before(self) -> datetime:
        """When it becomes valid."""
        return self._parsed.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """When it expires."""
        return self._parsed.not_valid_after_utc

    @property
    def fingerprint(self) -> str:
        """Its SHA-256 fingerprint, as hex digits in lower case."""
        return self._parsed.fingerprint(hashes.SHA256()).hex()

    @property
    def pem(self) -> str:
        """The certificate as PEM, as in a CA file."""
        return self._parsed.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def is_ca(self) -> bool:
        """Whether it may sign others (Basic Constraints, RFC 5280, 4.2.1.9)."""
        constraints = self._extension(x509.BasicConstraints)
        return constraints is not None and constraints.value.ca

    @property
    def names(self) -> tuple[str, ...]:
        """The hosts and IP addresses it is for (RFC 5280, 4.2.1.6).

        An IP address in a place where only names count is marked as such. Without a list of names
        the common name counts, as it did before there were such lists.
        """
        try:
            found = self._parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except x509.ExtensionNotFound:
            return self._common_names()
        except _NO_EXTENSION:
            return ()
        hosts = found.value.get_values_for_type(x509.DNSName)
        addresses = found.value.get_values_for_type(x509.IPAddress)
        return (*map(_name, hosts), *map(str, addresses))

    @property
    def names_issuer_url(self) -> bool:
        """Whether it says where to download its issuer's certificate (RFC 5280, 4.2.2.1)."""
        access = self._extension(x509.AuthorityInformationAccess)
        return access is not None and any(
            way.access_method == AuthorityInformationAccessOID.CA_ISSUERS for way in access.value
        )

    @property
    def key(self) -> str:
        """Type and size of its key, for example "RSA 2048"."""
        try:
            key = self._parsed.public_key()
        except (ValueError, UnsupportedAlgorithm):
            return "unknown"
        if isinstance(key, rsa.RSAPublicKey):
            return f"RSA {key.key_size}"
        if isinstance(key, ec.EllipticCurvePublicKey):
            return f"EC {key.curve.name}"
        return type(key).__name__.removesuffix("PublicKey")

    @property
    def signature(self) -> str:
        """The algorithm its issuer signed with, for example "sha256WithRSAEncryption"."""
        oid = self._parsed.signature_algorithm_oid
        return oid._name if oid._name != "Unknown OID" else oid.dotted_string  # noqa: SLF001

    @property
    def form_problems(self) -> tuple[str, ...]:
        """Where it breaks the strict rules of RFC 5280 that some clients insist on."""
        problems: list[str] = []
        constraints = self._extension(x509.BasicConstraints)
        if self.is_ca and constraints is not None and not constraints.critical:
            problems.append("basic_constraints_not_critical")
        if self.is_ca and self._extension(x509.KeyUsage) is None:
            problems.append("key_usage_missing")
        if self.is_ca and self._extension(x509.SubjectKeyIdentifier) is None:
            problems.append("subject_key_identifier_missing")
        if not self.self_issued and self._extension(x509.AuthorityKeyIdentifier) is None:
            problems.append("authority_key_identifier_missing")
        return tuple(problems)

    def issued_by(self, other: "Certificate") -> bool:
        """Whether `other` signed it."""
        try:
            self._parsed.verify_directly_issued_by(other._parsed)  # noqa: SLF001 - its own class
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False
        return True

    def expires_soon(self, now: datetime) -> bool:
        """Whether so little of its lifetime is left that a renewal is overdue."""
        lifetime = self.not_after - self.not_before
        return self.not_after - now < min(EXPIRES_SOON, lifetime / 3)

    def facts(self) -> dict[str, Json]:
        """Return it as it stands in a report."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "names": list(self.names),
            "not_before": self.not_before.isoformat(),
            "not_after": self.not_after.isoformat(),
            "key": self.key,
            "signature": self.signature,
            "fingerprint": self.fingerprint,
            "serial": f"{self._parsed.serial_number:x}",
            "is_ca": self.is_ca,
        }

    def _common_names(self) -> tuple[str, ...]:
        found = self._parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        texts = (str(each.value) for each in found if not self.is_ca)
        return tuple(_name(text) for text in texts if _is_host(text))

    def _extension(self, kind: type[_Extension]) -> x509.Extension[_Extension] | None:
        try:
            return self._parsed.extensions.get_extension_for_class(kind)
        except _NO_EXTENSION:
            return None


def _shown(name: x509.Name) -> str:
    text = visible(name.rfc4514_string())
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"


def _name(text: str) -> str:
    return f"{text} (as a name, not as an address)" if is_ip(text) else visible(text)


def _is_host(text: str) -> bool:
    try:
        parse_host(text)
    except AddressError:
        return False
    return True


def read_chain(ders: Iterable[bytes]) -> tuple[Certificate, ...]:
    """Return the certificates of a chain, without those that can't be read."""
    chain = []
    for der in ders:
        try:
            chain.append(Certificate(der))
        except ValueError:
            continue
    return tuple(chain)


def ca_files_end(pems: Iterable[str], now: datetime) -> datetime | None:
    """Return when the first of these CA files expires, if that is soon; otherwise None.

    A file lasts as long as its last certificate. Soon means within 30 days, or within the last
    third of a short lifetime.
    """
    ends = []
    for pem in pems:
        with suppress(ValueError):  # a CA that can't be read accepts no server anyway
            certificates = x509.load_pem_x509_certificates(pem.encode())
            last = max(certificates, key=lambda each: each.not_valid_after_utc)
            end = last.not_valid_after_utc
            if end - now < min(_CA_EXPIRES_SOON, (end - last.not_valid_before_utc) / 3):
                ends.append(end)
    return min(ends, default=None)


def path_of(chain: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """Return the first certificate and the signers above it, as far as the server sent them."""
    path = list(chain[:1])
    while path:
        signers = (each for each in chain if each not in path and path[-1].issued_by(each))
        signer = next(signers, None)
        if signer is None:
            break
        path.append(signer)
    return tuple(path)


def best_name(host: str, names: Iterable[str]) -> str:
    """Return the name of a certificate that a person most likely meant by `host`, or "".

    Only names that can be typed as a host are suggested, not wildcards, and never the name
    that was typed.
    """
    typed = _plain(host)
    candidates = [name for name in names if _is_host(name) and _plain(name) != typed]
    return max(candidates, key=lambda name: _common_end(host, name), default="")


def is_among(host: str, names: Iterable[str]) -> bool:
    """Whether a certificate of these names is for `host` (RFC 6125, 6.4)."""
    typed = _plain(host)
    star = f"*.{typed.partition('.')[2]}"
    return any(_plain(name) in (typed, star) for name in names)


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


def _common_end(one: str, other: str) -> int:
    common = 0
    for mine, its in zip(
        reversed(one.lower().split(".")), reversed(other.lower().split(".")), strict=False
    ):
        if mine != its:
            break
        common += 1
    return common


def tls_facts(info: TlsInfo, now: datetime) -> dict[str, Json]:
    """Return what a report says about an accepted TLS connection.

    Besides version, cipher and chain, where they apply: `expires_soon` (subject, end and
    whole days left of the first certificate to end) and `form_problems` (subject and
    problem), both worth a warning only.
    """
    chain = read_chain(info.chain)
    facts: dict[str, Json] = {
        "version": info.version,
        "cipher": info.cipher,
        "chain": [each.facts() for each in chain],
    }
    ending = (each for each in chain if each.expires_soon(now))
    first = min(ending, key=lambda each: each.not_after, default=None)
    if first is not None:
        facts["expires_soon"] = {
            "certificate": first.subject,
            "not_after": first.not_after.isoformat(),
            "days": max(0, (first.not_after - now).days),
        }
    problems: list[Json] = [
        {"certificate": each.subject, "problem": problem}
        for each in chain
        for problem in each.form_problems
    ]
    if problems:
        facts["form_problems"] = problems
    return facts
