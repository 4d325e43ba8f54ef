"""Why a TLS handshake failed: the `tls.*` codes, chosen by error numbers, not by English words."""

import re
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from smtp_desk.core.errors import SmtpFailure
from smtp_desk.core.reply import Reply, decode_text, visible
from smtp_desk.core.settings import Security
from smtp_desk.core.stages import Json, Stage
from smtp_desk.smtp.net.certificates import Certificate, best_name, is_among, path_of, read_chain
from smtp_desk.smtp.net.tls import TlsConnection, trusted_organizations, trusts_nobody

INTERCEPTORS: Final = (
    "Avast",
    "AVG",
    "Kaspersky",
    "ESET",
    "Bitdefender",
    "Fortinet",
    "FortiGate",
    "Zscaler",
    "Sophos",
    "Cisco Umbrella",
    "Palo Alto",
    "Netskope",
    "Blue Coat",
    "Check Point",
    "Barracuda",
    "WatchGuard",
    "SonicWall",
    "McAfee",
    "Forcepoint",
    "AdGuard",
    "Norton Web",
    "Untangle",
    "Lightspeed",
)
"""Virus scanners and company proxies that sit in connections, as they name their CAs."""

_MOST_ANSWER: Final = 512
# The record types of TLS: change_cipher_spec, alert, handshake, application_data.
_RECORD_TYPES: Final = frozenset(range(20, 24))

_REFUSAL: Final = re.compile(rb"([45][0-9][0-9])[ -](.*)", re.DOTALL)
_HANDSHAKE_RECORD: Final = b"\x16"
_SERVER_HELLO: Final = b"\x02"
_OLD_VERSIONS: Final[Mapping[bytes, str]] = {
    b"\x03\x00": "SSL 3.0",
    b"\x03\x01": "TLS 1.0",
    b"\x03\x02": "TLS 1.1",
}

_ALERT_40: Final = "SSLV3_ALERT_HANDSHAKE_FAILURE"
_CLIENT_CERTIFICATE: Final = "tls.client_certificate_required"
_UNTRUSTED: Final = "untrusted"
_OUT_OF_DATE: Final = "out_of_date"

_CAUSE_OF_VERIFY_CODE: Final[Mapping[int, str]] = {
    # OpenSSL's X509_V_ERR_*
    **dict.fromkeys((2, 7, 18, 19, 20, 21, 27), _UNTRUSTED),
    9: "tls.not_yet_valid",
    10: "tls.expired",
    **dict.fromkeys((62, 64), "tls.name_mismatch"),
    **dict.fromkeys((66, 67, 68), "tls.weak_key"),
    **dict.fromkeys(
        (4, 6, 13, 14, 24, 25, 26, 29, 30, 31, 32, 34, 37, 39, 40, 41, 42, *range(76, 95)),
        "tls.malformed_certificate",
    ),
    # Windows: CERT_E_* and TRUST_E_*
    0x800B0101: _OUT_OF_DATE,
    **dict.fromkeys((0x800B0109, 0x800B010A, 0x800B0112, 0x80096004), _UNTRUSTED),
    0x800B010F: "tls.name_mismatch",
    **dict.fromkeys((0x800B0110, 0x80096019), "tls.malformed_certificate"),
    # macOS: errSec*, as the same 32 bits
    -67818 & 0xFFFFFFFF: _OUT_OF_DATE,
    -67819 & 0xFFFFFFFF: "tls.not_yet_valid",
    -67602 & 0xFFFFFFFF: "tls.name_mismatch",
    **dict.fromkeys((-67843 & 0xFFFFFFFF, -25318 & 0xFFFFFFFF), _UNTRUSTED),
}

_CAUSE_OF_REASON: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "NO_PROTOCOLS_AVAILABLE",
            "TLSV1_ALERT_PROTOCOL_VERSION",
            "UNSUPPORTED_PROTOCOL",
            "VERSION_TOO_LOW",
            "WRONG_SSL_VERSION",
        ),
        "tls.old_version",
    ),
    **dict.fromkeys(
        (
            "INSUFFICIENT_SECURITY",
            "NO_CIPHERS_AVAILABLE",
            "NO_SHARED_CIPHER",
            _ALERT_40,
            "TLSV1_ALERT_INSUFFICIENT_SECURITY",
            "UNKNOWN_CIPHER_RETURNED",
            "WRONG_CIPHER_RETURNED",
        ),
        "tls.no_common_cipher",
    ),
    **dict.fromkeys(
        (
            "CA_KEY_TOO_SMALL",
            "CA_MD_TOO_WEAK",
            "DH_KEY_TOO_SMALL",
            "EE_KEY_TOO_SMALL",
            "LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED",
            "MODULUS_TOO_SMALL",
            "WRONG_SIGNATURE_TYPE",
        ),
        "tls.weak_key",
    ),
    **dict.fromkeys(
        (
            "SSLV3_ALERT_BAD_CERTIFICATE",
            "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
            "SSLV3_ALERT_NO_CERTIFICATE",
            "TLSV13_ALERT_CERTIFICATE_REQUIRED",
            "TLSV1_ALERT_UNKNOWN_CA",
        ),
        _CLIENT_CERTIFICATE,
    ),
}


