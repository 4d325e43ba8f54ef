"""A child that changes settings and kills itself right before a chosen step.

Requests come as JSON, one a line, on standard input; each is answered by one line. A step is
a call that reaches the disk or the keyring; right before one is right after the one before.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from smtp_desk.core import proof
from smtp_desk.core.settings import Security
from smtp_desk.store.credentials import CredentialStore, KeyringCredentials
from smtp_desk.store.paths import Paths
from smtp_desk.store.settings_store import SettingsStore
from tests.store.folder_credentials import FolderCredentials
from tests.store.settings import NEW, NEW_SECRET, OLD, OLD_SECRET, RELAY, secret_of

if TYPE_CHECKING:
    from collections.abc import Callable

DISK_CALLS: Final = ("open", "fdopen", "fsync", "replace", "rename", "unlink", "mkdir", "chmod")
SETTINGS_REPLACED: Final = "os.replace.settings"
KEYRING_CALLS: Final = ("get", "set", "delete")


class Killer:
    """Counts steps, writes each one's name to a file, and kills the process before one."""

    def __init__(self, kill_at: int, trace: int) -> None:
        self._left = kill_at
        self._trace = trace

    def before(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - stands for any call
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            self._left -= 1
            of_settings = name == "os.replace" and Path(args[1]).name == "settings.toml"
            os.write(self._trace, f"{SETTINGS_REPLACED if of_settings else name}\n".encode())
            return call(*args, **kwargs)

        return step

    def arm(self, credentials: CredentialStore) -> None:
        for name in DISK_CALLS:
            setattr(os, name, self.before(f"os.{name}", getattr(os, name)))
        for name in KEYRING_CALLS:
            setattr(credentials, name, self.before(f"keyring.{name}", getattr(credentials, name)))


def change(store: SettingsStore, request: dict[str, Any]) -> None:
    """Make the change that the request names."""
    ca_pem = request.get("ca_pem", "")
    match request["change"]:
        case "save old":
            store.save_server(replace(OLD, ca_pem=ca_pem), Security.STARTTLS, OLD_SECRET)
        case "save new":
            store.save_server(replace(NEW, ca_pem=ca_pem), Security.TLS, NEW_SECRET)
        case "save without credentials":
            store.save_server(RELAY, Security.STARTTLS, None)
        case "save default":
            relay = replace(RELAY, username="desk", ca_pem=ca_pem)
            store.save_server(relay, Security.STARTTLS, NEW_SECRET, default=True)
        case "enable":
            store.set_enabled(True)
        case "remove":
            store.remove_server()
        case "remove default":
            store.remove_server(default=True)
        case "recover and be killed":
            store.recover()


def attempt(store: SettingsStore, credentials: CredentialStore, request: dict[str, Any]) -> object:
    """Make the change in a child; tell which steps it did and whether it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        failed = 1
        try:
            Killer(request["kill_at"], writing).arm(credentials)
            change(store, request)
            failed = 0
        finally:
            os._exit(failed)
    os.close(writing)
    with os.fdopen(reading) as trace:
        steps = trace.read().split()
    status = os.waitpid(child, 0)[1]
    return {"steps": steps, "killed": os.WIFSIGNALED(status), "status": status}


def stored(store: SettingsStore) -> dict[str, object]:
    """Tell what a program that starts now finds in use."""
    settings = store.load()
    return {
        "settings": repr(settings),
        "secrets": [
            secret.reveal() if (secret := secret_of(store, server)) else None
            for server in settings.servers
        ],
        "states": [store.status(settings, default=default).state for default in (False, True)],
    }


def main() -> None:
    """Answer requests until there are none."""
    # A proof as it is made today costs nothing here; those of the first version are in a file.
    proof._COSTS[proof.VERSION] = 2
    for line in sys.stdin:
        request = json.loads(line)
        folder = request["keyring"]
        credentials: CredentialStore = (
            FolderCredentials(Path(folder)) if folder else KeyringCredentials(interactive=True)
        )
        # Known keys and randomness: two ways to the same state give the very same file.
        key = request["change"].replace(" ", "-")
        known = itertools.chain([key], (f"{key}-{number}" for number in itertools.count(2)))
        store = SettingsStore(
            Paths.below(Path(request["home"])),
            credentials,
            token=known.__next__,
            random=lambda size: b"x" * size,
        )
        answer: object
        if request["change"] == "recover":
            answer = {"recovered": store.recover()}
        elif request["change"] == "read":
            answer = stored(store)
        else:
            answer = attempt(store, credentials, request)
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
