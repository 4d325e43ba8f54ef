"""The words about settings and secrets that can't be read, used or saved, on every page."""

from collections.abc import Mapping
from typing import Final

from smtp_desk.core.system import System, this_system
from smtp_desk.core.translation import Text, _, mark, told
from smtp_desk.store.credentials import (
    PASSWORD_VARIABLE,
    SYSTEMD_CREDENTIAL,
    CredentialsUnavailableError,
    UnavailableReason,
)
from smtp_desk.store.save_protocol import SaveError, SaveReason
from smtp_desk.store.settings_file import SettingsFileError, SettingsFileProblem
from smtp_desk.store.stored import NotProvenError, ServerStatus, UnprovenReason

NEEDS_PROOF: Final = mark("First save settings that a test email has proven.")


_GET_ONE: Final = {
    System.MACOS: mark("Unlock the login keychain in Keychain Access."),
    System.WINDOWS: mark("Check that the service “Credential Manager” is running."),
    System.UNIX: mark(
        "Install GNOME Keyring, KeePassXC or KWallet and sign in to your desktop session. On an "
        "unattended machine, provide the password in {variable} or the systemd credential "
        "{credential}."
    ),
}
_KEYRING: Final[Mapping[UnavailableReason, str]] = {
    UnavailableReason.MISSING: mark(
        "This computer has no keyring, and SMTP Desk doesn’t store passwords anywhere else."
    ),
    UnavailableReason.UNUSABLE: mark("The keyring can’t be used ({detail})."),
    UnavailableReason.NOT_FOUND: mark(
        "The keyring no longer has the password. Retype it and test."
    ),
    UnavailableReason.LOCKED: mark(
        "The keyring is locked. Unlock it by signing in to the desktop session, and try again."
    ),
    UnavailableReason.DENIED: mark(
        "Access to the keyring was refused. "
        "Unlock it by signing in to the desktop session, and try again."
    ),
    UnavailableReason.TIMEOUT: mark(
        "The keyring didn’t answer within {detail}. "
        "Unlock it by signing in to the desktop session, and try again."
    ),
    UnavailableReason.ALTERED: mark(
        "The keyring returned a different password than the one we stored."
    ),
    UnavailableReason.REMOVED: mark("The sign-in has been removed in the meantime."),
    UnavailableReason.FAILED: mark("The keyring failed ({detail})."),
    UnavailableReason.NO_SYSTEMD: mark(
        "{detail}, which encrypts the password for the worker, is missing. Install systemd 252 "
        "or newer."
    ),
    UnavailableReason.NOT_GIVEN: mark("The password can’t be passed to the worker ({detail})."),
    UnavailableReason.SYSTEMD: mark("The systemd credential can’t be read ({detail})."),
}
_NEVER_TESTED: Final = mark("The settings were never tested.")
_UNPROVEN: Final[Mapping[UnprovenReason, str]] = {
    UnprovenReason.NO_RELAY: mark("No relay is saved. Set one up and test it first."),
    UnprovenReason.NEVER_TESTED: _NEVER_TESTED,
    UnprovenReason.ALIEN_SECRET: _NEVER_TESTED,
    UnprovenReason.CHANGED: mark(
        "The settings were changed outside SMTP Desk since their last successful test."
    ),
    UnprovenReason.SECRET_DIFFERS: mark("The password isn’t the one that was tested."),
    UnprovenReason.SECRET_OR_SETTINGS_DIFFER: mark(
        "The password isn’t the one that was tested, or the settings were changed since."
    ),
}
_OF_SIGN_IN: Final[Mapping[UnprovenReason | UnavailableReason, str]] = {
    UnavailableReason.NOT_FOUND: mark(
        "The keyring no longer has the sign-in. Sign in again and test."
    ),
    UnavailableReason.ALTERED: mark(
        "The keyring returned a different sign-in than the one we stored."
    ),
    UnprovenReason.SECRET_DIFFERS: mark("The sign-in isn’t the one that was tested."),
    UnprovenReason.SECRET_OR_SETTINGS_DIFFER: mark(
        "The sign-in isn’t the one that was tested, or the settings were changed since."
    ),
}
"""Where what is missing or differs is no password."""
_FILE: Final[Mapping[SettingsFileProblem, str]] = {
    SettingsFileProblem.BINARY: mark("it isn’t text in UTF-8"),
    SettingsFileProblem.IS_DIRECTORY: mark("it’s a directory"),
    SettingsFileProblem.DANGLING_LINK: mark("it’s a broken link"),
}
_SAVING: Final[Mapping[SaveReason, str]] = {
    SaveReason.QUOTA: mark("Your disk quota is used up."),
    SaveReason.DISK_FULL: mark("The disk is full."),
    SaveReason.READ_ONLY: mark("The disk is read-only."),
    SaveReason.DENIED: mark("You aren’t allowed to write there."),
}


def keyring_text(reason: UnavailableReason, detail: str) -> str:
    """Return why a secret can't be read or saved, and how to fix that."""
    return _(keyring_fact(reason, detail))


def keyring_fact(reason: UnavailableReason, detail: str) -> Text:
    """Return it as a report contains it: in English, translated where it is read."""
    sentences: list[tuple[str, Mapping[str, str]]] = [(_KEYRING[reason], {"detail": detail})]
    if reason in (UnavailableReason.MISSING, UnavailableReason.UNUSABLE):
        names = {"variable": PASSWORD_VARIABLE, "credential": SYSTEMD_CREDENTIAL}
        sentences.append((_GET_ONE[this_system()], names))
    return Text.of(*sentences)


def status_reason(status: ServerStatus) -> str:
    """Return why a saved server can't be used; "" if it can."""
    if status.by_token and status.reason is not None and status.reason in _OF_SIGN_IN:
        return _(_OF_SIGN_IN[status.reason])
    if isinstance(status.reason, UnavailableReason):
        return keyring_text(status.reason, status.detail)
    return _(_UNPROVEN[status.reason]) if status.reason else ""


def file_text(error: SettingsFileError) -> str:
    """Return which settings file can't be read, and why, within a sentence."""
    why = _(_FILE[error.kind]) if error.kind in _FILE else error.detail
    return f"{error.path}: {why}"


def failure_text(error: Exception, *of_people: type[Exception]) -> str:
    """Return what to tell a person about a background job that failed.

    Args:
        error: What it raised.
        of_people: The errors of this job whose own words are for a person.
    """
    if isinstance(error, of_people):
        return told(error)
    match error:
        case SaveError():
            return _not_saved(error)
        case NotProvenError():
            return status_reason(error.status) or _(NEEDS_PROOF)
        case SettingsFileError():
            return _(
                "The settings file can’t be read and won’t be overwritten: {why}",
                why=file_text(error),
            )
        case CredentialsUnavailableError():
            return keyring_text(error.reason, error.detail)
    return _(
        "SMTP Desk ran into an internal error ({name}). See the log for details.",
        name=type(error).__name__,
    )


def _not_saved(error: SaveError) -> str:
    if error.reason is SaveReason.LOCK_HELD:
        return _("Another SMTP Desk is saving. Try again.")
    if isinstance(error.cause, CredentialsUnavailableError | SettingsFileError):
        return failure_text(error.cause)
    name = error.cause.filename if isinstance(error.cause, OSError) else None
    text = _("Couldn’t save ({file}).", file=name) if name else _("Couldn’t save.")
    why = _(_SAVING[error.reason]) if error.reason in _SAVING else told(error.cause)
    return f"{text} {why}"
