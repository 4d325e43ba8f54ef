"""README's lines for administrators run as they stand, on a machine that ends with the test."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.servers.process import server_folder

if TYPE_CHECKING:
    from tests.servers.certs import Certificates
    from tests.servers.postfix import Postfix

pytestmark = [pytest.mark.needs("postfix", "system_wide"), pytest.mark.xdist_group("system_wide")]

ROOT: Final = Path(__file__).parents[2]

# Folders of the machine as copies of this one, a systemctl that only notes what it is asked for,
# and the customer's server in the place of the example's.
_MACHINE: Final = """
mkdir {folder}/changed {folder}/bin
mount -t tmpfs tmpfs {folder}/changed
for each in etc usr/sbin usr/local/bin var/lib; do
  upper={folder}/changed/upper/$each work={folder}/changed/work/$each
  mkdir -p $upper $work
  mount -t overlay overlay -o lowerdir=/$each,upperdir=$upper,workdir=$work /$each
done
mount -t tmpfs tmpfs /run
rm -f /usr/sbin/sendmail /usr/sbin/mailq /usr/sbin/newaliases
export SYSTEMD_CREDENTIAL_SECRET={folder}/secret PYTHONPATH={path} PATH={folder}/bin:$PATH
export DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent HOME={folder}
unset SMTP_DESK_HOME
printf '#!/bin/sh\\nprintf "systemctl %%s\\\\n" "$*"\\n' >{folder}/bin/systemctl
printf '#!/bin/sh\\nexec {python} -m smtp_desk "$@"\\n' >/usr/local/bin/smtp-desk
chmod 755 {folder}/bin/systemctl /usr/local/bin/smtp-desk
export SMTP_DESK_PASSWORD=s3cret
set -x
{block}
set +x
stat -c '%n %U %a' /etc/smtp-desk /etc/smtp-desk/settings.toml /var/lib/smtp-desk
systemd-analyze verify --man=no --recursive-errors=no smtp-desk.socket smtp-desk.service
smtp-desk status --system
readlink /usr/sbin/mailq
"""


def test_the_lines_for_administrators(postfix: Postfix, certs: Certificates) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    (block,) = (each for each in blocks if "--system" in each)
    server = f"localhost --port {postfix.starttls_port} --ca-file {certs.root.chain_file}"
    for example, here in (
        ("smtp.example.org", server),
        ("--username desk@example.org", "--username desk"),
        ("--from-email desk@example.org", "--from-email desk@example.test"),
        ("--to ann@example.org", "--to ann@example.test"),
    ):  # fmt: skip
        assert example in block
        block = block.replace(example, here)
    with server_folder("machine") as folder:
        path = f"{ROOT}:{sysconfig.get_path('platlib')}"
        text = _MACHINE.format(folder=folder, path=path, python=sys.executable, block=block)
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-e", "-c", text],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "systemctl daemon-reload",
        "systemctl enable --now smtp-desk.socket smtp-desk.service",
        "/etc/smtp-desk root 755",
        "/etc/smtp-desk/settings.toml root 640",
        "/var/lib/smtp-desk smtp-desk 700",
        "/usr/local/bin/smtp-desk",
    ):
        assert line in done.stdout.splitlines()
    assert "Active" in done.stdout
    postfix.mailboxes.wait("ann", 1)
