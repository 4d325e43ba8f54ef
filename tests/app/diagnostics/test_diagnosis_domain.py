"""The button "Check From domain" without a window."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from smtp_desk.app.diagnostics.report_file import load_report
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import Busy
from smtp_desk.core.problems import Field
from smtp_desk.core.stages import Stage
from smtp_desk.sandbox.server import Sandbox
from smtp_desk.smtp.domain import answers
from smtp_desk.smtp.net.resolve import DnsResolver
from tests.app.diagnostics.test_diagnosis import Desk, desk
from tests.cli.reports import REPORT
from tests.servers.dns import NameServer

__all__ = ["desk"]


@pytest.fixture(autouse=True)
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """In the place of the DNS servers of this computer."""
    zone = {"sandbox.test": ["MX 10 mail.test.", 'TXT "v=spf1 -all"', 'TXT "v=spf1 +all"']}
    with NameServer(zone) as server:
        there = DnsResolver(server.host, server.port)
        monkeypatch.setattr(answers, "DnsResolver", lambda: there)
        yield server


def test_it_needs_a_from_email_only(desk: Desk) -> None:
    desk.presenter.check_domain()
    assert [problem.field for problem in desk.state().problems] == [Field.FROM_EMAIL]
    assert "has no From domain" in desk.notice
    assert desk.form.runner.waiting == 0
    desk.form.presenter.edit(Field.FROM_EMAIL, "ann@sandbox.test")
    desk.presenter.check_domain()
    assert (desk.state().busy, desk.state().running) == (Busy.ASKING, True)
    desk.finish()
    check = desk.state().domain
    assert check is not None
    assert desk.state().problems == ()
    assert [each.code for each in check.warnings] == ["domain.spf_invalid", "domain.dmarc_missing"]
    assert check.summary == (
        "Email from sandbox.test may not be trusted: the domain’s SPF record isn’t valid."
    )
    assert (desk.state().domain_is_news, desk.state().busy) == (True, Busy.NOTHING)
    assert desk.view.done == ["domain"]


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("", []),
        ("mail, k2", ["mail._domainkey.sandbox.test", "k2._domainkey.sandbox.test"]),
        ("DKIM-Signature: d=sandbox.test; s=mail", ["mail._domainkey.sandbox.test"]),
    ],
)
def test_it_asks_for_the_keys_of_the_selectors(
    desk: Desk, name_server: NameServer, typed: str, asked: list[str]
) -> None:
    desk.form.presenter.edit(Field.FROM_EMAIL, "ann@sandbox.test")
    desk.presenter.check_domain(typed)
    desk.finish()
    assert [name for name, _ in name_server.questions if "_domainkey" in name] == asked
    check = desk.state().domain
    assert check is not None
    codes = [each.code for each in check.warnings]
    assert codes.count("domain.dkim_missing") == len(asked)


@pytest.mark.parametrize("typed", ["no/such", "s=\x1b[31m; d=a.test", "ä"])
def test_it_needs_selectors_that_are_some(desk: Desk, name_server: NameServer, typed: str) -> None:
    desk.form.presenter.edit(Field.FROM_EMAIL, "ann@sandbox.test")
    desk.presenter.check_domain(typed)
    assert "isn’t a DKIM selector" in desk.notice
    assert "\x1b" not in desk.notice
    assert desk.form.runner.waiting == 0
    assert name_server.questions == []


def test_cancel_keeps_what_is_shown(desk: Desk) -> None:
    desk.presenter.show_report(REPORT)
    desk.form.presenter.edit(Field.FROM_EMAIL, "ann@sandbox.test")
    desk.presenter.check_domain()
    desk.presenter.cancel()
    assert desk.state().busy is Busy.CANCELLING
    desk.finish()
    assert desk.state().domain is None
    assert desk.state().report is REPORT
    assert desk.notice.startswith("Cancelled.")
    assert desk.state().notice == Notice(desk.notice, plain=True)


def test_one_thing_at_a_time(desk: Desk, name_server: NameServer) -> None:
    desk.form.presenter.edit(Field.FROM_EMAIL, "ann@sandbox.test")
    desk.presenter.run(login=False)
    desk.presenter.check_domain()
    desk.presenter.check_domain()
    desk.presenter.run(login=False)
    assert desk.form.runner.waiting == 1
    desk.presenter.close()
    assert desk.form.runner.cancels[-1].cancelled
    desk.finish()
    assert name_server.questions == []


def test_it_goes_into_the_report_of_the_same_server_and_address(
    desk: Desk, sandbox: Sandbox, ca_file: Path, tmp_path: Path
) -> None:
    desk.form.fill(sandbox, ca_file)
    desk.form.test()
    desk.presenter.check_domain()
    desk.finish()
    assert desk.state().report is desk.form.state().report
    file = tmp_path / "saved.json"
    desk.presenter.save(file)
    desk.finish()
    saved = load_report(file)
    assert "domain.spf_invalid" in [each.code for each in saved.warnings]
    resolve = next(each for each in saved.stages if each.stage is Stage.RESOLVE)
    assert resolve.facts["from_domain"] == "sandbox.test"
    desk.presenter.copy()
    desk.finish()
    assert "domain.spf_invalid" in desk.view.done[-1]
    assert not desk.state().domain_is_news


def test_it_does_not_go_into_a_strangers_report(desk: Desk, tmp_path: Path) -> None:
    desk.form.presenter.edit(Field.FROM_EMAIL, "ann@sandbox.test")
    desk.presenter.check_domain()
    desk.finish()
    desk.presenter.show_report(REPORT)
    assert desk.state().domain is None
    desk.presenter.check_domain()
    desk.finish()
    file = tmp_path / "saved.json"
    desk.presenter.save(file)
    desk.finish()
    assert load_report(file) == REPORT
