"""Reading what a server has delivered into Maildirs, and waiting for it."""

from __future__ import annotations

import collections
import email
import email.message
import email.policy
from typing import TYPE_CHECKING

from tests.servers.waiting import wait_until

if TYPE_CHECKING:
    import pathlib


class Maildirs:
    """The mailboxes of a server: one Maildir for each name below a folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    def raw(self, mailbox: str) -> list[bytes]:
        """The messages delivered to a mailbox so far, oldest first, as stored (LF line ends)."""
        new = self._folder / mailbox / "new"
        if not new.exists():
            return []
        files = sorted(new.iterdir(), key=lambda file: (file.stat().st_mtime_ns, file.name))
        return [file.read_bytes() for file in files]

    def messages(self, mailbox: str, at_least: int = 0) -> list[email.message.EmailMessage]:
        """The messages of a mailbox, parsed, once there are `at_least` so many."""
        self.wait(mailbox, at_least)
        return [
            email.message_from_bytes(raw, policy=email.policy.default) for raw in self.raw(mailbox)
        ]

    def message_ids(self, mailbox: str, at_least: int = 0) -> collections.Counter[str]:
        """How often each Message-ID was delivered."""
        return collections.Counter(
            str(message["Message-ID"]) for message in self.messages(mailbox, at_least)
        )

    def wait(self, mailbox: str, at_least: int) -> None:
        """Return once a mailbox holds `at_least` so many messages."""
        new = self._folder / mailbox / "new"
        wait_until(
            lambda: at_least == 0 or (new.exists() and len(list(new.iterdir())) >= at_least),
            f"{at_least} messages in {mailbox}",
        )

    def clear(self) -> None:
        """Forget all messages delivered so far."""
        for file in self._folder.glob("*/new/*"):
            file.unlink()
