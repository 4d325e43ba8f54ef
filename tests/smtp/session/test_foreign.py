from __future__ import annotations

from smtp_desk.smtp.session.failures import protocol_of
from tests.table import each_row


@each_row(
    ("first", "protocol"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x0a", "TLS"),
        (b"\x16\x03\x03", "TLS"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "SSH"),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"<!doctype HTML>", "HTTP"),
        (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "IMAP"),
        (b"* BYE too busy\r\n", "IMAP"),
        (b"+OK Dovecot ready.\r\n", "POP3"),
        (b'"IMPLEMENTATION" "Dovecot Pigeonhole"\r\n', "ManageSieve"),
        (b"-ERR unknown command\r\n", "POP3 or Redis"),
        (b"J\0\0\0\x0a8.0.36\0", "MySQL"),
        (b"E\0\0\0\xffj\x04Host", "MySQL"),
        (b"RFB 003.008\n", "VNC"),
        (b"AMQP\0\0\x09\x01", "AMQP"),
        (b"<?xml version='1.0'?>", "XMPP"),
        (b":irc.example.org NOTICE * :hi\r\n", "IRC"),
        (b"\xff\xfd\x18\xff\xfd\x20", "Telnet"),
        (b"220 (vsFTPd 3.0.3)", "FTP"),
        (b"220-FileZilla Server 1.8", "FTP"),
        (b"220 ProFTPD Server ready", "FTP"),
        (b"220 mail.example.org LMTP ready", "LMTP"),
        (b"200 news.example.org InterNetNews ready", "NNTP"),
    ],
)
def test_other_protocols_are_known_by_their_first_bytes(first: bytes, protocol: str) -> None:
    assert protocol_of(first) == protocol


@each_row(
    "first",
    [
        b"220 mail.example.org ESMTP Postfix",
        b"220 ftp.example.org ESMTP",
        b"220 mail.example.org ready, ftp service is elsewhere, this is SMTP",
        b"220 mail.example.org",
        b"220 ****************",
        b"554 no",
        b"",
        b"\x15",
    ],
)
def test_mail_servers_and_strangers_are_none_of_them(first: bytes) -> None:
    assert protocol_of(first) == ""