class PlainAnswerError(Exception):
    """The server answered the first bytes of TLS with plain text."""


class Handshake:
    """One TLS handshake, and the facts that explain its failure.

    Attributes:
        connection: Its TLS connection.
        host: The host that the certificate must be for.
        mode: How TLS began.
        answer: The first bytes the server sent.
    """

    def __init__(self, connection: TlsConnection, host: str, mode: Security) -> None:
        self.connection = connection
        self.host = host
        self.mode = mode
        self.answer = b""
        self._began = False

    def hear(self, received: bytes) -> None:
        """Take bytes from the server.

        Raises:
            PlainAnswerError: They aren't TLS.
        """
        self._began = True
        if len(self.answer) < _MOST_ANSWER:
            self.answer += received[:_MOST_ANSWER]
        if self.answer[0] not in _RECORD_TYPES:
            raise PlainAnswerError
        self.connection.feed(received)

    def plain_answer(self) -> SmtpFailure:
        """Return the failure of a server that answers TLS in plain text.

        With STARTTLS, either somebody added data after the server's reply to it (RFC 3207, 6),
        or the server agreed to TLS but treats the first bytes as a command. With TLS from the
        start, the port expects plain text: SMTP's own 220 shows which mode works.
        """
        line = self.answer.partition(b"\n")[0].rstrip()
        facts: dict[str, Json] = {"host": self.host, "answer": decode_text(line)}
        if self.mode is Security.STARTTLS:
            if self._began and (refusal := _REFUSAL.fullmatch(line)):
                reply = Reply.from_lines(int(refusal[1]), [refusal[2]])
                return SmtpFailure(Stage.TLS, reply=reply, facts=facts)
            return SmtpFailure(Stage.TLS, "tls.injected_data", facts=facts)
        if self.answer.startswith(b"220"):
            facts["working_security"] = Security.STARTTLS
        return SmtpFailure(Stage.TLS, "tls.wrong_mode", facts=facts)

    def cut(self, *, timed_out: bool) -> SmtpFailure:
        """Return the failure of a handshake that was cut off or stalled."""
        code = "tls.handshake_timeout" if timed_out else "tls.handshake_closed"
        facts: dict[str, Json] = {"host": self.host, "silent": not self._began}
        return SmtpFailure(Stage.TLS, code, facts={**facts, **self._chain_facts()})

    def refused(self, error: ssl.SSLError, now: datetime | None = None) -> SmtpFailure:
        """Return why OpenSSL, the system or the server refused it.

        Args:
            error: The exception that was raised.
            now: The time by this computer's clock.
        """
        facts: dict[str, Json] = {"host": self.host, **self._chain_facts(), **_words(error)}
        if not isinstance(error, ssl.SSLCertVerificationError):
            code = self._code(error)
            if code == "tls.old_version" and (version := _chosen_version(self.answer)):
                facts["tls_version"] = version
            return SmtpFailure(Stage.TLS, code, facts=facts)
        chain = read_chain(self.connection.chain)
        cause = _CAUSE_OF_VERIFY_CODE.get(_verify_code(error) & 0xFFFFFFFF, "tls.failed")
        moment, context = now or datetime.now(UTC), self.connection.context
        code, more = _certificate_refused(cause, chain, self.host, moment, context)
        return SmtpFailure(Stage.TLS, code, facts={**facts, **more})

    def _code(self, error: ssl.SSLError) -> str:
        reason = _reason(error)
        # Alert 40 means many things. Once the server has shown its certificate a cipher is
        # agreed, and what it still misses is ours.
        if reason == _ALERT_40 and self.connection.chain:
            return _CLIENT_CERTIFICATE
        # This one says no more than that a record is none.
        if reason == "WRONG_VERSION_NUMBER" and _chosen_version(self.answer):
            return "tls.old_version"
        return _CAUSE_OF_REASON.get(reason, "tls.failed")

    def _chain_facts(self) -> dict[str, Json]:
        return {"chain": [each.facts() for each in read_chain(self.connection.chain)]}


