"""Signing in (RFC 4954): the choice of the mechanism and its exchange, without I/O.

A mechanism is a generator: it yields what to send and receives the server's challenge.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import stringprep
import unicodedata
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import AuthMethod

Exchange: TypeAlias = Generator[bytes, bytes, None]
"""Yields responses, receives the words of 334 replies as they stand on the wire."""

_BEARERS: Final = ("XOAUTH2", "OAUTHBEARER")
_GS2: Final = b"n,,"  # no channel binding, no authorization identity (RFC 5802, 5.1)
_LEAST_ITERATIONS: Final = 4096
# Enough for any server; an endless count would keep this side busy for as long (RFC 5802, 9).
_MOST_ITERATIONS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Token:
    """An OAuth 2.0 access token in place of a password.

    Attributes:
        access: The token.
        clock_ahead: Seconds by which the issuing service's clock is ahead of this computer's;
            None where that isn't known.
    """

    access: Secret
    clock_ahead: float | None = None


Credential: TypeAlias = Secret | Token


def secret_of(credential: Credential | None) -> Secret:
    """Return the password or the token; empty where there is none."""
    if credential is None:
        return Secret("")
    return credential.access if isinstance(credential, Token) else credential


class ChallengeError(Exception):
    """The server's challenge breaks the rules of the mechanism."""


class MechanismError(Exception):
    """None of our mechanisms fits.

    Attributes:
        code: `auth.not_offered` or `auth.no_common_mechanism`.
        offered: What the server offers.
    """

    def __init__(self, code: str, offered: Sequence[str]) -> None:
        super().__init__(code)
        self.code = code
        self.offered = tuple(offered)


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A SASL mechanism.

    Attributes:
        name: Its SASL name.
        client_first: Whether the first response needs no challenge (an initial response);
            else what the exchange yields first is not sent.
        start: Begins an exchange for a username and a secret.
        mutual: Whether the server must prove itself before its 235 counts; the exchange has
            yielded everything by then.
        proof_after: The text before the part of a response that is derived from the password.
        bearer: Whether the secret is a token, whose refusal comes as a challenge.
    """

    name: str
    client_first: bool
    start: Callable[[str, Secret], Exchange]
    mutual: bool = False
    proof_after: bytes = b""
    bearer: bool = False

    def proof(self, response: bytes) -> bytes:
        """Return the part of a response from which a password could be guessed, or b""."""
        return response.rpartition(self.proof_after)[2] if self.proof_after else b""


def choose(method: AuthMethod, offered: Sequence[str], credential: Credential) -> Mechanism:
    """Return the mechanism to sign in with; no other one is tried after it.

    For a password it is the first offered of PLAIN, LOGIN and CRAM-MD5, or SCRAM-SHA-256 if
    nothing else is offered; for a token XOAUTH2, which the large providers document, or
    OAUTHBEARER.

    Raises:
        MechanismError: None fits.
    """
    if not offered:
        raise MechanismError("auth.not_offered", offered)
    if isinstance(credential, Token):
        wanted: tuple[str, ...] = _BEARERS
    elif method is AuthMethod.AUTO:
        wanted = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256")
    else:
        wanted = (method.value.upper(),)
    for name in wanted:
        if name in offered:
            return MECHANISMS[name]
    raise MechanismError("auth.no_common_mechanism", offered)


def encode_response(response: bytes) -> bytes:
    """Return a response as it is sent."""
    return base64.b64encode(response)


def decode_challenge(text: bytes) -> bytes:
    """Return the challenge in the text of a 334 reply.

    Raises:
        ChallengeError: The text isn't base64.
    """
    try:
        return base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise ChallengeError("the challenge is not base64") from None


# Whoever prints the variables of a traceback must find no secret in these frames: none is kept
# in a variable.
def _plain(username: str, secret: Secret) -> Exchange:
    yield f"\0{username}\0{secret.reveal()}".encode()


def _login(username: str, secret: Secret) -> Exchange:
    # Servers word the two questions as they like; only their order counts.
    yield b""
    yield username.encode()
    yield secret.reveal().encode()


def _cram_md5(username: str, secret: Secret) -> Exchange:
    challenge = decode_challenge((yield b""))
    digest = hmac.new(secret.reveal().encode(), challenge, hashlib.md5).hexdigest()
    yield f"{username} {digest}".encode()


def _xoauth2(username: str, token: Secret) -> Exchange:
    yield f"user={username}\1auth=Bearer {token.reveal()}\1\1".encode()
    # A refusal comes as a challenge that holds JSON; an empty answer calls for the 535.
    yield b""


def _oauthbearer(username: str, token: Secret) -> Exchange:
    yield f"n,a={_sasl_name(username)},\1auth=Bearer {token.reveal()}\1\1".encode()
    # As above, but the answer is one octet (RFC 7628, 3.2.3).
    yield b"\1"


def _scram_sha_256(username: str, secret: Secret) -> Exchange:
    name = _sasl_name(_prepared(username)).encode()
    nonce = secrets.token_urlsafe(18).encode()
    first = b"n=%b,r=%b" % (name, nonce)
    server_first = decode_challenge((yield _GS2 + first))
    fields = _scram_fields(server_first)
    if "m" in fields:
        raise ChallengeError("the server demands an extension that is not known")
    server_nonce = fields.get("r", b"")
    if not server_nonce.startswith(nonce) or len(server_nonce) == len(nonce):
        raise ChallengeError("the server did not extend our nonce")
    salt, count = decode_challenge(fields.get("s", b"")), _iterations(fields.get("i", b""))
    without_proof = b"c=%b,r=%b" % (encode_response(_GS2), server_nonce)
    signed = b",".join((first, server_first, without_proof))
    proof, expected = _scram_proofs(secret, salt, count, signed)
    server_final = decode_challenge((yield b"%b,p=%b" % (without_proof, encode_response(proof))))
    # RFC 5802 section 3: a server that cannot prove that it knows the password is not ours.
    told = _scram_fields(server_final)
    refused = "e" in told
    proven = hmac.compare_digest(told.get("v", b""), encode_response(expected))
    if not (proven or refused):
        raise ChallengeError("the server did not prove that it knows the password")
    # An error is told before the 535, which has the words.
    yield b""
    if refused:
        raise ChallengeError("the server goes on after it refused the password")


def _sasl_name(text: str) -> str:
    """Return a name as it stands between commas (RFC 5801, 4)."""
    return text.replace("=", "=3D").replace(",", "=2C")


def _scram_proofs(secret: Secret, salt: bytes, count: int, signed: bytes) -> tuple[bytes, bytes]:
    """Return the client's proof, and the signature that the server has to send."""
    octets = _prepared(secret.reveal()).encode()
    salted = hashlib.pbkdf2_hmac("sha256", octets, salt, count)
    client_key = _hmac(salted, b"Client Key")
    signature = _hmac(hashlib.sha256(client_key).digest(), signed)
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    return proof, _hmac(_hmac(salted, b"Server Key"), signed)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _scram_fields(message: bytes) -> dict[str, bytes]:
    parts = (part.partition(b"=") for part in message.split(b","))
    return {name.decode("latin-1"): value for name, _, value in parts}


