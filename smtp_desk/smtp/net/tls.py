"""TLS as the client of a mail server: what is trusted, and the bytes of one connection."""

import contextlib
import functools
import math
import ssl
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, cast

import truststore

from smtp_desk.core.system import this_system
from smtp_desk.smtp.net.deadline import Clock
from smtp_desk.smtp.net.forks import gate

# Where Linux distributions and BSDs keep the bundle that OpenSSL was not built to look for.
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/ca-bundle.pem",
)
_CHUNK: Final = 65536
_VERIFY_EVERY_S: Final = 900.0
# For TLS 1.2, CPython's own default list: some distributions build theirs with OpenSSL's, which has
# suites without forward secrecy. Those of TLS 1.3 are all good and not chosen by this list.
_CIPHERS: Final = (
    "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"
)
_Name: TypeAlias = tuple[tuple[tuple[str, str], ...], ...]


@functools.lru_cache(maxsize=16)
@gate
def client_context(ca_pem: str = "", *, small_hello: bool = False) -> ssl.SSLContext:
    """Return the context of every TLS connection: TLS 1.2 or newer, certificate and name verified.

    The system's certificates and those of the company's CA file are trusted. A trusted
    certificate ends the chain, whether it is a root or not (partial chains). The strict
    X.509 rules of newer Pythons are left to `certificates.form_problems`, so that every
    Python accepts the same servers. Contexts are shared: don't change one.

    Args:
        ca_pem: Content of the company CA file (PEM), or "".
        small_hello: Only TLS 1.2, whose first message is a fifth of the size of TLS 1.3's with its
            new key exchange: to find out whether large messages are dropped on the way.

    Raises:
        ssl.SSLError: `ca_pem` holds no certificate.
    """
    if this_system().verifies_certificates:
        # The system verifies there, after the handshake and before the first byte of ours.
        context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        # What truststore does here too, but it reads the whole store for each connection.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _trust_system(context, ssl.get_default_verify_paths(), _BUNDLES)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if small_hello:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if ca_pem:
        context.load_verify_locations(cadata=ca_pem)
    return context


def _trust_system(
    context: ssl.SSLContext, defaults: ssl.DefaultVerifyPaths, bundles: Iterable[str]
) -> None:
    if _has_defaults(defaults):
        context.set_default_verify_paths()
    elif bundle := _first_bundle(bundles):
        context.load_verify_locations(bundle)


def _has_defaults(defaults: ssl.DefaultVerifyPaths) -> bool:
    folder = Path(defaults.capath) if defaults.capath else None
    return bool(defaults.cafile) or (folder is not None and any(folder.glob("*.0")))


def _first_bundle(bundles: Iterable[str]) -> str:
    return next((bundle for bundle in bundles if Path(bundle).is_file()), "")


def trusts_nobody() -> bool:
    """Whether this system has no trusted authorities at all."""
    if this_system().verifies_certificates:
        return False
    return not _has_defaults(ssl.get_default_verify_paths()) and not _first_bundle(_BUNDLES)


@gate
def trusted_organizations(context: ssl.SSLContext) -> frozenset[str]:
    """Return the organizations of the trusted authorities, as far as they can be listed.

    Args:
        context: From `client_context`.
    """
    system = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    system.load_default_certs()
    # A folder of certificates is read one by one when needed, and lists none.
    if not system.get_ca_certs() and (bundle := _first_bundle(_BUNDLES)):
        system.load_verify_locations(bundle)
    listed = (*context.get_ca_certs(), *system.get_ca_certs())
    subjects = (cast("_Name", certificate.get("subject", ())) for certificate in listed)
    parts = (pair for subject in subjects for part in subject for pair in part)
    return frozenset(value for name, value in parts if name == "organizationName")


@dataclass(frozen=True, slots=True)
class TlsInfo:
    """What was agreed in the handshake.

    Attributes:
        version: For example "TLSv1.3".
        cipher: The cipher suite's name.
        chain: The certificates as the server sent them, its own first, DER; none if resumed.
        resumed: Whether a `TlsTicket` resumed an earlier connection.
    """

    version: str
    cipher: str
    chain: tuple[bytes, ...]
    resumed: bool = False


