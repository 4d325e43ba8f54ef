"""The words of Find settings, chosen from codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from smtp_desk.app.proposals.words import (
    OAUTH_PROVIDERS,
    SECURITY,
    SOURCES,
    result_text,
    secret_text,
)
from smtp_desk.core.problems import Field
from smtp_desk.discovery.candidates import SearchResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from smtp_desk.app.proposals.presenter import Proposal
    from smtp_desk.discovery.candidates import Asked, Candidate

FIND: Final = "Find settings"
FIND_TIP: Final = "Finds the mail server for the From email"
CANCEL_TIP: Final = "Stops the search"
UNDO: Final = "Undo"
REPLACE: Final = "Replace what I typed"
ASK_ISPDB: Final = "Ask Mozilla’s database"
ISPDB: Final = (
    "Mozilla keeps a public database of mail providers. It isn’t asked without your consent, "
    "because it then learns the domain of your address."
)
WHAT_IS_ASKED: Final = "What would be asked"
WHAT_WAS_ASKED: Final = "What was asked"
ABOUT_QUESTIONS: Final = (
    "Known providers are looked up on this computer, without asking anyone. For any other "
    "domain, Find settings asks all of these at once. Everything except DNS is encrypted, "
    "and no password is sent."
)
START: Final = "Start here: SMTP Desk can find this address’s server."
STRAIGHT: Final = "I know the settings"
STRAIGHT_TIP: Final = "Goes to the SMTP server host"
MANAGED_TITLE: Final = "Managed settings"
MANAGED: Final = "Managed by your organization."
USE_MANAGED: Final = "Use the managed values"

_NAMES: Final = {
    Field.HOST: "SMTP server host",
    Field.PORT: "Port",
    Field.SECURITY: "Security",
    Field.USERNAME: "Username",
}


def found(proposals: tuple[Proposal, ...]) -> str:
    """Return how many servers were found, or "" for none."""
    if not proposals:
        return ""
    if len(proposals) == 1:
        return "Found a server. Nothing is filled in until you choose it."
    return f"Found {len(proposals)} servers, the most likely first. Choose one to fill it in."


def server(candidate: Candidate) -> str:
    """Return which server it is."""
    return f"{candidate.host}, port {candidate.port}, {SECURITY[candidate.security]}"


def source(proposal: Proposal) -> str:
    """Return where it comes from, and so how sure it is."""
    said = proposal.sureness
    return f"{said[0].upper()}{said[1:]}."


def sign_in(proposal: Proposal) -> str:
    """Return what it accepts to sign in, and the username."""
    said = f"Sign-in: {proposal.sign_in}."
    username = proposal.candidate.username
    return f"{said} Username: {username}." if username else said


def limits(proposal: Proposal) -> str:
    """Return how much the provider lets one account send, or ""."""
    return f"Sending limits: {proposal.limits}." if proposal.limits else ""


def kept(proposal: Proposal) -> str:
    """Return what is kept as typed, or that there is nothing to do."""
    if proposal.kept:
        return f"You entered something else for {_joined(_NAMES[each] for each in proposal.kept)}."
    return "" if proposal.changes else "The form already has these values."


def use_by_oauth(proposal: Proposal) -> str:
    """Return the label of the button that also chooses the sign-in by OAuth 2.0."""
    return f"Use it and sign in with {OAUTH_PROVIDERS[proposal.credential]}"


def use(proposal: Proposal) -> str:
    """Return the label of the button that overwrites nothing."""
    if not proposal.kept and proposal.credential:
        return f"Use it with {secret_text(proposal.candidate)}"
    if not proposal.kept:
        return "Use this server"
    return f"Fill in only {_joined(_NAMES[each] for each in proposal.changes)}"


def question(asked: Asked, *, searched: bool) -> str:
    """Return what kind of question it is, and its result."""
    kind = SOURCES[asked.source]
    return f"{kind}: {result_text(asked)}" if searched else kind


def look(asked: Asked, *, searched: bool) -> tuple[str, str]:
    """Return icon and tone of a question."""
    if not searched:
        return "pending", "muted"
    if asked.result is None:
        return "running", "accent"
    return ("success", "success") if asked.result is SearchResult.FOUND else ("skipped", "muted")


def managed_text(contact: str) -> str:
    """Return the text about locked fields, and who to ask."""
    asks = f" Ask {contact} if one of them has to change." if contact else ""
    return f"Your organization manages some of these settings.{asks}"


def _joined(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
