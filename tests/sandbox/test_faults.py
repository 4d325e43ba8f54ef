"""Each fault of the sandbox is what a test names it, and nothing else is wrong."""

from collections.abc import Iterator

import pytest

from smtp_desk.core.report import CheckReport, ReportOutcome
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.sandbox.faults import FAULTS, NO_FAULT, Fault
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.smtp.check.check import CheckRequest, run_check
from smtp_desk.smtp.net.deadline import Cancel
from tests.core.replies import load_catalogue

CATALOGUE = load_catalogue()
MODES = (Security.STARTTLS, Security.TLS)
# TLS from the start needs no STARTTLS: there is nothing to go wrong with it.
ONLY_STARTTLS = ("no-starttls", "tls-refused")


@pytest.fixture(scope="module")
def faulty() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def report_of(sandbox: Sandbox, mode: Security, username: str = Sandbox.username) -> CheckReport:
    """What a test finds, at the port that the sandbox has for this mode."""
    settings = ServerSettings(
        host=sandbox.host,
        port=sandbox.starttls_port if mode is Security.STARTTLS else sandbox.tls_port,
        username=username,
        from_email=sandbox.username,
        security=mode,
        ca_pem=sandbox.ca_pem,
    )
    request = CheckRequest(
        settings=settings,
        secret=sandbox.password,
        recipient="ann@example.test",
        content=b"Subject: test\r\n\r\nHello.\r\n",
        probe_ports=False,
    )
    return run_check(
        request,
        catalogue=lambda: CATALOGUE,
        on_event=lambda _event: None,
        cancel=Cancel(),
        environment={},
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_it_is_the_cause_that_a_test_names(faulty: Sandbox, fault: Fault, mode: Security) -> None:
    faulty.fault = fault
    report = report_of(faulty, mode)
    if mode is Security.TLS and fault.name in ONLY_STARTTLS:
        assert report.outcome is ReportOutcome.SENT
    else:
        assert report.finding is not None
        assert report.finding.code == fault.code
        assert report.outcome is not ReportOutcome.SENT
    faulty.fault = NO_FAULT
    assert report_of(faulty, mode).outcome is ReportOutcome.SENT


def test_a_sandbox_can_begin_with_a_fault() -> None:
    sandbox = Sandbox()
    sandbox.fault = FAULTS["wrong-password"]
    with sandbox:
        finding = report_of(sandbox, Security.STARTTLS).finding
        assert finding is not None
        assert finding.code == "auth.rejected"
        assert not sandbox.inbox.mails()


def test_a_wrong_password_is_refused_as_ever_whatever_else_is_wrong(faulty: Sandbox) -> None:
    faulty.fault = FAULTS["app-password"]
    report = report_of(faulty, Security.STARTTLS, "somebody@sandbox.test")
    assert report.finding is not None
    assert report.finding.code == "auth.rejected"


def test_names_and_words_are_each_their_own() -> None:
    faults = (NO_FAULT, *FAULTS.values())
    for values in ([each.name for each in faults], [each.what_happens for each in faults]):
        assert len(set(values)) == len(values)
