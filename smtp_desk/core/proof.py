"""The stored proof: which exact settings were proven, without an oracle for the password."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Final

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import Security, ServerSettings

VERSION: Final = 1
SALT_BYTES: Final = 16
_SCRYPT_COST: Final = 2**14
_SCRYPT_BLOCK: Final = 8


@dataclass(frozen=True, slots=True)
class Proof:
    """What stands in the file beside proven settings.

    Attributes:
        version: Version of the canonical form that was signed.
        salt: Hexadecimal salt of the key derivation.
        mac: Hexadecimal HMAC-SHA256 over the canonical form.
    """

    version: int
    salt: str
    mac: str


def sign(settings: ServerSettings, mode: Security, secret: Secret | None, salt: bytes) -> Proof:
    """Sign proven settings.

    Args:
        settings: The settings of the successful test.
        mode: The TLS mode that the test found; the sender uses it without searching.
        secret: The password, or None where there are no credentials.
        salt: `SALT_BYTES` fresh random bytes.
    """
    mac = hmac.new(_key(secret, salt), _canonical(settings, mode), "sha256")
    return Proof(VERSION, salt.hex(), mac.hexdigest())


def verify(proof: Proof, settings: ServerSettings, mode: Security, secret: Secret | None) -> bool:
    """Whether `proof` was made for exactly these settings, this mode and this secret."""
    if proof.version != VERSION:
        return False
    try:
        salt = bytes.fromhex(proof.salt)
    except ValueError:
        return False
    mac = sign(settings, mode, secret, salt).mac
    return hmac.compare_digest(mac.encode(), proof.mac.encode("utf-8", "surrogatepass"))


def _key(secret: Secret | None, salt: bytes) -> bytes:
    value = secret.reveal() if secret is not None else ""
    octets = value.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(octets, salt=salt, n=_SCRYPT_COST, r=_SCRYPT_BLOCK, p=1, dklen=32)


def _canonical(settings: ServerSettings, mode: Security) -> bytes:
    """Versioned form of exactly the SMTP fields; the company CA by its content."""
    fields = {
        "version": VERSION,
        "host": settings.host,
        "port": settings.port,
        "username": settings.username,
        "from_name": settings.from_name,
        "from_email": settings.from_email,
        "security": settings.security,
        "mode": mode,
        "ca_pem": settings.ca_pem,
        "ehlo_name": settings.ehlo_name,
        "auth_method": settings.auth_method,
    }
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
