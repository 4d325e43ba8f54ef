"""A certificate authority made for one run of the sandbox, and thrown away with it."""

import ipaddress
import os
import secrets
import ssl
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

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


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """What the sandbox proves itself with.

    Attributes:
        ca_pem: The certificate of the authority, PEM: what a client must trust.
        context: The server's side of TLS, certificate and key loaded.
    """

    ca_pem: str
    context: ssl.SSLContext


def make_tls_identity(now: datetime) -> TlsIdentity:
    """Make an authority and a certificate for localhost, 127.0.0.1, ::1 and its own domain.

    Both are EC P-256 in the strict form of RFC 5280, valid from a day before `now` until
    30 days after it. The authority's key never leaves this call; the server's own key
    touches the disk only encrypted, in a private file, while OpenSSL reads it.

    Raises:
        OSError: No temporary file could be written.
    """
    ca_key = ec.generate_private_key(ec.SECP256R1())
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("SMTP Desk sandbox CA")
    ca = _certificate(now, ca_name, ca_name, ca_key.public_key(), ca_key)
    leaf = _certificate(now, _name("localhost"), ca_name, leaf_key.public_key(), ca_key)
    ca_pem = ca.public_bytes(serialization.Encoding.PEM)
    chain_pem = leaf.public_bytes(serialization.Encoding.PEM) + ca_pem
    return TlsIdentity(ca_pem.decode("ascii"), _server_context(chain_pem, leaf_key))


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SMTP Desk sandbox"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _certificate(
    now: datetime,
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    ca_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    is_ca = subject == issuer
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VALID_BEFORE)
        .not_valid_after(now + VALID_AFTER)
        .add_extension(
            x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True
        )
        .add_extension(_key_usage(is_ca=is_ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
            critical=False,
        )
    )
    if not is_ca:
        builder = builder.add_extension(
            x509.SubjectAlternativeName(_LEAF_NAMES), critical=False
        ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(ca_key, hashes.SHA256())


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
