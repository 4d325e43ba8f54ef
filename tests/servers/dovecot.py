"""A real Dovecot submission server that hands what it accepts to another server on this machine."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
from typing import TYPE_CHECKING, Final, Self

import pytest

from tests.servers import parts
from tests.servers.ports import answers, free_port
from tests.servers.process import ServerProcess, server_folder
from tests.servers.script import Script
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.servers.certs import Certificates, Identity
    from tests.servers.tokens import SignsTokens

USERNAME: Final = "desk"
PASSWORD: Final = "s3cret"

_CONFIG: Final = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = submission
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
ssl = required
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
disable_plaintext_auth = yes
hostname = mail.example.test
mail_location = maildir:{folder}/home/Maildir
submission_relay_host = 127.0.0.1
submission_relay_port = {relay_port}
submission_max_mail_size = 10M
first_valid_uid = 1
{tokens}passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
  default_fields = nodelay=y
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
service submission-login {{
  chroot =
  inet_listener submission {{
    port = {starttls}
  }}
  inet_listener submissions {{
    port = {tls}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""
# It checks a JWT itself: signature, times, and that `aud`, `iss` and `scope` are these.
_TOKENS: Final = """\
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
"""
_OAUTH2: Final = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
username_attribute = email
client_id = {audience}
issuers = {issuer}
scope = smtp
"""


class DovecotSubmission:
    """A running submission server.

    It offers AUTH before STARTTLS to clients of this machine, and BURL and CHUNKING.

    Attributes:
        host: the name its certificate is for.
        starttls_port: submission with STARTTLS required.
        tls_port: submission with TLS from the start.
        log: its log file.
    """

    host: Final = "localhost"

    def __init__(
        self,
        folder: pathlib.Path,
        identity: Identity,
        relay_port: int,
        *,
        issuer: SignsTokens | None = None,
        mechanisms: str = "plain login",
    ) -> None:
        """Start it in an empty folder; accepted mail goes in plain to `relay_port`.

        It takes the tokens of `issuer`, by those of `mechanisms` that are for tokens.
        """
        self.starttls_port, self.tls_port = free_port(), free_port()
        self.log = folder / "log"
        as_root = os.geteuid() == 0
        owner = pwd.getpwnam("nobody") if as_root else pwd.getpwuid(os.geteuid())
        group = grp.getgrgid(owner.pw_gid).gr_name
        for name in ("run", "state", "home"):
            (folder / name).mkdir()
        (folder / "users").write_text(f"{USERNAME}:{{PLAIN}}{PASSWORD}\n")
        shutil.copy(identity.chain_file, folder / "cert.pem")
        shutil.copy(identity.key_file, folder / "key.pem")
        if issuer is not None:
            _take_tokens(folder, issuer)
        config = folder / "dovecot.conf"
        config.write_text(
            _CONFIG.format(
                folder=folder,
                user=owner.pw_name,
                group=group,
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                relay_port=relay_port,
                mechanisms=mechanisms,
                tokens=_TOKENS.format(folder=folder) if issuer else "",
                starttls=self.starttls_port,
                tls=self.tls_port,
            )
        )
        if as_root:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self._process = ServerProcess(
            [parts.program("dovecot"), "-F", "-c", str(config)],
            folder / "output",
            user=owner.pw_name if as_root else None,
            group=group if as_root else None,
        )
        self._process.wait_ready(lambda: answers(self.tls_port))

    def stop(self) -> None:
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _take_tokens(folder: pathlib.Path, issuer: SignsTokens) -> None:
    for name, content in issuer.keys.items():
        key = folder / "keys" / "default" / name
        key.parent.mkdir(parents=True, exist_ok=True)
        key.write_bytes(content)
    config = _OAUTH2.format(folder=folder, audience=issuer.audience, issuer=issuer.url)
    (folder / "oauth2.conf").write_text(config)


class DovecotWithInbox(DovecotSubmission):
    """A submission server together with the server it relays to.

    Attributes:
        inbox: where accepted mail arrives; read `inbox.messages`.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        identity: Identity,
        inbox: ScriptedServer,
        *,
        issuer: SignsTokens | None = None,
        mechanisms: str = "plain login",
    ) -> None:
        super().__init__(folder, identity, inbox.port, issuer=issuer, mechanisms=mechanisms)
        self.inbox = inbox


@pytest.fixture(scope="session")
def _dovecot_server(certs: Certificates) -> Iterator[DovecotWithInbox]:
    parts.require("dovecot")
    with (
        server_folder("dovecot") as folder,
        ScriptedServer(Script()) as inbox,
        DovecotWithInbox(folder, certs.good, inbox) as server,
    ):
        yield server


@pytest.fixture
def dovecot_submission(_dovecot_server: DovecotWithInbox) -> DovecotWithInbox:
    """A running Dovecot submission server; its inbox is empty."""
    _dovecot_server.inbox.forget()
    return _dovecot_server
