"""Providers are told by host, and less surely by banner."""

import json
import re
from typing import Final

import pytest

from smtp_desk.core.findings.providers import Providers, SignIn
from tests.core import replies
from tests.table import each_row


@pytest.fixture(scope="module")
def providers() -> Providers:
    return Providers.parse(replies.texts("providers"))


@each_row(
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


@each_row(
    "host", ["", ".", "com", "smtp.example.org", "notgmail.com", "gmail.com.example.org", "::1"]
)
def test_unknown_hosts(providers: Providers, host: str) -> None:
    assert providers.by_host(host) is None


@each_row(
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


@each_row(
    ("mx", "host"),
    [
        ("aspmx.l.google.com", "smtp.gmail.com"),
        ("Example-Org.Mail.Protection.Outlook.com.", "smtp.office365.com"),
        ("example-org.mail.protection.partner.outlook.cn", "smtp.partner.outlook.cn"),
        ("eur.olc.protection.outlook.com", "smtp-mail.outlook.com"),
        ("mx-biz.mail.am0.yahoodns.net", "smtp.bizmail.yahoo.com"),
        ("mta5.am0.yahoodns.net", "smtp.mail.yahoo.com"),
        ("mx-aol.mail.gm0.yahoodns.net", "smtp.aol.com"),
        ("mx2.zoho.eu", "smtppro.zoho.eu"),
        ("mxbiz1.qq.com", "smtp.exmail.qq.com"),
        ("in1-smtp.messagingengine.com", "smtp.fastmail.com"),
        ("mx01.ionos.es", "smtp.ionos.es"),
        ("inbound-smtp.eu-west-1.amazonaws.com", "smtp.mail.eu-west-1.awsapps.com"),
        ("mx1.privateemail.com", "mail.privateemail.com"),
        ("spool.mail.gandi.net", "mail.gandi.net"),
    ],
)
def test_by_mx(providers: Providers, mx: str, host: str) -> None:
    found = providers.by_mx(mx)
    assert found is not None
    assert found[1].host == host


@pytest.mark.parametrize("domain", ["", "example.org", "gmail.com.example.org", "notgmail.com"])
def test_unknown_domains(providers: Providers, domain: str) -> None:
    assert providers.by_domain(domain) is None
    assert providers.by_mx(domain) is None


def test_each_row_says_where_it_is_from(providers: Providers) -> None:
    assert len(providers.all) >= 100
    for provider in providers.all:
        assert provider.source.startswith("https://"), provider.id
        assert "2026-01-01" <= provider.checked <= "2099", provider.id
        assert provider.sign_in, provider.id
        assert provider.facts["help_url"], provider.id


def test_each_row_has_limits_with_their_page_or_says_that_none_were_found(
    providers: Providers,
) -> None:
    for provider in providers.all:
        limits = provider.limits
        assert limits.pages, provider.id
        assert "2026-01-01" <= limits.checked <= "2099", provider.id
        assert not [page for page in limits.pages if "github" in page or "delta.chat" in page]
        # It stands in a sentence: "Example allows …."
        if limits.text:
            assert re.search(r"\b[0-9,]+ (emails|recipients|to \d+ emails)\b", limits.text), limits
            assert not re.search(r"\d{4}|\d \d|\.$|^[A-Z]", limits.text), limits
            assert len(limits.text) < 200, provider.id
        told = re.search(r"(\d+) connections at a time", limits.text)
        assert limits.connections == (int(told[1]) if told else 0), provider.id
    assert sum(bool(provider.limits.text) for provider in providers.all) >= 38


def test_whoever_takes_oauth_says_how(providers: Providers) -> None:
    offering = [each for each in providers.all if SignIn.OAUTH in each.sign_in]
    assert len(offering) >= 7
    assert offering == [each for each in providers.all if "oauth_url" in each.facts]
    for provider in providers.all:
        if provider.facts.get("oauth_by_agreement"):
            assert provider.sign_in[-1] is SignIn.OAUTH
            assert len(provider.sign_in) > 1


def test_a_server_belongs_to_its_provider(providers: Providers) -> None:
    for provider in providers.all:
        for server in provider.servers:
            owner = providers.by_host(server.host)
            assert owner is not None
            assert owner.id == provider.id


def test_no_domain_has_two_servers(providers: Providers) -> None:
    servers = [server for provider in providers.all for server in provider.servers]
    for names in (
        [name for server in servers for name in server.domains],
        [name for server in servers for name in server.mx],
    ):
        assert len(names) == len(set(names))


def test_every_server_named_by_a_finding_is_known(providers: Providers) -> None:
    host = re.compile(r"\b(?:smtp|ssl0|ex|pro1)[a-z0-9-]*(?:\.[a-z0-9-]+)+\.[a-z]{2,}\b")
    named = {name for text in replies.texts("findings") for name in host.findall(text)}
    named = {name for name in named if "example" not in name}
    assert len(named) > 5
    for name in named:
        provider = providers.by_host(name)
        assert provider is not None, name
        assert name in provider.hosts, name


_LIMITS: Final = {
    "text": "9 emails an hour",
    "pages": ["https://example.org/limits", "https://example.org/more"],
    "checked": "2026-11-30",
}
_NONE_FOUND: Final = {"none_found": True, "pages": ["https://e.org/"], "checked": "2026-11-30"}


def _row(**changes: object) -> str:
    row = {
        "name": "Example",
        "hosts": ["smtp.example.org"],
        "smtp_host": "smtp.example.org",
        "smtp_port": 465,
        "smtp_security": "tls",
        "auth": ["password"],
        "domains": ["example.org"],
        "source": "https://example.org/",
        "checked": "2026-11-30",
        "limits": _LIMITS,
    }
    kept = {**row, **changes}.items()
    lines = [f"{key} = {_toml(value)}" for key, value in kept if value is not None]
    return "\n".join(["[example]", *lines])


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(each)}' for key, each in value.items())} }}"
    return json.dumps(value)


def test_a_whole_row_is_read() -> None:
    found = Providers.parse([_row()]).by_domain("example.org")
    assert found is not None
    provider, server = found
    assert (server.host, server.port, str(server.security)) == ("smtp.example.org", 465, "tls")
    assert provider.username("ann", "ann@example.org") == "ann@example.org"
    assert "domains" not in provider.facts
    assert provider.limits.pages == ("https://example.org/limits", "https://example.org/more")
    assert provider.facts["limits"] == "9 emails an hour"
    assert provider.facts["limits_url"] == "https://example.org/limits"


def test_of_limits_that_nobody_knows_no_text_tells(providers: Providers) -> None:
    (provider,) = Providers.parse([_row(limits=_NONE_FOUND)]).all
    assert provider.limits.text == ""
    assert provider.limits.pages == ("https://e.org/",)
    assert not [name for name in provider.facts if name.startswith("limits")]


@each_row(
    ("changes", "told"),
    [
        ({"name": None}, "name"),
        ({"hosts": "smtp.example.org"}, "hosts"),
        ({"hosts": [""]}, "hosts"),
        ({"smtp_port": 0}, "port"),
        ({"smtp_port": 70000}, "port"),
        ({"smtp_port": "465"}, "port"),
        ({"smtp_security": "none"}, "none"),
        ({"smtp_security": "auto"}, "security"),
        ({"smtp_security": None}, "domains"),
        ({"smtp_host": None}, "host"),
        ({"auth": ["magic"]}, "magic"),
        ({"source": ""}, "source"),
        ({"checked": None}, "checked"),
        ({"limits": None}, "limits"),
        ({"limits": "9 emails an hour"}, "limits"),
        ({"limits": {**_LIMITS, "none_found": True}}, "none_found"),
        ({"limits": {**_NONE_FOUND, "none_found": False}}, "none_found"),
        ({"limits": {**_LIMITS, "text": ""}}, "text"),
        ({"limits": {**_LIMITS, "text": 9}}, "text"),
        ({"limits": {**_LIMITS, "pages": []}}, "pages"),
        ({"limits": {**_LIMITS, "pages": "https://example.org/"}}, "pages"),
        ({"limits": {**_LIMITS, "pages": ["http://example.org/"]}}, "pages"),
        ({"limits": {"text": "9 emails", "pages": ["https://e.org/"]}}, "checked"),
    ],
)
def test_a_broken_row_is_named(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=rf"\[example\].*{told}"):
        _ = Providers.parse([_row(**changes)]).all
