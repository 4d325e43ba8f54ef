"""Settings that the tests of the store save."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import ServerSettings

if TYPE_CHECKING:
    from smtp_desk.store.settings_store import SettingsStore
    from smtp_desk.store.stored import StoredServer

OLD: Final = ServerSettings(
    host="old.example.test",
    port=587,
    username="ann@example.org",
    from_name="Example",
    from_email="desk@example.org",
)
NEW: Final = ServerSettings(
    host="new.example.test",
    port=465,
    username="bo@example.org",
    from_name="Example, “new” 新",
    from_email="desk@example.org",
)
RELAY: Final = ServerSettings(host="relay.corp.local", port=25, from_email="desk@corp.local")
OLD_SECRET: Final = Secret("old secret")
NEW_SECRET: Final = Secret(' n"e\\w% §𝄞 ')


def secret_of(store: SettingsStore, server: StoredServer) -> Secret | None:
    """The secret of a saved server; None where there is none, or it is gone."""
    entry = store.entry(server)
    return (entry.secret or None) if entry else None
