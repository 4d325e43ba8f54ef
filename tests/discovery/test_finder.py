"""The whole search: with a name server and an https server on this machine."""

from __future__ import annotations

import pytest

from smtp_desk.core.address import AddressError
from smtp_desk.core.findings.providers import SignIn
from smtp_desk.core.settings import Security
from smtp_desk.discovery.candidates import Asked, SearchResult, Source
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from tests.discovery.configs import PATH, config, server
from tests.discovery.world import AUTOCONFIG, WELL_KNOWN, World, answers
from tests.servers.web import page, redirect

pytestmark = pytest.mark.usefixtures("unhurried_search")


def test_a_known_provider_needs_no_network(world: World) -> None:
    found = world.find("ann@gmail.com")
    (candidate,) = found.candidates
    assert (candidate.host, candidate.port) == ("smtp.gmail.com", 587)
    assert candidate.source is Source.PROVIDER
    assert candidate.sign_in == (SignIn.OAUTH, SignIn.APP_PASSWORD)
    assert found.asked == (Asked(Source.PROVIDER, "gmail.com", SearchResult.FOUND),)
    assert world.untouched


def test_autoconfig_of_the_domain(world: World) -> None:
    world.serve({AUTOCONFIG: page(config(server()))}, {})
    found = world.find()
    (candidate,) = found.candidates
    assert (candidate.host, candidate.port, candidate.security) == (
        "smtp.example.test",
        465,
        Security.TLS,
    )
    assert (candidate.username, candidate.source) == ("ann@example.test", Source.AUTOCONFIG)
    assert f"{AUTOCONFIG}?emailaddress=ann%40example.test" in world.web.requests


def test_the_well_known_place_learns_no_address(world: World) -> None:
    world.serve({WELL_KNOWN: page(config(server()))}, {})
    assert world.find().candidates[0].source is Source.WELL_KNOWN
    assert WELL_KNOWN in world.web.requests


def test_redirects_are_shown(world: World) -> None:
    world.serve(
        {
            AUTOCONFIG: redirect("https://other.test/a.xml"),
            "other.test/a.xml": page(config(server())),
        },
        {},
    )
    asked = next(each for each in world.find().asked if each.source is Source.AUTOCONFIG)
    assert asked.result is SearchResult.FOUND
    assert asked.redirects == ("https://other.test/a.xml",)


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (config(server(socket_type="plain")), SearchResult.PLAINTEXT_ONLY),
        (b"<html/>", SearchResult.OTHER_XML),
        (b"a" * 70000, SearchResult.TOO_LARGE),
    ],
)
def test_bad_configurations_are_told(world: World, octets: bytes, answer: SearchResult) -> None:
    world.serve({AUTOCONFIG: page(octets)}, {})
    found = world.find()
    assert found.candidates == ()
    assert answers(found)[Source.AUTOCONFIG, f"https://{AUTOCONFIG}"] is answer


def test_the_database_is_asked_after_a_yes_only(world: World) -> None:
    pages = {"v1.ispdb.net/example.test": page(config(server()))}
    world.serve(pages, {})
    assert world.find().candidates == ()
    assert not [each for each in world.web.requests if "ispdb" in each]
    found = world.find(ispdb=True)
    assert found.candidates[0].source is Source.ISPDB
    assert not [each for each in world.web.requests if "ispdb" in each and "ann" in each]


@pytest.mark.parametrize(
    ("mx", "host", "provider"),
    [
        ("aspmx.l.google.com.", "smtp.gmail.com", "google"),
        ("example-test.mail.protection.outlook.com.", "smtp.office365.com", "microsoft"),
        ("mx1.privateemail.com.", "mail.privateemail.com", "namecheap"),
        ("in1-smtp.messagingengine.com.", "smtp.fastmail.com", "fastmail"),
    ],
)
def test_the_mx_of_a_known_provider(world: World, mx: str, host: str, provider: str) -> None:
    world.serve({}, {"example.test": [f"MX 10 {mx}"]})
    found = world.find()
    (candidate,) = found.candidates
    assert (candidate.host, candidate.provider, candidate.source) == (host, provider, Source.MX)
    assert candidate.only_dns
    assert not [each for each in world.web.requests if "example.test" not in each]


@pytest.mark.parametrize("domain", ["hoster.test", "mail.hoster.test"])
def test_the_mx_leads_to_its_own_autoconfig(world: World, domain: str) -> None:
    world.serve(
        {f"autoconfig.{domain}{PATH}": page(config(server("out.hoster.test")))},
        {"example.test": ["MX 10 mx1.mail.hoster.test."]},
    )
    found = world.find()
    (candidate,) = found.candidates
    assert (candidate.host, candidate.source) == ("out.hoster.test", Source.AUTOCONFIG)
    assert candidate.only_dns
    told = next(each for each in found.asked if each.source is Source.MX)
    assert (told.result, told.detail) == (SearchResult.OTHER_PROVIDER, "mx1.mail.hoster.test")


