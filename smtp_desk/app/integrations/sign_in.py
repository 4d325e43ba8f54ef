"""The sign-in by OAuth 2.0 on the page: the key file, what a person has to do, signing in again."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from smtp_desk.app.integrations import words
from smtp_desk.app.integrations.filling import Filling
from smtp_desk.app.notice import Notice
from smtp_desk.app.page_presenter import quietly
from smtp_desk.app.routes.sign_in import SignedIn, sign_in_again
from smtp_desk.app.runner import Emit, Job, Runner
from smtp_desk.app.services import Services
from smtp_desk.app.words import failure_text
from smtp_desk.core.oauth import INTERACTIVE, MAX_SECRET, OAuthProvider
from smtp_desk.core.problems import Field
from smtp_desk.core.secret import Secret, StoredSecret
from smtp_desk.core.settings import OAUTH, SettingsDraft
from smtp_desk.smtp.net.deadline import Cancel
from smtp_desk.store.files import read_regular
from smtp_desk.store.resources import read_guide

NOT_A_KEY_FILE: Final = "This isn’t a PEM or JSON file."


class KeyFile:
    """Reads the secret of a sign-in from a file that a person chose."""

    def __init__(self, runner: Runner, filling: Filling, failed: Callable[[str], None]) -> None:
        """Fill in the form by `filling`; `failed` is told why a file can't be taken."""
        self._runner: Final = runner
        self._filling: Final = filling
        self._failed: Final = failed

    def choose(self, path: str) -> None:
        """Read a certificate's or a service account's key file."""

        def read(octets: bytes) -> None:
            try:
                self._filling.fill({Field.PASSWORD: octets.decode()})
            except UnicodeDecodeError:
                self._failed(NOT_A_KEY_FILE)

        self._runner.run(
            quietly(lambda: read_regular(Path(path), MAX_SECRET + 1)),
            on_done=read,
            on_error=lambda error: self._failed(failure_text(error)),
        )


def from_key_file(draft: SettingsDraft) -> bool:
    """Whether the secret of a draft came from a file: nobody types several lines."""
    return isinstance(draft.secret, Secret) and "\n" in draft.secret.reveal().strip()


def may_sign_in_again(saved: SettingsDraft) -> bool:
    """Whether a person signed in for what is saved, and can do so again."""
    signed_in = saved.auth_method == OAUTH and saved.oauth.flow in INTERACTIVE
    return signed_in and isinstance(saved.secret, StoredSecret)


def guide_for(provider: str) -> str:
    """Return how to register an application with a provider, as Markdown; "" for a password."""
    return read_guide(OAuthProvider(provider)) if provider else ""


def signing_in(services: Services, *, default: bool) -> Job[SignedIn]:
    """Return the job in which a person signs in again for what is saved."""

    def job(emit: Emit, cancel: Cancel) -> SignedIn:
        return sign_in_again(services, emit, cancel, default=default)

    return job


def notice_of(done: SignedIn) -> Notice:
    """Return the notice about its result."""
    if done.finding is None:
        return Notice(words.signed_in(done))
    return Notice(done.finding.summary, error=True)
