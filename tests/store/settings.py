"""Settings that the tests of the store save."""

from __future__ import annotations

from typing import Final

from smtp_desk.core.secret import Secret
from smtp_desk.core.settings import ServerSettings

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
