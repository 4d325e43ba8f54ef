"""What the presenter of the Integrations page says."""

from typing import Final

from smtp_desk.app.routes.sign_in import SignedIn
from smtp_desk.app.routes.words import PAUSED

_DUE: Final = "Waiting emails are queued to send now."
CANCELLED: Final = "The test was cancelled."
CHANGED_ELSEWHERE: Final = (
    "The saved settings were changed outside this window. The form now shows them."
)
NOT_OVERWRITTEN: Final = (
    "Not saved: the saved settings were changed outside this window. Save again to replace them, "
    "or discard your changes to see them."
)


def signed_in(done: SignedIn) -> str:
    """Return what to say once a person has signed in again."""
    who = f"Signed in as {done.account}." if done.account else "Signed in."
    return f"{who} {PAUSED if done.paused else _DUE}"


def not_sent(errors: int) -> str:
    """Return what to say where problems keep a test from being sent."""
    if errors == 1:
        return "Fix the error first. Nothing was sent."
    return f"Fix the {errors} errors first. Nothing was sent."
