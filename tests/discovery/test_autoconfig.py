"""A mail configuration from a stranger: what is taken of it, and what is refused by name."""

import pytest

from smtp_desk.core.findings.providers import Providers, SignIn
from smtp_desk.core.settings import Security
from smtp_desk.discovery.autoconfig import MOST_SERVERS, parse_config
from smtp_desk.discovery.candidates import Candidate, NotFoundError, SearchResult, Source
from tests.discovery.configs import ANN, config, server
from tests.table import each_row


def parsed(octets: bytes, providers: Providers, **given: bool) -> list[Candidate]:
    return parse_config(octets, ANN, Source.AUTOCONFIG, providers, **given)


def test_a_server_is_read(providers: Providers) -> None:
    (found,) = parsed(config(server()), providers)
    assert found == Candidate(
        host="smtp.example.test",
        port=465,
        security=Security.TLS,
        username="ann@example.test",
        sign_in=(SignIn.PASSWORD,),
        source=Source.AUTOCONFIG,
    )


@each_row(
    ("username", "filled"),
    [
        ("%EMAILADDRESS%", "ann@example.test"),
        ("%EMAILLOCALPART%", "ann"),
        ("%EMAILLOCALPART%.%EMAILDOMAIN%", "ann.example.test"),
        (" desk ", "desk"),
        ("%REALNAME%", ""),
        ("ann&#13;desk", ""),
        ("a" * 256, ""),
    ],
)
def test_the_username_is_filled_in(providers: Providers, username: str, filled: str) -> None:
    (found,) = parsed(config(server(username=username)), providers)
    assert found.username == filled


def test_the_domain_stands_in_host_names(providers: Providers) -> None:
    (found,) = parsed(config(server(host="mail.%EMAILDOMAIN%")), providers)
    assert found.host == "mail.example.test"


def test_several_servers_stay_in_order(providers: Providers) -> None:
    octets = config(server(), server(port=587, socket_type="STARTTLS"), server(host="b.test"))
    found = parsed(octets, providers)
    assert [(each.host, each.port) for each in found] == [
        ("smtp.example.test", 465),
        ("smtp.example.test", 587),
        ("b.test", 465),
    ]
    assert found[1].security is Security.STARTTLS


def test_of_many_servers_the_first_count(providers: Providers) -> None:
    octets = config(*(server(port=port) for port in range(1, 200)))
    assert len(parsed(octets, providers)) == MOST_SERVERS


def test_a_server_that_can_t_be_used_does_not_hide_the_next(providers: Providers) -> None:
    octets = config(
        server(socket_type="plain"), server(authentication="NTLM"), server(port=0), server(port=25)
    )
    assert [each.port for each in parsed(octets, providers)] == [25]


@pytest.mark.parametrize("way", ["none", "client-IP-address"])
def test_a_server_without_sign_in_has_no_username(providers: Providers, way: str) -> None:
    (found,) = parsed(config(server(authentication=way)), providers)
    assert (found.username, found.sign_in) == ("", ())


def test_oauth_is_believed_of_known_providers_only(providers: Providers) -> None:
    (stranger,) = parsed(config(server(authentication="OAuth2 password-cleartext")), providers)
    assert stranger.sign_in == (SignIn.PASSWORD,)
    (google,) = parsed(config(server("smtp.gmail.com", 465, authentication="OAuth2")), providers)
    assert google.sign_in == (SignIn.OAUTH, SignIn.APP_PASSWORD)
    assert (google.provider, google.url) == ("google", "https://myaccount.google.com/apppasswords")


def test_what_a_provider_wants_goes_before_the_document(providers: Providers) -> None:
    octets = config(server("smtp.free.fr", 465, username="%EMAILADDRESS%"))
    (found,) = parsed(octets, providers)
    assert (found.provider, found.username) == ("free", "ann")


@pytest.mark.parametrize(
    ("host", "outside"), [("smtp.example.test", False), ("example.test", False), ("e.test", True)]
)
def test_a_host_that_only_dns_led_to_is_marked(
    providers: Providers, host: str, outside: bool
) -> None:
    assert parsed(config(server(host)), providers, only_dns=True)[0].only_dns is outside
    assert parsed(config(server(host)), providers)[0].only_dns is False


