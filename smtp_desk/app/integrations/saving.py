"""Saving the values in the form: all that a test proved, or what no test has to prove."""

from smtp_desk.app.proving.proving import ProofResult, save
from smtp_desk.app.routes.custom import Saved, load_saved
from smtp_desk.app.routes.route_status import server_of
from smtp_desk.app.services import Services
from smtp_desk.core.settings import Snapshot
from smtp_desk.sender.routes.route import CUSTOM, DEFAULT


class ChangedElsewhereError(Exception):
    """Something else was saved since the form was filled."""


def save_form(
    services: Services,
    values: Snapshot,
    proof: ProofResult | None,
    *,
    version: tuple[int, ...] | None,
    default: bool,
) -> Saved:
    """Save proven values, and return what is saved then.

    Args:
        services: The services to save with.
        values: The values in the form. When their client secret expires may have been typed since
            the test.
        proof: The test that proved them; None if they are saved already: then only that day is
            saved, if it is another. The sign-in may have been renewed since.
        version: What the form was filled from; None to replace whatever was saved since.
        default: Save them as the relay of the default email service.

    Raises:
        ChangedElsewhereError: Something else was saved; nothing changed.
        SaveError: They could not be saved.
        SettingsFileError: What is saved can't be read.
    """
    store, day = services.store, values.settings.client_secret_expires
    if version is not None and store.fingerprint() != version:
        raise ChangedElsewhereError
    if proof is not None:
        save(services, proof.expiring(day), default=default)
    else:
        server = server_of(store.load(), DEFAULT if default else CUSTOM)
        known = server.settings if server else None
        if known == values.settings and known.client_secret_expires != day:
            store.save_expiry(day, default=default)
    return load_saved(services, default=default)
