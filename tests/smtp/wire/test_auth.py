from __future__ import annotations

import base64
import hashlib
import hmac
import re

import pytest

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import AuthMethod
from smtp_desk.smtp.wire import auth
from smtp_desk.smtp.wire.auth import (
    MECHANISMS,
    ChallengeError,
    Credential,
    Exchange,
    MechanismError,
    Token,
)
from tests.table import each_row

PASSWORD = Secret("s3cret")
PHRASE = "pä ss"
TOKEN = Token(Secret("ya29.x"))


@each_row(
    ("method", "offered", "chosen"),
    [
        (AuthMethod.AUTO, ("CRAM-MD5", "LOGIN", "PLAIN"), "PLAIN"),
        (AuthMethod.AUTO, ("CRAM-MD5", "LOGIN"), "LOGIN"),
        (AuthMethod.AUTO, ("SCRAM-SHA-256", "CRAM-MD5"), "CRAM-MD5"),
        (AuthMethod.AUTO, ("NTLM", "SCRAM-SHA-256"), "SCRAM-SHA-256"),
        (AuthMethod.LOGIN, ("PLAIN", "LOGIN"), "LOGIN"),
        (AuthMethod.CRAM_MD5, ("PLAIN", "CRAM-MD5"), "CRAM-MD5"),
        (AuthMethod.SCRAM_SHA_256, ("PLAIN", "SCRAM-SHA-256"), "SCRAM-SHA-256"),
    ],
)
def test_the_mechanism_for_a_password(
    method: AuthMethod, offered: tuple[str, ...], chosen: str
) -> None:
    assert auth.choose(method, offered, PASSWORD).name == chosen


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("PLAIN", "XOAUTH2"), "XOAUTH2"),
        (("PLAIN", "OAUTHBEARER"), "OAUTHBEARER"),
        (("OAUTHBEARER", "XOAUTH2"), "XOAUTH2"),
    ],
)
def test_a_token_takes_what_is_made_for_tokens(offered: tuple[str, ...], chosen: str) -> None:
    assert auth.choose(AuthMethod.AUTO, offered, TOKEN).name == chosen
    with pytest.raises(MechanismError, match="no_common_mechanism"):
        auth.choose(AuthMethod.AUTO, ("PLAIN",), TOKEN)


@pytest.mark.parametrize(
    ("method", "offered", "code"),
    [
        (AuthMethod.AUTO, (), "auth.not_offered"),
        (AuthMethod.AUTO, ("NTLM", "GSSAPI", "XOAUTH2"), "auth.no_common_mechanism"),
        (AuthMethod.PLAIN, ("LOGIN",), "auth.no_common_mechanism"),
    ],
)
def test_no_mechanism_fits(method: AuthMethod, offered: tuple[str, ...], code: str) -> None:
    with pytest.raises(MechanismError) as caught:
        auth.choose(method, offered, PASSWORD)
    assert (caught.value.code, caught.value.offered) == (code, offered)


@pytest.mark.parametrize("credential", [PASSWORD, Token(PASSWORD)])
def test_the_secret_of_a_credential(credential: Credential) -> None:
    assert auth.secret_of(credential) == Secret("s3cret")
    assert auth.secret_of(None) == Secret("")


def begin(name: str, username: str = "änn", secret: str = PHRASE) -> tuple[Exchange, bytes]:
    exchange = MECHANISMS[name].start(username, Secret(secret))
    return exchange, next(exchange)


def test_plain() -> None:
    exchange, first = begin("PLAIN")
    assert first == "\0änn\0pä ss".encode()
    with pytest.raises(StopIteration):
        exchange.send(b"")


def test_login_answers_by_order_whatever_is_asked() -> None:
    exchange, _ = begin("LOGIN")
    assert exchange.send(b"not base64!") == "änn".encode()
    assert exchange.send(b"") == "pä ss".encode()
    with pytest.raises(StopIteration):
        exchange.send(b"")


def test_cram_md5_as_in_rfc_2195() -> None:
    exchange, _ = begin("CRAM-MD5", "tim", "tanstaaftanstaaf")
    challenge = base64.b64encode(b"<1896.697170952@postoffice.reston.mci.net>")
    response = exchange.send(challenge)
    assert response == b"tim b913a602c7eda7a495b4e6e7334d3890"
    assert MECHANISMS["CRAM-MD5"].proof(response) == b"b913a602c7eda7a495b4e6e7334d3890"


def test_cram_md5_refuses_a_challenge_that_is_no_base64() -> None:
    exchange, _ = begin("CRAM-MD5")
    with pytest.raises(ChallengeError):
        exchange.send(b"\xff!")


def test_xoauth2_answers_a_refusal_with_nothing() -> None:
    exchange, first = begin("XOAUTH2", "ann@example.org", "ya29.x")
    assert first == b"user=ann@example.org\1auth=Bearer ya29.x\1\1"
    assert exchange.send(base64.b64encode(b'{"status":"400"}')) == b""
    with pytest.raises(StopIteration):
        exchange.send(b"")


