"""What is told of certificates, the malformed ones included."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from smtp_desk.smtp.net.certificates import Certificate, best_name, path_of, read_chain, tls_facts
from smtp_desk.smtp.net.tls import TlsInfo
from tests.table import each_row

if TYPE_CHECKING:
    from smtp_desk.core.stages import Facts
    from tests.servers.certs import Certificates, Identity

NOW = datetime.now(UTC)


def der(identity: Identity) -> bytes:
    return identity.certificate.public_bytes(Encoding.DER)


def read(identity: Identity) -> Certificate:
    return Certificate(der(identity))


def facts_of(*identities: Identity, now: datetime = NOW) -> Facts:
    return tls_facts(TlsInfo("TLSv1.3", "SUITE", tuple(map(der, identities))), now)


def bare(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None,
    common_name: str = "bare",
) -> Certificate:
    """A certificate without any extension; without `key`, of an Ed25519 one."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signer = key or ed25519.Ed25519PrivateKey.generate()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signer.public_key())
        .serial_number(255)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(signer, hashes.SHA256() if key else None)
    )
    return Certificate(made.public_bytes(Encoding.DER))


def test_the_facts_of_one(certs: Certificates) -> None:
    facts = read(certs.good_rsa).facts()
    assert facts == {
        "subject": "CN=localhost,O=Example Test",
        "issuer": "CN=Example Test Root CA,O=Example Test",
        "names": ["localhost", "mail.example.test", "127.0.0.1", "::1"],
        "not_before": certs.good_rsa.certificate.not_valid_before_utc.isoformat(),
        "not_after": certs.good_rsa.certificate.not_valid_after_utc.isoformat(),
        "key": "RSA 2048",
        "signature": "ecdsa-with-SHA256",
        "fingerprint": certs.good_rsa.fingerprint,
        "serial": f"{certs.good_rsa.certificate.serial_number:x}",
        "is_ca": False,
    }


def test_a_ca_is_told_from_a_leaf(certs: Certificates) -> None:
    root = read(certs.root)
    assert (root.is_ca, root.self_issued, root.names) == (True, True, ())
    assert root.pem == certs.root.chain_file.read_text()
    assert not read(certs.good).self_issued


def test_kinds_of_keys() -> None:
    assert bare(ec.generate_private_key(ec.SECP384R1())).key == "EC secp384r1"
    assert bare(None).key == "Ed25519"


def test_what_it_does_not_say_is_no_error() -> None:
    certificate = bare(None)
    assert (certificate.is_ca, certificate.names) == (False, ("bare",))
    assert not certificate.names_issuer_url
    assert certificate.facts()["serial"] == "ff"


def test_words_of_others_are_safe_to_show() -> None:
    assert "\x1b" not in bare(None, "\x1b[2Jevil\u202e").subject


def test_without_a_list_of_names_the_common_name_counts_if_it_is_one() -> None:
    assert bare(None, "mail.example.org").names == ("mail.example.org",)
    assert bare(None, "Our Mail Server").names == ()
    assert bare(None, "192.0.2.1").names == ("192.0.2.1 (as a name, not as an address)",)


def test_an_address_among_the_names_is_told_from_one_among_the_addresses(
    certs: Certificates,
) -> None:
    listed = [x509.DNSName("127.0.0.1"), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    made = (
        x509.CertificateBuilder(name, name, certs.root.key.public_key(), 1, NOW, NOW)
        .add_extension(x509.SubjectAlternativeName(listed), critical=False)
        .sign(certs.root.key, hashes.SHA256())
    )
    names = Certificate(made.public_bytes(Encoding.DER)).names
    assert names == ("127.0.0.1 (as a name, not as an address)", "127.0.0.2")


def test_an_endless_subject_is_cut() -> None:
    units = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "u" * 64)] * 100
    name = x509.Name(units)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW)
    made = Certificate(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))
    assert len(made.subject) == len(made.issuer) == 501
    assert made.self_issued


def test_where_the_issuer_is_to_be_had(certs: Certificates) -> None:
    assert read(certs.chain_incomplete).names_issuer_url
    assert not read(certs.good).names_issuer_url


def test_a_key_or_signature_of_tomorrow_is_told_by_number(certs: Certificates) -> None:
    # 1.2.840.10045.2.1 (EC key) and 1.2.840.10045.4.3.2 (ECDSA) become unknown.
    key = bytes.fromhex("06072a8648ce3d0201")
    signature = bytes.fromhex("06082a8648ce3d040302")
    odd = (
        der(certs.good)
        .replace(key, key[:-1] + b"\x7f")
        .replace(signature, signature[:-1] + b"\x7f")
    )
    certificate = Certificate(odd)
    assert certificate.key == "unknown"
    assert certificate.signature == "1.2.840.10045.4.3.127"
    assert not certificate.issued_by(read(certs.root))


def test_an_extension_that_is_rubbish_is_none(certs: Certificates) -> None:
    name = bytes.fromhex("0603551d11")  # subjectAltName…
    at = der(certs.good).index(name) + len(name) + 2
    rubbish = bytearray(der(certs.good))
    rubbish[at] = 0x05  # …holds no list any more
    assert Certificate(bytes(rubbish)).names == ()


