"""A certificate authority made for one run of the sandbox, and thrown away with it."""

import ipaddress
import os
import secrets
import ssl
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from smtp_desk.sandbox.faults import ShownCertificate
from smtp_desk.sandbox.recipients import DOMAIN

VALID_BEFORE = timedelta(days=1)
VALID_AFTER = timedelta(days=30)

_LEAF_NAMES = (
    x509.DNSName("localhost"),
    x509.DNSName(DOMAIN),
    x509.DNSName(f"autoconfig.{DOMAIN}"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)
_OTHER_NAMES = (x509.DNSName("mail.another.test"),)
_LONG = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """The sandbox's proof of its identity.

    Attributes:
        ca_pem: The certificate of the authority, PEM: what a client must trust.
        context: The server's side of TLS, certificate and key loaded.
    """

    ca_pem: str
    context: ssl.SSLContext


def _good() -> ShownCertificate:
    return ShownCertificate.GOOD


def make_tls_identity(now: datetime, shown: Callable[[], ShownCertificate] = _good) -> TlsIdentity:
    """Make an authority and a certificate for localhost, 127.0.0.1, ::1 and its own domain.

    Both are EC P-256 in the strict form of RFC 5280, valid from a day before `now` until
    30 days after it. The authority's key never leaves this call; the server's own key
    touches the disk only encrypted, in a private file, while OpenSSL reads it.

    Args:
        now: This moment.
        shown: Returns which certificate the next client gets; each bad one differs from the good
            one in one thing.

    Raises:
        OSError: No temporary file could be written.
    """
    authority = _Authority.make("SMTP Desk sandbox CA", now)
    stranger = _Authority.make("An authority that nobody knows", now)
    key = ec.generate_private_key(ec.SECP256R1())
    chains = {
        ShownCertificate.GOOD: authority.chain(key, now),
        ShownCertificate.EXPIRED: authority.chain(key, now - VALID_AFTER - _LONG),
        ShownCertificate.NOT_YET_VALID: authority.chain(key, now + VALID_BEFORE + _LONG),
        ShownCertificate.OTHER_NAME: authority.chain(key, now, _OTHER_NAMES),
        ShownCertificate.OTHER_ISSUER: stranger.chain(key, now),
    }
    contexts = {each: _server_context(chain, key) for each, chain in chains.items()}

    def choose(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = contexts[shown()]

    context = contexts[ShownCertificate.GOOD]
    context.sni_callback = choose
    return TlsIdentity(authority.pem.decode("ascii"), context)


@dataclass(frozen=True, slots=True)
class _Authority:
    """An authority while it signs."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    pem: bytes = b""

    @classmethod
    def make(cls, common_name: str, now: datetime) -> Self:
        """Make its key and its certificate."""
        unsigned = cls(_name(common_name), ec.generate_private_key(ec.SECP256R1()))
        certificate = unsigned.certificate(unsigned.name, unsigned.key, now)
        return replace(unsigned, pem=certificate.public_bytes(serialization.Encoding.PEM))

    def chain(
        self,
        key: ec.EllipticCurvePrivateKey,
        now: datetime,
        names: Sequence[x509.GeneralName] = _LEAF_NAMES,
    ) -> bytes:
        """Return a certificate of this key, and the authority's own."""
        leaf = self.certificate(_name("localhost"), key, now, names)
        return leaf.public_bytes(serialization.Encoding.PEM) + self.pem

    def certificate(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        now: datetime,
        names: Sequence[x509.GeneralName] = (),
    ) -> x509.Certificate:
        """Sign a certificate for these names; without any it is the authority's own."""
        is_ca = not names
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - VALID_BEFORE)
            .not_valid_after(now + VALID_AFTER)
            .add_extension(
                x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True
            )
            .add_extension(_key_usage(is_ca=is_ca), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(names), critical=False
            ).add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
            )
        return builder.sign(self.key, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SMTP Desk sandbox"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _key_usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _server_context(chain_pem: bytes, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
    """Load chain and key; `ssl` takes them from a file only."""
    passphrase = secrets.token_bytes(32).hex().encode("ascii")
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    descriptor, path = tempfile.mkstemp(prefix="smtp-desk-sandbox-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key_pem + chain_pem)
        context.load_cert_chain(path, password=passphrase)
    finally:
        os.unlink(path)  # noqa: PTH108 - a name from mkstemp, not a path of ours
    return context
