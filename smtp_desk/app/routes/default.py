"""The default email service: which one is in use, and how to choose another.

It takes the emails that the custom server can't send: by the organization's relay, by the
machine's own MTA, or by holding them in the outbox until a server is available. A relay needs the
same test as the custom server and has its own password in the keyring; it stays saved while another
service is in use, so that it can be chosen again.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from smtp_desk.app.notice import Notice
from smtp_desk.app.routes.outage import end_rest
from smtp_desk.app.routes.route_status import evaluate_saved
from smtp_desk.app.services import Services
from smtp_desk.app.words import status_reason
from smtp_desk.core.address import has_control, parse_host, parse_mailbox
from smtp_desk.core.problems import Severity
from smtp_desk.core.texts import problem_text
from smtp_desk.core.validation import validate_recipient
from smtp_desk.sender.routes.identities import default_identity, identity_problem
from smtp_desk.sender.routes.route import DEFAULT
from smtp_desk.store.stored import (
    DefaultKind,
    NotProvenError,
    ServerState,
    ServerStatus,
    StoredServer,
    StoredSettings,
    UnprovenReason,
)

USUAL_SENDMAIL: Final = "/usr/sbin/sendmail"
"""Where most systems have their MTA."""


def sendmail_problem(text: str) -> str:
    """Return why a typed path can't be the machine's MTA, or ""; checks the disk."""
    for broken, said in _RULES:
        if broken(text):
            return said
    return ""


def _is_missing(text: str) -> bool:
    try:
        return not Path(text.strip()).exists()
    except OSError:  # a name that is too long, or a folder that may not be looked into
        return True


def _is_no_program(text: str) -> bool:
    path = Path(text.strip())
    return not path.is_file() or not os.access(path, os.X_OK)


def _is_ourselves(text: str) -> bool:
    from smtp_desk.sender.routes.sendmail import is_this_program  # noqa: PLC0415 - one route's

    return is_this_program(Path(text.strip()))


_RULES: Final[tuple[tuple[Callable[[str], bool], str], ...]] = (
    (
        lambda text: not text.strip(),
        f"Enter the program’s path. On most systems it’s {USUAL_SENDMAIL}",
    ),
    (has_control, "Contains a line break or another control character. Remove it."),
    (
        lambda text: not Path(text.strip()).is_absolute(),
        f"Enter the full path, for example {USUAL_SENDMAIL}",
    ),
    (_is_missing, "This file doesn’t exist."),
    (_is_no_program, "This file isn’t an executable program."),
    (_is_ourselves, "This is SMTP Desk itself. Emails would go round in circles."),
)
"""What is wrong, and what to say then; each rule takes the ones before it as held."""


class InvalidSendmailError(ValueError):
    """The path or the address can't be used for the default email service.

    Attributes:
        path: What is wrong with the path.
        from_email: What is wrong with the address.
    """

    def __init__(self, path: tuple[Notice, ...], from_email: tuple[Notice, ...]) -> None:
        wrong = (("Path", path), ("From email", from_email))
        said = (f"{name}: {notice.text}" for name, notices in wrong for notice in notices)
        super().__init__(" ".join(said))
        self.path = path
        self.from_email = from_email


@dataclass(frozen=True, slots=True)
class Relay:
    """The saved relay of the organization.

    Attributes:
        host: Its name, for people.
        from_email: The From address.
        state: ACTIVE if its proof is valid, else why not.
    """

    host: str
    from_email: str
    state: ServerStatus

    @property
    def proven(self) -> bool:
        """Whether emails may be sent through it."""
        return self.state.state is ServerState.ACTIVE

    @property
    def why(self) -> str:
        """Why they may not; "" if they may."""
        return status_reason(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultState:
    """The default email service, as window and terminal show it.

    Attributes:
        kind: Which service is in use.
        sendmail_path: The path of the MTA, also while another kind is in use; "" for none.
        from_email: The address of SENDMAIL or SMTP; "" for none.
        relay: The saved relay, also while another kind is in use.
        problem: Which of its values can't be used and why, for people; "" for none. Saved values
            can be used; a file edited by hand may contain others.
    """

    kind: DefaultKind = DefaultKind.OUTBOX
    sendmail_path: str = ""
    from_email: str = ""
    relay: Relay | None = None
    problem: str = ""

    @property
    def works(self) -> bool:
        """Whether emails can be sent, or wait as they should."""
        proven = self.relay is not None and self.relay.proven
        return not self.problem and (proven or self.kind is not DefaultKind.SMTP)


def default_text(state: DefaultState) -> str:
    """Return what happens to the emails that the default email service gets."""
    if state.problem:
        return f"Not used. {state.problem} Until you fix this, emails wait in the outbox."
    if state.kind is DefaultKind.SENDMAIL:
        return f"Emails are sent through {state.sendmail_path}, from {state.from_email}."
    if state.kind is DefaultKind.OUTBOX or state.relay is None:
        return "Emails wait in the outbox; a worker sends them once a server is available."
    relay = state.relay
    if relay.proven:
        return f"Emails are sent through {relay.host}, from {relay.from_email}."
    return f"{relay.host} isn’t used: {relay.why} Until then, emails wait in the outbox."


def load_default(services: Services) -> DefaultState:
    """Return the default email service; asks the keyring for the secret of a saved relay.

    Raises:
        SettingsFileError: The settings can't be read.
    """
    return default_state(services, services.store.load())


def default_state(services: Services, stored: StoredSettings) -> DefaultState:
    """Return the default email service of these settings; asks the keyring as `load_default`."""
    service = stored.default
    return DefaultState(
        kind=service.kind,
        sendmail_path=service.sendmail_path,
        from_email=service.from_email,
        relay=_relay(services, stored, service.server) if service.server else None,
        problem=_problem(stored),
    )


def use_outbox(services: Services) -> DefaultState:
    """Hold the emails in the outbox; a saved relay stays saved.

    Raises:
        SaveError: It could not be saved.
        SettingsFileError: The settings can't be read.
    """
    service = services.store.load().default
    stored = services.store.save_default(replace(service, kind=DefaultKind.OUTBOX))
    return _saved(services, stored)


def use_sendmail(services: Services, path: str, from_email: str) -> DefaultState:
    """Hand the emails to the machine's MTA; a saved relay stays saved.

    Args:
        services: The services to save with.
        path: The absolute path of a program that takes sendmail's options.
        from_email: The From address.

    Raises:
        InvalidSendmailError: One of the two can't be used; nothing changed.
        SaveError: It could not be saved.
        SettingsFileError: The settings can't be read.
    """
    problems = path_problems(path), address_problems(from_email)
    if any(notice.error for notices in problems for notice in notices):
        raise InvalidSendmailError(*problems)
    service = replace(
        services.store.load().default,
        kind=DefaultKind.SENDMAIL,
        sendmail_path=path.strip(),
        from_email=parse_mailbox(from_email).address,
    )
    return _saved(services, services.store.save_default(service))


def use_relay(services: Services) -> DefaultState:
    """Send the emails through the saved relay again.

    Raises:
        NotProvenError: There is no relay, or it isn't proven.
        SaveError: It could not be saved.
        SettingsFileError: The settings can't be read.
    """
    stored = services.store.load()
    relay = stored.default.server
    if relay is None:
        raise NotProvenError(ServerStatus(ServerState.NOT_CONFIGURED, UnprovenReason.NO_RELAY))
    status = evaluate_saved(services, stored, default=True)
    if status.state is not ServerState.ACTIVE:
        raise NotProvenError(status)
    service = replace(stored.default, kind=DefaultKind.SMTP, from_email=relay.settings.from_email)
    return _saved(services, services.store.save_default(service))


def path_problems(text: str) -> tuple[Notice, ...]:
    """Return why a path can't be the machine's MTA; checks the disk."""
    problem = sendmail_problem(text)
    return (Notice(problem, error=True),) if problem else ()


def address_problems(text: str) -> tuple[Notice, ...]:
    """Return what is wrong with an address, and what is only worth knowing."""
    return tuple(
        Notice(problem_text(problem), error=problem.severity is Severity.ERROR)
        for problem in validate_recipient(text)
    )


def _saved(services: Services, stored: StoredSettings) -> DefaultState:
    end_rest(services, DEFAULT)
    return default_state(services, stored)


def _problem(stored: StoredSettings) -> str:
    """Say which saved value keeps the kind in use from being used; looks at the disk."""
    service, identity = stored.default, default_identity(stored)
    if identity is None:
        return ""
    if service.kind is DefaultKind.SENDMAIL and (said := sendmail_problem(service.sendmail_path)):
        return f"Path of sendmail: {said.removesuffix('.')}."
    problem = identity_problem(identity)
    return f"{problem['field']}: {problem['reason']}." if problem else ""


def _relay(services: Services, stored: StoredSettings, server: StoredServer) -> Relay:
    settings = server.settings
    host = parse_host(settings.host).unicode
    return Relay(host, settings.from_email, evaluate_saved(services, stored, default=True))
