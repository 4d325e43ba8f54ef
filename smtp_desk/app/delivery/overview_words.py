"""The words about the whole outbox: the last day, a pause, workers, causes, and an erasure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from smtp_desk.app.delivery.last_day import DayResult, Hour
from smtp_desk.app.delivery.words import DeliveryStatus
from smtp_desk.app.notice import Notice
from smtp_desk.app.routes.words import PAUSED, emails, local_time
from smtp_desk.core.reply import visible

if TYPE_CHECKING:
    from smtp_desk.app.delivery.erasing import Erasure

RESULTS: Final[Mapping[DayResult, str]] = {
    DayResult.CUSTOM: "Sent by the custom server",
    DayResult.DEFAULT: "Sent by the default service",
    DayResult.WAITING: "Waiting",
    DayResult.UNCERTAIN: "Uncertain",
    DayResult.REFUSED: "Refused",
}
QUIET: Final = "No emails in the last 24 hours."

WORKER_FOR: Final = (
    "A worker sends waiting emails when they’re due: retries, and emails that programs queue "
    "or pass to sendmail."
)
OUR_WORKER: Final = "A worker is running in this window. It stops when you close the window."
NO_WORKER: Final = "No worker is running."
RESUMED: Final = "Sending resumed. Waiting emails are sent when they’re due."
_PAUSED: Final = (
    "Sending has been paused since {}. Emails are stored and wait. No program sends any."
)


def day_text(hours: Sequence[Hour]) -> str:
    """Return the last day in a sentence."""
    total = sum(hour.total for hour in hours)
    if not total:
        return QUIET
    busiest = max(hours, key=lambda hour: hour.total)
    most = f" The busiest one began at {_clock(busiest.begin)}: {emails(busiest.total)}."
    return f"{emails(total)} stored in the last 24 hours, by the hour.{most if total > 1 else ''}"


def hour_text(hour: Hour) -> str:
    """Return one hour: when it was, and how many emails had which result."""
    counted = ((RESULTS[each], hour.counts.get(each, 0)) for each in DayResult)
    parts = [f"{name}: {count:,}" for name, count in counted if count]
    return f"From {_clock(hour.begin)}: {', '.join(parts) or 'no emails'}."


def hours_text(hours: Sequence[Hour]) -> str:
    """Return every hour with emails, for people who can't see the chart."""
    return " ".join(hour_text(hour) for hour in hours if hour.total)


def paused_text(since: datetime, now: datetime) -> str:
    """Return that sending is paused, since when, and what that means."""
    return _PAUSED.format(local_time(since, now))


def worker_text(workers: int, *, ours: bool = False) -> str:
    """Return whether a worker runs."""
    if ours:
        return OUR_WORKER
    if not workers:
        return NO_WORKER
    return "A worker is running." if workers == 1 else f"{workers} workers are running."


def retried_text(count: int, cause: str, *, paused: bool) -> str:
    """Return the result of a retry in bulk."""
    if not count:
        return f"This problem no longer stops any emails: {cause}"
    if paused:
        return f"{emails(count)} queued. {PAUSED}"
    return f"{emails(count)} queued to send now."


def found_text(found: "Erasure") -> str:
    """Return what is stored about a recipient, and what erasing it would mean."""
    if not found.total and not found.notices:
        none = f"No email to {visible(found.address)} is stored. Erasing still clears the log."
        return " ".join((none, *_kept(found)))
    said = [f"{_emails_to(found)} stored."]
    waiting = found.emails.get(DeliveryStatus.WAITING, 0)
    if waiting:
        said.append(f"Of these, {emails(waiting)} will never be sent.")
    if uncertain := found.emails.get(DeliveryStatus.UNCERTAIN, 0):
        said.append(
            f"{_capital(emails(uncertain))} may have been delivered, and no record of it will be "
            "left."
        )
    if found.notices:
        said.append(f"Notices to you that mention the address will be erased too: {found.notices}.")
    return " ".join((*said, *_kept(found)))


def erased(done: "Erasure") -> Notice:
    """Return what was erased, and what was not."""
    said = [f"Erased: {_emails_to(done)}."]
    if done.notices:
        said.append(f"Notices to you that mentioned the address were erased too: {done.notices}.")
    if done.log_lines:
        said.append(f"Places in the log where the address was removed: {done.log_lines}.")
    if done.shared:
        said.append(
            f"{_capital(emails(done.shared))} also had other recipients. Their copies stay, "
            "and may mention the address."
        )
    if done.in_flight:
        said.append(
            f"{_capital(emails(done.in_flight))} being sent right now can’t be erased yet. "
            "Erase again in a few minutes."
        )
    return Notice(" ".join((*said, *_kept(done))), error=bool(done.in_flight))


def _kept(about: "Erasure") -> list[str]:
    kept = "The General page still has this address under “Notify this address”. It isn’t changed."
    return [kept] if about.notified else []


def _emails_to(about: "Erasure") -> str:
    address = visible(about.address)
    if not about.total:
        return f"no emails to {address}"
    counted = ((status.label.lower(), about.emails.get(status, 0)) for status in DeliveryStatus)
    parts = [f"{count:,} {label}" for label, count in counted if count]
    return f"{emails(about.total)} to {address} ({', '.join(parts)})"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M}"