def _iterations(text: bytes) -> int:
    if not text.isdigit() or len(text) > len(str(_MOST_ITERATIONS)):
        raise ChallengeError("the iteration count is no number in bounds")
    count = int(text)
    if not _LEAST_ITERATIONS <= count <= _MOST_ITERATIONS:
        raise ChallengeError("the iteration count is out of bounds")
    return count


def _prepared(text: str) -> str:
    """Return `text` as SASLprep maps it (RFC 4013).

    SCRAM derives a key from the password, so both sides must agree on its octets. PLAIN,
    LOGIN and CRAM-MD5 send or use the password as typed: servers compare octets there,
    and a mapped password would be another one. What SASLprep prohibits is left as it is;
    the server decides.
    """
    kept = (character for character in text if not stringprep.in_table_b1(character))
    spaced = "".join(" " if stringprep.in_table_c12(c) else c for c in kept)
    return unicodedata.normalize("NFKC", spaced)


MECHANISMS: Final[Mapping[str, Mechanism]] = {
    mechanism.name: mechanism
    for mechanism in (
        Mechanism("PLAIN", client_first=True, start=_plain),
        Mechanism("LOGIN", client_first=False, start=_login),
        Mechanism("CRAM-MD5", client_first=False, start=_cram_md5, proof_after=b" "),
        Mechanism(
            "SCRAM-SHA-256",
            client_first=True,
            start=_scram_sha_256,
            mutual=True,
            proof_after=b",p=",
        ),
        Mechanism("XOAUTH2", client_first=True, start=_xoauth2, bearer=True),
        Mechanism("OAUTHBEARER", client_first=True, start=_oauthbearer, bearer=True),
    )
}
