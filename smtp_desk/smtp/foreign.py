"""Other protocols, told by the first bytes their servers say."""

import re
from typing import Final

TLS: Final = "TLS"

_FIRST_BYTES: Final[tuple[tuple[re.Pattern[bytes], str], ...]] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), protocol)
    for pattern, protocol in (
        (rb"[\x15\x16]\x03[\x00-\x04]", TLS),
        (rb"SSH-\d", "SSH"),
        (rb"HTTP/|<!DOCTYPE html|<html", "HTTP"),
        (rb"\* (?:OK|PREAUTH|BYE)\b", "IMAP"),
        (rb"\+OK\b", "POP3"),
        (rb'"?IMPLEMENTATION"? ', "ManageSieve"),
        (rb"-ERR ", "POP3 or Redis"),
        (rb".{3}\x00(?:\x0a[58]\.|\xff)", "MySQL"),
        (rb"RFB \d{3}\.", "VNC"),
        (rb"AMQP", "AMQP"),
        (rb"<\?xml|<stream:", "XMPP"),
        (rb":\S+ NOTICE ", "IRC"),
        (rb"\xff[\xfb-\xfe]", "Telnet"),
        # These speak in replies as SMTP does; only the words tell.
        (rb"220[ -](?!.*SMTP).*(?:\bFTP\b|FTPd\b|FileZilla)", "FTP"),
        (rb"220[ -](?!.*SMTP).*\bLMTP\b", "LMTP"),
        (rb"20[01] .*(?:NNTP|InterNetNews|news)", "NNTP"),
    )
)


def protocol_of(first: bytes) -> str:
    """Return the protocol that begins like this, or "" for none we know."""
    return next((protocol for pattern, protocol in _FIRST_BYTES if pattern.match(first)), "")