def test_the_mx_leads_to_the_database(world: World) -> None:
    world.serve(
        {"v1.ispdb.net/hoster.test": page(config(server("out.hoster.test")))},
        {"example.test": ["MX 10 mx1.hoster.test."]},
    )
    assert world.find().candidates == ()
    assert world.find(ispdb=True).candidates[0].only_dns


def test_an_mx_at_a_registry_leads_nowhere(world: World) -> None:
    world.serve({}, {"example.test": ["MX 10 mail.co.uk."]})
    world.find()
    assert not [each for each in world.web.requests if "co.uk" in each]


def test_srv_records(world: World) -> None:
    world.serve(
        {},
        {
            "_submissions._tcp.example.test": ["SRV 0 0 465 smtp.example.test."],
            "_submission._tcp.example.test": ["SRV 0 0 587 out.foreign.test."],
        },
    )
    first, second = world.find().candidates
    assert (first.host, first.security, first.only_dns) == (
        "smtp.example.test",
        Security.TLS,
        False,
    )
    assert (second.host, second.security, second.only_dns) == (
        "out.foreign.test",
        Security.STARTTLS,
        True,
    )
    assert {first.source, second.source} == {Source.SRV}


@pytest.mark.parametrize(
    ("record", "answer"),
    [
        ("SRV 0 0 0 .", SearchResult.NO_SERVICE),
        ("SRV 0 0 0 a.example.test.", SearchResult.BAD_RECORD),
    ],
)
def test_srv_records_that_lie(world: World, record: str, answer: SearchResult) -> None:
    name = "_submissions._tcp.example.test"
    world.serve({}, {name: [record]})
    found = world.find()
    assert found.candidates == ()
    assert answers(found)[Source.SRV, name] is answer


def test_common_names_are_tried(world: World) -> None:
    world.probed.working["mail.example.test"] = [(587, Security.STARTTLS), (465, Security.TLS)]
    (candidate,) = world.find().candidates
    assert (candidate.host, candidate.port, candidate.source) == (
        "mail.example.test",
        587,
        Source.GUESS,
    )
    assert sorted(world.probed.asked) == ["mail.example.test", "smtp.example.test"]


def test_the_surest_comes_first_and_each_server_once(world: World) -> None:
    world.serve(
        {
            AUTOCONFIG: page(config(server("c.test"))),
            WELL_KNOWN: page(config(server("c.test"), server("d.test"))),
            f"autoconfig.hoster.test{PATH}": page(config(server("out.hoster.test"))),
        },
        {
            "example.test": ["MX 10 mx1.hoster.test."],
            "_submissions._tcp.example.test": ["SRV 0 0 465 e.test."],
        },
    )
    world.probed.working["smtp.example.test"] = [(587, Security.STARTTLS)]
    hosts = [each.host for each in world.find().candidates]
    assert hosts == ["c.test", "d.test", "out.hoster.test", "e.test", "smtp.example.test"]


def test_each_question_is_shown_before_and_after(world: World) -> None:
    found = world.find()
    for asked in found.asked[1:]:
        first, last = [
            each
            for each in world.shown
            if each.target == asked.target and each.source is asked.source
        ]
        assert first.result is None
        assert last == asked


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("ann@co.uk", SearchResult.PUBLIC_SUFFIX),
        ("ann@com", SearchResult.PUBLIC_SUFFIX),
        ("ann@xn--p1ai", SearchResult.PUBLIC_SUFFIX),
        ("ann@[192.0.2.1]", SearchResult.IP_LITERAL),
        ("ann@[IPv6:2001:db8::1]", SearchResult.IP_LITERAL),
    ],
)
def test_domains_that_nobody_can_be_asked_about(
    world: World, address: str, answer: SearchResult
) -> None:
    found = world.find(address)
    assert found.candidates == ()
    assert [each.result for each in found.asked] == [answer]
    assert world.untouched


def test_an_international_domain_is_asked_in_ascii(world: World) -> None:
    name = "xn--bcher-kva.example.test"
    world.serve({f"autoconfig.{name}{PATH}": page(config(server("smtp.%EMAILDOMAIN%")))}, {})
    found = world.find("ann@bücher.example.test")
    assert found.candidates[0].host == f"smtp.{name}"
    assert found.candidates[0].username == f"ann@{name}"


@pytest.mark.parametrize("address", ["", "ann", "ann@", "ann@a b", "ann@example.test\r\n."])
def test_what_is_no_address(world: World, address: str) -> None:
    with pytest.raises(AddressError):
        world.find(address)


def test_a_fault_of_ours_is_raised(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(host: str, cancel: Cancel, deadline: Deadline) -> list[tuple[int, Security]]:
        raise ZeroDivisionError

    monkeypatch.setattr(world, "probed", broken)
    with pytest.raises(ZeroDivisionError):
        world.find()
