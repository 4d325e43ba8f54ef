"""Messages of other programs, read according to the saved settings and the aliases."""

import socket
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from smtp_desk.app.services import Services
from smtp_desk.core.address import AddressError, Mailbox, parse_mailbox
from smtp_desk.core.translation import mark, plural, told
from smtp_desk.sender.mail.aliases import LOCALHOST, Aliases, AliasLoopError
from smtp_desk.sender.mail.submission import (
    ForeignMessageError,
    Submission,
    Submitted,
    read_foreign,
)
from smtp_desk.store.files import read_regular
from smtp_desk.store.settings_file import SettingsFileError
from smtp_desk.store.stored import StoredSettings

_MOST_ALIASES_OCTETS: Final = 1024 * 1024
_HOSTS: Final = Path("/etc/hosts")


class Intake:
    """Reads messages according to the settings of one moment.

    Args:
        services: They contain the settings and the table of aliases.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    @cached_property
    def stored(self) -> StoredSettings:
        """The settings; empty ones if they can't be read, so that no message is lost."""
        try:
            return self._services.store.load()
        except SettingsFileError:
            return StoredSettings()

    @cached_property
    def home(self) -> Mailbox | None:
        """The configured From email: the custom server's, else the default service's."""
        stored = self.stored
        settings = stored.server.settings if stored.server else stored.default
        try:
            return parse_mailbox(settings.from_email)
        except AddressError:
            return None

    @cached_property
    def aliases(self) -> Aliases:
        """Who receives the mail for names of this machine; nobody if there is no table."""
        path = self._services.paths.aliases_file
        home = self.home
        remote = {home.ascii_domain.lower(), home.domain.lower()} if home else set()
        hosts = frozenset({LOCALHOST, *_own_names()}) - remote
        try:
            text = read_regular(path, _MOST_ALIASES_OCTETS).decode("utf-8", "replace")
        except FileNotFoundError:
            text = ""
        except OSError as error:
            problem = mark("{path} can’t be read: {why}.", path=path, why=error.strerror)
            return Aliases(hosts=hosts, problems=(problem,))
        return Aliases.parse(text, hosts)

    def submission(
        self,
        recipients: Sequence[str],
        *,
        from_header: bool = False,
        sender: str = "",
        full_name: str = "",
    ) -> Submission:
        """Return what a program passes together with a message."""
        return Submission(
            recipients=recipients,
            from_header=from_header,
            envelope_sender=sender,
            full_name=full_name,
            home=self.home,
            aliases=self.aliases,
        )

    def refusal(self, recipient: str) -> str:
        """Return why nothing can be sent to a recipient; "" if it can."""
        submission = self.submission(())
        try:
            for each in submission.aliases.expand(recipient):
                submission.mailbox(each, "RCPT TO")
        except (ForeignMessageError, AliasLoopError) as error:
            return told(error)
        return ""

    def read(self, octets: bytes, submission: Submission, most_octets: int) -> Submitted:
        """Read a message and return what the outbox stores.

        Raises:
            ForeignMessageError: The message can't be sent as it is.
        """
        now = self._services.now()
        return read_foreign(octets, submission, now=now, most_octets=most_octets)

    def checked_aliases(self) -> str:
        """Return how many aliases there are and where, as newaliases prints it."""
        count = len(self.aliases.entries)
        words = plural("{count} alias", "{count} aliases", count)
        return f"{self._services.paths.aliases_file}: {words}"


def _own_names() -> set[str]:
    """Return the names of this machine, without asking any network."""
    name = socket.gethostname().lower()
    names = {name, name.partition(".")[0]}
    try:
        lines = _HOSTS.read_text("utf-8", "replace").lower().splitlines()
    except OSError:
        return names
    for line in lines:
        _, *known = line.partition("#")[0].split()
        if names.intersection(known):
            names.update(known)
    return names
