"""Count a test's connection among those of our own sending."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from smtp_desk.app.services import Services
from smtp_desk.core.settings import ServerSettings
from smtp_desk.core.stages import Facts
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.settings_file import SettingsFileError


@contextmanager
def counted(services: Services, settings: ServerSettings, cancel: Cancel) -> Iterator[Facts]:
    """Count the test's connection among ours while it lasts.

    If our own sending holds all allowed connections, wait a few seconds for one of them, then
    go on all the same. If nothing was ever sent, nothing is counted.

    Yields:
        `own_connections`: how many more our own sending holds; empty for none.
    """
    if not _may_be_in_use(services, settings):
        yield {}
        return
    # Imported here, as below: where nothing was ever sent there is nothing to share.
    from smtp_desk.sender.outbox.outbox import OutboxError  # noqa: PLC0415
    from smtp_desk.sender.routes.share import ServerShare  # noqa: PLC0415

    share = connection = None
    others = 0
    with suppress(OutboxError):  # a test needs no outbox
        share = ServerShare(services.throttle, settings, now=services.now)
        connection = share.lease_patiently(cancel)
        others = share.connected - (connection is not None)
    try:
        yield {"own_connections": others} if others else {}
    finally:
        if share is not None and connection is not None:
            share.release(connection)


def _may_be_in_use(services: Services, settings: ServerSettings) -> bool:
    if not services.has_outbox:
        return False
    try:
        saved = services.store.load().servers
    except SettingsFileError:
        return False
    return _login(settings) in {_login(server.settings) for server in saved}


def _login(settings: ServerSettings) -> str:
    from smtp_desk.sender.routes.throttle import Login  # noqa: PLC0415 - as above

    return str(Login(settings.host, settings.port, settings.username))
