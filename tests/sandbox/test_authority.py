"""The throw-away authority: strict in form, its keys nowhere to be found."""

import ssl
import stat
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from smtp_desk.sandbox.authority import TlsIdentity, make_tls_identity
from tests.sandbox.conftest import NOW, strict_trust


def handshake(identity: TlsIdentity, trust: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """Shake hands in memory and return the client's side."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trust.wrap_bio(to_client, to_server, server_hostname=name)
    server = identity.context.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)
    return client


def present() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_a_strict_client_that_trusts_the_ca_is_content(name: str) -> None:
    identity = make_tls_identity(present())
    client = handshake(identity, strict_trust(identity.ca_pem), name)
    assert client.version() in {"TLSv1.2", "TLSv1.3"}


def test_the_certificate_is_for_this_machine_only() -> None:
    identity = make_tls_identity(present())
    with pytest.raises(ssl.SSLCertVerificationError, match=r"(?i)hostname mismatch"):
        handshake(identity, strict_trust(identity.ca_pem), "mail.example.org")


def test_each_authority_vouches_for_itself_only() -> None:
    first, second = make_tls_identity(present()), make_tls_identity(present())
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(first, strict_trust(second.ca_pem), "localhost")


def test_tls_1_1_is_too_old() -> None:
    assert make_tls_identity(NOW).context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-9))])
def test_ca_certificate_in_its_strict_form(zone: timezone) -> None:
    ca = x509.load_pem_x509_certificate(make_tls_identity(NOW.astimezone(zone)).ca_pem.encode())
    assert ca.not_valid_before_utc == NOW - timedelta(days=1)
    assert ca.not_valid_after_utc == NOW + timedelta(days=30)
    assert isinstance(ca.public_key(), ec.EllipticCurvePublicKey)
    constraints = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value.ca
    usage = ca.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert not usage.value.digital_signature
    subject_key = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    authority_key = ca.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert authority_key.key_identifier == subject_key.digest


def test_the_server_sends_its_issuer_too() -> None:
    identity = make_tls_identity(present())
    certificates = identity.context.get_ca_certs()
    assert not certificates, "the server trusts nobody"
    client = handshake(identity, strict_trust(identity.ca_pem), "localhost")
    leaf = x509.load_der_x509_certificate(client.getpeercert(binary_form=True) or b"")
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert leaf.issuer == x509.load_pem_x509_certificate(identity.ca_pem.encode()).subject


class _Spy(ssl.SSLContext):
    """Looks at the file while OpenSSL would read it."""

    seen: tuple[int, bytes] | None = None
    fails = False

    def load_cert_chain(self, certfile: str, *args: object, **kwargs: object) -> None:  # type: ignore[override]
        path = Path(certfile)
        type(self).seen = (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        if self.fails:
            raise ssl.SSLError("no")


@pytest.mark.parametrize("fails", [False, True])
def test_key_file_is_private_encrypted_and_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fails: bool
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(_Spy, "fails", fails)
    monkeypatch.setattr(
        ssl, "create_default_context", lambda purpose: _Spy(ssl.PROTOCOL_TLS_SERVER)
    )
    if fails:
        with pytest.raises(ssl.SSLError):
            make_tls_identity(NOW)
    else:
        make_tls_identity(NOW)
    assert _Spy.seen is not None
    mode, octets = _Spy.seen
    assert mode == 0o600
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in octets
    assert b"BEGIN PRIVATE KEY" not in octets
    assert list(tmp_path.iterdir()) == []
