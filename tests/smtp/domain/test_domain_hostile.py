"""Records that strangers wrote: read, or called invalid, and nothing else."""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_desk.app.proving.dkim_selectors import read_selectors
from smtp_desk.smtp.domain.dkim import read_key
from smtp_desk.smtp.domain.dmarc import find_dmarc
from smtp_desk.smtp.domain.dns import Questions
from smtp_desk.smtp.domain.facts import InvalidRecordError
from smtp_desk.smtp.domain.spf import parse_spf
from smtp_desk.smtp.domain.tags import versioned
from smtp_desk.smtp.net.deadline import Cancel, Deadline
from smtp_desk.smtp.net.resolve import DnsResolver
from tests.servers.dns import NameServer

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS: Final = (
    *("a", "mx", "ptr", "ip4:", "ip6:", "192.0.2.1", "2001:db8::1", "/24", "//64", "/99", "all"),
    *("-", "~", "?", "+", "include:", "exists:", "redirect=", "exp=", "ra=", "rp=", "rr=", "in."),
    *("example.test", "%{i}", "%", "%%", "%{", "}", ":", "=", "/", " ", '"', "\\", "é", "\0"),
    *("v=spf1", "v=DMARC1", ";", "p=none", "sp=", "rua=", "mailto:", "a@in.test", "!10m", ","),
    *("x" * 300, "\u202e", "\x1b[31m"),
)
_texts: Final = st.lists(st.sampled_from(_WORDS), max_size=20).map("".join)


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    with NameServer({"example.test": ["A 192.0.2.1"]}) as server:
        yield server


def questions(server: NameServer) -> Questions:
    return Questions(DnsResolver(server.host, server.port), Cancel(), Deadline.after(60.0))


@given(text=_texts)
def test_spf(server: NameServer, text: str) -> None:
    asking = questions(server)
    with contextlib.suppress(InvalidRecordError):
        policy = parse_spf([f"v=spf1 {text}".encode()], asking, "example.test")
        assert policy.allows("192.0.2.1") in (True, False, None)


@given(octets=st.binary(max_size=300))
def test_spf_of_any_octets(server: NameServer, octets: bytes) -> None:
    with contextlib.suppress(InvalidRecordError):
        parse_spf([b"v=spf1 " + octets], questions(server), "example.test")


@given(text=_texts)
def test_keys(text: str) -> None:
    for start in ("v=DKIM1; ", "k=ed25519; p=", ""):
        with contextlib.suppress(InvalidRecordError):
            assert isinstance(read_key([f"{start}{text}".encode()]), tuple)


@given(octets=st.binary(max_size=300))
def test_keys_of_any_octets(octets: bytes) -> None:
    for record in (octets, b"p=" + base64.b64encode(octets)):
        with contextlib.suppress(InvalidRecordError):
            read_key([record])


@given(octets=st.lists(st.binary(max_size=100), max_size=3))
def test_versions_of_any_octets(octets: list[bytes]) -> None:
    records = [b"v=STSv1;" + octets[0], *octets[1:]] if octets else []
    found, fault = versioned(records, "STSv1")
    assert set(found) <= set(records)
    assert isinstance(fault, str)


@given(text=st.text(max_size=60))
def test_selectors(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert all(each.name.isascii() for each in read_selectors(text))


@given(text=_texts)
def test_dmarc(text: str) -> None:
    escaped = "".join(f"\\{octet:03}" for octet in f"v=DMARC1; {text}".encode()[:255])
    zone = {"_dmarc.example.test": [f'TXT "{escaped}"'], "example.test": ["A 192.0.2.1"]}
    with NameServer(zone) as server, contextlib.suppress(InvalidRecordError):
        found = find_dmarc(questions(server), "example.test")
        assert found is not None
        assert found.record.startswith("v=DMARC1;")
