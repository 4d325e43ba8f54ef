"""What the program signs instead of a client secret (RFC 7515, 7523), and when that expires."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.oauth import OAuthProvider, is_pem
from smtp_desk.core.secret import Secret
from smtp_desk.core.stages import Json, Stage

BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFETIME: Final = 300
_SHORTEST_RSA: Final = 2048
_CURVE_OCTETS: Final = 32

_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class _Certificate:
    key: _Key
    thumbprint: str
    ends: datetime


def client_assertion(
    pem: Secret, provider: OAuthProvider, client_id: str, token_url: str, now: float
) -> str:
    """Sign that we are this client, with the key of its certificate (private_key_jwt).

    Args:
        pem: The certificate and its private key.
        provider: Microsoft wants PS256, others RS256 or ES256.
        client_id: The client id of the application.
        token_url: The token endpoint it is signed for.
        now: Seconds since 1970.

    Raises:
        SmtpFailure: The key can't be used.
    """
    certificate = _certificate(pem)
    header = {"x5t#S256": certificate.thumbprint}
    claims: dict[str, Json] = {"iss": client_id, "sub": client_id, "aud": token_url}
    by_pss = provider is OAuthProvider.MICROSOFT
    return _signed(certificate.key, header, claims, now, by_pss=by_pss)


def service_account_assertion(
    key_file: Secret, subject: str, scopes: Sequence[str], token_url: str, now: float
) -> str:
    """Sign that a service account acts for the mailbox `subject`, with the key of its file.

    The address in the file is not used: the token is asked for where the settings say.

    Raises:
        SmtpFailure: The key can't be used.
    """
    fields = json.loads(key_file.reveal())
    header = {"kid": str(fields["private_key_id"])} if fields.get("private_key_id") else {}
    claims: dict[str, Json] = {
        "iss": str(fields["client_email"]),
        "sub": subject,
        "scope": " ".join(scopes),
        "aud": token_url,
    }
    return _signed(_private_key(Secret(str(fields["private_key"]))), header, claims, now)


def certificate_end(pem: Secret) -> datetime | None:
    """Return when the client's certificate expires; None if the secret isn't a certificate."""
    if not is_pem(pem):
        return None
    try:
        return _certificate(pem).ends
    except SmtpFailure:
        return None


def _signed(
    key: _Key,
    header: Mapping[str, str],
    claims: Mapping[str, Json],
    now: float,
    *,
    by_pss: bool = False,
) -> str:
    elliptic = isinstance(key, ec.EllipticCurvePrivateKey)
    algorithm = "ES256" if elliptic else "PS256" if by_pss else "RS256"
    at = int(now)
    times = {"iat": at, "nbf": at, "exp": at + _LIFETIME, "jti": secrets.token_urlsafe(16)}
    parts = ({"alg": algorithm, "typ": "JWT", **header}, {**claims, **times})
    text = ".".join(_base64url(json.dumps(each).encode()) for each in parts)
    return f"{text}.{_base64url(_signature(key, text.encode(), by_pss=by_pss))}"


def _signature(key: _Key, octets: bytes, *, by_pss: bool) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = utils.decode_dss_signature(key.sign(octets, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_CURVE_OCTETS, "big") + s.to_bytes(_CURVE_OCTETS, "big")
    if by_pss:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return key.sign(octets, pss, hashes.SHA256())
    return key.sign(octets, padding.PKCS1v15(), hashes.SHA256())


def _certificate(pem: Secret) -> _Certificate:
    """Return the key, and what is told of the certificate that it belongs to."""
    key = _private_key(pem)
    ours = _public(key)
    try:
        certificates = x509.load_pem_x509_certificates(_octets(pem))
        found = next(each for each in certificates if _public(each) == ours)
    except (ValueError, StopIteration, TypeError) as error:
        raise _unusable("certificate") from error
    digest = hashlib.sha256(found.public_bytes(Encoding.DER)).digest()
    return _Certificate(key, _base64url(digest), found.not_valid_after_utc)


def _public(holder: _Key | x509.Certificate) -> bytes:
    public = holder.public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _private_key(pem: Secret) -> _Key:
    """Read the private key, wherever it stands among certificates."""
    try:
        key = serialization.load_pem_private_key(_octets(pem), None)
    except (ValueError, TypeError):
        # Neither chained nor quoted: what can't be read may be the secret itself.
        raise _unusable("key") from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SHORTEST_RSA:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise _unusable("key")


def _octets(pem: Secret) -> bytes:
    return pem.reveal().encode("utf-8", "surrogatepass")


def _unusable(reason: str) -> SmtpFailure:
    return SmtpFailure(Stage.TOKEN, "oauth.client_invalid", facts={"reason": reason})


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