BILLION = """<?xml version="1.0"?><!DOCTYPE clientConfig [<!ENTITY a "a">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>"""
EXTERNAL = """<?xml version="1.0"?><!DOCTYPE clientConfig [
<!ENTITY a SYSTEM "file:///etc/passwd">]>"""
PLAIN_DTD = '<?xml version="1.0"?><!DOCTYPE clientConfig SYSTEM "https://e.test/a.dtd">'


@each_row(
    ("octets", "answer"),
    [
        pytest.param(config(server(host="&b;"), head=BILLION), SearchResult.ENTITIES, id="bomb"),
        pytest.param(config(server(host="&a;"), head=EXTERNAL), SearchResult.ENTITIES, id="file"),
        pytest.param(config(server(), head=PLAIN_DTD), SearchResult.ENTITIES, id="doctype"),
        pytest.param(b"", SearchResult.NOT_XML, id="empty"),
        pytest.param(b"<html><body><p>404</body></html>", SearchResult.NOT_XML, id="torn"),
        pytest.param(b"<html></html>", SearchResult.OTHER_XML, id="html"),
        pytest.param(b"\x00\xff" * 100, SearchResult.NOT_XML, id="garbage"),
        pytest.param(
            b'<?xml version="1.0" encoding="klingon"?><a/>', SearchResult.NOT_XML, id="coding"
        ),
        pytest.param(
            b'<?xml version="1.0" encoding="UTF-16"?><a/>', SearchResult.NOT_XML, id="false coding"
        ),
        pytest.param(
            config(server()).replace(b"<clientConfig", b'<clientConfig xmlns="urn:other"'),
            SearchResult.OTHER_XML,
            id="namespace",
        ),
        pytest.param(
            config(server()).replace(b"clientConfig", b"Autodiscover"),
            SearchResult.OTHER_XML,
            id="autodiscover",
        ),
        pytest.param(config(), SearchResult.NO_SERVER, id="no server"),
        pytest.param(config(server(kind="exchange")), SearchResult.NO_SERVER, id="exchange"),
        pytest.param(config(server(host="")), SearchResult.NO_SERVER, id="no host"),
        pytest.param(config(server(host="a b")), SearchResult.NO_SERVER, id="no such host"),
        pytest.param(config(server(host="%HOST%")), SearchResult.NO_SERVER, id="a host to ask for"),
        pytest.param(config(server(host="https://e.test/")), SearchResult.NO_SERVER, id="page"),
        pytest.param(config(server(port="")), SearchResult.NO_SERVER, id="no port"),
        pytest.param(config(server(port=0)), SearchResult.NO_SERVER, id="port 0"),
        pytest.param(config(server(port=65536)), SearchResult.NO_SERVER, id="port too large"),
        pytest.param(
            config(server(port="9" * 5000)), SearchResult.NO_SERVER, id="port beyond measure"
        ),
        pytest.param(config(server(port="４６５")), SearchResult.NO_SERVER, id="wide digits"),
        pytest.param(config(server(socket_type="plain")), SearchResult.PLAINTEXT_ONLY, id="plain"),
        pytest.param(config(server(socket_type="")), SearchResult.PLAINTEXT_ONLY, id="unsaid"),
        pytest.param(
            config(server(authentication="GSSAPI")), SearchResult.UNKNOWN_SIGN_IN, id="kerberos"
        ),
        pytest.param(
            config(server(authentication="OAuth2")),
            SearchResult.UNKNOWN_SIGN_IN,
            id="a stranger's OAuth",
        ),
        pytest.param(b"<clientConfig>" + b"<a>" * 20000, SearchResult.NOT_XML, id="deep and torn"),
        pytest.param(
            b"<clientConfig>" + b"<a>" * 9000 + b"</a>" * 9000 + b"</clientConfig>",
            SearchResult.NO_SERVER,
            id="deep",
        ),
    ],
)
def test_what_helps_nobody_is_named(
    providers: Providers, octets: bytes, answer: SearchResult
) -> None:
    with pytest.raises(NotFoundError) as told:
        parsed(octets, providers)
    assert told.value.result is answer
