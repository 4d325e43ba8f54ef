"""The rules of every TLS connection, the same on every Python and system."""

from __future__ import annotations

import socket
import ssl
import sys
from typing import TYPE_CHECKING

import pytest
import truststore

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.settings import Security
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.stream import Stream
from smtp_desk.smtp.net.tls import TlsInfo, TlsTicket, _trust_system, client_context
from tests.sender.ways_out import TickClock
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.servers.certs import Certificates, Identity


def handshake(context: ssl.SSLContext, identity: Identity) -> TlsInfo:
    script = Script(tls=identity.server_context(), implicit_tls=True)
    with ScriptedServer(script) as server:
        stream = Stream(socket.create_connection((server.host, server.port)), Cancel())
        try:
            return stream.start_tls(context, "localhost", Security.TLS, Deadline.after(20))
        finally:
            stream.abort()


def defaults(capath: str = "") -> ssl.DefaultVerifyPaths:
    return ssl.DefaultVerifyPaths("", capath, "", "", "", "")


def test_the_rules() -> None:
    context = client_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT


def test_contexts_are_shared_by_content() -> None:
    assert client_context() is client_context()


def test_a_company_ca_is_trusted_besides_the_system(certs: Certificates) -> None:
    context = client_context(certs.root.chain_file.read_text())
    assert handshake(context, certs.good).version == "TLSv1.3"
    with pytest.raises(SmtpFailure):
        handshake(client_context(), certs.good)


def test_an_intermediate_that_is_trusted_is_enough(certs: Certificates) -> None:
    pem = ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(_first(certs.intermediate)))
    assert handshake(client_context(pem), certs.chain_incomplete).chain


def test_strict_form_is_not_demanded(certs: Certificates) -> None:
    assert handshake(client_context(_first(certs.root)), certs.no_key_identifier).chain
    assert handshake(client_context(_first(certs.lax_root)), certs.of_lax_root).chain


def test_a_ca_file_without_certificates_is_refused() -> None:
    with pytest.raises(ssl.SSLError):
        client_context("no certificate in here")


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_verify_by_themselves(
    certs: Certificates, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", platform)
        context = client_context.__wrapped__(_first(certs.root))
    assert isinstance(context, truststore.SSLContext)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert handshake(context, certs.good).chain
    with pytest.raises(SmtpFailure) as raised:
        handshake(context, certs.wrong_host)
    assert raised.value.code == "tls.name_mismatch"


class TestTrustOfTheSystem:
    def test_a_bundle_that_openssl_knows(
        self, certs: Certificates, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certs.root.chain_file))
        assert self._trusted(ssl.get_default_verify_paths(), ()) == 1

    def test_a_folder_that_openssl_knows(
        self, certs: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
    ) -> None:
        (tmp_path / "0a1b2c3d.0").write_text(_first(certs.root))
        monkeypatch.setenv("SSL_CERT_FILE", str(certs.root.chain_file))
        assert self._trusted(defaults(capath=str(tmp_path)), ("/nonexistent",)) == 1

    def test_else_the_first_bundle_there_is(
        self, certs: Certificates, tmp_path: pathlib.Path
    ) -> None:
        bundles = (str(tmp_path / "none.pem"), str(certs.root.chain_file), "/nonexistent")
        assert self._trusted(defaults(capath=str(tmp_path)), bundles) == 1
        assert self._trusted(defaults(), ()) == 0

    def _trusted(self, paths: ssl.DefaultVerifyPaths, bundles: tuple[str, ...]) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _trust_system(context, paths, bundles)
        return len(context.get_ca_certs())


def _first(identity: Identity) -> str:
    return identity.chain_file.read_text()


def test_the_suites_are_ours_whoever_built_python() -> None:
    suites = {suite["name"] for suite in client_context().get_ciphers()}
    old = {name for name in suites if not name.startswith("TLS_")}
    assert old
    assert all(name.startswith(("ECDHE-", "DHE-")) for name in old), "forward secrecy"
    weak = [name for name in old if name.endswith("-SHA") or "CCM" in name or "CAMELLIA" in name]
    assert not weak
    assert {"TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES128-GCM-SHA256"} <= suites


def test_a_small_hello_is_of_tls_1_2_only() -> None:
    context = client_context(small_hello=True)
    assert context.maximum_version is ssl.TLSVersion.TLSv1_2
    assert client_context().maximum_version is not ssl.TLSVersion.TLSv1_2


class TestTicket:
    """A later connection begins with less work, and is no less verified."""

    @staticmethod
    def connect(server: ScriptedServer, context: ssl.SSLContext, ticket: TlsTicket) -> TlsInfo:
        stream = Stream(socket.create_connection((server.host, server.port)), Cancel())
        deadline = Deadline.after(20)
        try:
            info = stream.start_tls(context, "localhost", Security.TLS, deadline, ticket)
            assert stream.read(deadline).startswith(b"220")
            stream.keep_ticket()
            return info
        finally:
            stream.abort()

    @pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
    def server(
        self, request: pytest.FixtureRequest, certs: Certificates
    ) -> Iterator[ScriptedServer]:
        tls = certs.good.server_context()
        tls.maximum_version = request.param
        with ScriptedServer(Script(tls=tls, implicit_tls=True)) as server:
            yield server

    def test_the_second_connection_is_resumed(
        self, server: ScriptedServer, certs: Certificates
    ) -> None:
        context = client_context(certs.root.chain_file.read_text())
        ticket = TlsTicket()
        first = self.connect(server, context, ticket)
        second = self.connect(server, context, ticket)
        third = self.connect(server, context, ticket)
        assert [each.resumed for each in (first, second, third)] == [False, True, True]
        assert first.chain
        assert not second.chain, "none was sent"

    def test_after_a_while_the_certificate_is_verified_anew(
        self, server: ScriptedServer, certs: Certificates
    ) -> None:
        clock = TickClock()
        context = client_context(certs.root.chain_file.read_text())
        ticket = TlsTicket(clock)
        for seconds, resumed in ((0, False), (500, True), (399, True), (2, False), (1, True)):
            clock.now += seconds
            assert self.connect(server, context, ticket).resumed is resumed

    def test_it_holds_by_the_rules_that_it_was_got_by(
        self, server: ScriptedServer, certs: Certificates
    ) -> None:
        ticket = TlsTicket()
        pem = certs.root.chain_file.read_text()
        self.connect(server, client_context(pem), ticket)
        assert not self.connect(server, client_context(pem + "\n"), ticket).resumed
        with pytest.raises(SmtpFailure):
            self.connect(server, client_context(), ticket)

    def test_a_server_that_has_forgotten_it(self, certs: Certificates) -> None:
        context = client_context(certs.root.chain_file.read_text())
        ticket = TlsTicket()
        for _ in range(2):
            script = Script(tls=certs.good.server_context(), implicit_tls=True)
            with ScriptedServer(script) as server:
                assert not self.connect(server, context, ticket).resumed