def test_oauthbearer_as_in_rfc_7628() -> None:
    exchange, first = begin("OAUTHBEARER", "a=n,n@example.org", "ya29.x")
    assert first == b"n,a=a=3Dn=2Cn@example.org,\1auth=Bearer ya29.x\1\1"
    assert exchange.send(base64.b64encode(b'{"status":"invalid_token"}')) == b"\1"
    with pytest.raises(StopIteration):
        exchange.send(b"")


def test_only_scram_and_cram_have_a_proof_to_hide() -> None:
    assert MECHANISMS["PLAIN"].proof(b"\0ann\0my pass") == b""
    assert MECHANISMS["SCRAM-SHA-256"].proof(b"c=biws,r=x,p=cHJvb2Y=") == b"cHJvb2Y="


class ScramServer:
    """The server's side of RFC 7677, with a salt and a count of the test's choice."""

    def __init__(self, password: str, salt: bytes = b"salt", count: int = 4096) -> None:
        self.first = b""
        self.salt, self.count = salt, count
        self.salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, count)

    def challenge(self, client_first: bytes, suffix: bytes = b"more") -> bytes:
        bare = client_first.removeprefix(b"n,,")
        nonce = bare.partition(b",r=")[2] + suffix
        self.first = b"r=%b,s=%b,i=%d" % (nonce, base64.b64encode(self.salt), self.count)
        self.client_first = bare
        return base64.b64encode(self.first)

    def verdict(self, client_final: bytes) -> bytes | None:
        """The server's own proof, or None where the client's is wrong."""
        without, _, proof = client_final.rpartition(b",p=")
        signed = b",".join((self.client_first, self.first, without))
        client_key = hmac.digest(self.salted, b"Client Key", "sha256")
        stored = hashlib.sha256(client_key).digest()
        signature = hmac.digest(stored, signed, "sha256")
        given = bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature, strict=True))
        if hashlib.sha256(given).digest() != stored:
            return None
        server_key = hmac.digest(self.salted, b"Server Key", "sha256")
        return b"v=" + base64.b64encode(hmac.digest(server_key, signed, "sha256"))


class TestScram:
    def test_both_sides_prove_that_they_know_the_password(self) -> None:
        server = ScramServer("s3cret")
        exchange, first = begin("SCRAM-SHA-256", "a=n,n", "s3cret")
        assert re.fullmatch(rb"n,,n=a=3Dn=2Cn,r=[\w-]{24}", first)
        verdict = server.verdict(exchange.send(server.challenge(first)))
        assert verdict is not None
        assert exchange.send(base64.b64encode(verdict)) == b""
        with pytest.raises(StopIteration):
            exchange.send(b"")

    def test_the_vector_of_rfc_7677(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("secrets.token_urlsafe", lambda _: "rOprNGfwEbeRWgbNEkqO")
        exchange, first = begin("SCRAM-SHA-256", "user", "pencil")
        assert first == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
        nonce = b"rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        final = exchange.send(
            base64.b64encode(b"r=" + nonce + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
        )
        proof = b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        assert final == b"c=biws,r=" + nonce + b",p=" + proof
        verdict = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        assert exchange.send(base64.b64encode(verdict)) == b""

    def test_the_password_is_prepared(self) -> None:
        server = ScramServer("IX pass")
        exchange, first = begin("SCRAM-SHA-256", "ann", "I\u00adX\u00a0pass")
        assert server.verdict(exchange.send(server.challenge(first))) is not None

    def test_a_server_that_does_not_know_the_password_is_refused(self) -> None:
        server = ScramServer("s3cret")
        exchange, first = begin("SCRAM-SHA-256", "ann", "s3cret")
        exchange.send(server.challenge(first))
        with pytest.raises(ChallengeError, match="prove"):
            exchange.send(base64.b64encode(b"v=" + base64.b64encode(b"x" * 32)))

    def test_a_success_before_the_proof_is_none(self) -> None:
        exchange, _ = begin("SCRAM-SHA-256")
        with pytest.raises(ChallengeError):
            exchange.send(b"")

    @each_row(
        ("challenge", "why"),
        [
            (b"r=%b,s=c2FsdA==,i=4096", "nonce"),
            (b"r=other,s=c2FsdA==,i=4096", "nonce"),
            (b"s=c2FsdA==,i=4096", "nonce"),
            (b"r=%bx,s=c2FsdA==,i=4095", "bounds"),
            (b"r=%bx,s=c2FsdA==,i=99999999999", "bounds"),
            (b"r=%bx,s=c2FsdA==,i=9999999", "bounds"),
            (b"r=%bx,s=c2FsdA==,i=-4096", "number"),
            (b"r=%bx,s=c2FsdA==", "number"),
            (b"r=%bx,s=!,i=4096", "base64"),
            (b"m=ext,r=%bx,s=c2FsdA==,i=4096", "extension"),
            (b"r=%bx,s=c2FsdA==,i=4096,m=", "extension"),
        ],
    )
    def test_a_challenge_that_breaks_the_rules(self, challenge: bytes, why: str) -> None:
        exchange, first = begin("SCRAM-SHA-256")
        nonce = first.rpartition(b"r=")[2]
        with pytest.raises(ChallengeError, match=why):
            exchange.send(base64.b64encode(challenge.replace(b"%b", nonce)))
