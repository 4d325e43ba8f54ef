"""Which CA is offered, and which digits are the right ones."""

import dataclasses

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from smtp_desk.app.integrations.ca_offer import CaOffer, Typed
from smtp_desk.core.findings.finding import Finding, FindingSeverity, Scope, Who
from smtp_desk.core.report import CheckReport, ReportOutcome, StageResult
from smtp_desk.core.stages import Facts, Stage, StageStatus
from smtp_desk.smtp.net.certificates import read_chain
from tests.servers.certs import Certificates, Identity

HOST = "mail.example.org"
FINDING = Finding(
    code="tls.unknown_issuer",
    stage=Stage.TLS,
    severity=FindingSeverity.ERROR,
    summary="…",
    explanation="…",
    who=Who.YOU,
    scope=Scope.ROUTE,
)


def report(facts: Facts, finding: Finding | None = FINDING) -> CheckReport:
    return CheckReport(
        outcome=ReportOutcome.UNREACHABLE,
        finding=finding,
        stages=(StageResult(Stage.TLS, StageStatus.FAILED, 1, facts),),
        transcript=(),
        settings={"host": HOST},
        environment={},
    )


def facts_of(identity: Identity) -> Facts:
    (ca,) = read_chain([identity.certificate.public_bytes(Encoding.DER)])
    return {"ca": {**ca.facts(), "pem": ca.pem}}


@pytest.fixture(scope="module")
def offer(certs: Certificates) -> CaOffer:
    found = CaOffer.of(report(facts_of(certs.other_root)))
    assert found is not None
    return found


def test_it_tells_what_the_person_must_know(offer: CaOffer, certs: Certificates) -> None:
    assert (offer.host, offer.subject) == (HOST, "CN=Unrelated Root CA,O=Example Test")
    assert offer.issuer == offer.subject
    begins = certs.other_root.certificate.not_valid_before_utc
    assert offer.not_before == begins.date().isoformat()
    assert "BEGIN CERTIFICATE" not in repr(offer)


@pytest.mark.parametrize("without", ["ca", "finding", "host"])
def test_nothing_is_offered_without(certs: Certificates, without: str) -> None:
    whole = report(facts_of(certs.other_root))
    lacking = {
        "ca": report({}),
        "finding": dataclasses.replace(whole, finding=None),
        "host": dataclasses.replace(whole, settings={}),
    }
    assert CaOffer.of(lacking[without]) is None
    assert CaOffer.of(None) is None


def test_the_ca_of_a_known_interceptor_is_never_offered(certs: Certificates) -> None:
    facts = {**facts_of(certs.intercepted), "interceptor": "Avast"}
    assert CaOffer.of(report(facts)) is None


def test_the_last_digits_are_not_shown(offer: CaOffer, certs: Certificates) -> None:
    shown = offer.fingerprint_start.replace(" ", "").lower()
    assert shown == certs.other_root.fingerprint[:-8]


def test_the_right_digits_in_every_spelling(offer: CaOffer, certs: Certificates) -> None:
    whole = certs.other_root.fingerprint
    last = whole[-8:]
    pairs = [last[at : at + 2] for at in range(0, 8, 2)]
    for typed in (last, last.upper(), ":".join(pairs), " ".join(pairs), f" {last}\t", whole):
        assert offer.compare(typed) is Typed.RIGHT


def test_any_other_digits_are_wrong(offer: CaOffer, certs: Certificates) -> None:
    whole = certs.other_root.fingerprint
    last = whole[-8:]
    other = f"{int(last[0], 16) ^ 1:x}{last[1:]}"
    for typed in (other, whole[:8], f"0{last}", whole[:-8], f"{other}{last}"):
        assert offer.compare(typed) is Typed.WRONG


def test_half_of_them_are_not_yet_wrong_and_words_are_no_digits(
    offer: CaOffer, certs: Certificates
) -> None:
    for typed in ("", " : ", certs.other_root.fingerprint[-7:]):
        assert offer.compare(typed) is Typed.UNFINISHED
    for typed in ("O", "sha256:1a", "１２３４５６７８"):
        assert offer.compare(typed) is Typed.NOT_HEX


def test_the_digits_are_those_of_the_certificate_whatever_a_fact_says(
    certs: Certificates,
) -> None:
    ca = facts_of(certs.other_root)["ca"]
    assert isinstance(ca, dict)
    lying = CaOffer.of(report({"ca": {**ca, "fingerprint": "0" * 64}}))
    assert lying is not None
    assert lying.compare("0" * 8) is Typed.WRONG
    assert lying.compare(certs.other_root.fingerprint[-8:]) is Typed.RIGHT
