"""From a refused company server over the administrator's digits to a saved configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smtp_desk.app.services import Services
from smtp_desk.core.findings.finding import TRUST_CA, Remedy
from smtp_desk.core.gate import Outcome
from smtp_desk.core.problems import Field, Severity
from smtp_desk.smtp.check.check import Steps
from tests.app.page import Page, open_page
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.certs import Certificates, Identity

HOST = "localhost"


@pytest.fixture
def company(certs: Certificates) -> Iterator[ScriptedServer]:
    with served(certs.unknown_issuer) as server:
        yield server


@pytest.fixture
def digits(certs: Certificates) -> str:
    """What the mail administrator says on the phone."""
    return certs.other_root.fingerprint[-8:]


@pytest.fixture
def refused(services: Services, company: ScriptedServer) -> Page:
    return refused_by(services, company)


def served(identity: Identity) -> ScriptedServer:
    return ScriptedServer(Script(tls=identity.tls))


def refused_by(services: Services, server: ScriptedServer) -> Page:
    page = open_page(services)
    for field, text in {
        Field.HOST: HOST,
        Field.PORT: str(server.port),
        Field.USERNAME: "desk",
        Field.PASSWORD: "s3cret",
        Field.FROM_EMAIL: "desk@example.test",
        Field.RECIPIENT: "ann@example.test",
    }.items():
        page.presenter.edit(field, text)
    page.test()
    return page


def finding_code(page: Page) -> str:
    finding = page.state().finding
    return finding.code if finding else ""


def remedy(page: Page) -> Remedy | None:
    finding = page.state().finding
    assert finding is not None
    return next((each for each in finding.remedies if each.id == TRUST_CA), None)


def ask(page: Page) -> None:
    found = remedy(page)
    assert found is not None
    page.presenter.apply(found)


def trust(page: Page, digits: str) -> None:
    ask(page)
    page.presenter.trust.confirm(digits)
    page.runner.finish()


def problems(page: Page) -> list[str]:
    """The errors that are shown, notices left out."""
    shown = page.state().problems
    return [problem.code for problem in shown if problem.severity is Severity.ERROR]


def test_refused_trusted_proven_saved(
    refused: Page, digits: str, company: ScriptedServer, certs: Certificates
) -> None:
    assert finding_code(refused) == "tls.unknown_issuer"
    ask(refused)
    offer = refused.state().ca_offer
    assert offer is not None
    assert (offer.host, offer.pem) == (HOST, certs.other_root.chain_file.read_text())
    refused.presenter.trust.confirm(digits.upper())
    refused.runner.finish()
    state = refused.state()
    assert state.ca_offer is None
    assert state.outcome is Outcome.CHANGED
    assert not state.may_save
    assert state.test_notice is not None
    assert not state.test_notice.error
    assert refused.view.focus[-1] == "outcome"
    refused.test()
    assert refused.state().outcome is Outcome.SUCCESS
    assert len(company.messages) == 1
    refused.save()
    server = refused.services.store.load().server
    assert server is not None
    assert server.settings.ca_pem == offer.pem


@pytest.mark.parametrize("typed", ["", "0000000", "00000000", "zzzzzzzz"])
def test_wrong_digits_trust_nothing(refused: Page, typed: str) -> None:
    ask(refused)
    refused.presenter.trust.confirm(typed)
    assert refused.runner.waiting == 0
    assert refused.state().ca_offer is not None
    assert refused.view.draft.ca_file == ""
    assert not refused.services.paths.trusted_cas.exists()


def test_dismissed_it_is_asked_again_only_when_wanted(refused: Page, digits: str) -> None:
    ask(refused)
    refused.presenter.trust.dismiss()
    assert refused.state().ca_offer is None
    refused.presenter.trust.confirm(digits)
    assert refused.runner.waiting == 0
    ask(refused)
    assert refused.state().ca_offer is not None


@pytest.mark.parametrize(
    ("identity", "code"),
    [
        ("unknown_issuer_unsent", "tls.unknown_issuer"),
        ("self_signed", "tls.self_signed"),
        ("intercepted", "tls.unknown_issuer"),
    ],
)
def test_it_is_not_offered(
    services: Services, certs: Certificates, identity: str, code: str
) -> None:
    with served(getattr(certs, identity)) as server:
        page = refused_by(services, server)
    assert finding_code(page) == code
    assert remedy(page) is None
    # Not even to one who asks without having been offered it.
    page.presenter.apply(Remedy(TRUST_CA, "…"))
    assert page.state().ca_offer is None


def test_an_intermediate_that_was_sent_can_be_trusted_alone(
    services: Services, certs: Certificates
) -> None:
    with served(certs.with_intermediate) as server:
        page = refused_by(services, server)
        trust(page, certs.intermediate.fingerprint[-8:])
        page.test()
    assert page.state().outcome is Outcome.SUCCESS


class TestAnotherHost:
    """What was trusted for one host serves no other one."""

    @pytest.fixture
    def trusted(self, refused: Page, digits: str) -> Page:
        trust(refused, digits)
        return refused

    def test_it_is_said_at_once_and_nothing_is_sent(
        self, trusted: Page, company: ScriptedServer
    ) -> None:
        trusted.test()
        company.forget()
        trusted.presenter.edit(Field.HOST, "127.0.0.1")
        assert problems(trusted) == ["ca_file.other_host"]
        assert trusted.state().outcome is Outcome.CHANGED
        trusted.test()
        assert company.sessions == []
        assert trusted.view.focus[-1] is Field.CA_FILE

    def test_back_at_its_host_it_serves_again(self, trusted: Page) -> None:
        trusted.test()
        trusted.presenter.edit(Field.HOST, "127.0.0.1")
        trusted.presenter.edit(Field.HOST, " LOCALHOST ")
        assert problems(trusted) == []
        assert trusted.state().may_save

    def test_without_it_the_other_host_can_be_tested(self, trusted: Page) -> None:
        trusted.presenter.edit(Field.HOST, "127.0.0.1")
        trusted.presenter.edit(Field.CA_FILE, "")
        assert problems(trusted) == []
        trusted.test()
        assert finding_code(trusted) == "tls.unknown_issuer"

    def test_a_check_without_signing_in_goes_without_it(self, trusted: Page) -> None:
        assert trusted.presenter.request(Steps.NO_LOGIN).draft.ca_file != ""
        trusted.presenter.edit(Field.HOST, "127.0.0.1")
        assert trusted.presenter.request(Steps.NO_LOGIN).draft.ca_file == ""

    def test_a_saved_one_does_not_either(self, trusted: Page, services: Services) -> None:
        trusted.test()
        trusted.save()
        trusted.presenter.edit(Field.HOST, "127.0.0.1")
        assert "ca_file.other_host" in problems(trusted)
        later = open_page(services)
        assert problems(later) == []
        later.presenter.edit(Field.HOST, "127.0.0.1")
        assert "ca_file.other_host" in problems(later)
        later.presenter.discard()
        assert problems(later) == []

    def test_removed_with_the_configuration_it_is_trusted_no_more(
        self, trusted: Page, services: Services
    ) -> None:
        trusted.test()
        trusted.save()
        trusted.presenter.remove()
        trusted.runner.finish()
        assert list(services.paths.trusted_cas.iterdir()) == []
        assert trusted.view.draft.ca_file == ""

    def test_a_file_that_the_person_chose_serves_any_host(
        self, services: Services, company: ScriptedServer, certs: Certificates
    ) -> None:
        page = refused_by(services, company)
        page.presenter.edit(Field.CA_FILE, str(certs.other_root.chain_file))
        page.runner.finish()
        page.test()
        page.save()
        page.presenter.edit(Field.HOST, "127.0.0.1")
        assert "ca_file.other_host" not in problems(page)

    def test_it_is_not_asked_for_a_report_of_another_host(self, refused: Page) -> None:
        found, report = remedy(refused), refused.presenter.report
        assert found is not None
        refused.presenter.edit(Field.HOST, "127.0.0.1")
        refused.presenter.apply(found, report)
        assert refused.state().ca_offer is None
        refused.presenter.edit(Field.HOST, HOST)
        refused.presenter.apply(found, report)
        assert refused.state().ca_offer is not None


def test_a_disk_that_refuses_is_told(refused: Page, digits: str) -> None:
    folder = refused.services.paths.trusted_cas
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    trust(refused, digits)
    notice = refused.state().test_notice
    assert notice is not None
    assert notice.error
    assert refused.view.draft.ca_file == ""
