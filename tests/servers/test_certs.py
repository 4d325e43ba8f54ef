"""Each certificate is refused by a plain TLS client for its own reason, the good ones by none."""

from __future__ import annotations

import smtplib
import ssl
from typing import TYPE_CHECKING

import pytest

from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from tests.servers.certs import Certificates, Identity


def shake_hands(identity: Identity, client: ssl.SSLContext, host: str = "localhost") -> None:
    script = Script(tls=identity.server_context(), implicit_tls=True)
    with (
        ScriptedServer(script) as server,
        smtplib.SMTP_SSL(host, server.port, context=client) as smtp,
    ):
        assert smtp.noop()[0] == 250


@pytest.mark.parametrize(
    "name", ["good", "good_rsa", "with_intermediate", "expires_soon", "name_only"]
)
def test_accepted(certs: Certificates, name: str) -> None:
    shake_hands(getattr(certs, name), certs.trusting_context())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("chain_incomplete", "unable to get local issuer"),
        ("wrong_host", "Hostname mismatch"),
        ("ip_only", "Hostname mismatch"),
        ("expired", "certificate has expired"),
        ("expired_intermediate", "certificate has expired"),
        ("not_yet_valid", "not yet valid"),
        ("self_signed", "self-signed certificate"),
        ("unknown_issuer", "self-signed certificate in certificate chain"),
        ("unknown_issuer_unsent", "unable to get local issuer"),
        ("intercepted", "self-signed certificate in certificate chain"),
        ("weak_key", "EE certificate key too weak"),
    ],
)
def test_refused(certs: Certificates, name: str, reason: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=reason):
        shake_hands(getattr(certs, name), certs.trusting_context())


def test_refused_by_strict_form_only(certs: Certificates) -> None:
    client = certs.trusting_context()
    client.load_verify_locations(certs.lax_root.chain_file)
    for identity, complaint in (
        (certs.no_key_identifier, "Missing Authority Key Identifier"),
        (certs.of_lax_root, "Basic Constraints of CA cert not marked critical"),
    ):
        client.verify_flags &= ~ssl.VERIFY_X509_STRICT
        shake_hands(identity, client)
        client.verify_flags |= ssl.VERIFY_X509_STRICT
        with pytest.raises(ssl.SSLCertVerificationError, match=complaint):
            shake_hands(identity, client)
    shake_hands(certs.with_intermediate, client)


def test_partial_chain(certs: Certificates) -> None:
    client = ssl.create_default_context(cafile=str(certs.intermediate.chain_file))
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    shake_hands(certs.chain_incomplete, client)


def test_an_address_needs_an_address(certs: Certificates) -> None:
    shake_hands(certs.ip_only, certs.trusting_context(), "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        shake_hands(certs.name_only, certs.trusting_context(), "127.0.0.1")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions(certs: Certificates, newest: ssl.TLSVersion) -> None:
    script = Script(tls=certs.good.server_context(newest=newest), implicit_tls=True)
    with ScriptedServer(script) as server:
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            smtplib.SMTP_SSL("localhost", server.port, context=certs.trusting_context())
        lenient = certs.trusting_context()
        lenient.set_ciphers("ALL:@SECLEVEL=0")
        lenient.minimum_version = newest
        with smtplib.SMTP_SSL("localhost", server.port, context=lenient):
            assert server.sessions[-1].wire.tls_version == newest.name.replace("_", ".")
