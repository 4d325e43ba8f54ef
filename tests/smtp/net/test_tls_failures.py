"""Every `tls.*` code against a real refused handshake, and the chain of that very handshake."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.settings import Security
from smtp_desk.core.stages import Stage
from smtp_desk.smtp.net import tls
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.stream import Stream
from smtp_desk.smtp.net.tls import TlsConnection, client_context
from smtp_desk.smtp.net.tls_failures import Handshake, broken
from tests.servers.script import Raw, Receive, Script, Silence
from tests.servers.scripted import ScriptedServer
from tests.table import each_row

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.core.stages import Facts
    from tests.servers.certs import Certificates, Identity

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def refusal(script: Script, trusted: str, host: str = "localhost") -> SmtpFailure:
    """How the handshake fails; nothing behind it may reach the server."""
    with ScriptedServer(script) as server:
        stream = Stream(socket.create_connection((server.host, server.port)), Cancel())
        deadline = Deadline.after(20)
        try:
            with pytest.raises(SmtpFailure) as raised:
                _start_and_read(stream, trusted, host, deadline)
        finally:
            stream.abort()
    if script.implicit_tls:
        assert server.received == b""
    assert raised.value.stage is Stage.TLS
    return raised.value


def _start_and_read(stream: Stream, trusted: str, host: str, deadline: Deadline) -> None:
    stream.start_tls(client_context(trusted), host, Security.TLS, deadline)
    # TLS 1.3 servers refuse a client without certificate only after the handshake.
    stream.read(deadline)


def refused(
    certs: Certificates,
    identity: Identity,
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    host: str = "localhost",
) -> tuple[str | None, Facts]:
    """The code and facts of a refusal; the chain must be the one this server sent."""
    script = Script(tls=identity.server_context(newest=newest), implicit_tls=True)
    failure = refusal(script, certs.root.chain_file.read_text(), host)
    chain = failure.facts["chain"]
    assert isinstance(chain, list)
    sent = (identity.certificate, *identity.sent_along)
    fingerprints = [each.fingerprint(hashes.SHA256()).hex() for each in sent]
    assert [each["fingerprint"] for each in chain if isinstance(each, dict)] == fingerprints
    return failure.code, failure.facts


@pytest.mark.parametrize("newest", VERSIONS)
@pytest.mark.parametrize(
    ("identity", "code"),
    [
        ("self_signed", "tls.self_signed"),
        ("unknown_issuer", "tls.unknown_issuer"),
        ("unknown_issuer_unsent", "tls.unknown_issuer"),
        ("intercepted", "tls.unknown_issuer"),
        ("chain_incomplete", "tls.chain_incomplete"),
        ("chain_broken", "tls.chain_incomplete"),
        ("unknown_root_unsent", "tls.unknown_issuer"),
        ("wrong_host", "tls.name_mismatch"),
        ("ip_only", "tls.name_mismatch"),
        ("expired", "tls.expired"),
        ("expired_intermediate", "tls.expired"),
        ("not_yet_valid", "tls.not_yet_valid"),
        ("future_chain", "tls.not_yet_valid"),
        ("weak_key", "tls.weak_key"),
    ],
)
def test_certificates_that_are_refused(
    certs: Certificates, newest: ssl.TLSVersion, identity: str, code: str
) -> None:
    found, facts = refused(certs, getattr(certs, identity), newest)
    assert found == code
    assert facts["host"] == "localhost"
    assert facts["verify_code"]
    assert facts["verify_message"]


def test_a_self_signed_certificate_names_itself(certs: Certificates) -> None:
    _, facts = refused(certs, certs.self_signed)
    assert facts["issuer"] == "CN=localhost,O=Example Test"
    assert "ca" not in facts


def test_an_unknown_ca_that_was_sent_can_be_trusted_by_its_fingerprint(
    certs: Certificates,
) -> None:
    _, facts = refused(certs, certs.unknown_issuer)
    assert facts["issuer"] == "CN=Unrelated Root CA,O=Example Test"
    ca = facts["ca"]
    assert isinstance(ca, dict)
    assert ca["subject"] == facts["issuer"]
    assert ca["fingerprint"] == certs.other_root.fingerprint
    script = Script(tls=certs.unknown_issuer.tls, implicit_tls=True)
    with ScriptedServer(script) as server:
        stream = Stream(socket.create_connection((server.host, server.port)), Cancel())
        context = client_context(str(ca["pem"]))
        stream.start_tls(context, "localhost", Security.TLS, Deadline.after(20))
        stream.abort()


def test_a_leaf_alone_offers_no_ca(certs: Certificates) -> None:
    _, facts = refused(certs, certs.unknown_issuer_unsent)
    assert facts["issuer"] == "CN=Unrelated Root CA,O=Example Test"
    assert "ca" not in facts


def test_a_ca_in_the_middle_that_was_not_sent_is_named(certs: Certificates) -> None:
    _, facts = refused(certs, certs.chain_broken)
    assert facts["issuer"] == "CN=Example Test Intermediate CA,O=Example Test"
    assert "ca" not in facts


def test_the_ca_of_a_company_whose_root_was_not_sent_can_be_trusted(certs: Certificates) -> None:
    _, facts = refused(certs, certs.unknown_root_unsent)
    ca = facts["ca"]
    assert isinstance(ca, dict)
    assert (ca["subject"], ca["issuer"]) == (
        "CN=Company CA,O=Example Company",
        "CN=Company Root CA,O=Example Company",
    )
    assert ca["not_before"]
    assert ca["not_after"]


@pytest.mark.parametrize(("bundles", "empty"), [((), True), (("a bundle",), None)])
def test_a_machine_that_trusts_nobody_is_told(
    certs: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    bundles: tuple[str, ...],
    empty: bool | None,
) -> None:
    for name in bundles:
        (tmp_path / name).write_text("…")
    nowhere = ssl.DefaultVerifyPaths("", "", "", "", "", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(tls, "_BUNDLES", [tmp_path / name for name in bundles])
    _, facts = refused(certs, certs.unknown_issuer)
    assert facts.get("empty_trust_store") is empty


def test_an_interceptor_is_named_and_never_offered(certs: Certificates) -> None:
    _, facts = refused(certs, certs.intercepted)
    assert facts["interceptor"] == "Avast"
    assert "ca" not in facts


def test_a_wrong_name_suggests_the_right_one(certs: Certificates) -> None:
    _, facts = refused(certs, certs.wrong_host)
    assert facts["names"] == ["other.example.test", "*.wild.example.test"]
    assert facts["suggestion"] == "other.example.test"


def test_an_address_without_a_certificate_for_it(certs: Certificates) -> None:
    code, facts = refused(certs, certs.name_only, host="127.0.0.1")
    assert code == "tls.name_mismatch"
    assert facts["names"] == ["mail.example.test", "localhost"]
    assert facts["suggestion"]


def test_the_expired_one_of_a_chain_is_named(certs: Certificates) -> None:
    _, facts = refused(certs, certs.expired_intermediate)
    assert facts["certificate"] == "CN=Example Test Expired CA,O=Example Test"
    assert datetime.fromisoformat(str(facts["since"])) < datetime.now(UTC)


def test_not_yet_valid_shows_both_clocks(certs: Certificates) -> None:
    _, facts = refused(certs, certs.not_yet_valid)
    begins = datetime.fromisoformat(str(facts["begins"]))
    assert begins > datetime.fromisoformat(str(facts["clock"]))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_an_old_server_is_recognised(certs: Certificates) -> None:
    for newest in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = certs.good.server_context(newest=newest)
        failure = refusal(Script(tls=context, implicit_tls=True), "")
        assert failure.code == "tls.old_version"


@pytest.mark.parametrize(("version", "name"), [(b"\x03\x01", "TLS 1.0"), (b"\x03\x02", "TLS 1.1")])
def test_the_version_that_an_old_server_chooses_is_named(version: bytes, name: str) -> None:
    body = version + bytes(32) + b"\0" + b"\x00\x2f" + b"\0"
    hello = b"\x02" + len(body).to_bytes(3, "big") + body
    record = b"\x16" + version + len(hello).to_bytes(2, "big") + hello
    failure = refusal(Script(connect=(Receive(), Raw(record), Silence())), "")
    assert (failure.code, failure.facts["tls_version"]) == ("tls.old_version", name)


def test_garbage_that_begins_like_tls_is_no_old_version_of_it() -> None:
    """OpenSSL calls it a wrong version number."""
    garbage = Script(connect=(Receive(), Raw(b"\x16 is how garbage begins"), Silence()))
    failure = refusal(garbage, "")
    assert (failure.code, failure.facts["reason"]) == ("tls.failed", "WRONG_VERSION_NUMBER")


def test_no_cipher_in_common(certs: Certificates) -> None:
    context = certs.good_rsa.server_context(
        newest=ssl.TLSVersion.TLSv1_2, ciphers="AES128-SHA:@SECLEVEL=0"
    )
    failure = refusal(Script(tls=context, implicit_tls=True), certs.root.chain_file.read_text())
    assert failure.code == "tls.no_common_cipher"


@pytest.mark.parametrize("newest", VERSIONS)
def test_a_client_certificate_is_wanted(certs: Certificates, newest: ssl.TLSVersion) -> None:
    context = certs.good.server_context(newest=newest, client_ca=certs.root.chain_file)
    failure = refusal(Script(tls=context, implicit_tls=True), certs.root.chain_file.read_text())
    assert failure.code == "tls.client_certificate_required"
    assert failure.facts["reason"]


def _alert(number: int) -> Raw:
    return Raw(b"\x15\x03\x03\x00\x02\x02" + bytes([number]))


@each_row(
    ("number", "code"),
    [
        (40, "tls.no_common_cipher"),
        (70, "tls.old_version"),
        (71, "tls.no_common_cipher"),
        (80, "tls.failed"),
        (112, "tls.failed"),
    ],
)
def test_alerts_of_a_server_that_shows_no_certificate(number: int, code: str) -> None:
    failure = refusal(Script(connect=(Receive(), _alert(number), Silence())), "")
    assert failure.code == code
    assert failure.facts["chain"] == []
    assert failure.facts["reason"]


OTHER_SYSTEMS = [
    pytest.param(0x800B0101, "expired", "tls.expired", id="Windows: out of date, expired"),
    pytest.param(0x800B0101, "not_yet_valid", "tls.not_yet_valid", id="Windows: out of date, new"),
    pytest.param(0x800B0101, "good", "tls.expired", id="Windows: out of date, unseen CA"),
    pytest.param(0x800B0109, "unknown_issuer", "tls.unknown_issuer", id="Windows: root"),
    pytest.param(0x800B0109, "self_signed", "tls.self_signed", id="Windows: its own root"),
    pytest.param(0x800B010A, "chain_incomplete", "tls.chain_incomplete", id="Windows: chaining"),
    pytest.param(0x800B010F, "wrong_host", "tls.name_mismatch", id="Windows: name"),
    pytest.param(0x800B0110, "good", "tls.malformed_certificate", id="Windows: usage"),
    pytest.param(-67818, "expired", "tls.expired", id="macOS: expired"),
    pytest.param(-67819, "not_yet_valid", "tls.not_yet_valid", id="macOS: not yet valid"),
    pytest.param(-67602, "wrong_host", "tls.name_mismatch", id="macOS: name"),
    pytest.param(-67843, "unknown_issuer", "tls.unknown_issuer", id="macOS: not trusted"),
    pytest.param(10, "good", "tls.expired", id="OpenSSL: an expired root that was not sent"),
    pytest.param(9, "good", "tls.not_yet_valid", id="OpenSSL: a new root that was not sent"),
    pytest.param(85, "no_key_identifier", "tls.malformed_certificate", id="OpenSSL: strict form"),
    pytest.param(12345, "good", "tls.failed", id="a number of tomorrow"),
    pytest.param(20, None, "tls.unknown_issuer", id="a certificate nobody can read"),
    pytest.param(62, None, "tls.name_mismatch", id="a name nobody can read"),
]


@pytest.mark.parametrize(("verify_code", "identity", "code"), OTHER_SYSTEMS)
def test_the_numbers_of_every_system(
    certs: Certificates, verify_code: int, identity: str | None, code: str
) -> None:
    leaf: Identity | None = getattr(certs, identity) if identity else None
    assert verdict(leaf, verify_code).code == code


def verdict(
    leaf: Identity | None, verify_code: int, host: str = "localhost", now: datetime | None = None
) -> SmtpFailure:
    """What a certificate is refused for, by a number of the system; None can't be read."""
    sent = (leaf.certificate, *leaf.sent_along) if leaf else ()
    octets = tuple(each.public_bytes(Encoding.DER) for each in sent) or (b"no certificate",)

    class Sent(TlsConnection):
        @property
        def chain(self) -> tuple[bytes, ...]:
            return octets

    error = ssl.SSLCertVerificationError("refused")
    error.verify_code = verify_code
    error.verify_message = "refused"
    return Handshake(Sent(client_context(), host), host, Security.TLS).refused(error, now)


