"""Services that send through a sandbox, saved and switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtp_desk.app.services import Services
from smtp_desk.core.settings import Security, ServerSettings

if TYPE_CHECKING:
    from pathlib import Path

    from smtp_desk.sandbox.server import Sandbox


def sending_through(server: Sandbox, folder: Path) -> Services:
    made = Services.sandbox(folder)
    settings = ServerSettings(
        host="localhost",
        port=server.starttls_port,
        username=server.username,
        from_name="Example Network",
        from_email=server.username,
        ca_pem=server.ca_pem,
    )
    made.store.save_server(settings, Security.STARTTLS, server.password)
    made.store.set_enabled(True)
    return made
