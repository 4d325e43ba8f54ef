"""The stored proof: which exact settings were proven, without an oracle for the password."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from smtp_desk.core.secret import KeyringEntry
from smtp_desk.core.settings import Security, ServerSettings

VERSION: Final = 2
FIRST_VERSION: Final = 1
"""It has one MAC, `given`, and no key: it is signed anew as soon as the keyring answers."""
SALT_BYTES: Final = 16
_COSTS: Final = {FIRST_VERSION: 2**14, VERSION: 2**15}
_BLOCK: Final = 8
_MEMORY: Final = 64 * 2**20  # scrypt takes 128 * cost * block octets


class Verdict(StrEnum):
    """What a proof says about settings and a secret."""

    PROVEN = "proven"
    CHANGED = "changed"
    SECRET_DIFFERS = "secret_differs"  # noqa: S105 - a verdict's name


@dataclass(frozen=True, slots=True)
class Proof:
    """What the settings file holds with proven settings: MACs over a canonical form of the fields.

    Attributes:
        version: Version of the canonical form.
        salt: Hexadecimal salt of the key that is derived from the secret.
        given: MAC over the fields, keyed by the secret: for machines that supply the secret because
            they have no keyring. Each guess at the secret costs one scrypt.
        fields: MAC over the fields, keyed by the key in the keyring's entry.
        secret: MAC over fields and secret, with the same key.
    """

    version: int
    salt: str
    given: str
    fields: str = ""
    secret: str = ""


def sign(settings: ServerSettings, mode: Security, entry: KeyringEntry, salt: bytes) -> Proof:
    """Sign proven settings.

    Args:
        settings: The settings of the successful test.
        mode: The TLS mode that the test found; the sender uses it without searching.
        entry: The secret of the test, and the key that is kept beside it.
        salt: `SALT_BYTES` fresh random bytes.
    """
    form = _canonical(settings, mode, VERSION)
    given = _mac(_derived(entry, salt, VERSION), form)
    fields, secret = _keyed(entry, form, salt.hex(), given)
    return Proof(VERSION, salt.hex(), given, fields, secret)


def verify(proof: Proof, settings: ServerSettings, mode: Security, entry: KeyringEntry) -> Verdict:
    """Return whether `proof` was made for exactly these settings, this mode and this secret.

    Without the key of the keyring's entry a changed file can't be told from another secret. The
    verdict is SECRET_DIFFERS then, since no server may get a secret that wasn't proven with it.
    """
    form = _canonical(settings, mode, proof.version)
    if entry.proof_key:
        fields, secret = _keyed(entry, form, proof.salt, proof.given)
        if proof.version != VERSION or not _equal(proof.fields, fields):
            return Verdict.CHANGED
        return Verdict.PROVEN if _equal(proof.secret, secret) else Verdict.SECRET_DIFFERS
    unlike = Verdict.SECRET_DIFFERS if entry.secret else Verdict.CHANGED
    if proof.version not in _COSTS:
        return unlike
    try:
        salt = bytes.fromhex(proof.salt)
    except ValueError:
        return unlike
    key = _derived(entry, salt, proof.version)
    return Verdict.PROVEN if _equal(proof.given, _mac(key, form)) else unlike


def _keyed(entry: KeyringEntry, form: bytes, salt: str, given: str) -> tuple[str, str]:
    """Return the MACs that are keyed by the keyring's entry; they bind the others."""
    others = f"{salt}\n{given}\n".encode("utf-8", "surrogatepass")
    fields = _mac(entry.proof_key, b"fields\n" + others + form)
    return fields, _mac(entry.proof_key, b"secret\n" + form + _octets(entry))


def _octets(entry: KeyringEntry) -> bytes:
    return entry.secret.reveal().encode("utf-8", "surrogatepass")


def _derived(entry: KeyringEntry, salt: bytes, version: int) -> bytes:
    """Return the key that the secret gives; where there is none, nothing is to be guessed.

    No variable has the secret: where memory is short this fails, with a traceback.
    """
    if not entry.secret and version != FIRST_VERSION:
        return salt
    cost = _COSTS[version]
    return hashlib.scrypt(
        _octets(entry), salt=salt, n=cost, r=_BLOCK, p=1, maxmem=_MEMORY, dklen=32
    )


def _mac(key: bytes, message: bytes) -> str:
    return hmac.digest(key, message, "sha256").hex()


def _equal(stored: str, made: str) -> bool:
    return hmac.compare_digest(stored.encode("utf-8", "surrogatepass"), made.encode())


def _canonical(settings: ServerSettings, mode: Security, version: int) -> bytes:
    """Versioned form of exactly the SMTP fields; a CA by its content.

    Emails per hour are none of them: no answer of a server proves a rate, nor when a client
    secret expires.
    Of a sign-in by OAuth 2.0 the settings count and the account: not the token, which changes.
    """
    fields: dict[str, object] = {
        "version": version,
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
    if settings.oauth is not None:
        fields["oauth"] = settings.oauth.proven
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
