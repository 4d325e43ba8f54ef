"""Every code of the store has its words, and they say where and what to do."""

from pathlib import Path

import pytest

from smtp_desk.app.words import failure_text, keyring_text, status_reason
from smtp_desk.store.credentials import CredentialsUnavailableError, UnavailableReason
from smtp_desk.store.save_protocol import SaveError, SaveReason, SaveStep
from smtp_desk.store.settings_file import SettingsFileError, SettingsFileProblem
from smtp_desk.store.stored import ServerState, ServerStatus, UnprovenReason
from tests.table import each_row

WITH_DETAIL = {
    UnavailableReason.UNUSABLE,
    UnavailableReason.TIMEOUT,
    UnavailableReason.FAILED,
    UnavailableReason.SYSTEMD,
    UnavailableReason.NO_SYSTEMD,
    UnavailableReason.NOT_GIVEN,
}


@each_row("reason", list(UnavailableReason))
def test_a_keyring(reason: UnavailableReason) -> None:
    told = keyring_text(reason, "{10 s}")
    assert told.endswith(".")
    assert ("{10 s}" in told) is (reason in WITH_DETAIL)
    assert failure_text(CredentialsUnavailableError(reason, "{10 s}")) == told
    assert status_reason(ServerStatus(ServerState.SECRET_UNAVAILABLE, reason, "{10 s}")) == told
    cause = CredentialsUnavailableError(reason, "{10 s}")
    assert failure_text(SaveError(SaveStep.SECRET, SaveReason.KEYRING, cause)) == told


@each_row("reason", list(UnprovenReason))
def test_what_is_not_proven(reason: UnprovenReason) -> None:
    told = status_reason(ServerStatus(ServerState.UNPROVEN, reason))
    assert told.endswith(".")
    assert "{" not in told


@each_row("reason", [*UnprovenReason, UnavailableReason.NOT_FOUND, UnavailableReason.ALTERED])
def test_who_signs_in_is_told_of_no_password(reason: UnprovenReason | UnavailableReason) -> None:
    told = status_reason(ServerStatus(ServerState.UNPROVEN, reason, by_token=True))
    assert told.endswith(".")
    assert "password" not in told.lower()


@pytest.mark.parametrize("state", [ServerState.ACTIVE, ServerState.OFF])
def test_what_can_be_used_needs_no_words(state: ServerState) -> None:
    assert status_reason(ServerStatus(state)) == ""


@each_row("kind", list(SettingsFileProblem))
def test_a_settings_file(kind: SettingsFileProblem) -> None:
    alone = {
        SettingsFileProblem.BINARY,
        SettingsFileProblem.IS_DIRECTORY,
        SettingsFileProblem.DANGLING_LINK,
    }
    error = SettingsFileError(kind, Path("/x/settings.toml"), "" if kind in alone else "line 7")
    told = failure_text(error)
    assert told == failure_text(SaveError(SaveStep.FILE, SaveReason.SETTINGS_UNREADABLE, error))
    assert "/x/settings.toml: " in told
    assert ("line 7" in told) is (kind not in alone)


@pytest.mark.parametrize(
    "reason",
    [SaveReason.QUOTA, SaveReason.DISK_FULL, SaveReason.READ_ONLY, SaveReason.DENIED],
)
def test_a_disk(reason: SaveReason) -> None:
    error = SaveError(SaveStep.FILE, reason, OSError(28, "No space left on device", "/x/y"))
    told = failure_text(error)
    assert told.startswith("Couldn’t save (/x/y). ")
    assert "No space" not in told


def test_another_failure_keeps_the_words_of_the_system() -> None:
    error = SaveError(SaveStep.LOCK, SaveReason.FAILED, ValueError("no such thing"))
    assert failure_text(error) == "Couldn’t save. no such thing"
    assert "internal error (KeyError)" in failure_text(KeyError("secret"))