def broken(error: ssl.SSLError) -> SmtpFailure:
    """Return why TLS broke after the handshake.

    TLS 1.3 asks for client certificates only then. Versions, ciphers and keys are agreed by
    then, so they can't be the cause.
    """
    reason = _reason(error)
    wanted = reason == _ALERT_40 or _CAUSE_OF_REASON.get(reason) == _CLIENT_CERTIFICATE
    return SmtpFailure(
        Stage.TLS, _CLIENT_CERTIFICATE if wanted else "tls.failed", facts=_words(error)
    )


# Only OpenSSL's errors are sure to have all attributes; those of Windows and macOS are
# made by truststore.


def _reason(error: ssl.SSLError) -> str:
    return getattr(error, "reason", None) or ""


def _verify_code(error: ssl.SSLCertVerificationError) -> int:
    return getattr(error, "verify_code", 0)


def _words(error: ssl.SSLError) -> dict[str, Json]:
    words: dict[str, Json] = {"reason": _reason(error)}
    if isinstance(error, ssl.SSLCertVerificationError):
        words["verify_code"] = _verify_code(error)
        words["verify_message"] = visible(getattr(error, "verify_message", "") or str(error))
    return words


def _chosen_version(answer: bytes) -> str:
    """Return the version that a ServerHello chooses (RFC 5246, 7.4.1.3), "" for a newer one."""
    if answer[:1] != _HANDSHAKE_RECORD or answer[5:6] != _SERVER_HELLO:
        return ""
    return _OLD_VERSIONS.get(answer[9:11], "")


def _certificate_refused(
    cause: str,
    chain: Sequence[Certificate],
    host: str,
    now: datetime,
    context: ssl.SSLContext,
) -> tuple[str, dict[str, Json]]:
    if cause == _UNTRUSTED and chain:
        code, facts = _untrusted(chain, context)
        return code, {**facts, **_faults_besides(chain[0], host, now)}
    if cause == "tls.name_mismatch" and chain:
        names = chain[0].names
        return cause, {"names": list(names), "suggestion": best_name(host, names)}
    if cause in (_OUT_OF_DATE, "tls.expired", "tls.not_yet_valid"):
        return _out_of_date(cause, chain, now)
    return cause if cause != _UNTRUSTED else "tls.unknown_issuer", {}


def _faults_besides(leaf: Certificate, host: str, now: datetime) -> dict[str, Json]:
    """Return what is wrong with a certificate that nobody looked at, for it is not trusted."""
    facts: dict[str, Json] = {}
    if leaf.not_after < now:
        facts["expired_too"] = leaf.not_after.isoformat()
    if leaf.names and not is_among(host, leaf.names):
        facts["other_names"] = list(leaf.names)
    return facts


def _untrusted(
    chain: Sequence[Certificate], context: ssl.SSLContext
) -> tuple[str, dict[str, Json]]:
    leaf = chain[0]
    if leaf.self_issued:
        return "tls.self_signed", {"issuer": leaf.issuer}
    path = path_of(chain)
    top = path[-1]
    facts: dict[str, Json] = {"issuer": top.issuer}
    if top.names_issuer_url and (top is leaf or _of_known_maker(top, context)):
        return "tls.chain_incomplete", facts
    if trusts_nobody():
        facts["empty_trust_store"] = True
    if interceptor := _interceptor(path):
        facts["interceptor"] = interceptor
    elif top.is_ca:
        facts["ca"] = {**top.facts(), "pem": top.pem}
    return "tls.unknown_issuer", facts


def _of_known_maker(top: Certificate, context: ssl.SSLContext) -> bool:
    """Whether the issuer that was not sent is of an organization that is trusted otherwise.

    A root need not be sent: where the one above an intermediate is missing, it can as well
    be the root of a company that this computer does not know.
    """
    return not top.self_issued and top.issuer_organization in trusted_organizations(context)


def _interceptor(path: Sequence[Certificate]) -> str:
    issuers = " ".join(each.issuer for each in path).lower()
    return next((name for name in INTERCEPTORS if name.lower() in issuers), "")


def _out_of_date(
    cause: str, chain: Sequence[Certificate], now: datetime
) -> tuple[str, dict[str, Json]]:
    clock = now.isoformat(timespec="seconds")
    facts: dict[str, Json]
    for each in chain:
        if each.not_after < now and cause != "tls.not_yet_valid":
            since = each.not_after.isoformat()
            facts = {"certificate": each.subject, "since": since}
            return "tls.expired", {**facts, "clock": clock}
        if each.not_before > now and cause != "tls.expired":
            begins = each.not_before.isoformat()
            facts = {"certificate": each.subject, "begins": begins}
            return "tls.not_yet_valid", {**facts, "clock": clock}
    return cause if cause != _OUT_OF_DATE else "tls.expired", {"clock": clock}
