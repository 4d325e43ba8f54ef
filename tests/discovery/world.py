"""A network of this machine alone, in which a search asks its questions."""

from __future__ import annotations

from contextlib import ExitStack

from smtp_desk.core.findings.providers import Providers
from smtp_desk.discovery.candidates import Asked, Discovery, SearchResult, Source
from smtp_desk.discovery.finder import Network, find
from smtp_desk.discovery.https import Https
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.smtp.net.resolve import DnsResolver
from tests.discovery.configs import PATH, Loopback, Probed
from tests.servers.certs import Certificates
from tests.servers.dns import NameServer, Zone
from tests.servers.web import Answers, WebServer

AUTOCONFIG = f"autoconfig.example.test{PATH}"
WELL_KNOWN = f"example.test/.well-known/autoconfig{PATH}"
NAMES = (
    *("autoconfig.example.test", "example.test", "autoconfig.hoster.test", "v1.ispdb.net"),
    *("autoconfig.mail.hoster.test", "other.test", "autoconfig.xn--bcher-kva.example.test"),
    "xn--bcher-kva.example.test",
)


class World:
    """A network of this machine alone."""

    def __init__(self, certs: Certificates, providers: Providers, stack: ExitStack) -> None:
        self._certs = certs
        self._providers = providers
        self._stack = stack
        self.probed = Probed()
        self.shown: list[Asked] = []
        self.web: WebServer
        self.dns: NameServer
        self.serve({}, {})

    @property
    def untouched(self) -> bool:
        return not (self.web.requests or self.dns.questions or self.probed.asked)

    def serve(self, pages: Answers, zone: Zone) -> None:
        identity = self._certs.for_names(*NAMES)
        self.web = self._stack.enter_context(WebServer(identity.tls, pages))
        self.dns = self._stack.enter_context(NameServer(zone))

    def find(
        self,
        address: str = "ann@example.test",
        cancel: Cancel | None = None,
        *,
        ispdb: bool = False,
    ) -> Discovery:
        ca_pem = self._certs.root.chain_file.read_text()
        network = Network(
            https=Https(Loopback(), ca_pem, self.web.port),
            dns=DnsResolver(self.dns.host, self.dns.port),
            probe=self.probed,
        )
        return find(
            address,
            self._providers,
            network,
            cancel or Cancel(),
            ispdb=ispdb,
            show=self.shown.append,
        )


def answers(found: Discovery) -> dict[tuple[Source, str], SearchResult | None]:
    return {(each.source, each.target.partition("?")[0]): each.result for each in found.asked}
