"""What is signed in the place of a secret, checked with the public key."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.oauth import OAuthProvider
from smtp_desk.core.secret import Secret
from smtp_desk.oauth.assertions import (
    certificate_end,
    client_assertion,
    service_account_assertion,
)
from tests.servers.certs import Certificates, Identity

URL: Final = "https://login.example.test/token"
NOW: Final = 1_800_000_000.7


def pem_of(identity: Identity, *more: str) -> Secret:
    parts = (identity.chain_file.read_text(), *more, identity.key_file.read_text())
    return Secret("".join(parts))


def parts_of(jwt: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    head, claims, signature = jwt.split(".")
    decoded = [base64.urlsafe_b64decode(f"{each}==") for each in (head, claims, signature)]
    return (
        json.loads(decoded[0]),
        json.loads(decoded[1]),
        f"{head}.{claims}".encode(),
        decoded[2],
    )


def key_file(**changes: str) -> Secret:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    fields = {
        "type": "service_account",
        "client_email": "desk@project.iam.gserviceaccount.com",
        "private_key_id": "k1",
        "private_key": pem.decode(),
        "token_uri": "https://evil.example/token",
        **changes,
    }
    return Secret(json.dumps(fields))


@pytest.mark.parametrize(
    ("provider", "algorithm"), [(OAuthProvider.MICROSOFT, "PS256"), (OAuthProvider.CUSTOM, "RS256")]
)
def test_a_client_signs_with_the_key_of_its_certificate(
    certs: Certificates, provider: OAuthProvider, algorithm: str
) -> None:
    identity = certs.good_rsa
    pem = pem_of(identity, certs.root.chain_file.read_text())
    first = client_assertion(pem, provider, "desk", URL, NOW)
    head, claims, signed, signature = parts_of(first)
    thumbprint = base64.urlsafe_b64encode(bytes.fromhex(identity.fingerprint)).decode()
    assert head == {"alg": algorithm, "typ": "JWT", "x5t#S256": thumbprint.rstrip("=")}
    jti = claims.pop("jti")
    times = {"iat": 1_800_000_000, "nbf": 1_800_000_000, "exp": 1_800_000_300}
    assert claims == {"iss": "desk", "sub": "desk", "aud": URL, **times}
    public = identity.certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    scheme = pss if algorithm == "PS256" else padding.PKCS1v15()
    public.verify(signature, signed, scheme, hashes.SHA256())
    with pytest.raises(InvalidSignature):
        public.verify(signature, signed + b"x", scheme, hashes.SHA256())
    second = client_assertion(pem, provider, "desk", URL, NOW)
    assert parts_of(second)[1]["jti"] != jti


def test_an_elliptic_key_signs_too(certs: Certificates) -> None:
    jwt = client_assertion(pem_of(certs.good), OAuthProvider.CUSTOM, "desk", URL, NOW)
    head, _, signed, signature = parts_of(jwt)
    assert head["alg"] == "ES256"
    assert len(signature) == 64
    public = certs.good.certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    public.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("order", ["key first", "certificate first"])
def test_key_and_certificate_stand_in_any_order(certs: Certificates, order: str) -> None:
    texts = [certs.good_rsa.key_file.read_text(), certs.good_rsa.chain_file.read_text()]
    pem = Secret("\n".join(texts if order == "key first" else texts[::-1]))
    assert client_assertion(pem, OAuthProvider.CUSTOM, "desk", URL, NOW)


def test_a_service_account_acts_for_a_mailbox() -> None:
    secret = key_file()
    jwt = service_account_assertion(secret, "ann@example.org", ("mail", "more"), URL, NOW)
    head, claims, signed, signature = parts_of(jwt)
    assert head == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert (claims["iss"], claims["sub"]) == (
        "desk@project.iam.gserviceaccount.com",
        "ann@example.org",
    )
    assert (claims["scope"], claims["aud"]) == ("mail more", URL)  # never the address of the file
    key = serialization.load_pem_private_key(
        json.loads(secret.reveal())["private_key"].encode(), None
    )
    assert isinstance(key, rsa.RSAPrivateKey)
    key.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _locked() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    ).decode()


@pytest.mark.parametrize(
    "key",
    [
        "-----BEGIN PRIVATE KEY-----\nbm8ga2V5\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----",
        _locked(),
        _pem(rsa.generate_private_key(65537, 1024)),  # noqa: S505 - that is the point
        _pem(ec.generate_private_key(ec.SECP384R1())),
        _pem(ed25519.Ed25519PrivateKey.generate()),
    ],
    ids=["garbage", "cut", "encrypted", "short", "other curve", "other kind"],
)
def test_a_key_that_can_not_be_used_is_named_and_not_shown(certs: Certificates, key: str) -> None:
    pem = Secret(certs.good_rsa.chain_file.read_text() + key)
    with pytest.raises(SmtpFailure) as told:
        client_assertion(pem, OAuthProvider.CUSTOM, "desk", URL, NOW)
    assert (told.value.code, told.value.facts["reason"]) == ("oauth.client_invalid", "key")
    assert told.value.__cause__ is None
    with pytest.raises(SmtpFailure):
        service_account_assertion(key_file(private_key=key), "ann@example.org", (), URL, NOW)
    assert certificate_end(pem) is None


def test_a_certificate_of_another_key_is_named(certs: Certificates) -> None:
    pem = Secret(certs.good.chain_file.read_text() + certs.good_rsa.key_file.read_text())
    with pytest.raises(SmtpFailure) as told:
        client_assertion(pem, OAuthProvider.CUSTOM, "desk", URL, NOW)
    assert (told.value.code, told.value.facts["reason"]) == ("oauth.client_invalid", "certificate")


def test_when_the_certificate_ends(certs: Certificates) -> None:
    assert certificate_end(pem_of(certs.expires_soon)) == (
        certs.expires_soon.certificate.not_valid_after_utc
    )
    assert certificate_end(Secret("client secret")) is None
