"""What 40 known providers want for an address, written down from their own pages and not from
our table: host, port, how TLS begins, what to sign in as, and with what.
"""

import pytest

from smtp_desk.core.findings.providers import Providers
from tests.core import replies
from tests.table import each_row

# address, host, port, security, username (= the address), ways to sign in (best first)
KNOWN = """
ann@gmail.com               smtp.gmail.com         587 starttls =   oauth,app_password
ann@googlemail.com          smtp.gmail.com         587 starttls =   oauth,app_password
ann@contoso.onmicrosoft.com smtp.office365.com     587 starttls =   oauth,password
ann@outlook.com             smtp-mail.outlook.com  587 starttls =   oauth
ann@hotmail.fr              smtp-mail.outlook.com  587 starttls =   oauth
ann@yahoo.com               smtp.mail.yahoo.com    465 tls      =   app_password,oauth
ann@ymail.com               smtp.mail.yahoo.com    465 tls      =   app_password,oauth
ann@yahoo.co.jp             smtp.mail.yahoo.co.jp  465 tls      =   password
ann@aol.com                 smtp.aol.com           465 tls      =   app_password,oauth
ann@att.net                 smtp.mail.att.net      465 tls      =   app_password
ann@icloud.com              smtp.mail.me.com       587 starttls =   app_password
ann@me.com                  smtp.mail.me.com       587 starttls =   app_password
ann@fastmail.com            smtp.fastmail.com      465 tls      =   app_password,oauth
ann@zohomail.eu             smtp.zoho.eu           587 starttls =   password,app_password
ann@yandex.ru               smtp.yandex.ru         465 tls      =   app_password,oauth
ann@bk.ru                   smtp.mail.ru           465 tls      =   app_password
ann@qq.com                  smtp.qq.com            465 tls      =   app_password
ann@126.com                 smtp.126.com           465 tls      =   app_password
ann@163.com                 smtp.163.com           465 tls      =   app_password
ann@aliyun.com              smtp.aliyun.com        465 tls      =   password
ann@gmx.net                 mail.gmx.net           587 starttls =   password
ann@gmx.com                 mail.gmx.com           587 starttls =   password
ann@web.de                  smtp.web.de            587 starttls =   password
ann@t-online.de             securesmtp.t-online.de 465 tls      =   app_password
ann@freenet.de              mx.freenet.de          587 starttls =   password
ann@mailbox.org             smtp.mailbox.org       465 tls      =   password,app_password
ann@posteo.net              posteo.de              465 tls      =   password
ann@proton.me               smtp.protonmail.ch     587 starttls =   app_password
ann@bluewin.ch              smtpauths.bluewin.ch   465 tls      =   password
ann@ik.me                   mail.infomaniak.com    465 tls      =   password,app_password
ann@orange.fr               smtp.orange.fr         465 tls      =   password
ann@free.fr                 smtp.free.fr           465 tls      ann password
ann@virgilio.it             out.virgilio.it        465 tls      =   password
ann@libero.it               smtp.libero.it         465 tls      =   password
ann@o2.pl                   poczta.o2.pl           465 tls      =   password
ann@seznam.cz               smtp.seznam.cz         465 tls      =   password
ann@comcast.net             smtp.comcast.net       587 starttls =   password
ann@charter.net             mobile.charter.net     587 tls      =   password
ann@bell.net                smtphm.sympatico.ca    587 starttls =   password
ann@bigpond.com             smtp.telstra.com       465 tls      =   password
ann@xs4all.nl               smtp.kpnmail.nl        465 tls      =   password
ann@skynet.be               relay.proximus.be      587 starttls =   password
ann@naver.com               smtp.naver.com         465 tls      =   password,app_password
ann@inbox.lt                mail.inbox.lt          465 tls      =   app_password
ann@rambler.ru              smtp.rambler.ru        465 tls      =   password
ann@disroot.org             disroot.org            587 starttls ann password
"""


@pytest.fixture(scope="module")
def providers() -> Providers:
    return Providers.parse(replies.texts("providers"))


@each_row("line", KNOWN.split("\n")[1:-1], ids=lambda line: line.split()[0])
def test_an_address_tells_its_server(providers: Providers, line: str) -> None:
    address, host, port, security, username, ways = line.split()
    local_part, _, domain = address.partition("@")
    found = providers.by_domain(domain)
    assert found is not None
    provider, server = found
    assert (server.host, str(server.port), str(server.security)) == (host, port, security)
    wanted = address if username == "=" else username
    assert provider.username(local_part, address) == wanted
    assert {str(way) for way in provider.sign_in} == set(ways.split(","))
    assert str(provider.sign_in[0]) == ways.split(",")[0]


@each_row(
    ("host", "username"),
    [
        ("smtp.sendgrid.net", "apikey"),
        ("smtp.resend.com", "resend"),
        ("live.smtp.mailtrap.io", "api"),
        ("smtp.sparkpostmail.com", "SMTP_Injection"),
        ("smtp.zeptomail.com", "emailapikey"),
        ("smtp.useplunk.com", "plunk"),
        ("smtp.loops.so", "loops"),
        ("smtp.mx.cloudflare.net", "api_token"),
        # Nobody can tell: a project's id, resource.app.tenant, a key's id.
        ("smtp.tem.scaleway.com", ""),
        ("smtp.azurecomm.net", ""),
        ("email-smtp.eu-west-1.amazonaws.com", ""),
    ],
)
def test_the_login_of_a_service_is_no_address(
    providers: Providers, host: str, username: str
) -> None:
    provider = providers.by_host(host)
    assert provider is not None
    assert provider.username("ann", "ann@example.org") == username
    assert [str(way) for way in provider.sign_in] == ["api_key"]
