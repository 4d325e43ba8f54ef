"""Find the server for an address, on this computer's network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from smtp_desk.app.proposals.words import result_text
from smtp_desk.app.services import Services
from smtp_desk.core.settings import Security, ServerSettings
from smtp_desk.core.stages import Json
from smtp_desk.discovery.candidates import Asked, Candidate, Discovery
from smtp_desk.discovery.finder import Network, find
from smtp_desk.discovery.https import Https
from smtp_desk.smtp.check.ports import probe_ports
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver, Resolver, SystemResolver

if TYPE_CHECKING:
    from smtp_desk.sandbox.server import Sandbox

SCHEMA: Final = "smtp-desk/find/1"

_SUBMISSION_PORTS: Final = (587, 465)
_NO_PORT: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FindRequest:
    """What to find.

    Attributes:
        address: The address to find servers for.
        ispdb: Whether Mozilla's database may be asked, which then learns the domain.
        resolver: `HOST:PORT` of a DNS server to ask instead of the system.
        ca_pem: Certificates (PEM) to trust besides those of the system, or "".
    """

    address: str
    ispdb: bool = False
    resolver: str | None = None
    ca_pem: str = ""


def find_proposals(
    services: Services,
    request: FindRequest,
    cancel: Cancel,
    *,
    show: Callable[[Asked], None] = lambda _asked: None,
    network: Network | None = None,
) -> Discovery:
    """Find servers for an address; blocks for 5 seconds at most.

    Args:
        services: They contain the provider data.
        request: What to find.
        cancel: Ends it within 100 ms.
        show: Called for each question before it is asked, and again with its result; from
            several threads.
        network: What to ask instead of the internet: the sandbox.

    Raises:
        AddressError: It isn't an address.
        CancelledError: Cancelled.
    """
    return find(
        request.address,
        services.providers,
        network or internet(request),
        cancel,
        ispdb=request.ispdb,
        show=show,
    )


def internet(request: FindRequest) -> Network:
    """Return the network of this computer, with the request's choices."""
    dns = DnsResolver.at(request.resolver) if request.resolver else DnsResolver()
    resolver: Resolver = dns if request.resolver else SystemResolver()
    return Network(
        https=Https(resolver, request.ca_pem), dns=dns, probe=_PortProbe(resolver, request.ca_pem)
    )


def sandbox_network(sandbox: "Sandbox") -> Network:
    """Return a network that contains only the sandbox; nothing leaves this machine."""
    https = Https(_Here(), sandbox.ca_pem, sandbox.https_port)
    return Network(https=https, dns=None, probe=_PortProbe(_Here(), sandbox.ca_pem))


def as_json(found: Discovery) -> Mapping[str, Json]:
    """Return what was found as the document of `SCHEMA`."""
    return {
        "schema": SCHEMA,
        "address": found.address,
        "candidates": [_candidate(each) for each in found.candidates],
        "asked": [
            {"source": str(each.source), "target": each.target, "result": result_text(each)}
            for each in found.asked
        ],
    }


def _candidate(candidate: Candidate) -> dict[str, Json]:
    return {
        "host": candidate.host,
        "port": candidate.port,
        "security": str(candidate.security),
        "username": candidate.username,
        "auth": [str(way) for way in candidate.sign_in],
        "provider": candidate.provider,
        "source": str(candidate.source),
        "url": candidate.url,
    }


@dataclass(frozen=True, slots=True)
class _PortProbe:
    """Tries the ports for submission, up to TLS with the certificate verified; nobody signs in."""

    resolver: Resolver
    ca_pem: str

    def __call__(
        self, host: str, cancel: Cancel, deadline: Deadline
    ) -> Sequence[tuple[int, Security]]:
        addresses = self.resolver.resolve(host, cancel, deadline)
        settings = ServerSettings(host=host, port=_NO_PORT, from_email="", ca_pem=self.ca_pem)
        answers = probe_ports(
            settings, addresses, cancel, ports=_SUBMISSION_PORTS, seconds=deadline.remaining
        )
        return [(each.port, each.security) for each in answers if each.security is not None]


@dataclass(frozen=True, slots=True)
class _Here:
    """A resolver for which every name is this machine."""

    def resolve(self, _host: str, _cancel: Cancel, _deadline: Deadline) -> tuple[str, ...]:
        """Return the loopback address."""
        return ("127.0.0.1",)