class TlsTicket:
    """A server's ticket to begin TLS with less work next time (RFC 8446, 2.2; RFC 5077).

    The certificate was verified when the first connection began; it is verified again every
    quarter of an hour. Not used where the system verifies: it would have nothing to look at.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._verified_at = -math.inf
        self._kept: tuple[ssl.SSLContext, ssl.SSLSession] | None = None

    def of(self, context: ssl.SSLContext) -> ssl.SSLSession | None:
        """Return the session to resume if it belongs to this context and isn't too old."""
        fresh = self._clock() < self._verified_at + _VERIFY_EVERY_S
        return self._kept[1] if self._kept and self._kept[0] is context and fresh else None

    def keep(self, context: ssl.SSLContext, session: ssl.SSLSession) -> None:
        """Keep the session of a connection whose certificate was verified just now."""
        if not this_system().verifies_certificates:
            self._verified_at = self._clock()
            self._kept = context, session


class TlsConnection:
    """The TLS of one connection as bytes in and bytes out, without a socket.

    OpenSSL's errors are raised as `ssl.SSLError`: `tls_failures` says what they mean.
    """

    @gate
    def __init__(self, context: ssl.SSLContext, host: str, ticket: TlsTicket | None = None) -> None:
        """Begin as a client.

        Args:
            context: From `client_context`.
            host: The name or IP address that the certificate must be for.
            ticket: Resumes an earlier connection to the same host, and is kept for later ones.
        """
        self._ticket = ticket
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        # A zone is this machine's own affair (RFC 4007, 11.2): no certificate names it.
        name = host.partition("%")[0]
        self._ssl = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_hostname=name,
            session=ticket.of(context) if ticket is not None else None,
        )

    @property
    def context(self) -> ssl.SSLContext:
        """The context of this connection."""
        return self._ssl.context

    @property
    @gate
    def chain(self) -> tuple[bytes, ...]:
        """The certificates the server sent, its own first, DER; also after a failed handshake."""
        if sys.version_info >= (3, 13):
            return tuple(self._ssl.get_unverified_chain())
        # Before 3.13 the same method exists one object further in.
        sent = self._ssl._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # noqa: SLF001
        return tuple(ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in sent or ())

    @property
    @gate
    def info(self) -> TlsInfo:
        """What was agreed; only after the handshake."""
        cipher = self._ssl.cipher()
        name = cipher[0] if cipher else ""
        resumed = bool(self._ssl.session_reused)
        return TlsInfo(self._ssl.version() or "", name, self.chain, resumed)

    @gate
    def keep_ticket(self) -> None:
        """Keep the server's ticket for a later connection; it arrives with its first data."""
        if self._ticket is None or self._ssl.session_reused:
            return  # one serves many connections; to take it out is a good part of the work
        if session := self._ssl.session:
            self._ticket.keep(self.context, session)

    @property
    def backlog(self) -> int:
        """Bytes received and not yet decrypted."""
        return self._incoming.pending

    @gate
    def shake_hands(self) -> bool:
        """Continue the handshake as far as the received bytes allow; return whether it is done."""
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def feed(self, received: bytes) -> None:
        """Take bytes from the network; b"" means that there will be no more."""
        if received:
            self._incoming.write(received)
        else:
            self._incoming.write_eof()

    def outgoing(self) -> bytes:
        """Return the bytes to send to the network now, possibly none."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def encrypt(self, data: memoryview) -> bytes:
        """Return `data` encrypted, to be sent to the network."""
        with gate:
            while data:
                data = data[self._ssl.write(data) :]
            return self._outgoing.read()

    def decrypt(self, limit: int) -> bytes:
        """Return up to `limit` bytes of what was received; b"" means that more must be fed.

        Raises:
            EOFError: There will be no more, after a close_notify or the network's end.
        """
        # To look what there is takes no lock, so it passes no gate.
        if not self._incoming.pending and not self._incoming.eof and not self._ssl.pending():
            return b""
        try:
            with gate:
                data = self._ssl.read(limit)
        except ssl.SSLWantReadError:
            return b""
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise EOFError from error
        # The ssl module tells a close_notify by returning nothing.
        if not data:
            raise EOFError
        return data

    @gate
    def goodbye(self) -> bytes:
        """Return the close_notify to send."""
        # It wants the server's close_notify next, or the connection is broken: ours is written.
        with contextlib.suppress(ssl.SSLError):
            self._ssl.unwrap()
        return self.outgoing()
