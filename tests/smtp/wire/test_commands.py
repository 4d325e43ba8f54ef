from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import pytest

from smtp_desk.smtp.wire import commands
from smtp_desk.smtp.wire.commands import CommandError
from tests.table import each_row


def test_mail_says_what_it_is_told() -> None:
    line = commands.mail("ann@example.org", size=12, eight_bit=True, smtputf8=True).line
    assert line == b"MAIL FROM:<ann@example.org> SIZE=12 BODY=8BITMIME SMTPUTF8\r\n"
    assert commands.mail("ann@example.org").line == b"MAIL FROM:<ann@example.org>\r\n"


def test_the_null_reverse_path() -> None:
    assert commands.mail("").line == b"MAIL FROM:<>\r\n"


def test_a_quoted_local_part_may_hold_what_a_plain_one_may_not() -> None:
    assert commands.rcpt('"a> b\\""@example.org').line == b'RCPT TO:<"a> b\\""@example.org>\r\n'


@each_row(
    "address",
    [
        "a@b.c>\r\nRCPT TO:<x@y.z",
        "a@b\n",
        "a@b\r",
        "a\0@b",
        "a\x7f@b",
        "a\x85@b",
        "a\u2028@b",
        "a\udc80@b",
        "a@b> SIZE=1",
        "a b@c",
        "a@b c",
        "<a@b>",
        '"a"b"@c',
        "a@b@c",
        "a",
        "@b",
        "a@",
        '"a\r\n"@b',
    ],
)
def test_an_address_that_could_be_more_is_refused(address: str) -> None:
    for command in (commands.mail, commands.rcpt):
        with pytest.raises(CommandError):
            command(address, smtputf8=True)


def test_an_address_outside_ascii_needs_smtputf8() -> None:
    for command in (commands.mail, commands.rcpt):
        with pytest.raises(CommandError):
            command("änn@example.org")
    assert commands.rcpt("änn@example.org", smtputf8=True).line == (
        "RCPT TO:<änn@example.org>\r\n".encode()
    )


def test_a_recipient_is_never_empty() -> None:
    with pytest.raises(CommandError):
        commands.rcpt("")


@each_row("name", ["", "a b", "a\r\nb", "ä.example", "a\0"])
def test_an_ehlo_name_is_one_ascii_word(name: str) -> None:
    with pytest.raises(CommandError):
        commands.ehlo(name)


def test_auth_with_and_without_initial_response() -> None:
    assert commands.auth("PLAIN", b"eA==").line == b"AUTH PLAIN eA==\r\n"
    assert commands.auth("PLAIN").line == b"AUTH PLAIN\r\n"
    assert commands.auth("PLAIN", b"").line == b"AUTH PLAIN =\r\n"


def test_a_response_longer_than_servers_take_is_refused() -> None:
    assert len(commands.auth_response(b"x" * 12286).line) == 12288
    with pytest.raises(CommandError):
        commands.auth_response(b"x" * 12287)


@hypothesis.given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_given_a_command_is_one_line(local: str, domain: str) -> None:
    try:
        line = commands.mail(f"{local}@{domain}", smtputf8=True).line
    except CommandError:
        return
    assert line.count(b"\r") == line.count(b"\n") == 1
    assert line.endswith(b"> SMTPUTF8\r\n")
