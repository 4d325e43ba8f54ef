"""Providers are told by host, and less surely by banner."""

import pytest

from smtp_desk.core.findings.providers import Providers
from tests.core import replies


@pytest.fixture(scope="module")
def providers() -> Providers:
    return Providers.parse(replies.texts("providers"))


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("smtp.gmail.com", "google"),
        ("SMTP.Gmail.COM.", "google"),
        (" smtp-relay.gmail.com ", "google"),
        ("smtp.office365.com", "microsoft"),
        ("example-org.mail.protection.outlook.com", "microsoft"),
        ("smtp-mail.outlook.com", "outlook"),
        ("email-smtp.eu-west-1.amazonaws.com", "ses"),
        ("smtp.mail.me.com", "icloud"),
        ("smtp.zoho.eu", "zoho"),
        ("smtp.163.com", "netease"),
        ("smtp.exmail.qq.com", "qq"),
        ("smtpdm.aliyun.com", "aliyun_directmail"),
        ("smtp.aliyun.com", "aliyun"),
        ("ssl0.ovh.net", "ovh"),
        ("www123.sakura.ne.jp", "sakura"),
        ("smtp.mail.eu-west-1.awsapps.com", "workmail"),
        ("smtp.mail.yahoo.co.jp", "yahoo_japan"),
        ("smtp.mail.att.net", "att"),
        ("live.smtp.mailtrap.io", "mailtrap"),
        ("sandbox.smtp.mailtrap.io", "mailtrap_sandbox"),
        ("smtp.ionos.de", "ionos"),
        ("smtp.ionos.com", "ionos_us"),
        ("poczta.o2.pl", "wp"),
        ("out.virgilio.it", "libero"),
    ],
)
def test_by_host(providers: Providers, host: str, provider: str) -> None:
    found = providers.by_host(host)
    assert found is not None
    assert found.id == provider


@pytest.mark.parametrize(
    "host", ["", ".", "com", "smtp.example.org", "notgmail.com", "gmail.com.example.org", "::1"]
)
def test_unknown_hosts(providers: Providers, host: str) -> None:
    assert providers.by_host(host) is None


@pytest.mark.parametrize(
    ("banner", "provider"),
    [
        ("smtp.gmail.com ESMTP ffacd0b85a97d-38f7 - gsmtp", "google"),
        ("AM0PR01CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready at", "microsoft"),
        ("email-smtp.amazonaws.com ESMTP SimpleEmailService-d-X", "ses"),
        ("163.com Anti-spam GT for Coremail System", "netease"),
        ("smtp.mail.yahoo.co.jp ESMTP ready", "yahoo_japan"),
        ("mail.example.org ESMTP Postfix", None),
    ],
)
def test_by_banner(providers: Providers, banner: str, provider: str | None) -> None:
    found = providers.by_banner(banner)
    assert (found and found.id) == provider


def test_no_host_belongs_to_two(providers: Providers) -> None:
    hosts = [host for provider in providers.all for host in provider.hosts]
    assert len(hosts) == len(set(hosts))
    assert len({provider.id for provider in providers.all}) == len(providers.all)


def test_every_address_of_a_page_is_encrypted(providers: Providers) -> None:
    for provider in providers.all:
        for name, value in provider.facts.items():
            if name.endswith("_url"):
                assert str(value).startswith("https://")
