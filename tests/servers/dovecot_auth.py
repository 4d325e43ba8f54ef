"""Dovecot as the password check of Postfix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.servers import parts
from tests.servers.process import ServerProcess, listens

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping

_CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols =
listen = 127.0.0.1
ssl = no
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
disable_plaintext_auth = no
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
  default_fields = nodelay=y
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}}
service auth {{
  unix_listener {folder}/auth-smtp {{
    mode = 0666
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""


class DovecotAuth:
    """A running password server; `socket` is what Postfix asks."""

    def __init__(
        self, folder: pathlib.Path, mechanisms: tuple[str, ...], users: Mapping[str, str]
    ) -> None:
        folder.mkdir()
        self.socket = folder / "auth-smtp"
        (folder / "users").write_text(
            "".join(f"{name}:{{PLAIN}}{password}\n" for name, password in users.items())
        )
        config = folder / "dovecot.conf"
        config.write_text(_CONFIG.format(folder=folder, mechanisms=" ".join(mechanisms).lower()))
        self._process = ServerProcess(
            [parts.program("dovecot"), "-F", "-c", str(config)], folder / "output"
        )
        self._process.wait_ready(lambda: listens(self.socket))

    def stop(self) -> None:
        self._process.kill()
