"""A real Postfix: STARTTLS, TLS from the start, AUTH by Dovecot, delivery into Maildirs.

Mailboxes of `example.test`: rcpt, ann, bo, desk. `tempfail@example.test` is answered 450,
`reject@example.test` 550, any other name of the domain 550 5.1.1. Mail to `discard.test` is taken
and dropped, to any other domain taken from who has signed in and then bounced.
"""

from __future__ import annotations

import grp
import os
import pwd
from typing import TYPE_CHECKING, Final, Self

import pytest

from tests.servers import parts
from tests.servers.dovecot_auth import DovecotAuth
from tests.servers.maildir import Maildirs
from tests.servers.ports import answers, free_port
from tests.servers.process import ServerProcess, server_folder

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator, Mapping

    from tests.servers.certs import Certificates, Identity

MAILBOXES: Final = ("rcpt", "ann", "bo", "desk")
USERNAME: Final = "desk"
PASSWORD: Final = "s3cret"

_MAIN: Final = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
daemon_directory = {daemons}
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
myhostname = mail.example.test
mydomain = example.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
alias_maps =
alias_database =
biff = no
default_transport = error:no outside mail
relay_transport = error:no outside mail
virtual_mailbox_domains = example.test
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{ {mailboxes} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
relay_domains = discard.test
transport_maps = inline:{{ {{discard.test=discard:}} }}
smtpd_tls_chain_files = {key}, {chain}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth_socket}
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions =
  check_recipient_access inline:{{ {{tempfail@example.test=450 4.2.1 try later}}
    {{reject@example.test=550 5.7.1 refused by policy}} }}
  reject_unlisted_recipient, permit_sasl_authenticated, reject
message_size_limit = 10240000
smtputf8_enable = yes
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
in_flow_delay = 0
"""

_MASTER: Final = """\
127.0.0.1:{starttls} inet n - n - - smtpd
  -o syslog_name=postfix/submission -o smtpd_tls_security_level=encrypt
127.0.0.1:{tls} inet n - n - - smtpd
  -o syslog_name=postfix/smtps -o smtpd_tls_wrappermode=yes
127.0.0.1:{plain} inet n - n - - smtpd
  -o syslog_name=postfix/plain -o smtpd_tls_security_level=none -o smtpd_sasl_auth_enable=no
  -o smtpd_recipient_restrictions= -o smtpd_relay_restrictions=reject_unauth_destination
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

_QUEUES: Final = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush"),
    *("hold", "incoming", "private", "saved", "trace"),
)


class Postfix:
    """A running Postfix.

    Attributes:
        host: the name its certificate is for.
        starttls_port: submission with STARTTLS required.
        tls_port: submission with TLS from the start.
        plain_port: neither TLS nor AUTH; takes mail for its own domains only.
        mailboxes: what was delivered.
        maillog: its log.
    """

    host: Final = "localhost"

    def __init__(
        self,
        folder: pathlib.Path,
        identity: Identity,
        *,
        mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"),
        users: Mapping[str, str] | None = None,
        settings: str = "",
    ) -> None:
        """Start it in an empty folder that all users may enter.

        Args:
            folder: where everything is kept.
            identity: its certificate.
            mechanisms: what AUTH offers.
            users: passwords by username, by default the one of `USERNAME`.
            settings: further lines for main.cf.
        """
        self.starttls_port, self.tls_port, self.plain_port = free_port(), free_port(), free_port()
        self.mailboxes = Maildirs(folder / "mail")
        self.maillog = folder / "maillog"
        _make_queue(folder)
        self._auth = DovecotAuth(folder / "auth", mechanisms, users or {USERNAME: PASSWORD})
        owner = pwd.getpwnam("postfix")
        config = folder / "etc"
        config.mkdir()
        main = config / "main.cf"
        main.write_text(
            _MAIN.format(
                folder=folder,
                daemons=parts.POSTFIX_DAEMONS,
                mailboxes=" ".join(f"{{{name}@example.test={name}/}}" for name in MAILBOXES),
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                key=identity.key_file,
                chain=identity.chain_file,
                auth_socket=self._auth.socket,
            )
            + settings
        )
        os.utime(main, (0, 0))  # Postfix waits seconds for a file just written to settle
        (config / "master.cf").write_text(
            _MASTER.format(starttls=self.starttls_port, tls=self.tls_port, plain=self.plain_port)
        )
        self._master = ServerProcess(
            [str(parts.POSTFIX_DAEMONS / "master"), "-c", str(config), "-d"],
            folder / "output",
            env={"PATH": "/usr/bin:/bin", "MAIL_CONFIG": str(config)},
        )
        self._master.wait_ready(lambda: answers(self.plain_port))

    def stop(self) -> None:
        self._master.stop()
        self._auth.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _make_queue(folder: pathlib.Path) -> None:
    """The directories that `postfix start` would make, with the owners master(8) insists on."""
    spool = folder / "spool"
    spool.mkdir()
    owner = pwd.getpwnam("postfix").pw_uid
    group = grp.getgrnam("postdrop").gr_gid
    for name in _QUEUES:
        _make(spool / name, 0o700, owner, 0)
    _make(spool / "pid", 0o755, 0, 0)
    _make(spool / "maildrop", 0o1730, owner, group)
    _make(spool / "public", 0o2710, owner, group)
    _make(folder / "data", 0o700, owner, 0)
    _make(folder / "mail", 0o700, owner, 0)


def _make(folder: pathlib.Path, mode: int, owner: int, group: int) -> None:
    folder.mkdir()
    os.chown(folder, owner, group)
    folder.chmod(mode)


@pytest.fixture(scope="session")
def _postfix_server(certs: Certificates) -> Iterator[Postfix]:
    """One Postfix for the whole run."""
    parts.require("postfix")
    with server_folder("postfix") as folder, Postfix(folder, certs.good) as server:
        yield server


@pytest.fixture
def postfix(_postfix_server: Postfix) -> Postfix:
    """A running Postfix with empty mailboxes."""
    _postfix_server.mailboxes.clear()
    return _postfix_server
