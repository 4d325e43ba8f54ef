"""What the terminal and all pages say of settings, updates and this copy is in the language."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smtp_desk.app.installation import Installation, update_advice
from smtp_desk.app.startup import missing_for_window, missing_library
from smtp_desk.app.updates import _WHY, Updates, _failed
from smtp_desk.app.words import _SAVING, failure_text, keyring_fact, keyring_text, status_reason
from smtp_desk.core.system import System
from smtp_desk.core.translation import _, told
from smtp_desk.store.credentials import UnavailableReason
from smtp_desk.store.save_protocol import SaveError, SaveReason, SaveStep
from smtp_desk.store.settings_file import SettingsFileError, SettingsFileProblem
from smtp_desk.store.stored import ServerState, ServerStatus, UnprovenReason
from tests.pseudo import speaking_pseudo, untranslated
from tests.table import each_row

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable

_REASONS = [*UnavailableReason, *UnprovenReason]
_FILE = SettingsFileError(SettingsFileProblem.BINARY, Path("/1"))


def _why(reason: UnavailableReason | UnprovenReason, *, by_token: bool = False) -> str:
    return status_reason(ServerStatus(ServerState.UNPROVEN, reason, "10", by_token))


def _not_loaded(name: str) -> ctypes.CDLL:
    raise OSError(name)


def _no_window(environ: dict[str, str]) -> str:
    lacking = missing_for_window(environ, system=System.UNIX, load=_not_loaded)
    return lacking.text if lacking else ""


@each_row(
    "say",
    [
        *(lambda each=each: keyring_text(each, "10") for each in UnavailableReason),
        *(lambda each=each: _why(each) for each in _REASONS),
        *(lambda each=each: _why(each, by_token=True) for each in _REASONS),
        *(
            lambda each=each: failure_text(SaveError(SaveStep.SECRET, each, OSError(1, "1", "/1")))
            for each in SaveReason
            if each in {*_SAVING, SaveReason.LOCK_HELD}
        ),
        lambda: failure_text(_FILE),
        *(lambda each=each: update_advice(each) for each in Installation),
        *(
            lambda each=each: " ".join(Updates("1", each, each == "2").lines(Installation.DEB))
            for each in ("0", "1", "2")
        ),
        *(lambda each=each: told(ValueError(_failed("1", each, "2"))) for each in _WHY.values()),
        lambda: _no_window({"WAYLAND_DISPLAY": "1"}),
        lambda: _no_window({}),
        lambda: missing_library(ImportError("")).text,
    ],
)
def test_it_is_in_the_language(say: Callable[[], str]) -> None:
    with speaking_pseudo():
        said = say()
    assert said.startswith(("⟦", "/1: ⟦"))
    assert not untranslated(said), said


@each_row("reason", list(UnavailableReason))
def test_a_report_has_the_english_of_it_and_is_read_in_the_language(
    reason: UnavailableReason,
) -> None:
    english = keyring_text(reason, "10")
    with speaking_pseudo():
        fact = keyring_fact(reason, "10")
        assert (str(fact), _(fact)) == (english, keyring_text(reason, "10"))
        assert not untranslated(_(fact))


def test_what_an_error_says_in_the_log_is_english() -> None:
    error = ValueError(_failed("http://1", _WHY[next(iter(_WHY))]))
    with speaking_pseudo():
        assert str(error).startswith("Couldn’t check for updates at http://1. ")