def test_what_is_no_certificate_is_left_out(certs: Certificates) -> None:
    assert [each.der for each in read_chain((b"rubbish", der(certs.good)))] == [der(certs.good)]


@pytest.mark.parametrize(
    ("part", "odd_part"),
    [
        ("a003020102", "a003020130"),  # version 49 in the place of the third
        ("06035504030c", "060355040303"),  # a common name that is bits, no text
    ],
)
def test_what_no_certificate_may_hold_leaves_it_out(
    certs: Certificates, part: str, odd_part: str
) -> None:
    odd = der(certs.good).replace(bytes.fromhex(part), bytes.fromhex(odd_part), 1)
    assert odd != der(certs.good)
    assert [each.der for each in read_chain((odd, der(certs.root)))] == [der(certs.root)]


def test_the_path_goes_by_signatures_not_by_order(certs: Certificates) -> None:
    leaf, signer, root = read(certs.with_intermediate), read(certs.intermediate), read(certs.root)
    stranger = read(certs.other_root)
    assert path_of((leaf, stranger, root, signer)) == (leaf, signer, root)
    assert path_of((leaf, root)) == (leaf,)
    assert path_of(()) == ()


@each_row(
    ("host", "names", "best"),
    [
        ("smtp.example.org", ("mail.other.test", "mail.example.org"), "mail.example.org"),
        ("smtp.example.org", ("*.example.org", "box.hoster.test"), "box.hoster.test"),
        ("SMTP.Example.ORG", ("a.test", "mail.example.org"), "mail.example.org"),
        ("smtp.example.org", ("*.example.org",), ""),
        ("example.org", ("mail.other.test", "mail.example.org"), "mail.example.org"),
        ("192.0.2.1", ("mail.example.org",), "mail.example.org"),
        ("smtp.example.org", (), ""),
        ("smtp.example.org", ("SMTP.example.org", "smtp.example.org."), ""),
        ("smtp.example.org", ("smtp.example.org\\x00.evil.test", "Our Server"), ""),
        ("192.0.2.1", ("192.0.2.1 (as a name, not as an address)",), ""),
    ],
)
def test_the_name_that_was_meant(host: str, names: tuple[str, ...], best: str) -> None:
    assert best_name(host, names) == best


def test_a_connection_that_is_well(certs: Certificates) -> None:
    facts = facts_of(certs.good, certs.root)
    assert (facts["version"], facts["cipher"]) == ("TLSv1.3", "SUITE")
    assert facts["chain"] == [read(certs.good).facts(), read(certs.root).facts()]
    assert set(facts) == {"version", "cipher", "chain"}


def test_an_end_within_two_weeks_is_told(certs: Certificates) -> None:
    soon = read(certs.expires_soon)
    end = soon.not_after.isoformat()
    now = soon.not_after - timedelta(days=4, hours=12)
    facts = facts_of(certs.good, certs.expires_soon, now=now)
    assert facts["expires_soon"] == {"certificate": soon.subject, "not_after": end, "days": 4}
    after = facts_of(certs.expires_soon, now=NOW + timedelta(days=30))["expires_soon"]
    assert isinstance(after, dict)
    assert after["days"] == 0


@pytest.mark.parametrize(
    ("lifetime", "left", "soon"),
    [
        (timedelta(hours=160), timedelta(hours=159), False),
        (timedelta(hours=160), timedelta(hours=54), False),
        (timedelta(hours=160), timedelta(hours=53), True),
        (timedelta(days=90), timedelta(days=15), False),
        (timedelta(days=90), timedelta(days=13), True),
        (timedelta(days=45), timedelta(days=14), False),
        (timedelta(days=30), timedelta(days=11), False),
        (timedelta(days=30), timedelta(days=9), True),
        (timedelta(days=825), timedelta(days=200), False),
    ],
)
def test_soon_is_a_third_of_the_lifetime_at_most_two_weeks(
    certs: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    *,
    lifetime: timedelta,
    left: timedelta,
    soon: bool,
) -> None:
    ends = NOW + left
    monkeypatch.setattr(Certificate, "not_after", property(lambda _: ends))
    monkeypatch.setattr(Certificate, "not_before", property(lambda _: ends - lifetime))
    assert read(certs.good).expires_soon(NOW) is soon


def test_a_fresh_certificate_of_six_days_is_no_warning(certs: Certificates) -> None:
    assert "expires_soon" not in facts_of(certs.six_days, certs.root)


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        ("no_key_identifier", ["authority_key_identifier_missing"]),
        ("lax_root", ["basic_constraints_not_critical"]),
    ],
)
def test_strict_form_is_told(certs: Certificates, name: str, problems: list[str]) -> None:
    identity: Identity = getattr(certs, name)
    facts = facts_of(identity)
    subject = read(identity).subject
    assert facts["form_problems"] == [
        {"certificate": subject, "problem": problem} for problem in problems
    ]


def test_a_ca_without_key_usage_and_identifier() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "old CA")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    problems = Certificate(made.public_bytes(Encoding.DER)).form_problems
    assert problems == ("key_usage_missing", "subject_key_identifier_missing")
