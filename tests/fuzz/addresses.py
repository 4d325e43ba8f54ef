"""Hosts, addresses and lists of them, as typed or as another program gives them."""

from __future__ import annotations

from typing import Final

from smtp_desk.core.address import (
    AddressError,
    has_control,
    parse_ehlo_name,
    parse_host,
    parse_mailbox,
)
from smtp_desk.core.texts import PROBLEMS
from smtp_desk.sender.mail.address_list import AddressListError, addresses
from smtp_desk.smtp.wire import commands
from tests.fuzz.harmless import assert_harmless

WORDS: Final = (
    b"@", b".", b"xn--", b"[", b"]", b"IPv6:", b"::1", b"192.0.2.7", b"example.org", b"localhost",
    b'"', b"\\", b"(", b")", b"<", b">", b",", b";", b":", b"b\xc3\xbccher", b"\xe3\x80\x82",
    b"\xef\xbc\x8e", b"\xe2\x80\xae", b"\r\n", b"https://", b"%eth0",
)  # fmt: skip


def seeds() -> list[bytes]:
    """Each form once."""
    return [
        b"smtp.example.org", b"B\xc3\xbccher.Example.", b"xn--bcher-kva.example", b"[2001:DB8::1]",
        b"ann@example.org", b'"ann bo"@example.org', b"ann@[IPv6:::1]", b"b\xc3\xb6@localhost",
        b"Ann (x) <ann@example.org>, team: bo@example.test;, <@a.test:c@d.test>",
        b"https://example.org:587/", b"fe80::1%eth0",
    ]  # fmt: skip


def run(data: bytes) -> None:
    """Take the text for a host, an EHLO name, an address and a list."""
    text = data.decode("utf-8", "surrogateescape")
    _host(text)
    _ehlo_name(text)
    _mailbox(text)
    _list(text)


def _told(error: AddressError) -> None:
    assert error.code in PROBLEMS, error.code


def _host(text: str) -> None:
    try:
        host = parse_host(text)
    except AddressError as error:
        _told(error)
        return
    assert host.ascii.isascii()
    assert host.ascii.isprintable()
    assert " " not in host.ascii
    assert not has_control(host.unicode)
    assert parse_host(host.ascii) == host
    assert parse_host(host.unicode).ascii == host.ascii


def _ehlo_name(text: str) -> None:
    try:
        name = parse_ehlo_name(text)
    except AddressError as error:
        _told(error)
        return
    assert commands.ehlo(name).line == f"EHLO {name}\r\n".encode()
    assert parse_ehlo_name(name) == name


def _mailbox(text: str) -> None:
    try:
        box = parse_mailbox(text)
    except AddressError as error:
        _told(error)
        return
    assert not has_control(box.address)
    assert box.ascii_domain.isascii()
    assert parse_mailbox(box.address) == box
    assert parse_mailbox(box.wire).wire == box.wire
    line = commands.rcpt(box.wire, smtputf8=box.needs_smtputf8).line
    assert line == f"RCPT TO:<{box.wire}>\r\n".encode()


def _list(text: str) -> None:
    try:
        found = addresses(text)
    except AddressListError as error:
        assert_harmless(str(error))
        return
    assert len(found) <= text.count(",") + text.count(";") + 1
    for address in found:
        _mailbox(address)
