"""The certificates that a server sent, whatever they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from smtp_desk.smtp.net.certificates import path_of, read_chain, tls_facts
from smtp_desk.smtp.net.tls import TlsInfo
from tests.fuzz.harmless import assert_harmless

WORDS: Final = (
    b"\x30\x82", b"\x06\x03\x55\x1d\x11", b"\x06\x03\x55\x1d\x13", b"\x0c\x04", b"\xa0\x03",
    b"smtp.example.org",
    b"\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x01", b"\x87\x04", b"\xa4\x02", b"\x17\x0d",
    b"261123120000Z", b"\x01\x01\xff",
)  # fmt: skip

_NOW: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@cache
def seeds() -> list[bytes]:
    """A server's certificate and its authority's."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smtp.example.org")])
    made = []
    for authority in (False, True):
        builder = x509.CertificateBuilder(
            name, name, key.public_key(), 7, _NOW, datetime(2027, 1, 1, tzinfo=UTC)
        )
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        names = x509.SubjectAlternativeName([x509.DNSName("smtp.example.org")])
        certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
        made.append(certificate.public_bytes(serialization.Encoding.DER))
    return made


def run(data: bytes) -> None:
    """Tell what is known of a chain that holds these octets, on its top or at its end."""
    authority = seeds()[1]
    for chain in ((data, authority), (authority, data)):
        facts = tls_facts(TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", chain), _NOW)
        assert json.loads(json.dumps(facts)) == facts
        for each in path_of(read_chain(chain)):
            assert_harmless(each.subject + each.issuer + "".join(each.names) + each.key)
            assert each.pem.startswith("-----BEGIN CERTIFICATE-----\n")
            assert isinstance(each.names_issuer_url, bool)
            assert isinstance(each.issuer_organization, str)
