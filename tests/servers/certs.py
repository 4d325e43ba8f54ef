"""Certificates of every temper, each differing from the good one in one respect."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import ipaddress
import ssl
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    import pathlib

_Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

HOST_NAMES: Final = ("localhost", "127.0.0.1", "::1", "mail.example.test")
AIA_URL: Final = "http://ca.example.test/intermediate.crt"
_DAY: Final = dt.timedelta(days=1)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


@dataclasses.dataclass(frozen=True)
class Identity:
    """A certificate with its key and the certificates a server sends along.

    Attributes:
        chain_file: PEM: the certificate, then those sent along.
        key_file: PEM, mode 0600.
    """

    certificate: x509.Certificate
    key: _Key
    sent_along: tuple[x509.Certificate, ...]
    chain_file: pathlib.Path
    key_file: pathlib.Path

    @property
    def fingerprint(self) -> str:
        """SHA-256 in lower case hex digits."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @functools.cached_property
    def tls(self) -> ssl.SSLContext:
        """A server's usual settings with this certificate, shared by all servers.

        A new one costs more than many a test does besides. Who changes the settings, or cares
        which server gave a ticket, takes a `server_context` instead.
        """
        return self.server_context()

    def server_context(
        self,
        *,
        newest: ssl.TLSVersion | None = None,
        ciphers: str | None = None,
        client_ca: pathlib.Path | None = None,
    ) -> ssl.SSLContext:
        """A server's settings with this certificate.

        Args:
            newest: the newest TLS version spoken, down to 1.0.
            ciphers: OpenSSL cipher string for TLS 1.2 and older.
            client_ca: ask for, and insist on, a client certificate of this CA.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Security level 0: a server may hold a weak key and speak old versions; clients judge it.
        context.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
        context.load_cert_chain(self.chain_file, self.key_file)
        if newest is not None:
            oldest = min(newest, ssl.TLSVersion.TLSv1_2)
            if oldest < ssl.TLSVersion.TLSv1_2:
                context.options &= ~(ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1)
            context.maximum_version = newest
            context.minimum_version = oldest
        if client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        return context


class Certificates:
    """All certificates of a test run, each made when first asked for.

    Attributes:
        root: what a client must trust for `good`; `root.chain_file` is the CA file.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self.root = self._authority("root", "Example Test Root CA")

    @functools.cached_property
    def good(self) -> Identity:
        """For localhost, 127.0.0.1, ::1 and mail.example.test, signed by the root."""
        return self._leaf("good")

    @functools.cached_property
    def good_rsa(self) -> Identity:
        """As `good`, with an RSA key of 2048 bits."""
        return self._leaf("good-rsa", key=_rsa(2048))

    @functools.cached_property
    def intermediate(self) -> Identity:
        """A CA below the root. Trusting it alone makes a partial chain."""
        return self._authority("intermediate", "Example Test Intermediate CA", issuer=self.root)

    @functools.cached_property
    def with_intermediate(self) -> Identity:
        """Signed by the intermediate, which is sent along."""
        issuer = self.intermediate
        return self._leaf("with-intermediate", issuer=issuer, sent_along=(issuer.certificate,))

    @functools.cached_property
    def chain_incomplete(self) -> Identity:
        """Signed by the intermediate, which is not sent; the leaf says where to get it."""
        return self._leaf("chain-incomplete", issuer=self.intermediate, aia=AIA_URL)

    @functools.cached_property
    def chain_broken(self) -> Identity:
        """Signed by a CA that is sent; the intermediate above that one is not."""
        issuer = self._authority("issuing", "Issuing CA", issuer=self.intermediate, aia=AIA_URL)
        return self._leaf("chain-broken", issuer=issuer, sent_along=(issuer.certificate,))

    @functools.cached_property
    def unknown_root_unsent(self) -> Identity:
        """Signed by a CA that is sent; above it is the root of a company, which is not."""
        make = functools.partial(self._authority, organization="Example Company")
        issuer = make("company-ca", "Company CA", issuer=make("co", "Company Root CA"), aia=AIA_URL)
        return self._leaf("company", issuer=issuer, sent_along=(issuer.certificate,))

    def for_names(self, *names: str) -> Identity:
        """For these names, signed by the root."""
        return self._leaf(f"for-{names[0]}", names=names)

    @functools.cached_property
    def wrong_host(self) -> Identity:
        """For other.example.test and *.wild.example.test only."""
        return self._leaf("wrong-host", names=("other.example.test", "*.wild.example.test"))

    @functools.cached_property
    def ip_only(self) -> Identity:
        """For 127.0.0.1 and no name."""
        return self._leaf("ip-only", names=("127.0.0.1",))

    @functools.cached_property
    def name_only(self) -> Identity:
        """For mail.example.test and localhost, not for an address."""
        return self._leaf("name-only", names=("mail.example.test", "localhost"))

    @functools.cached_property
    def expired(self) -> Identity:
        """Ended ten days ago."""
        return self._leaf("expired", begins=-100 * _DAY, ends=-10 * _DAY)

    @functools.cached_property
    def not_yet_valid(self) -> Identity:
        """Begins in ten days."""
        return self._leaf("not-yet-valid", begins=10 * _DAY, ends=100 * _DAY)

    @functools.cached_property
    def future_chain(self) -> Identity:
        """Begins in ten days, and the CA between it and the root in five; it is sent along."""
        issuer = self._authority("future-ca", "Future CA", issuer=self.root, begins=5 * _DAY)
        sent = (issuer.certificate,)
        return self._leaf("future-chain", issuer=issuer, sent_along=sent, begins=10 * _DAY)

    @functools.cached_property
    def expires_soon(self) -> Identity:
        """Ends in five days, of sixty-five."""
        return self._leaf("expires-soon", begins=-60 * _DAY, ends=5 * _DAY)

    @functools.cached_property
    def six_days(self) -> Identity:
        """Begun an hour ago for 160 hours, as short-lived ones are."""
        hour = dt.timedelta(hours=1)
        return self._leaf("six-days", begins=-hour, ends=159 * hour)

    @functools.cached_property
    def expired_intermediate(self) -> Identity:
        """Valid itself, but the CA between it and the root has ended; it is sent along."""
        issuer = self._authority(
            "expired-ca",
            "Example Test Expired CA",
            issuer=self.root,
            begins=-100 * _DAY,
            ends=-10 * _DAY,
        )
        return self._leaf("expired-chain", issuer=issuer, sent_along=(issuer.certificate,))

    @functools.cached_property
    def self_signed(self) -> Identity:
        """Its own issuer, no CA."""
        return self._leaf("self-signed", issuer=None)

    @functools.cached_property
    def other_root(self) -> Identity:
        """A CA nobody trusts."""
        return self._authority("other-root", "Unrelated Root CA")

    @functools.cached_property
    def unknown_issuer(self) -> Identity:
        """Signed by `other_root`, which is sent along."""
        issuer = self.other_root
        return self._leaf("unknown-issuer", issuer=issuer, sent_along=(issuer.certificate,))

    @functools.cached_property
    def unknown_issuer_unsent(self) -> Identity:
        """Signed by `other_root`, which is not sent and not named by a URL."""
        return self._leaf("unknown-issuer-unsent", issuer=self.other_root)

    @functools.cached_property
    def intercepted(self) -> Identity:
        """Signed by the CA of a virus scanner that sits in the connection."""
        issuer = self._authority(
            "interceptor",
            "Avast Web/Mail Shield Root",
            organization="Avast Web/Mail Shield",
        )
        return self._leaf("intercepted", issuer=issuer, sent_along=(issuer.certificate,))

    @functools.cached_property
    def weak_key(self) -> Identity:
        """An RSA key of 1024 bits."""
        return self._leaf("weak-key", key=_rsa(1024))

    @functools.cached_property
    def no_key_identifier(self) -> Identity:
        """Without Authority Key Identifier: refused by strict X.509 form only."""
        return self._leaf("no-key-identifier", key_identifier=False)

    @functools.cached_property
    def lax_root(self) -> Identity:
        """A CA whose Basic Constraints are not critical: refused by strict form only."""
        return self._authority("lax-root", "Lax Root CA", critical_constraints=False)

    @functools.cached_property
    def of_lax_root(self) -> Identity:
        """Signed by `lax_root`; trust `lax_root.chain_file` for it."""
        return self._leaf("of-lax-root", issuer=self.lax_root)

    @functools.cached_property
    def client(self) -> Identity:
        """A client's certificate, signed by the root."""
        return self._leaf("client", names=("client.example.test",))

    def trusting_context(self) -> ssl.SSLContext:
        """A client's settings that trust the root and want TLS 1.2 or newer."""
        context = ssl.create_default_context(cafile=str(self.root.chain_file))
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # some systems' Pythons allow older ones
        return context

    def _authority(
        self,
        label: str,
        common_name: str,
        *,
        organization: str = "Example Test",
        issuer: Identity | None = None,
        begins: dt.timedelta = -_DAY,
        ends: dt.timedelta = 3650 * _DAY,
        critical_constraints: bool = True,
        aia: str | None = None,
    ) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(common_name, organization), key, issuer, begins, ends)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=critical_constraints
        ).add_extension(_usage(signs_certificates=True), critical=True)
        if issuer is not None:
            builder = builder.add_extension(_key_identifier(issuer), critical=False)
        if aia is not None:
            builder = builder.add_extension(_access(aia), critical=False)
        return self._sign(label, builder, key, issuer, ())

    def _leaf(
        self,
        label: str,
        *,
        names: tuple[str, ...] = HOST_NAMES,
        issuer: Identity | str | None = "root",
        sent_along: tuple[x509.Certificate, ...] = (),
        begins: dt.timedelta = -_DAY,
        ends: dt.timedelta = 365 * _DAY,
        key: _Key | None = None,
        key_identifier: bool = True,
        aia: str | None = None,
    ) -> Identity:
        signer = self.root if isinstance(issuer, str) else issuer
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(names[0], "Example Test"), key, signer, begins, ends)
        builder = (
            builder.add_extension(
                x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
                ),
                critical=False,
            )
        )
        if signer is not None and key_identifier:
            builder = builder.add_extension(_key_identifier(signer), critical=False)
        if aia is not None:
            builder = builder.add_extension(_access(aia), critical=False)
        return self._sign(label, builder, key, signer, sent_along)

    def _sign(
        self,
        label: str,
        builder: x509.CertificateBuilder,
        key: _Key,
        issuer: Identity | None,
        sent_along: tuple[x509.Certificate, ...],
    ) -> Identity:
        certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
        chain_file = self._folder / f"{label}.pem"
        chain_file.write_bytes(
            b"".join(
                link.public_bytes(serialization.Encoding.PEM) for link in (certificate, *sent_along)
            )
        )
        key_file = self._folder / f"{label}.key"
        key_file.touch(mode=0o600)
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return Identity(certificate, key, sent_along, chain_file, key_file)


def _rsa(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def _name(common_name: str, organization: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    key: _Key,
    issuer: Identity | None,
    begins: dt.timedelta,
    ends: dt.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() + begins)
        .not_valid_after(_now() + ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _access(url: str) -> x509.AuthorityInformationAccess:
    where = x509.AccessDescription(
        AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(url)
    )
    return x509.AuthorityInformationAccess([where])


def _key_identifier(issuer: Identity) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    )


@pytest.fixture(scope="session")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """All certificates; trust `certs.root.chain_file`."""
    return Certificates(tmp_path_factory.mktemp("certs"))