@pytest.mark.parametrize("identity", ["self_signed", "unknown_issuer"])
def test_what_else_is_wrong_with_a_certificate_that_is_not_trusted(
    certs: Certificates, identity: str
) -> None:
    leaf: Identity = getattr(certs, identity)
    ended = leaf.certificate.not_valid_after_utc
    now, late = ended - timedelta(days=1), ended + timedelta(days=1)
    facts = verdict(leaf, 18, "other.example.test", late).facts
    assert facts["expired_too"] == ended.isoformat()
    names = facts["other_names"]
    assert isinstance(names, list)
    assert "localhost" in names
    assert not {"expired_too", "other_names"} & set(verdict(leaf, 18, "localhost", now).facts)


def test_an_error_without_a_reason_is_a_failure_without_a_name() -> None:
    failure = broken(ssl.SSLError("odd"))
    assert failure.code == "tls.failed"
    assert failure.facts == {"reason": ""}


def test_a_system_that_gives_no_number(certs: Certificates) -> None:
    connection = TlsConnection(client_context(), "localhost")
    error = ssl.SSLCertVerificationError("Peer sent no certificates to verify")
    failure = Handshake(connection, "localhost", Security.TLS).refused(error)
    assert failure.code == "tls.failed"
    assert "no certificates" in str(failure.facts["verify_message"])
