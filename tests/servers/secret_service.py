"""A real Secret Service (gnome-keyring) on a private bus, with a home of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final, Self

import pytest
import secretstorage
from jeepney import (  # type: ignore[import-untyped]
    DBusAddress,
    HeaderFields,
    MessageType,
    new_method_call,
    new_method_return,
)
from jeepney.bus_messages import message_bus  # type: ignore[import-untyped]
from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]

from smtp_desk.core.secret import KeyringEntry, Secret
from tests.servers import parts
from tests.servers.bus import NO_BUS, MessageBus
from tests.servers.process import ServerProcess, server_folder

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from jeepney import Message
    from jeepney.io.blocking import DBusConnection

_MASTER_PASSWORD: Final = b"opens the keyring"
_SERVICE: Final = "org.freedesktop.secrets"
_PROMPTER: Final = "org.gnome.keyring.SystemPrompter"


def password_in(text: str) -> str:
    """The password in an entry of the keyring."""
    entry = KeyringEntry.parse(Secret(text))
    assert entry is not None
    return entry.secret.reveal()


class SecretService:
    """A running Secret Service, unlocked at first.

    Attributes:
        env: the environment in which programs find it, and nothing of the person's desktop.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._bus = MessageBus(folder)
        self.env = _environment(folder, self._bus.address)
        self._prompter: _DeafPrompter | None = None
        self._daemon = self._start("--unlock", stdin=_MASTER_PASSWORD)

    def lock(self) -> None:
        """Lock the keyring; a prompt to unlock it is dismissed at once."""
        self._daemon.stop()
        self._daemon = self._start()

    def hang_on_prompts(self) -> None:
        """Lock the keyring; a prompt to unlock it stays on a screen that nobody watches."""
        self._prompter = _DeafPrompter(self._bus.address)
        self.lock()

    def wait_for_prompt(self, seconds: float = 20.0) -> None:
        """Return once such a prompt is on that screen."""
        assert self._prompter is not None, "hang_on_prompts() was not called"
        assert self._prompter.prompting.wait(seconds), "nobody asked for a prompt"

    def run_python(self, code: str, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run Python code in the environment of this service."""
        return subprocess.run(
            [sys.executable, "-c", code],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def passwords(self) -> list[str]:
        """The passwords in all that the keyring holds."""
        return [password_in(text) for _, text in self.entries()]

    def entries(self) -> list[tuple[str, str]]:
        """Key and text of all that the keyring holds, by key."""
        with contextlib.closing(open_dbus_connection(self._bus.address)) as connection:
            items = secretstorage.get_default_collection(connection).get_all_items()
            return sorted(
                (item.get_attributes()["username"], item.get_secret().decode()) for item in items
            )

    def stop(self) -> None:
        self._daemon.stop()
        if self._prompter is not None:
            self._prompter.stop()
        self._bus.stop()

    def _start(self, *options: str, stdin: bytes = b"") -> ServerProcess:
        daemon = ServerProcess(
            [
                parts.program("gnome-keyring-daemon"),
                "--foreground",
                "--components=secrets",
                *options,
            ],
            self._folder / "keyring.log",
            env=self.env,
            stdin=stdin,
        )
        with contextlib.closing(open_dbus_connection(self._bus.address)) as connection:
            daemon.wait_ready(lambda: _has_owner(connection, _SERVICE))
        return daemon

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _DeafPrompter:
    """Takes every request for a prompt, and never comes back with an answer."""

    def __init__(self, address: str) -> None:
        self.prompting = threading.Event()
        self._connection = open_dbus_connection(address)
        self._connection.send_and_get_reply(message_bus.RequestName(_PROMPTER))
        self._address = address
        self._thread = threading.Thread(target=self._serve, name="prompter", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with contextlib.closing(open_dbus_connection(self._address)) as connection:
            connection.send(
                new_method_call(DBusAddress("/", bus_name=_PROMPTER, interface="test.Stop"), "Stop")
            )
            self._thread.join()
        self._connection.close()

    def _serve(self) -> None:
        while True:
            message: Message = self._connection.receive()
            if message.header.message_type is not MessageType.method_call:
                continue
            if message.header.fields[HeaderFields.member] == "Stop":
                return
            self._connection.send(new_method_return(message))
            if message.header.fields[HeaderFields.member] == "BeginPrompting":
                self.prompting.set()


def _has_owner(connection: DBusConnection, name: str) -> bool:
    reply = connection.send_and_get_reply(message_bus.NameHasOwner(name))
    return bool(reply.body[0])


def _environment(folder: pathlib.Path, address: str) -> dict[str, str]:
    """The test's own environment, with all personal folders below `folder`."""
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DISPLAY", "WAYLAND_DISPLAY", "SMTP_DESK_PASSWORD"}
    }
    env["DBUS_SESSION_BUS_ADDRESS"] = address
    env["HOME"] = str(folder)
    for kind in ("DATA", "CONFIG", "CACHE", "STATE"):
        env[f"XDG_{kind}_HOME"] = str(folder / kind.lower())
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    env["XDG_RUNTIME_DIR"] = str(runtime)
    return env


@pytest.fixture
def secret_service(clean_environment: pathlib.Path) -> Iterator[SecretService]:
    """A Secret Service that is unlocked and empty."""
    parts.require("gnome_keyring")
    with server_folder("keyring") as folder, SecretService(folder) as service:
        yield service


@pytest.fixture
def no_bus_env(clean_environment: pathlib.Path, tmp_path: pathlib.Path) -> dict[str, str]:
    """An environment without a message bus, hence without a Secret Service."""
    return _environment(tmp_path, NO_BUS)
