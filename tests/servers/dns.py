"""A name server on this machine, over UDP and TCP, with scripted answers.

zone = {
    "example.test": ["MX 10 mail.example.test.", 'TXT "v=spf1 -all"'],
    "mail.example.test": ["A 127.0.0.1"],
    "broken.test": SERVFAIL,
    "silent.test": SILENCE,
}
with NameServer(zone) as server:
    ...ask server.host, server.port...
"""

from __future__ import annotations

import socket
import struct
import threading
from typing import TYPE_CHECKING, Final, Self, TypeAlias

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

SERVFAIL: Final = dns.rcode.SERVFAIL
REFUSED: Final = dns.rcode.REFUSED
SILENCE: Final = None

Zone: TypeAlias = "Mapping[str, Sequence[str] | dns.rcode.Rcode | None]"
"""For each name its records (`"A 127.0.0.1"`), an error for every question, or silence.

A name with records of other types answers NODATA, a name not in the zone NXDOMAIN.
`"CNAME x.test."` is followed, as a resolver does.
`"AAAA !SERVFAIL"` (or another code, or `!SILENCE`) stands for what comes of questions of one type.
"""

_TTL: Final = 60
_LONGEST_CHAIN: Final = 20


class NameServer:
    """Answers from `__enter__` to `__exit__` on one port, UDP and TCP.

    Attributes:
        questions: the (name, type) pairs asked so far, for instance `("example.test", "MX")`.
        truncating: answer over UDP with the truncation flag only, so that clients turn to TCP.
        signed: names whose answers are said to be validated, to those who ask for that.
        bogus: names whose signatures are wrong: a fault, but to those who want nothing checked.
    """

    def __init__(
        self,
        zone: Zone,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        truncating: bool = False,
        signed: Collection[str] = (),
        bogus: Collection[str] = (),
    ) -> None:
        self._zone = {dns.name.from_text(name): records for name, records in zone.items()}
        self.truncating = truncating
        self._signed = {dns.name.from_text(name) for name in signed}
        self._bogus = {dns.name.from_text(name) for name in bogus}
        self.questions: list[tuple[str, str]] = []
        self._tcp, self._udp = _both(host, port)
        self.host: str = host
        self.port: int = self._tcp.getsockname()[1]
        self._threads = [
            threading.Thread(target=serve, name=f"dns:{self.port}", daemon=True)
            for serve in (self._serve_udp, self._serve_tcp)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._tcp.shutdown(socket.SHUT_RDWR)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", (self.host, self.port))
        for thread in self._threads:
            thread.join()
        self._tcp.close()
        self._udp.close()

    def _serve_udp(self) -> None:
        while True:
            packet, client = self._udp.recvfrom(65535)
            if not packet:
                return
            reply = self._reply(packet)
            if reply is not None:
                if self.truncating:
                    reply.answer.clear()
                    reply.flags |= dns.flags.TC
                self._udp.sendto(reply.to_wire(), client)

    def _serve_tcp(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                while len(head := stream.read(2)) == 2:
                    reply = self._reply(stream.read(struct.unpack("!H", head)[0]))
                    if reply is None:
                        break
                    wire = reply.to_wire()
                    stream.write(struct.pack("!H", len(wire)) + wire)
                    stream.flush()

    def _reply(self, packet: bytes) -> dns.message.Message | None:
        try:
            query = dns.message.from_wire(packet)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        self.questions.append((question.name.to_text(omit_final_dot=True), kind))
        reply = dns.message.make_response(query, recursion_available=True)
        if question.name in self._signed and query.flags & dns.flags.AD:
            reply.flags |= dns.flags.AD
        if question.name in self._bogus and not query.flags & dns.flags.CD:
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply
        return self._answered(reply, question.name, kind)

    def _answered(
        self, reply: dns.message.Message, name: dns.name.Name, kind: str
    ) -> dns.message.Message | None:
        for _ in range(_LONGEST_CHAIN):
            if name not in self._zone:
                reply.set_rcode(dns.rcode.NXDOMAIN)
                return reply
            records = _of_kind(self._zone[name], kind)
            if records is None:
                return None
            if isinstance(records, dns.rcode.Rcode):
                reply.set_rcode(records)
                return reply
            found = {
                asked: [text.partition(" ")[2] for text in records if text.startswith(f"{asked} ")]
                for asked in (kind, "CNAME")
            }
            answered = kind if found[kind] else "CNAME"
            if found[answered]:
                reply.answer.append(
                    dns.rrset.from_text(name, _TTL, "IN", answered, *found[answered])
                )
            if answered == kind or not found[answered]:
                return reply
            name = dns.name.from_text(found[answered][0])
        return reply


def _of_kind(
    records: Sequence[str] | dns.rcode.Rcode | None, kind: str
) -> Sequence[str] | dns.rcode.Rcode | None:
    """Return what comes of questions of one type: see `Zone`."""
    if records is None or isinstance(records, dns.rcode.Rcode):
        return records
    odd = next((text.partition("!")[2] for text in records if text.startswith(f"{kind} !")), "")
    if odd == "SILENCE":
        return None
    return dns.rcode.from_text(odd) if odd else records


def _both(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Return a TCP and a UDP socket of one port: a free one of TCP may be another's of UDP."""
    for _ in range(20):
        tcp = socket.create_server((host, port))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
        else:
            return tcp, udp
    raise OSError("no port is free for both TCP and UDP")
