"""The words about settings and secrets that can't be read, used or saved, on every page."""

from collections.abc import Mapping
from typing import Final

from smtp_desk.core.system import System, this_system
from smtp_desk.store.credentials import (
    PASSWORD_VARIABLE,
    SYSTEMD_CREDENTIAL,
    CredentialsUnavailableError,
    UnavailableReason,
)
from smtp_desk.store.save_protocol import SaveError, SaveReason
from smtp_desk.store.settings_file import SettingsFileError, SettingsFileProblem
from smtp_desk.store.stored import NotProvenError, ServerStatus, UnprovenReason

NEEDS_PROOF: Final = "First save settings that a test email has proven."

_UNLOCK: Final = "Unlock it by signing in to the desktop session, and try again."
_GET_ONE: Final = {
    System.MACOS: "Unlock the login keychain in Keychain Access.",
    System.WINDOWS: "Check that the service “Credential Manager” is running.",
    System.UNIX: "Install GNOME Keyring, KeePassXC or KWallet and sign in to your desktop session. "
    f"On an unattended machine, provide the password in {PASSWORD_VARIABLE} or the systemd "
    f"credential {SYSTEMD_CREDENTIAL}.",
}
_KEYRING: Final[Mapping[UnavailableReason, str]] = {
    UnavailableReason.MISSING: (
        "This computer has no keyring, and SMTP Desk doesn’t store passwords anywhere else. "
        "{get_one}"
    ),
    UnavailableReason.UNUSABLE: "The keyring can’t be used ({detail}). {get_one}",
    UnavailableReason.NOT_FOUND: "The keyring no longer has the password. Retype it and test.",
    UnavailableReason.LOCKED: f"The keyring is locked. {_UNLOCK}",
    UnavailableReason.DENIED: f"Access to the keyring was refused. {_UNLOCK}",
    UnavailableReason.TIMEOUT: f"The keyring didn’t answer within {{detail}}. {_UNLOCK}",
    UnavailableReason.ALTERED: "The keyring returned a different password than the one we stored.",
    UnavailableReason.REMOVED: "The sign-in has been removed in the meantime.",
    UnavailableReason.FAILED: "The keyring failed ({detail}).",
    UnavailableReason.NO_SYSTEMD: (
        "{detail}, which encrypts the password for the worker, is missing. Install systemd 252 "
        "or newer."
    ),
    UnavailableReason.NOT_GIVEN: "The password can’t be passed to the worker ({detail}).",
    UnavailableReason.SYSTEMD: "The systemd credential can’t be read ({detail}).",
}
_NEVER_TESTED: Final = "The settings were never tested."
_UNPROVEN: Final[Mapping[UnprovenReason, str]] = {
    UnprovenReason.NO_RELAY: "No relay is saved. Set one up and test it first.",
    UnprovenReason.NEVER_TESTED: _NEVER_TESTED,
    UnprovenReason.ALIEN_SECRET: _NEVER_TESTED,
    UnprovenReason.CHANGED: "The settings were changed outside SMTP Desk since their last "
    "successful test.",
    UnprovenReason.SECRET_DIFFERS: "The password isn’t the one that was tested.",
    UnprovenReason.SECRET_OR_SETTINGS_DIFFER: "The password isn’t the one that was tested, or "
    "the settings were changed since.",
}
_OF_SIGN_IN: Final[Mapping[UnprovenReason | UnavailableReason, str]] = {
    UnavailableReason.NOT_FOUND: "The keyring no longer has the sign-in. Sign in again and test.",
    UnavailableReason.ALTERED: "The keyring returned a different sign-in than the one we stored.",
    UnprovenReason.SECRET_DIFFERS: "The sign-in isn’t the one that was tested.",
    UnprovenReason.SECRET_OR_SETTINGS_DIFFER: "The sign-in isn’t the one that was tested, or "
    "the settings were changed since.",
}
"""Where what is missing or differs is no password."""
_FILE: Final[Mapping[SettingsFileProblem, str]] = {
    SettingsFileProblem.BINARY: "it isn’t text in UTF-8",
    SettingsFileProblem.IS_DIRECTORY: "it’s a directory",
    SettingsFileProblem.DANGLING_LINK: "it’s a broken link",
}
_SAVING: Final[Mapping[SaveReason, str]] = {
    SaveReason.QUOTA: "Your disk quota is used up.",
    SaveReason.DISK_FULL: "The disk is full.",
    SaveReason.READ_ONLY: "The disk is read-only.",
    SaveReason.DENIED: "You aren’t allowed to write there.",
}


def keyring_text(reason: UnavailableReason, detail: str) -> str:
    """Return why a secret can't be read or saved, and how to fix that."""
    get_one = _GET_ONE[this_system()]
    return _KEYRING[reason].format(detail=detail, get_one=get_one)


def status_reason(status: ServerStatus) -> str:
    """Return why a saved server can't be used; "" if it can."""
    if status.by_token and status.reason is not None and status.reason in _OF_SIGN_IN:
        return _OF_SIGN_IN[status.reason]
    if isinstance(status.reason, UnavailableReason):
        return keyring_text(status.reason, status.detail)
    return _UNPROVEN[status.reason] if status.reason else ""


def file_text(error: SettingsFileError) -> str:
    """Return which settings file can't be read, and why, within a sentence."""
    return f"{error.path}: {_FILE.get(error.kind, error.detail)}"


def failure_text(error: Exception, *told: type[Exception]) -> str:
    """Return what to tell a person about a background job that failed.

    Args:
        error: What it raised.
        told: The errors of this job whose own words are for a person.
    """
    if isinstance(error, told):
        return str(error)
    match error:
        case SaveError():
            return _not_saved(error)
        case NotProvenError():
            return status_reason(error.status) or NEEDS_PROOF
        case SettingsFileError():
            return f"The settings file can’t be read and won’t be overwritten: {file_text(error)}"
        case CredentialsUnavailableError():
            return keyring_text(error.reason, error.detail)
    return (
        f"SMTP Desk ran into an internal error ({type(error).__name__}). See the log for details."
    )


def _not_saved(error: SaveError) -> str:
    if error.reason is SaveReason.LOCK_HELD:
        return "Another SMTP Desk is saving. Try again."
    if isinstance(error.cause, CredentialsUnavailableError | SettingsFileError):
        return failure_text(error.cause)
    name = error.cause.filename if isinstance(error.cause, OSError) else None
    where = f" ({name})" if name else ""
    return f"Couldn’t save{where}. {_SAVING.get(error.reason, error.cause)}"
